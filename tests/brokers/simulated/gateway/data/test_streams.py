"""What flows by itself, through ib_insync and down to the messages: bars of quotes, late bars, halts, ticks, scans."""

import pytest
from ib_insync import ScannerSubscription, Stock

from brokers.simulated.market.source import BarWithheld, Halted, Resumed
from tests.brokers.simulated.gateway.data.early_market import EarlyMarket
from tests.brokers.simulated.gateway.orders.wire import sent_to
from tests.brokers.simulated.gateway.scripted_market import OPENS_AT, a_bar, flat

SPY, IBM = 0, 1
A_WHILE = [flat(100.0)] * 40


def errors(ib):
    return [code for _, code, _ in ib.errors]


@pytest.mark.parametrize(("what", "price"), [("BID", 99.99), ("ASK", 100.01), ("MIDPOINT", 100.0)])
async def test_real_time_bars_of_quotes_show_the_quote_without_a_volume(desktop, what, price):
    ib = await desktop.connect()
    bars = ib.reqRealTimeBars(desktop.spy, 5, what, useRTH=True)
    await desktop.heard(ib)
    await desktop.play()
    assert [(bar.close, bar.volume, bar.count) for bar in bars] == [(price, -1.0, -1)]


async def test_a_withheld_bar_comes_late_or_never_and_the_others_come_on_time(desktop_with):
    events = {1: (BarWithheld(SPY, 12.0),), 2: (BarWithheld(SPY, None),)}
    desktop = await desktop_with(A_WHILE, events=events)
    ib = await desktop.connect()
    bars = ib.reqRealTimeBars(desktop.spy, 5, "TRADES", useRTH=True)
    await desktop.heard(ib)
    await desktop.play(6)
    assert [bar.time.timestamp() - OPENS_AT for bar in bars] == [0, 15, 5, 20, 25]


async def test_a_late_bar_of_a_subscription_that_is_gone_does_not_come_to_the_next_one(desktop_with):
    desktop = await desktop_with(A_WHILE, events={0: (BarWithheld(SPY, 12.0),)})
    ib = await desktop.connect()
    ib.client.reqRealTimeBars(77, desktop.spy, 5, "TRADES", True, [])
    await desktop.heard(ib)
    await desktop.play()
    ib.client.cancelRealTimeBars(77)
    ib.client.reqRealTimeBars(77, Stock("IBM", "SMART", "USD"), 5, "TRADES", True, [])
    await desktop.heard(ib)
    sent = sent_to(desktop)
    await desktop.play(4)
    assert {one.values["close"] for one in sent if one.name == "realTimeBar"} == {180.0}


@pytest.mark.parametrize(
    ("size", "what", "code"), [(30, "TRADES", 321), (5, "ADJUSTED_LAST", 321), (5, "HISTORICAL_VOLATILITY", 321)]
)
async def test_real_time_bars_that_are_not_to_be_had_are_refused(desktop, size, what, code):
    ib = await desktop.connect()
    ib.client.reqRealTimeBars(77, desktop.spy, size, what, True, [])
    await desktop.heard(ib)
    assert ib.errors[-1][:2] == (77, code)


@pytest.mark.parametrize(("regular_only", "starts"), [(True, [0]), (False, [-10, -5, 0])])
async def test_bars_of_regular_hours_begin_with_the_open(desktop_on, regular_only, starts):
    desktop = await desktop_on(EarlyMarket(A_WHILE, lasts_s=3600), premarket=True)
    ib = await desktop.connect()
    bars = ib.reqRealTimeBars(desktop.spy, 5, "TRADES", useRTH=regular_only)
    await desktop.heard(ib)
    await desktop.play()
    assert [bar.time.timestamp() - OPENS_AT for bar in bars] == starts


@pytest.mark.parametrize(("regular_only", "volume"), [(True, 4000.0), (False, 12000.0)])
async def test_a_forming_hour_of_regular_hours_leaves_out_what_was_before_the_open(desktop_on, regular_only, volume):
    desktop = await desktop_on(EarlyMarket(A_WHILE, lasts_s=3600), premarket=True)
    ib = await desktop.connect()
    sent = sent_to(desktop)
    ib.client.reqHistoricalData(77, desktop.spy, "", "1 D", "1 hour", "TRADES", regular_only, 2, True, [])
    await desktop.heard(ib)
    await desktop.play()
    assert [one.values["volume"] for one in sent if one.name == "historicalDataUpdate"][-1] == volume


