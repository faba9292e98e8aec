"""Subscriptions to quotes: live, frozen, delayed, snapshots, and who may have them (TWS.md 3.30 to 3.32)."""

import math

import pytest
from ib_insync import Stock

from brokers.simulated.gateway.data.quotes import SHARES_IN_PLENTY
from tests.brokers.simulated.gateway.data.early_market import EarlyMarket
from tests.brokers.simulated.gateway.orders.wire import sent_to
from tests.brokers.simulated.gateway.scripted_market import OPENS_AT, a_bar, flat

A_WHILE = [flat(100.0)] * 40
SPY_ID = 756733
IBM = Stock("IBM", "SMART", "USD")
ENTITLED = {"snapshot": False, "regulatorySnapshot": False}


def errors(ib):
    return [code for _, code, _ in ib.errors]


def ticks(sent, *kinds):
    """Type and value of what was sent of these messages."""
    value = {"tickPrice": "price", "tickSize": "size", "tickGeneric": "value", "tickString": "text"}
    return [(one.values["tickType"], one.values[value[one.name]]) for one in sent if one.name in kinds]


# ------------------------------------------------------------------ quotes


async def test_size_and_price_come_apart_and_only_when_they_change(desktop_with):
    desktop = await desktop_with([flat(100.0), flat(100.0), flat(100.0, shown=300.0), flat(100.0, shown=300.0)])
    ib = await desktop.connect()
    await desktop.play()
    sent = sent_to(desktop)
    ib.reqMktData(desktop.spy, "", **ENTITLED)
    await desktop.heard(ib)
    assert ticks(sent, "tickPrice")[:2] == [(1, 99.99), (2, 100.01)]
    sent.clear()
    await desktop.play()
    assert ticks(sent, "tickPrice", "tickSize") == [(8, 8000.0)]
    sent.clear()
    await desktop.play()
    assert ticks(sent, "tickPrice", "tickSize") == [(0, 300.0), (3, 300.0), (8, 12000.0)]


async def test_a_missing_side_is_minus_one_with_size_nothing(desktop_with):
    one_sided = (100.0, 100.0, 100.0, 100.0, 400.0, math.nan, 100.01, 0.0, 500.0)
    desktop = await desktop_with([flat(100.0), one_sided, flat(100.0)])
    ib = await desktop.connect()
    ticker = ib.reqMktData(desktop.spy, "", **ENTITLED)
    await desktop.heard(ib)
    await desktop.play(2)
    assert (ticker.bid, ticker.bidSize, ticker.ask) == (-1.0, 0.0, 100.01)


async def test_the_days_open_and_range_follow_the_trades(desktop_with):
    desktop = await desktop_with([flat(100.0), a_bar(100.0, 103.0, 98.0, 102.0), flat(102.0)])
    ib = await desktop.connect()
    await desktop.play()
    ticker = ib.reqMktData(desktop.spy, "", **ENTITLED)
    await desktop.heard(ib)
    assert (ticker.open, ticker.high, ticker.low) == (100.0, 100.0, 100.0)
    await desktop.play()
    assert (ticker.open, ticker.high, ticker.low) == (100.0, 103.0, 98.0)


async def test_a_new_trade_tells_its_time(desktop_with):
    desktop = await desktop_with(A_WHILE)
    ib = await desktop.connect()
    await desktop.play()
    sent = sent_to(desktop)
    ib.reqMktData(IBM, "", **ENTITLED)
    await desktop.heard(ib)
    sent.clear()
    await desktop.play(2)
    assert ticks(sent, "tickString") == [(45, str(int(OPENS_AT + 10)))]


# ------------------------------------------------------------------ the closed market, frozen data


async def test_before_the_first_quote_both_sides_are_minus_one(desktop_with):
    desktop = await desktop_with(A_WHILE)
    ib = await desktop.connect()
    ticker = ib.reqMktData(desktop.spy, "", **ENTITLED)
    await desktop.heard(ib)
    assert (ticker.bid, ticker.bidSize, ticker.ask, ticker.askSize, ticker.last) == (
        -1,
        0,
        -1,
        0,
        pytest.approx(math.nan, nan_ok=True),
    )


