"""Holes 1 to 8 of the best public systems (ANCHORS.md 1e), each through the wire: here they are closed."""

import asyncio

import pytest

from brokers.simulated.gateway.orders.refusals import OFF_TICK
from shared.events import ConnectionRestored, OrderFilled
from tests.scenarios.floor import UP, prices

MIDDLE = 101.7
ENTRY, STOP = "OB1:t:20131008:SPY-1:E", "OB1:t:20131008:SPY-1:S"


# ------------------------------------------------------------------ 1: reducing never grows


async def test_hole_1_in_reducing_a_flat_book_stays_flat(floor):
    """NT denies only buy-when-long and sell-when-short: from flat it lets anything open."""
    await floor.order("reduce")
    await floor.play(6)
    assert floor.sent() == []
    assert dict(floor.gateway.session.desk.orders) == {}
    assert "REDUCING" in floor.notices("entry_denied")[0]


async def test_hole_1_in_reducing_a_turned_view_sells_what_is_held_and_no_more(floor_with):
    """NT: long 100, sell 1,000 passes. Here the view turns to short 98 while long 98."""
    floor = await floor_with(prices(MIDDLE, MIDDLE, UP, UP, 101.5))
    await floor.start(strategy=[_turning()])
    await floor.play(4)
    await floor.until(lambda: floor.shares == floor.stops() == 98)
    await floor.order("reduce")
    await floor.play(5)
    await floor.agreed()
    assert (floor.shares, floor.resting()) == (0, [])
    assert _lowest(floor) == 0


async def test_hole_1_without_the_state_the_same_view_would_have_gone_short(floor_with):
    """The measure for the other: nothing but the state keeps it flat."""
    floor = await floor_with(prices(MIDDLE, MIDDLE, UP, UP, 101.5))
    await floor.start(strategy=[_turning()])
    await floor.play(10)
    await floor.until(lambda: floor.shares < 0)


def _turning():
    return {
        "name": "t",
        "kind": "threshold.py",
        "params": {"long_from": 101.8, "short_to": 101.6},
        "allocation": 1.0,
        "sizing": {"method": "fixed_fraction", "fraction": 0.01},
        "exits": {"method": "percent", "stop_pct": 5.0, "target_pct": 0.0},
    }


def _lowest(floor):
    """The smallest position that the broker's ledger ever had, starting from flat."""
    signed = [one.quantity if one.side.startswith("B") else -one.quantity for one in floor.gateway.ledger.executions]
    return min(sum(signed[: count + 1]) for count in range(len(signed)))


# ------------------------------------------------------------------ 2: could not ask


async def test_hole_2_executions_that_could_not_be_asked_are_not_no_executions(holding):
    """NT: a lost connection inside the question becomes "no fills". The stop has filled meanwhile."""
    holding.gateway.controls.lose_server()
    await holding.until(lambda: not holding.book.is_connected)
    (stop,) = holding.resting("S")
    holding.gateway.session.desk.fill(stop.perm_id, stop.remaining, 100.9)
    holding.gateway.faults.inject("swallow_executions_end")
    holding.gateway.controls.restore_server()
    await holding.until(lambda: holding.notices("report_incomplete"))
    assert not holding.book.is_reconciled
    assert holding.notices("lost_order") == []
    holding.gateway.faults.clear()
    await holding.agreed(20)
    assert holding.events(OrderFilled)[-1].fill.ref == STOP


# ------------------------------------------------------------------ 3: a cancel that nobody answers


async def test_hole_3_a_cancel_that_is_never_answered_is_not_a_cancelled_order(waiting):
    """NT v1 turns a silent PENDING_CANCEL into CANCELED. Here it stays open, counts, and is said."""
    waiting.gateway.faults.inject("cancel_unanswered", count=1000)
    await waiting.order("halt")
    await waiting.until(lambda: waiting.notices("cancel_unanswered"), 20)
    assert not waiting.book.orders[ENTRY].status.is_final
    assert waiting.cancels(ENTRY) <= 5  # not as often as TWS can say that it cannot (10148)
    waiting.gateway.faults.clear()
    (entry,) = waiting.resting("E")
    waiting.gateway.session.desk.fill(entry.perm_id, entry.remaining, 102.0)
    await waiting.agreed()
    assert waiting.shares == waiting.stops() == 98


