"""Real failures of RELIABILITY.md 3 that concern connections and orders, each through the wire."""

import asyncio

import pytest

from shared.events import ConnectionLost, ConnectionRestored, OrderFilled
from tests.scenarios.floor import CALM, UP, prices


async def test_f1_order_ids_that_roll_back_after_a_restart_never_meet_an_older_order(holding):
    """F1, Lean IB #242: the restarted gateway gives out old ids again and has forgotten the orders."""
    before = holding.resting()
    holding.gateway.controls.restart(down_s=0.0, forget_orders=True, roll_back_ids=3)
    await holding.until(lambda: holding.events(ConnectionLost))  # it may be back within milliseconds
    await holding.agreed(30)
    assert holding.filled_at_broker() == {"OB1:t:20131008:SPY-1:E": 98}
    assert {order.perm_id for order in holding.resting()} & {order.perm_id for order in before} == set()
    assert holding.notices("lost_order") != []


async def test_f2_a_fill_while_the_server_is_away_is_booked_after_it(floor):
    """F2, Lean IB #249: 1100, a fill nobody tells, 1102: it is asked for before anything else is decided."""
    await floor.play(2)
    floor.gateway.controls.lose_server()
    await floor.until(lambda: not floor.book.is_connected)
    floor.gateway.controls.restore_server()
    await floor.back()
    await floor.play(3)
    await floor.agreed()
    floor.gateway.controls.lose_server()
    await floor.until(lambda: not floor.book.is_connected)
    stop = floor.resting("S")[0]
    floor.gateway.session.desk.fill(stop.perm_id, stop.remaining, 100.5)
    floor.gateway.controls.restore_server()
    await floor.agreed()
    assert floor.shares == 0
    assert "OB1:t:20131008:SPY-1:S: SELL 98 SPY at 100.5" in floor.notices("filled")


async def test_f3_a_second_permid_of_one_order_leaves_no_second_order_alive(holding):
    """F3, nautilus #4564: one logical order lives twice at the broker; both are pulled and the stop is put back."""
    stop = holding.resting("S")[0]
    holding.gateway.session.desk.duplicate_live(stop.perm_id)
    await holding.until(lambda: holding.notices("double_perm_id"))
    await holding.agreed(20)
    assert holding.shares == 98


@pytest.mark.parametrize("kind", ["swallow_position_end", "swallow_executions_end"])
async def test_f4_a_list_that_does_not_end_is_not_an_empty_list(holding, kind):
    """F4, nautilus PR 4230: could not ask is never nothing there."""
    holding.gateway.faults.inject(kind)
    await holding.until(lambda: holding.notices("report_incomplete"))
    assert holding.book.positions()["SPY"].quantity == 98
    assert holding.notices("lost_order") == []
    holding.gateway.faults.clear()
    await holding.agreed()


async def test_f5_a_killed_daemon_starts_again_without_a_second_order(holding):
    """F5, nautilus #3176: the journal and the broker's references name what is there."""
    await holding.kill()
    await holding.start()
    await holding.agreed()
    await holding.play(3)
    assert holding.filled_at_broker() == {"OB1:t:20131008:SPY-1:E": 98}
    assert len(holding.resting()) == 2


@pytest.mark.parametrize("code", [399, 404, 2109, 10311, 10349])
async def test_f6_a_warning_at_placement_does_not_send_the_order_again(floor, code):
    """F6, pysystemtrade #1580: 10349 looked like a cancel, 15 orders followed."""
    floor.gateway.faults.inject("placement_warning", code=code)
    await floor.play(5)
    await floor.agreed()
    assert floor.filled_at_broker() == {"OB1:t:20131008:SPY-1:E": 98}


async def test_f7_an_order_that_is_never_answered_stays_one_order(floor):
    """F7, Lean IB #93: silence is asked about, counted as live, and never sent again."""
    floor.gateway.faults.inject("hold_order")
    await floor.play(6)
    await floor.until(lambda: floor.notices("order_unknown"))
    assert [ref for ref in floor.sent() if ref.endswith(":E")] == ["OB1:t:20131008:SPY-1:E"]


async def test_f8_a_frozen_gateway_is_noticed_and_left(holding):
    """F8, ibx #113: the socket stands, nobody answers; the probe says so."""
    holding.gateway.controls.freeze(1e9)
    await holding.until(lambda: not holding.book.is_connected, 20)
    assert "no answer" in holding.events(ConnectionLost)[-1].reason
    holding.gateway.controls.thaw()
    await holding.agreed(30)


async def test_f9_a_gateway_that_is_gone_for_long_is_waited_for(holding):
    """F9, Lean IB #227: the daemon never gives up and never exits."""
    holding.gateway.controls.restart(down_s=3600.0)
    await holding.until(lambda: not holding.book.is_connected)
    await asyncio.sleep(1.5)
    assert not holding.book.is_reconciled
    holding.clock.advance_to(holding.clock.now() + 3600.0)
    await holding.agreed(60)
    assert len(holding.events(ConnectionRestored)) == 2


async def test_f10_fills_told_twice_and_out_of_order_are_booked_once(floor):
    """F10, nautilus PR 5041: execution before status, each of them twice."""
    floor.gateway.faults.inject("duplicate_executions")
    floor.gateway.faults.inject("status_order")
    await floor.play(5)
    await floor.agreed()
    assert [event.fill.quantity for event in floor.events(OrderFilled)] == [98]


async def test_f11_a_quick_restart_with_a_lingering_client_id_meets_no_duplicate(holding):
    """F11, ib_insync #308: the old session of our id lingers; 326 is waited out under the same id."""
    holding.gateway.controls.linger(30.0)
    await holding.kill()
    restart = asyncio.create_task(holding.start())
    await asyncio.sleep(1.0)
    holding.clock.advance_to(holding.clock.now() + 60.0)
    await asyncio.wait_for(restart, 30)
    await holding.agreed()
    assert holding.filled_at_broker() == {"OB1:t:20131008:SPY-1:E": 98}


async def test_f12_a_stop_right_after_an_order_leaves_it_whole_at_the_broker(floor):
    """F12, ib_insync #510: what was written to the socket has left before the process ends."""
    await floor.play(2)
    floor.steps_played += 1
    ending = asyncio.create_task(_stop_when_sent(floor))
    floor.clock.advance_to(floor.clock.now() + 5)
    assert (await ending).exit_code == 0
    assert floor.shares == floor.stops()


async def _stop_when_sent(floor):
    await floor.until(lambda: bool(floor.book.orders))
    return await floor.stop()


async def test_a_day_without_faults_ends_flat_or_protected(floor_with):
    floor = await floor_with(prices(CALM, UP, UP, CALM))
    await floor.start()
    await floor.play(6)
    await floor.agreed()
    assert floor.shares == 0
