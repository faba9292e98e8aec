"""What the gateway says about accounts, connection and the past, through the decoders of real clients."""

import pytest

from brokers.simulated.gateway.accounts.position import Position
from brokers.simulated.gateway.data.listing import Listed
from brokers.simulated.gateway.protocol import answers, data_answers, data_layouts, layouts
from brokers.simulated.gateway.protocol.message import message
from brokers.simulated.gateway.protocol.wire import Value

ACCOUNT = "DU7654321"
SPY = Listed(index=0, con_id=756733, symbol="SPY", long_name="Caf\u00e9 \\ Fonds", exchange="ARCA", min_tick=0.01)


@pytest.fixture
def held():
    return Position(756733, "SPY", quantity=-100.0, average_cost=99.995, realized_pnl=12.5, market_price=101.25)


def test_a_position(heard):
    holding = Position(756733, "SPY", quantity=-100.5, average_cost=99.995)
    name, (account, contract, quantity, cost) = heard(answers.position(holding, SPY, ACCOUNT))
    assert (name, account, contract.conId, quantity, cost) == ("position", ACCOUNT, 756733, -100.5, 99.995)
    assert (contract.symbol, contract.exchange, contract.right) == ("SPY", "ARCA", "")


def test_a_position_of_one_account(heard, held):
    name, (req_id, account, model, contract, quantity, cost) = heard(answers.position_multi(held, SPY, ACCOUNT, 5))
    assert (name, req_id, account, model) == ("positionMulti", 5, ACCOUNT, "")
    assert (contract.conId, quantity, cost) == (756733, -100.0, 99.995)


def test_a_holding_in_the_portfolio(heard, held):
    name, (contract, *figures) = heard(answers.portfolio(held, SPY, ACCOUNT))
    assert (name, contract.conId, contract.primaryExchange, contract.right) == ("updatePortfolio", 756733, "ARCA", "0")
    # 100 shares short: their value, and their price less their cost, both negative
    assert figures == [-100.0, 101.25, -10125.0, 99.995, -125.5, 12.5, ACCOUNT]


def test_account_values_of_every_kind(heard):
    value = {"account": ACCOUNT, "value": "1.5", "currency": "USD"}
    assert heard(message(layouts.ACCOUNT_VALUE, key="BuyingPower", **value)) == (
        "updateAccountValue",
        ("BuyingPower", "1.5", "USD", ACCOUNT),
    )
    assert heard(message(layouts.ACCOUNT_UPDATE_MULTI, reqId=3, key="Cash", **value)) == (
        "accountUpdateMulti",
        (3, ACCOUNT, "", "Cash", "1.5", "USD"),
    )
    assert heard(message(layouts.ACCOUNT_SUMMARY, reqId=3, tag="Cash", **value)) == (
        "accountSummary",
        (3, ACCOUNT, "Cash", "1.5", "USD"),
    )
    assert heard(message(layouts.UPDATE_TIME, time="12:30")) == ("updateAccountTime", ("12:30",))


@pytest.mark.parametrize(
    ("layout", "values", "callback", "told"),
    [
        (layouts.MANAGED_ACCOUNTS, {"accounts": "DU1,DU2,"}, "managedAccounts", ("DU1,DU2,",)),
        (layouts.NEXT_VALID_ID, {"orderId": 17}, "nextValidId", (17,)),
        (layouts.CURRENT_TIME, {"time": 1381248000}, "currentTime", (1381248000,)),
        (layouts.POSITION_END, {}, "positionEnd", ()),
        (layouts.POSITION_MULTI_END, {"reqId": 2}, "positionMultiEnd", (2,)),
        (layouts.DOWNLOAD_END, {"account": "DU1"}, "accountDownloadEnd", ("DU1",)),
        (layouts.ACCOUNT_UPDATE_MULTI_END, {"reqId": 2}, "accountUpdateMultiEnd", (2,)),
        (layouts.ACCOUNT_SUMMARY_END, {"reqId": 2}, "accountSummaryEnd", (2,)),
        (layouts.CONTRACT_DATA_END, {"reqId": 2}, "contractDetailsEnd", (2,)),
        (layouts.SNAPSHOT_END, {"reqId": 2}, "tickSnapshotEnd", (2,)),
        (layouts.MARKET_DATA_TYPE, {"reqId": 2, "type": 3}, "marketDataType", (2, 3)),
        (data_layouts.SEC_DEF_OPT_PARAMS_END, {"reqId": 2}, "securityDefinitionOptionParameterEnd", (2,)),
        (data_layouts.FAMILY_CODES, {}, "familyCodes", ([],)),
        (data_layouts.NEWS_PROVIDERS, {}, "newsProviders", ([],)),
        (data_layouts.DEPTH_EXCHANGES, {}, "mktDepthExchanges", ([],)),
        (data_layouts.SOFT_DOLLAR_TIERS, {"reqId": 2}, "softDollarTiers", (2, [])),
        (data_layouts.SMART_COMPONENTS, {"reqId": 2}, "smartComponents", (2, [])),
        (data_layouts.SCANNER_PARAMETERS, {"xml": "<a/>"}, "scannerParameters", ("<a/>",)),
    ],
)
def test_a_short_message(heard, layout, values, callback, told):
    assert heard(message(layout, **values)) == (callback, told)


