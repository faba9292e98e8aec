import asyncio
import datetime as dt

import pytest
from ib_insync import MarketOrder, Stock

from tests.brokers.simulated.gateway.scripted_market import OPENS_AT, a_bar, flat

SCRIPT = [flat(100.0), a_bar(100.0, 101.5, 99.25, 101.0, 1200.0), flat(101.0, 800.0)]
IBM = Stock("IBM", "SMART", "USD")


async def test_real_time_bars_equal_the_markets_steps_and_carry_the_start_of_the_bar(desktop_with):
    desktop = await desktop_with(SCRIPT)
    ib = await desktop.connect()
    bars = ib.reqRealTimeBars(desktop.spy, 5, "TRADES", useRTH=False)
    await desktop.heard(ib)

    await desktop.play(3)

    assert [(bar.time.timestamp(), bar.open_, bar.high, bar.low, bar.close, bar.volume) for bar in bars] == [
        (OPENS_AT, 100.0, 100.0, 100.0, 100.0, 4000.0),
        (OPENS_AT + 5, 100.0, 101.5, 99.25, 101.0, 1200.0),
        (OPENS_AT + 10, 101.0, 101.0, 101.0, 101.0, 800.0),
    ]


async def test_a_quiet_instrument_repeats_its_last_price_with_volume_zero(desktop_with):
    desktop = await desktop_with(SCRIPT)
    ib = await desktop.connect()
    bars = ib.reqRealTimeBars(IBM, 5, "TRADES", useRTH=False)
    await desktop.heard(ib)
    await desktop.play(2)
    assert [(bar.close, bar.volume, bar.count) for bar in bars] == [(180.0, 400.0, 4), (180.0, 0.0, 0)]


async def test_after_the_cancel_no_more_bars_come(desktop_with):
    desktop = await desktop_with(SCRIPT)
    ib = await desktop.connect()
    bars = ib.reqRealTimeBars(desktop.spy, 5, "TRADES", useRTH=False)
    await desktop.heard(ib)
    await desktop.play()
    ib.cancelRealTimeBars(bars)
    await desktop.heard(ib)
    await desktop.play(2)
    assert len(bars) == 1


async def test_the_bar_of_a_step_comes_after_the_fills_of_that_step(desktop_with):
    desktop = await desktop_with(SCRIPT)
    ib = await desktop.connect()
    told = []
    bars = ib.reqRealTimeBars(desktop.spy, 5, "TRADES", useRTH=False)
    bars.updateEvent += lambda *_: told.append("bar")
    trade = ib.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    trade.fillEvent += lambda *_: told.append("fill")
    await desktop.heard(ib)
    await desktop.play()
    assert told == ["fill", "bar"]


@pytest.mark.parametrize(("size", "seconds"), [("5 secs", 5), ("1 min", 60), ("5 mins", 300)])
async def test_history_equals_the_sources(desktop, size, seconds):
    ib = await desktop.connect()
    bars = await ib.reqHistoricalDataAsync(desktop.spy, "", "1 D", size, "TRADES", useRTH=True, formatDate=2)
    source = desktop.gateway.session.market.history("SPY", end_at=OPENS_AT + 5, duration_s=86_400, bar_s=seconds)
    assert [bar.date.timestamp() for bar in bars] == source.starts_at.tolist()
    assert [bar.open for bar in bars] == source.open.tolist()
    assert [bar.high for bar in bars] == source.high.tolist()
    assert [bar.low for bar in bars] == source.low.tolist()
    assert [bar.close for bar in bars] == source.close.tolist()
    assert [bar.volume for bar in bars] == source.volume.tolist()


async def test_history_in_local_time_is_the_same_instants(desktop):
    ib = await desktop.connect()
    bars = await ib.reqHistoricalDataAsync(desktop.spy, "", "1 D", "1 min", "TRADES", useRTH=True, formatDate=1)
    assert bars[-1].date.timestamp() == OPENS_AT - 60


async def test_daily_history_is_dates(desktop):
    ib = await desktop.connect()
    bars = await ib.reqHistoricalDataAsync(desktop.spy, "", "5 D", "1 day", "TRADES", useRTH=True, formatDate=2)
    assert bars[-1].date == dt.date(2013, 10, 7)


async def test_history_never_shows_what_has_not_happened(desktop):
    ib = await desktop.connect()
    tomorrow = dt.datetime(2013, 10, 9, tzinfo=dt.UTC)
    bars = await ib.reqHistoricalDataAsync(desktop.spy, tomorrow, "1 D", "5 secs", "TRADES", useRTH=True, formatDate=2)
    assert bars[-1].date.timestamp() == OPENS_AT


