"""Faults 42 to 51: bars, ticks, history, halts, subscriptions, splits."""

import math

import pytest
from ib_insync import LimitOrder, StopOrder

from tests.brokers.simulated.gateway.faults.stage import SPY, bought, codes, placed, resting, status
from tests.brokers.simulated.gateway.raw_client import advanced
from tests.brokers.simulated.gateway.scripted_market import OPENS_AT, a_bar, flat

DELAYED = {str(tick_type) for tick_type in range(66, 77)}
BID, ASK, LAST, HALTED = "1", "2", "4", "49"


async def watching(desktop, raw, *, generic=""):
    """A plain client that has subscribed to SPY's ticks as request 5 and heard the first ones."""
    client = await raw(desktop)
    client.say(1, 11, 5, *SPY, 0, generic, 0, 0, "")
    await client.answers()
    return client


async def watching_bars(desktop, raw):
    client = await raw(desktop)
    client.say(50, 3, 6, *SPY, 5, "TRADES", 1, "")
    await client.answers()
    return client


def bars_of(said):
    """Seconds after the open of every real-time bar."""
    return [int(fields[3]) - int(OPENS_AT) for fields in said if fields[0] == "50"]


def prices_of(said, tick_type):
    return [fields[4] for fields in said if fields[0] == "1" and fields[3] == tick_type]


def history(client, *, kept=0, req_id=7, size="1 min"):
    client.say(20, req_id, *SPY, 0, "", size, "600 S", 1, "TRADES", 1, kept, "")


def dates_of(said):
    """The dates of a historicalData message."""
    (message,) = [fields for fields in said if fields[0] == "17"]
    return message[5::8]


MOVING = [flat(100.0 + step) for step in range(60)]


@pytest.mark.parametrize(
    ("how", "times"),
    [("gap", [5, 15, 20]), ("duplicate", [5, 10, 10, 15, 20]), ("reorder", [5, 15, 10, 20])],
)
async def test_fault_42_a_five_second_bar_is_missing_repeated_or_behind_its_successor(desktop, raw, how, times):
    client = await watching_bars(desktop, raw)
    desktop.gateway.faults.inject("bar_disorder", how=how, nth=2)
    await desktop.play(4)
    assert bars_of(await client.answers()) == times


@pytest.mark.parametrize(
    ("what", "kinds"), [("all", {"49"}), ("bars", {"1", "2", "46", "49"}), ("ticks", {"49", "50"})]
)
async def test_fault_43_streams_stop_without_a_word_and_go_on_later(desktop_with, raw, what, kinds):
    desktop = await desktop_with(MOVING)
    await desktop.play()
    client = await watching(desktop, raw)
    client.say(50, 3, 6, *SPY, 5, "TRADES", 1, "")
    await client.answers()
    desktop.gateway.faults.inject("stream_stops", what=what, for_s=40)
    await desktop.play(5)
    assert {fields[0] for fields in await client.answers()} == kinds
    await desktop.play(6)
    assert {"1", "2", "46", "49", "50"} <= {fields[0] for fields in await client.answers()}


async def test_fault_43_a_stream_of_another_symbol_flows_on(desktop, raw):
    client = await watching_bars(desktop, raw)
    desktop.gateway.faults.inject("stream_stops", symbol="IBM")
    await desktop.play(2)
    assert bars_of(await client.answers()) == [5, 10]


async def test_fault_44_history_kept_up_to_date_begins_empty_and_ib_insync_drops_every_update(desktop, raw):
    ib, client = await desktop.connect(), await raw(desktop)
    desktop.gateway.faults.inject("empty_first_answer", count=2)
    bars = await ib.reqHistoricalDataAsync(desktop.spy, "", "600 S", "1 min", "TRADES", True, keepUpToDate=True)
    history(client, kept=1)
    assert [fields[4] for fields in await client.answers() if fields[0] == "17"] == ["0"]
    await desktop.play(3)
    assert "90" in [fields[0] for fields in await client.answers()]
    assert len(bars) == 0
    history(client, kept=1, req_id=8)
    assert [fields[4] for fields in await client.answers() if fields[0] == "17"] != ["0"]


@pytest.mark.parametrize("code", ["162", "366", "420", "200"])
async def test_fault_45_history_is_answered_with_an_error_instead_of_bars(desktop, raw, code):
    client = await raw(desktop)
    desktop.gateway.faults.inject("history_refused", how=code)
    history(client)
    said = await client.answers()
    assert [fields[2:4] for fields in said if fields[0] == "4" and fields[2] == "7"] == [["7", code]]
    assert "17" not in [fields[0] for fields in said]
    history(client)
    assert "17" in [fields[0] for fields in await client.answers()]