# ------------------------------------------------------------------ 5: 110


async def test_hole_5_110_on_a_new_entry_refuses_it(floor):
    """NT: code 110 is a warning, and the order waits for a time-out."""
    floor.gateway.session.desk.conduct.reject_next.append(OFF_TICK)
    await floor.play(5)
    await floor.until(lambda: floor.notices("rejected"))
    assert "code 110" in floor.notices("rejected")[0]
    assert floor.entries() == [ENTRY]
    await floor.until(lambda: not floor.book.orders)
    assert (floor.shares, floor.resting()) == (0, [])


async def test_hole_5_110_on_the_stop_leg_alone_is_found_and_made_good(floor):
    """The entry fills all the same (TWS.md 4.28)."""
    floor.gateway.faults.inject("lose_stop_leg")
    await floor.play(4)
    await floor.until(lambda: floor.notices("rejected"))
    await floor.agreed()
    assert any("code 110" in text for text in floor.notices("rejected"))
    assert floor.stops() == floor.shares


# ------------------------------------------------------------------ 6: no ping


async def test_hole_6_a_half_open_socket_with_healthy_flags_is_found_by_asking(holding):
    """NT asks no time. The library still says that it is connected when the probe says that nobody is there."""
    holding.gateway.controls.freeze(1e9)
    line = holding.broker._session.line
    assert line.client.isConnected()
    await holding.until(lambda: not holding.book.is_connected, 20)
    assert not holding.daemon.is_up
    holding.gateway.controls.thaw()
    await holding.agreed(30)


# ------------------------------------------------------------------ 7, 8, 15: 1100, and ids that roll back


@pytest.mark.parametrize("kept", [True, False], ids=["1102", "1101"])
async def test_hole_7_what_filled_while_1100_stood_is_asked_for(waiting, kept):
    """LEAN throws execDetails and orderStatus away while the flag is up, and asks nothing afterwards."""
    waiting.gateway.controls.lose_server()
    await waiting.until(lambda: not waiting.book.is_connected)
    (entry,) = waiting.resting("E")
    waiting.gateway.session.desk.fill(entry.perm_id, 40, 102.0)
    waiting.gateway.controls.restore_server(data_kept=kept)
    await waiting.back()
    await waiting.agreed()
    assert waiting.shares == 40


async def test_hole_8_ids_that_roll_back_are_not_used_again_while_orders_live(holding):
    """LEAN takes the lower nextValidId: old and new orders then share ids."""
    before = {order.order_id for order in holding.gateway.session.desk.orders.values()}
    restored = len(holding.events(ConnectionRestored))
    holding.gateway.controls.restart(down_s=0.0, roll_back_ids=3)
    await holding.until(lambda: len(holding.events(ConnectionRestored)) > restored)
    await holding.back(20)
    await holding.order("flatten")
    await holding.until(lambda: holding.shares == 0 and holding.resting() == [], 20)
    ids = [order.order_id for order in holding.gateway.session.desk.orders.values()]
    assert len(ids) == len(set(ids)) > len(before)


async def test_hole_15_a_first_1100_is_waited_out_on_the_same_socket(holding):
    """ib_async's Watchdog ends the gateway itself: twenty seconds without a server become a login."""
    clients = dict(holding.gateway.session.clients)
    holding.gateway.controls.lose_server()
    await holding.until(lambda: not holding.book.is_connected)
    await asyncio.sleep(1.5)  # more than the first waits before a new connection
    holding.gateway.controls.restore_server()
    await holding.back()
    assert dict(holding.gateway.session.clients) == clients
    await holding.agreed()