@pytest.mark.parametrize(
    ("size", "what", "keep", "duration", "code"),
    [
        ("1 hour", "TRADES", False, "1 D", 162),
        ("7 mins", "TRADES", False, "1 D", 321),
        ("1 secs", "TRADES", False, "60 S", 162),
        ("1 min", "YIELD_BID", False, "1 D", 321),
        ("1 min", "TRADES", False, "a while", 10314),
        ("1 min", "TRADES", False, "99 Y", 10314),
    ],
)
async def test_history_that_cannot_be_had_says_why(desktop, size, what, keep, duration, code):
    ib = await desktop.connect()
    request = ib.reqHistoricalDataAsync(desktop.spy, "", duration, size, what, useRTH=True, keepUpToDate=keep)
    assert list(await asyncio.wait_for(request, 5)) == []
    assert ib.errors[-1][1] == code


async def test_contract_details_describe_the_stock(desktop):
    ib = await desktop.connect()
    (details,) = await ib.reqContractDetailsAsync(desktop.spy)
    assert details.contract.conId == 756733
    assert details.minTick == 0.01
    assert details.contract.primaryExchange == "ARCA"
    assert details.longName == "SPDR S&P 500 ETF TRUST"
    assert details.liquidSessions()[0].start.isoformat() == "2013-10-08T09:30:00-04:00"


async def test_an_unknown_contract_gets_200(desktop):
    ib = await desktop.connect()
    assert await ib.reqContractDetailsAsync(Stock("NOPE", "SMART", "USD")) == []
    assert ib.errors[-1][1] == 200


async def test_a_ticker_shows_quote_last_volume_and_yesterdays_close(desktop):
    ib = await desktop.connect()
    ticker = ib.reqMktData(desktop.spy, "", snapshot=False, regulatorySnapshot=False)
    await desktop.heard(ib)
    assert (ticker.bid, ticker.ask, ticker.last, ticker.close) == (99.99, 100.01, 100.0, 110.0)
    assert (ticker.bidSize, ticker.askSize, ticker.volume, ticker.minTick) == (1000.0, 1000.0, 4000.0, 0.01)
    await desktop.play()
    assert ticker.volume == 8000.0
    ib.cancelMktData(desktop.spy)
    await desktop.heard(ib)
    await desktop.play()
    assert ticker.volume == 8000.0


async def test_a_snapshot_ends(desktop):
    ib = await desktop.connect()
    (ticker,) = await asyncio.wait_for(ib.reqTickersAsync(desktop.spy), 5)
    assert ticker.last == 100.0


async def test_positions_and_account_values_equal_the_ledger(desktop_with):
    desktop = await desktop_with([flat(100.0), a_bar(100, 104, 100, 104), flat(104)])
    ib = await desktop.connect()
    await desktop.play()
    ib.placeOrder(desktop.spy, MarketOrder("BUY", 100))
    await desktop.heard(ib)
    await desktop.play()
    ib.placeOrder(desktop.spy, MarketOrder("SELL", 40))
    await desktop.heard(ib)

    ledger = desktop.gateway.ledger
    (held,) = ib.positions()
    assert (held.position, held.avgCost) == (60.0, pytest.approx(100.02))
    assert ledger.positions[756733].average_cost == pytest.approx(100.02)
    values = {(value.tag, value.currency): value.value for value in ib.accountValues()}
    expected = ledger.account_values() | ledger.currency_values()
    assert values["NetLiquidation", "USD"] == f"{expected['NetLiquidation']:.2f}"
    assert values["RealizedPnL", "BASE"] == f"{expected['RealizedPnL']:.2f}" == "157.80"
    assert values["CashBalance", "USD"] == f"{1_000_000 - 100 * 100.01 - 1 + 40 * 103.99 - 1:.2f}"
    (item,) = ib.portfolio()
    assert (item.position, item.marketPrice) == (60.0, 104.0)
    assert item.unrealizedPNL == pytest.approx(60 * (104 - 100.02))


async def test_the_account_summary_answers_the_tags_asked_for(desktop):
    ib = await desktop.connect()
    summary = await asyncio.wait_for(ib.accountSummaryAsync(), 5)
    assert {value.value for value in summary if value.tag == "BuyingPower"} == {"4000000.00"}