async def test_a_halt_is_tick_49_and_an_empty_trade_past_the_limit(desktop_with):
    desktop = await desktop_with(A_WHILE, events={1: (Halted(SPY, 2),), 3: (Resumed(SPY),)})
    ib = await desktop.connect()
    ticker = ib.reqMktData(desktop.spy, "", snapshot=False, regulatorySnapshot=False)
    other = ib.reqTickByTickData(Stock("IBM", "SMART", "USD"), "Last")
    trades = ib.reqTickByTickData(desktop.spy, "AllLast")
    seen = []
    trades.updateEvent += lambda updated: seen.extend(updated.tickByTicks)
    await desktop.heard(ib)
    await desktop.play(1)
    assert ticker.halted == 0
    await desktop.play(1)
    assert ticker.halted == 2
    assert (0.0, 0.0, True) in {(tick.price, tick.size, tick.tickAttribLast.pastLimit) for tick in seen}
    assert all(tick.price for tick in other.tickByTicks)
    await desktop.play(2)
    assert ticker.halted == 0


async def test_tick_by_tick_trades_add_up_to_the_bar(desktop_with):
    desktop = await desktop_with([flat(100.0), a_bar(100.0, 103.0, 99.0, 102.0, 1203.0), flat(102.0)])
    ib = await desktop.connect()
    await desktop.play()
    trades = ib.reqTickByTickData(desktop.spy, "AllLast")
    seen = []
    trades.updateEvent += lambda updated: seen.extend(updated.tickByTicks)
    await desktop.heard(ib)
    await desktop.play()
    assert [(tick.price, tick.size) for tick in seen] == [(100.0, 300), (99.0, 300), (103.0, 300), (102.0, 303)]


async def test_tick_by_tick_quotes_come_only_when_they_change(desktop_with):
    desktop = await desktop_with([flat(100.0), flat(100.0), flat(101.0), flat(101.0)])
    ib = await desktop.connect()
    ticker = ib.reqTickByTickData(desktop.spy, "BidAsk")
    seen = []
    ticker.updateEvent += lambda updated: seen.extend(updated.tickByTicks)
    await desktop.heard(ib)
    await desktop.play(4)
    assert [(tick.bidPrice, tick.askPrice) for tick in seen] == [(99.99, 100.01), (100.99, 101.01)]


@pytest.mark.parametrize(
    ("kind", "name", "field", "value"),
    [
        ("Last", "historicalTicksLast", "price.0", 100.0),
        ("BidAsk", "historicalTicksBidAsk", "askPrice.0", 100.01),
        ("MidPoint", "historicalTicks", "price.0", 100.0),
    ],
)
async def test_past_ticks_come_before_a_tick_by_tick_stream_if_they_are_asked_for(desktop, kind, name, field, value):
    ib = await desktop.connect()
    sent = sent_to(desktop)
    ib.client.reqTickByTickData(77, desktop.spy, kind, 3, False)
    await desktop.heard(ib)
    (past,) = [one.values for one in sent if one.name == name]
    assert (past["nTicks"], past[field]) == (3, value)
    await desktop.play()
    assert "tickByTick" in [one.name for one in sent]


@pytest.mark.parametrize(("ignore_size", "told"), [(False, 2), (True, 1)])
async def test_a_quote_that_only_changes_its_sizes_may_be_left_out(desktop_with, ignore_size, told):
    desktop = await desktop_with([flat(100.0), flat(100.0, shown=300.0), *A_WHILE[:1]])
    ib = await desktop.connect()
    sent = sent_to(desktop)
    ib.client.reqTickByTickData(77, desktop.spy, "BidAsk", 0, ignore_size)
    await desktop.heard(ib)
    await desktop.play(2)
    assert [one.name for one in sent].count("tickByTick") == told


@pytest.mark.parametrize(("kind", "count"), [("Trades", 0), ("Last", -1), ("Last", 1001)])
async def test_a_tick_by_tick_request_that_makes_no_sense_is_refused(desktop, kind, count):
    ib = await desktop.connect()
    ib.client.reqTickByTickData(77, desktop.spy, kind, count, False)
    await desktop.heard(ib)
    assert ib.errors[-1][:2] == (77, 321)