def test_where_a_price_comes_from(heard):
    told = message(layouts.TICK_REQ_PARAMS, reqId=2, minTick=0.01, bboExchange="a60001")
    assert heard(told) == ("tickReqParams", (2, 0.01, "a60001", 3))


def test_a_head_timestamp(heard):
    assert heard(data_answers.head_timestamp(6, "20040123  14:30:00")) == ("headTimestamp", (6, "20040123  14:30:00"))


def test_option_figures_that_were_not_computed(heard):
    told = message(data_layouts.TICK_OPTION_COMPUTATION, reqId=2, tickType=13, impliedVolatility=0.25, delta=0.5)
    name, (req_id, tick_type, attrib, volatility, delta, *others) = heard(told)
    assert (name, req_id, tick_type, attrib, volatility, delta) == ("tickOptionComputation", 2, 13, 0, 0.25, 0.5)
    # price, present value of dividends, gamma, vega, theta, price of the underlying (TWS.md 2.3: -1 and -2 mean none)
    assert others == [-1.0, -1.0, -2.0, -2.0, -2.0, -1.0]


def test_a_long_name_that_is_not_ascii(heard):
    _, (_, details) = heard(answers.contract_data(3, SPY, "", ""))
    assert details.longName == "Caf\u00e9 \\ Fonds"


def test_an_error_text_leaves_in_ascii(version):
    written = answers.error(3, 200, "no Caf\u00e9").encode(version)[4:]
    assert written.decode("ascii").split("\0")[4] == "no Caf\\xe9"


def test_a_history_of_two_bars(heard_all):
    values: dict[str, Value] = {"reqId": 8, "start": "s", "end": "e", "nBars": 2}
    bars = {
        f"{name}.{row}": 10.0 * row + at for row in (0, 1) for at, name in enumerate(("open", "high", "low", "close"))
    }
    rest: dict[str, Value] = {
        "date.0": "20131007",
        "date.1": "20131008",
        "volume.0": 100.0,
        "volume.1": 200.0,
        "wap.1": 9.5,
        "count.1": 3,
    }
    first, second, end = heard_all(
        message(layouts.HISTORICAL_DATA, **values, **bars, **rest, **{"wap.0": 0.0, "count.0": 0})
    )
    assert (first[0], end[:2]) == ("historicalData", ("historicalDataEnd", (8, "s", "e")))
    bar = second[1][1]
    assert (bar.date, bar.open, bar.high, bar.low, bar.close) == ("20131008", 10.0, 11.0, 12.0, 13.0)
    assert (bar.volume, bar.average, bar.barCount) == (200.0, 9.5, 3)


def test_a_scan(heard_all):
    row, end = heard_all(data_answers.scanner_data(4, [SPY]))
    assert (row[0], row[1][:2], end) == ("scannerData", (4, 0), ("scannerDataEnd", (4,)))
    contract = row[1][2].contract
    assert (contract.conId, contract.symbol, contract.secType, contract.exchange) == (756733, "SPY", "STK", "SMART")
