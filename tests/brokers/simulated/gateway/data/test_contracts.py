"""Contract details, in the words and the shape of recorded ones."""

import datetime as dt

import pytest
from ib_insync import Contract, Stock

from brokers.simulated.gateway.data.contracts import OPENS_EARLY_S, STAYS_OPEN_S, hours_of
from tests.brokers.simulated.gateway.orders.wire import sent_to

RECORDED_LIQUID = (
    "20250629:CLOSED;20250630:0930-20250630:1600;20250701:0930-20250701:1600;20250702:0930-20250702:1600;"
    "20250703:0930-20250703:1300"
)
RECORDED_TRADING = (
    "20250629:CLOSED;20250630:0400-20250630:2000;20250701:0400-20250701:2000;20250702:0400-20250702:2000;"
    "20250703:0400-20250703:1700"
)
"""Of QQQ, from contract details that TWS gave on 2025-06-29."""


def test_hours_are_written_as_in_recorded_contract_details():
    first = dt.date(2025, 6, 29)
    assert hours_of(first) == RECORDED_LIQUID
    assert hours_of(first, OPENS_EARLY_S, STAYS_OPEN_S) == RECORDED_TRADING


async def test_a_stock_without_an_exchange_has_a_row_for_each_and_the_first_is_smart(desktop):
    ib = await desktop.connect()
    rows = await ib.reqContractDetailsAsync(Stock("SPY", "", "USD"))
    exchanges = [row.contract.exchange for row in rows]
    assert exchanges[0] == "SMART"
    assert {"ARCA", "NYSE", "NASDAQ"} < set(exchanges)
    assert len(exchanges) == len(set(exchanges)) > 5
    assert {row.contract.conId for row in rows} == {756733}


@pytest.mark.parametrize(
    ("wanted", "exchange"),
    [
        (Stock("SPY", "ARCA", "USD"), "ARCA"),
        (Stock("SPY", "SMART", "USD", primaryExchange="ARCA"), "SMART"),
        (Contract(conId=756733), "SMART"),
        (Contract(conId=756733, exchange="NYSE"), "NYSE"),
        (Contract(secType="STK", localSymbol="SPY", exchange="SMART", currency="USD"), "SMART"),
    ],
)
async def test_a_contract_that_says_which_one_is_meant_has_one_row(desktop, wanted, exchange):
    ib = await desktop.connect()
    (row,) = await ib.reqContractDetailsAsync(wanted)
    assert (row.contract.symbol, row.contract.exchange) == ("SPY", exchange)


@pytest.mark.parametrize(
    "wanted",
    [
        Stock("NOPE", "SMART", "USD"),
        Stock("SPY", "SMART", "EUR"),
        Stock("SPY", "LSE", "USD"),
        Stock("SPY", "SMART", "USD", primaryExchange="NYSE"),
        Contract(conId=4711),
    ],
)
async def test_what_is_not_listed_gets_200(desktop, wanted):
    ib = await desktop.connect()
    assert await ib.reqContractDetailsAsync(wanted) == []
    assert ib.errors[-1][1] == 200


async def test_option_parameters_are_none_and_an_unknown_underlying_is_refused(desktop):
    ib = await desktop.connect()
    assert await ib.reqSecDefOptParamsAsync("SPY", "", "STK", 756733) == []
    ib.client.reqSecDefOptParams(77, "SPY", "", "STK", 4711)
    await desktop.heard(ib)
    assert ib.errors[-1][:2] == (77, 321)


@pytest.mark.parametrize(("format_date", "text"), [(1, "20130928-13:30:00"), (2, "1380375000")])
async def test_the_first_instant_of_history_is_told_in_utc_or_as_an_epoch(desktop, format_date, text):
    ib = await desktop.connect()
    sent = sent_to(desktop)
    ib.client.reqHeadTimeStamp(77, desktop.spy, "TRADES", True, format_date)
    await desktop.heard(ib)
    assert [one.values["text"] for one in sent if one.name == "headTimestamp"] == [text]


async def test_the_first_instant_of_a_kind_that_is_not_there_is_no_data(desktop):
    ib = await desktop.connect()
    ib.client.reqHeadTimeStamp(77, desktop.spy, "YIELD_BID", True, 1)
    await desktop.heard(ib)
    assert ib.errors[-1][:2] == (77, 162)