async def test_with_the_close_quotes_become_minus_one(desktop_with):
    desktop = await desktop_with([flat(100.0)] * 2)
    ib = await desktop.connect()
    ticker = ib.reqMktData(desktop.spy, "", **ENTITLED)
    await desktop.heard(ib)
    await desktop.play()
    assert (ticker.bid, ticker.ask) == (99.99, 100.01)
    await desktop.play()
    assert (ticker.bid, ticker.bidSize, ticker.ask, ticker.askSize, ticker.last) == (-1.0, 0.0, -1.0, 0.0, 100.0)


async def test_who_asks_for_frozen_data_keeps_the_last_quote_and_is_told_so(desktop_with):
    desktop = await desktop_with([flat(100.0)] * 2)
    ib = await desktop.connect()
    ib.reqMarketDataType(2)
    ticker = ib.reqMktData(desktop.spy, "", **ENTITLED)
    await desktop.heard(ib)
    assert ticker.marketDataType == 2
    await desktop.play()
    assert ticker.marketDataType == 1
    await desktop.play()
    assert (ticker.marketDataType, ticker.bid, ticker.ask) == (2, 99.99, 100.01)


async def test_an_unknown_market_data_type_is_refused(desktop):
    ib = await desktop.connect()
    ib.reqMarketDataType(5)
    await desktop.heard(ib)
    assert errors(ib)[-1] == 321


# ------------------------------------------------------------------ snapshots


async def test_a_snapshot_without_prices_ends_after_eleven_seconds(desktop_with):
    unquoted = (*[math.nan] * 7, 0.0, 0.0)
    desktop = await desktop_with([unquoted] * 5)
    ib = await desktop.connect()
    sent = sent_to(desktop)
    ib.client.reqMktData(77, desktop.spy, "", True, False, [])
    await desktop.heard(ib)
    asked_at = desktop.gateway.session.now()
    desktop.clock.advance_to(asked_at + 10)
    await desktop.gateway.session.played_to(asked_at + 10)
    assert "tickSnapshotEnd" not in [one.name for one in sent]
    desktop.clock.advance_to(asked_at + 11)
    await desktop.gateway.session.played_to(asked_at + 11)
    assert [one.name for one in sent].count("tickSnapshotEnd") == 1


async def test_a_snapshot_ends_as_soon_as_every_price_is_there(desktop_with):
    desktop = await desktop_with(A_WHILE)
    ib = await desktop.connect()
    desktop.clock.advance_to(OPENS_AT)
    await desktop.gateway.session.played_to(OPENS_AT)
    sent = sent_to(desktop)
    ib.client.reqMktData(77, desktop.spy, "", True, False, [])
    await desktop.heard(ib)
    assert "tickSnapshotEnd" not in [one.name for one in sent]
    await desktop.play()
    assert {(1, 99.99), (2, 100.01), (4, 100.0)} < set(ticks(sent, "tickPrice"))
    assert [one.name for one in sent].count("tickSnapshotEnd") == 1
    sent.clear()
    await desktop.play(3)
    assert [one.name for one in sent if one.name.startswith("tick")] == []


async def test_a_snapshot_can_be_cancelled_before_it_ends(desktop_with):
    desktop = await desktop_with(A_WHILE)
    ib = await desktop.connect()
    sent = sent_to(desktop)
    ib.client.reqMktData(77, desktop.spy, "", True, False, [])
    ib.client.cancelMktData(77)
    await desktop.heard(ib)
    await desktop.play(3)
    assert "tickSnapshotEnd" not in [one.name for one in sent]
    assert 300 not in errors(ib)


async def test_the_end_of_a_cancelled_snapshot_does_not_end_what_took_its_id(desktop_with):
    unquoted = (*[math.nan] * 7, 0.0, 0.0)
    desktop = await desktop_with([unquoted] * 5)
    ib = await desktop.connect()
    sent = sent_to(desktop)
    ib.client.reqMktData(77, desktop.spy, "", True, False, [])
    ib.client.cancelMktData(77)
    ib.client.reqMktData(77, IBM, "", False, False, [])
    await desktop.heard(ib)
    desktop.clock.advance_to(OPENS_AT + 5)
    await desktop.gateway.session.played_to(OPENS_AT + 5)
    assert "tickSnapshotEnd" not in [one.name for one in sent]
    assert (1, 179.98) in ticks(sent, "tickPrice")