async def test_fault_45_history_comes_after_the_client_has_given_up(desktop, raw):
    client = await raw(desktop)
    desktop.gateway.faults.inject("history_refused", how="late", delay_s=120)
    history(client)
    assert "17" not in [fields[0] for fields in await client.answers()]
    await advanced(desktop, 121)
    assert "17" in [fields[0] for fields in await client.answers()]


async def test_fault_45_history_never_comes(desktop, raw):
    client = await raw(desktop)
    desktop.gateway.faults.inject("history_refused", how="never")
    history(client)
    await advanced(desktop, 600)
    assert "17" not in [fields[0] for fields in await client.answers()]


@pytest.mark.parametrize(
    ("how", "first", "last"),
    [
        ("unknown_zone", "20131008 09:20:00 Nowhere/Land", "20131008 09:29:00 Nowhere/Land"),
        ("naive", "20131008 09:20:00", "20131008 09:29:00"),
        ("dates", "20131008", "20131008"),
        ("future_bar", "20131008 09:20:00 US/Eastern", "20131009 09:30:05 US/Eastern"),
    ],
)
async def test_fault_46_bars_are_dated_in_ways_nobody_expects(desktop, raw, how, first, last):
    client = await raw(desktop)
    desktop.gateway.faults.inject("odd_history", how=how)
    history(client)
    dates = dates_of(await client.answers())
    assert (dates[0], dates[-1]) == (first, last)


async def test_fault_46_bars_have_neither_volume_nor_count(desktop, raw):
    client = await raw(desktop)
    desktop.gateway.faults.inject("odd_history", how="no_volume")
    history(client)
    (message,) = [fields for fields in await client.answers() if fields[0] == "17"]
    assert set(message[10::8]) == {"-1"}
    assert set(message[12::8]) == {"-1"}


