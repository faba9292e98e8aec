"""Bad market data, account values, clocks (TWS.md 4.42 to 4.54, F13 to F19): no entry on them, no exit missed."""

import pytest

from shared.events import BarsClosed, DataQualityReported, TradingHalted


@pytest.mark.parametrize("how", ["gap", "duplicate", "reorder"])
async def test_bars_in_disorder_make_rows_in_order(floor, how):
    """TWS.md 4.42: sorted, each once."""
    floor.gateway.faults.inject("bar_disorder", how=how, count=1)
    await floor.play(8)
    closed = [event.closed_at for event in floor.events(BarsClosed)]
    assert closed == sorted(set(closed))
    await floor.agreed()


async def test_f18_a_stream_that_falls_silent_is_asked_for_again(holding):
    """F18, TWS.md 4.43: the socket is fine, the bars are not; it is said, and the stream is asked for anew."""
    holding.gateway.faults.inject("stream_stops")
    rows = len(holding.events(BarsClosed))
    await holding.play_until(lambda: len(holding.events(BarsClosed)) > rows + 3)
    assert [event.quality for event in holding.events(DataQualityReported)][:2] == ["silent", "live"]
    await holding.agreed()


async def test_no_entry_on_delayed_data(floor):
    """TWS.md 4.49: live data become delayed in the middle of the session."""
    await floor.play(1)
    floor.gateway.faults.inject("downgrade", for_s=600.0)
    await floor.until(lambda: floor.events(DataQualityReported))
    await floor.play(4)
    assert floor.sent() == []
    assert floor.notices("entry_denied") != []


async def test_a_competing_session_stops_entries_and_not_the_management_of_positions(holding):
    """TWS.md 4.50: 10197 for half an hour; the stop still works."""
    holding.gateway.faults.inject("competing_session", for_s=1800.0)
    await holding.until(lambda: holding.events(DataQualityReported))
    assert holding.events(DataQualityReported)[0].quality == "competing"
    await holding.agreed()


async def test_no_entry_while_the_exchange_has_paused_the_instrument(floor):
    """TWS.md 4.48: halted, then back."""
    await floor.play(1)
    floor.gateway.faults.inject("halt", symbol="SPY", for_s=60.0)
    await floor.play(3)
    await floor.until(lambda: floor.events(TradingHalted))
    assert floor.sent() == []


@pytest.mark.parametrize("how", ["minus_one", "zero", "nan", "spike", "no_size"])
async def test_a_bad_tick_never_reaches_an_order_price(floor, how):
    """TWS.md 4.47: no order price comes from a print that cannot be."""
    floor.gateway.faults.inject("bad_ticks", how=how, for_s=600.0)
    await floor.play(6)
    prices_sent = [order.stop_price for order in floor.resting("S")]
    assert all(90 < price < 120 for price in prices_sent)
    await floor.agreed()


@pytest.mark.parametrize("how", ["nan", "missing", "currency"])
async def test_account_values_that_are_none_allow_no_entry(floor_with, how):
    """TWS.md 4.54: equity that is not known is not zero and not yesterday's."""
    floor = await floor_with()
    floor.gateway.faults.inject("odd_account_values", how=how, what="NetLiquidation")
    await floor.start(reconciled=False)
    await floor.until(lambda: floor.daemon.is_streaming, 20)
    await floor.play(5)
    assert floor.sent() == []


@pytest.mark.parametrize("how", ["lag", "disagree"])
async def test_positions_that_lag_their_fills_lock_nothing(floor, how):
    """TWS.md 4.53: a difference of seconds is a suspicion, not a break."""
    floor.gateway.faults.inject("position_lag", how=how, delay_s=1.0)
    await floor.play(5)
    await floor.agreed(20)
    assert floor.book.locks == {}


@pytest.mark.parametrize("seconds", [90.0, -90.0, 3600.0])
async def test_f19_a_broker_clock_that_is_wrong_moves_no_row_and_no_timeout(floor, seconds):
    """F19, TWS.md 4.52: what the broker's clock says is shown, not believed for rows."""
    floor.gateway.controls.skew_clock(seconds)
    await floor.play(6)
    closed = [event.closed_at for event in floor.events(BarsClosed)]
    assert closed == sorted(set(closed))
    await floor.agreed(20)


async def test_f16_the_halved_price_after_a_split_is_no_signal(holding):
    """F16: a price that halves overnight is suspect until it is confirmed; nothing is bought on it."""
    holding.gateway.faults.inject("split", ratio=2.0)
    before = [ref for ref in holding.sent() if ref.endswith(":E")]
    await holding.play(3)
    assert [ref for ref in holding.sent() if ref.endswith(":E")] == before


async def test_farm_messages_do_not_touch_the_order_channel(holding):
    """TWS.md 4.15, hole: a data farm that flaps is no lost connection."""
    holding.gateway.faults.inject("farm_storm", times=5)
    for _ in range(6):
        holding.clock.advance_to(holding.clock.now() + 5)
        await holding.settled()
    assert holding.book.is_connected
    assert holding.notices("connection_lost") == []
    await holding.agreed()


async def test_after_1101_the_streams_are_asked_for_once(holding):
    """TWS.md 4.14: data lost, subscribe again; 1102 that stays silent is found out."""
    holding.gateway.controls.lose_server()
    await holding.until(lambda: not holding.book.is_connected)
    holding.gateway.controls.restore_server(data_kept=False)
    await holding.back(20)
    rows = len(holding.events(BarsClosed))
    await holding.play(3)
    assert len(holding.events(BarsClosed)) >= rows + 3
    await holding.agreed()