async def test_a_snapshot_takes_no_generic_ticks_and_none_is_regulatory(desktop):
    ib = await desktop.connect()
    ib.client.reqMktData(77, desktop.spy, "233", True, False, [])
    ib.client.reqMktData(78, desktop.spy, "", False, True, [])
    await desktop.heard(ib)
    assert [error[:2] for error in ib.errors[-2:]] == [(77, 321), (78, 10170)]


# ------------------------------------------------------------------ generic ticks


async def test_rt_volume_and_shortable_come_when_they_are_asked_for(desktop):
    ib = await desktop.connect()
    sent = sent_to(desktop)
    ib.reqMktData(desktop.spy, "233,236", **ENTITLED)
    await desktop.heard(ib)
    assert (48, f"100.00;4000;{int(OPENS_AT + 5) * 1000};4000;100.000000;true") in ticks(sent, "tickString")
    assert (46, 3.0) in ticks(sent, "tickGeneric")
    assert (89, SHARES_IN_PLENTY) in ticks(sent, "tickSize")


async def test_shares_that_can_no_longer_be_borrowed_are_told_at_once(desktop):
    ib = await desktop.connect()
    sent = sent_to(desktop)
    ib.reqMktData(desktop.spy, "236", **ENTITLED)
    await desktop.heard(ib)
    sent.clear()
    desktop.gateway.session.desk.locates.available[SPY_ID] = 0.0
    await desktop.play()
    assert (46, 1.0) in ticks(sent, "tickGeneric")
    assert (89, 0.0) in ticks(sent, "tickSize")
    sent.clear()
    await desktop.play()
    assert 46 not in [kind for kind, _ in ticks(sent, "tickGeneric")]


async def test_statistics_are_ranges_of_13_26_and_52_weeks_and_the_average_volume(desktop):
    """The scripted past is ten days, with prices rising by a dollar from 100: low 99.5 to high 110.5."""
    ib = await desktop.connect()
    sent = sent_to(desktop)
    ib.reqMktData(desktop.spy, "165", **ENTITLED)
    await desktop.heard(ib)
    low, high = 99.5, 110.5
    assert ticks(sent, "tickPrice")[-6:] == [(15, low), (16, high), (17, low), (18, high), (19, low), (20, high)]
    assert ticks(sent, "tickSize")[-1] == (21, 1200)


async def test_an_unknown_generic_tick_is_refused_with_the_legal_ones(desktop):
    ib = await desktop.connect()
    ib.reqMktData(desktop.spy, "999", **ENTITLED)
    await desktop.heard(ib)
    assert errors(ib)[-1] == 321
    assert "Legal ones" in ib.errors[-1][2]


# ------------------------------------------------------------------ subscriptions that one has not


async def test_who_is_not_subscribed_gets_354_or_delayed_data_if_that_will_do(desktop):
    desktop.gateway.session.feed.conduct.subscribed = frozenset({"IBM"})
    ib = await desktop.connect()
    ib.reqMktData(desktop.spy, "", **ENTITLED)
    await desktop.heard(ib)
    assert errors(ib)[-1] == 354
    ib.reqMarketDataType(3)
    live = ib.reqMktData(IBM, "", **ENTITLED)
    await desktop.heard(ib)
    sent = sent_to(desktop)
    ib.client.reqMktData(77, desktop.spy, "", False, False, [])
    await desktop.heard(ib)
    assert errors(ib)[-1] == 10167
    assert (live.marketDataType, live.bid) == (1, 179.98)
    assert [one.values["type"] for one in sent if one.name == "marketDataType"] == [3]


async def test_delayed_data_is_a_quarter_of_an_hour_old_and_has_types_of_its_own(desktop_with):
    desktop = await desktop_with([flat(100.0), flat(101.0), *[flat(150.0)] * 190])
    desktop.gateway.session.feed.conduct.delayed = True
    ib = await desktop.connect()
    ib.reqMarketDataType(3)
    ticker = ib.reqMktData(desktop.spy, "", **ENTITLED)
    await desktop.heard(ib)
    await desktop.play(180)
    assert (ticker.bid, ticker.last) == (-1.0, pytest.approx(math.nan, nan_ok=True))
    sent = sent_to(desktop)
    await desktop.play(1)
    assert ticks(sent, "tickPrice")[:3] == [(66, 99.99), (67, 100.01), (68, 100.0)]
    assert (74, 4000.0) in ticks(sent, "tickSize")
    await desktop.play(1)
    assert (ticker.bid, ticker.ask, ticker.last) == (100.99, 101.01, 101.0)