async def test_fault_46_ib_insync_loses_an_answer_with_an_unknown_zone(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("odd_history", how="unknown_zone")
    bars = await ib.reqHistoricalDataAsync(desktop.spy, "", "600 S", "1 min", "TRADES", True, timeout=0.2)
    assert len(bars) == 0


@pytest.mark.parametrize(
    ("how", "bid", "ask"),
    [
        ("minus_one", "-1", "-1"),
        ("zero", "0", "0"),
        ("nan", "NaN", "NaN"),
        ("spike", "100990", "101010"),
        ("crossed", "102", "101.01"),
        ("no_size", "100.99", "101.01"),
    ],
)
async def test_fault_47_a_quote_makes_no_sense(desktop_with, raw, how, bid, ask):
    desktop = await desktop_with(MOVING)
    await desktop.play()
    client = await watching(desktop, raw)
    desktop.gateway.faults.inject("bad_ticks", how=how)
    await desktop.play()
    said = await client.answers()
    assert prices_of(said, BID) == [bid]
    assert prices_of(said, ASK) == [ask]


@pytest.mark.parametrize("how", ["short", "garbage"])
async def test_fault_47_nothing_is_changed_in_a_quote_that_is_malformed_as_well(desktop_with, raw, how):
    desktop = await desktop_with(MOVING)
    await desktop.play()
    client = await watching(desktop, raw)
    desktop.gateway.faults.inject("malformed_message", how=how, message="tickPrice")
    desktop.gateway.faults.inject("bad_ticks", how="crossed")
    await desktop.play()
    quotes = [fields for fields in await client.answers() if fields[0] == "1"]
    assert {len(fields) for fields in quotes} == {2} if how == "short" else prices_of(quotes, BID) == ["abc"]


async def test_fault_47_a_quote_can_be_spoiled_twice(desktop_with, raw):
    """brutal 4106: the gateway failed over a price that was no number any more."""
    desktop = await desktop_with(MOVING)
    await desktop.play()
    client = await watching(desktop, raw)
    for how in ("nan", "crossed"):
        desktop.gateway.faults.inject("bad_ticks", how=how)
    await desktop.play()
    assert prices_of(await client.answers(), BID) == ["NaN"]


async def test_fault_47_prices_of_no_size_and_frozen_prices(desktop_with, raw):
    desktop = await desktop_with(MOVING)
    await desktop.play()
    client = await watching(desktop, raw)
    desktop.gateway.faults.inject("bad_ticks", how="no_size")
    await desktop.play()
    assert {fields[5] for fields in await client.answers() if fields[0] == "1" and fields[3] in {BID, ASK}} == {"0"}
    desktop.gateway.faults.clear()
    desktop.gateway.faults.inject("bad_ticks", how="frozen")
    await desktop.play()
    said = await client.answers()
    assert prices_of(said, BID) + prices_of(said, ASK) + prices_of(said, LAST) == []


async def test_fault_48_while_a_stock_is_halted_nothing_of_it_trades_and_tick_49_says_so(desktop_with, raw):
    script = [flat(100.0), flat(100.0), *[a_bar(100, 100, 90, 90)] * 4, *[flat(90.0)] * 6]
    desktop = await desktop_with(script)
    await desktop.play()
    client = await watching(desktop, raw)
    ib = await desktop.connect()
    trade = await resting(desktop, ib, price=95.0)
    desktop.gateway.faults.inject("halt", symbol="SPY", code=2, for_s=14)
    await desktop.play(3)
    said = await client.answers()
    assert [fields[4] for fields in said if fields[0] == "45" and fields[3] == HALTED] == ["2"]
    assert desktop.gateway.ledger.quantity("SPY") == 0
    await desktop.play(4)
    said = await client.answers()
    assert [fields[4] for fields in said if fields[0] == "45" and fields[3] == HALTED] == ["0"]
    await desktop.heard(ib)
    assert status(trade) == "Filled"


async def test_fault_48_it_resumes_far_away_and_the_stop_fills_there(desktop):
    ib = await desktop.connect()
    await bought(desktop, ib)
    stop = await placed(desktop, ib, StopOrder("SELL", 10, 99.0))
    desktop.gateway.faults.inject("halt", symbol="SPY", gap_pct=-20, for_s=14)
    await desktop.play(8)
    await desktop.heard(ib)
    assert status(stop) == "Filled"
    assert stop.orderStatus.avgFillPrice == pytest.approx(80.0, abs=0.02)


async def test_fault_49_live_data_become_delayed_and_live_again(desktop_with, raw):
    desktop = await desktop_with(MOVING)
    await desktop.play()
    client = await watching(desktop, raw)
    desktop.gateway.faults.inject("downgrade", for_s=20)
    await desktop.play(2)
    said = await client.answers()
    assert [fields[3] for fields in said if fields[0] == "58"] == ["3"]
    assert [fields[3] for fields in said if fields[0] == "4"] == ["10167"]
    told = {fields[3] for fields in said if fields[0] == "1"}
    assert {"66", "67"} <= told <= DELAYED
    await desktop.play(4)
    said = await client.answers()
    assert [fields[3] for fields in said if fields[0] == "58"] == ["1"]
    assert len(prices_of(said, BID)) >= 1


async def test_fault_50_another_login_takes_the_data_for_half_an_hour_and_orders_still_work(desktop_with, raw):
    desktop = await desktop_with([flat(100.0 + step / 100) for step in range(500)])
    await desktop.play()
    client = await watching(desktop, raw)
    ib = await desktop.connect()
    desktop.gateway.faults.inject("competing_session")
    await desktop.play(300)
    said = await client.answers()
    assert [fields[2:4] for fields in said if fields[0] == "4"] == [["5", "10197"]]
    assert prices_of(said, BID) + prices_of(said, LAST) == []
    assert status(await bought(desktop, ib)) == "Filled"
    await desktop.play(70)
    assert len(prices_of(await client.answers(), BID)) >= 1


async def test_fault_51_a_split_halves_the_price_doubles_the_position_and_takes_the_orders_away(desktop):
    ib = await desktop.connect()
    await bought(desktop, ib)
    lasting = await placed(desktop, ib, LimitOrder("SELL", 10, 120.0, tif="GTC"))
    ib.reqMktData(desktop.spy)
    desktop.gateway.faults.inject("split", symbol="SPY", ratio=2)
    await desktop.play(2)
    (held,) = ib.positions()
    assert (held.position, held.avgCost) == (20, pytest.approx((100.01 + 0.1) / 2))
    assert status(lasting) == "Cancelled"
    assert codes(ib, lasting.order.orderId) == [202]
    assert math.isclose(ib.ticker(desktop.spy).bid, 50.0, abs_tol=0.01)
    bars = await ib.reqHistoricalDataAsync(desktop.spy, "", "600 S", "1 min", "TRADES", True)
    assert bars[0].open == 50.0
