"""What flows by itself, through ib_insync and down to the messages: bars of quotes, late bars, halts, ticks, scans."""

import pytest
from ib_insync import ScannerSubscription, Stock

from brokers.simulated.market.source import BarWithheld, Halted, Resumed
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


async def test_a_sixth_tick_by_tick_request_is_one_too_many(desktop):
    ib = await desktop.connect()
    for req_id in range(500, 506):
        ib.client.reqTickByTickData(req_id, desktop.spy, "Last", 0, False)
    await desktop.heard(ib)
    assert errors(ib)[-1:] == [10190]


async def test_a_missing_side_is_minus_one_with_size_nothing(desktop_with):
    one_sided = (100.0, 100.0, 100.0, 100.0, 400.0, float("nan"), 100.01, 0.0, 500.0)
    desktop = await desktop_with([flat(100.0), one_sided, flat(100.0)])
    ib = await desktop.connect()
    ticker = ib.reqMktData(desktop.spy, "", snapshot=False, regulatorySnapshot=False)
    await desktop.heard(ib)
    await desktop.play(2)
    assert (ticker.bid, ticker.bidSize, ticker.ask) == (-1.0, 0.0, 100.01)


async def test_a_snapshot_without_prices_ends_after_eleven_seconds(desktop_with):
    desktop = await desktop_with(A_WHILE)
    ib = await desktop.connect()
    ended = []
    ib.wrapper.tickSnapshotEnd = lambda req_id: ended.append(desktop.clock.now())
    ib.client.reqMktData(77, desktop.spy, "", True, False, [])
    await desktop.heard(ib)
    assert ended == []
    asked_at = desktop.gateway.session.now()
    desktop.clock.advance_to(asked_at + 20)
    await desktop.gateway.session.played_to(asked_at + 20)
    await desktop.heard(ib)
    assert len(ended) == 1


async def test_rt_volume_and_shortable_come_when_they_are_asked_for(desktop):
    ib = await desktop.connect()
    generic: dict[int, float] = {}
    texts: dict[int, str] = {}
    ib.wrapper.tickGeneric = lambda req_id, kind, value: generic.update({kind: value})
    ib.wrapper.tickString = lambda req_id, kind, text: texts.update({kind: text})
    ib.reqMktData(desktop.spy, "233,236", snapshot=False, regulatorySnapshot=False)
    await desktop.heard(ib)
    await desktop.play()
    assert generic[46] > 2.5
    price, size, at_ms, volume, average, _ = texts[48].split(";")
    assert (float(price), float(volume), float(average)) == (100.0, 8000.0, 100.0)
    assert int(at_ms) <= desktop.clock.now() * 1000
    assert float(size) > 0


async def test_an_unknown_generic_tick_is_refused_with_the_legal_ones(desktop):
    ib = await desktop.connect()
    ib.reqMktData(desktop.spy, "999", snapshot=False, regulatorySnapshot=False)
    await desktop.heard(ib)
    assert errors(ib)[-1] == 321
    assert "Legal ones" in ib.errors[-1][2]


async def test_who_is_not_subscribed_gets_354_or_delayed_data_if_that_will_do(desktop):
    desktop.gateway.session.feed.conduct.delayed = True
    ib = await desktop.connect()
    ib.reqMktData(desktop.spy, "", snapshot=False, regulatorySnapshot=False)
    await desktop.heard(ib)
    assert errors(ib)[-1] == 354
    ib.reqMarketDataType(3)
    ticker = ib.reqMktData(Stock("IBM", "SMART", "USD"), "", snapshot=False, regulatorySnapshot=False)
    await desktop.heard(ib)
    assert errors(ib)[-1] == 10167
    assert ticker.marketDataType == 3


async def test_live_data_may_become_delayed_in_the_middle_of_the_session(desktop):
    ib = await desktop.connect()
    ticker = ib.reqMktData(desktop.spy, "", snapshot=False, regulatorySnapshot=False)
    await desktop.heard(ib)
    assert ticker.marketDataType == 1
    desktop.gateway.session.feed.set_entitled(live=False)
    await desktop.play()
    assert ticker.marketDataType == 3


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


async def test_an_unknown_scan_is_refused(desktop):
    ib = await desktop.connect()
    ib.reqScannerSubscription(ScannerSubscription(instrument="STK", scanCode="NO_SUCH_SCAN"))
    await desktop.heard(ib)
    assert errors(ib)[-1] == 162