@pytest.mark.parametrize(
    ("switch", "data_type", "code"),
    [({}, 1, 354), ({"api_included": False}, 1, 10089), ({"delayed_enabled": False}, 3, 10168)],
)
async def test_what_is_said_to_who_may_not_have_it(desktop, switch, data_type, code):
    conduct = desktop.gateway.session.feed.conduct
    conduct.subscribed = frozenset()
    conduct.api_included = switch.get("api_included", True)
    conduct.delayed_enabled = switch.get("delayed_enabled", True)
    ib = await desktop.connect()
    ib.reqMarketDataType(data_type)
    ib.client.reqMktData(77, desktop.spy, "", False, False, [])
    await desktop.heard(ib)
    assert ib.errors[-1][:2] == (77, code)


async def test_a_part_that_is_not_subscribed_draws_10090_and_the_rest_comes(desktop):
    desktop.gateway.session.feed.conduct.generic_unsubscribed = frozenset({236})
    ib = await desktop.connect()
    sent = sent_to(desktop)
    ib.client.reqMktData(77, desktop.spy, "233,236", False, False, [])
    await desktop.heard(ib)
    assert ib.errors[-1][:2] == (77, 10090)
    assert {45, 48} <= {kind for kind, _ in ticks(sent, "tickString")}
    assert 46 not in {kind for kind, _ in ticks(sent, "tickGeneric")}


async def test_live_data_may_become_delayed_in_the_middle_of_the_session(desktop):
    ib = await desktop.connect()
    ticker = ib.reqMktData(desktop.spy, "", **ENTITLED)
    await desktop.heard(ib)
    assert ticker.marketDataType == 1
    desktop.gateway.session.feed.set_entitled(live=False)
    await desktop.play()
    assert (ticker.marketDataType, errors(ib)[-1]) == (3, 10167)
    desktop.gateway.session.feed.set_entitled(live=True)
    await desktop.play()
    assert (ticker.marketDataType, ticker.bid) == (1, 99.99)


async def test_delayed_data_of_a_stock_that_has_not_moved_is_told_all_the_same(desktop_with):
    quiet = (*[math.nan] * 5, 99.99, 100.01, 1000.0, 1000.0)
    desktop = await desktop_with([flat(100.0), *[quiet] * 185])
    ib = await desktop.connect()
    ib.reqMktData(desktop.spy, "", **ENTITLED)
    await desktop.heard(ib)
    await desktop.play(184)
    sent = sent_to(desktop)
    desktop.gateway.session.feed.set_entitled(live=False)
    await desktop.play()
    assert {(66, 99.99), (67, 100.01), (68, 100.0)} < set(ticks(sent, "tickPrice"))


async def test_prices_before_the_open_are_marked(desktop_on):
    desktop = await desktop_on(EarlyMarket(A_WHILE, lasts_s=3600), premarket=True)
    ib = await desktop.connect()
    ib.reqMktData(IBM, "", **ENTITLED)
    await desktop.heard(ib)
    sent = sent_to(desktop)
    desktop.clock.advance_to(OPENS_AT - 5)
    await desktop.gateway.session.played_to(OPENS_AT - 5)
    assert {one.values["mask"] for one in sent if one.name == "tickPrice"} == {4}
    await desktop.play(2)
    sent.clear()
    ib.client.reqMktData(78, desktop.spy, "", False, False, [])
    await desktop.heard(ib)
    assert {one.values["mask"] for one in sent if one.name == "tickPrice" and "mask" in one.values} == {1}


async def test_tick_by_tick_data_that_is_not_subscribed_gets_10189(desktop):
    desktop.gateway.session.feed.conduct.subscribed = frozenset()
    ib = await desktop.connect()
    ib.client.reqTickByTickData(77, desktop.spy, "Last", 0, False)
    await desktop.heard(ib)
    assert ib.errors[-1][:2] == (77, 10189)