async def test_a_sixth_tick_by_tick_request_is_one_too_many(desktop):
    ib = await desktop.connect()
    for req_id in range(500, 506):
        ib.client.reqTickByTickData(req_id, desktop.spy, "Last", 0, False)
    await desktop.heard(ib)
    assert errors(ib)[-1:] == [10190]


async def test_a_competing_login_takes_the_market_data_and_leaves_the_orders(desktop):
    ib = await desktop.connect()
    bars = ib.reqRealTimeBars(desktop.spy, 5, "TRADES", useRTH=True)
    await desktop.heard(ib)
    desktop.gateway.session.feed.conduct.competing_session = True
    await desktop.play(2)
    assert len(bars) == 0
    ib.reqMktData(desktop.spy, "", snapshot=False, regulatorySnapshot=False)
    past = await ib.reqHistoricalDataAsync(desktop.spy, "", "1 D", "1 min", "TRADES", useRTH=True)
    assert list(past) == []
    assert errors(ib)[-2:] == [10197, 162]


async def test_the_scanner_ranks_by_change_and_by_volume_and_filters(desktop_with):
    desktop = await desktop_with([flat(100.0), a_bar(100.0, 110.0, 100.0, 110.0), flat(110.0)])
    ib = await desktop.connect()
    await desktop.play(3)

    async def ranked(**wanted):
        scan = ScannerSubscription(instrument="STK", locationCode="STK.US.MAJOR", **wanted)
        return [row.contractDetails.contract.symbol for row in await ib.reqScannerDataAsync(scan)]

    assert await ranked(scanCode="TOP_PERC_GAIN") == ["SPY", "IBM"]
    assert await ranked(scanCode="TOP_PERC_LOSE") == ["IBM", "SPY"]
    assert await ranked(scanCode="MOST_ACTIVE", abovePrice=150.0) == ["IBM"]
    assert await ranked(scanCode="MOST_ACTIVE", aboveVolume=5000) == ["SPY"]
    assert await ranked(scanCode="MOST_ACTIVE", numberOfRows=1) == ["SPY"]


async def test_a_scan_is_told_anew_every_thirty_seconds_until_it_is_cancelled(desktop_with):
    desktop = await desktop_with(A_WHILE)
    ib = await desktop.connect()
    await desktop.play()
    scan = ib.reqScannerSubscription(ScannerSubscription(instrument="STK", scanCode="MOST_ACTIVE"))
    times = []
    scan.updateEvent += lambda _: times.append(desktop.clock.now())
    await desktop.heard(ib)
    await desktop.play(13)
    assert len(times) == 3
    ib.cancelScannerSubscription(scan)
    await desktop.heard(ib)
    await desktop.play(10)
    assert len(times) == 3


async def test_a_scan_that_takes_the_id_of_a_cancelled_one_is_told_alone(desktop_with):
    desktop = await desktop_with(A_WHILE)
    ib = await desktop.connect()
    await desktop.play()
    sent = sent_to(desktop)
    ib.client.reqScannerSubscription(77, ScannerSubscription(instrument="STK", scanCode="MOST_ACTIVE"), [], [])
    ib.client.cancelScannerSubscription(77)
    ib.client.reqScannerSubscription(77, ScannerSubscription(instrument="STK", scanCode="TOP_PERC_GAIN"), [], [])
    await desktop.heard(ib)
    sent.clear()
    await desktop.play(6)
    assert [one.name for one in sent].count("scannerData") == 1


async def test_an_eleventh_scan_is_one_too_many(desktop):
    ib = await desktop.connect()
    for req_id in range(500, 511):
        scan = ScannerSubscription(instrument="STK", scanCode="MOST_ACTIVE")
        ib.client.reqScannerSubscription(req_id, scan, [], [])
    await desktop.heard(ib)
    assert [error[:2] for error in ib.errors if error[0] > 0] == [(510, 165)]


async def test_an_unknown_scan_is_refused(desktop):
    ib = await desktop.connect()
    ib.reqScannerSubscription(ScannerSubscription(instrument="STK", scanCode="NO_SUCH_SCAN"))
    await desktop.heard(ib)
    assert errors(ib)[-1] == 162
