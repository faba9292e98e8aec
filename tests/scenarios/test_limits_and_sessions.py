"""Limits, sessions, people and the holes that public systems have (ANCHORS.md 1e), through the wire."""

import pytest

from shared.errors import ConfigError, InvariantViolated
from shared.events import BrokerReported, ConnectionLost, OrderUnknown
from tests.scenarios.floor import CALM, STRATEGY, UP, prices

ENTRY = "OB1:t:20131008:SPY-1:E"
EXITS = {"method": "percent", "stop_pct": 1.0, "target_pct": 5.0}


def a_strategy(**changes):
    usual = {
        "name": "t",
        "kind": STRATEGY.name,
        "params": {"long_from": 101.0},
        "allocation": 1.0,
        "sizing": {"method": "fixed_fraction", "fraction": 0.01},
        "exits": EXITS,
    }
    return {**usual, **changes}


async def long(floor):
    await floor.play(4)
    await floor.until(lambda: floor.shares > 0 and floor.stops() == floor.shares)


async def test_f16_a_split_waits_for_a_person_and_then_has_its_stop_at_the_new_price(holding):
    """F16, TWS.md 4.51: twice the shares at half the price; nothing is sold, nothing re-priced before `accept`."""
    await holding.play(1)
    await holding.until(lambda: holding.book.agreed.get("SPY", holding.book.last_row_at) > holding.book.last_row_at)
    holding.gateway.faults.inject("split", ratio=2.0)
    await holding.until(lambda: holding.notices("corporate_action"), 20)
    assert (holding.shares, holding.stops()) == (196, 0)
    await holding.command("accept", "instrument:SPY")
    await holding.until(lambda: holding.stops() == 196, 20)
    stops = holding.resting("S") + holding.resting("P")
    assert [stop.stop_price for stop in stops] == [pytest.approx(50.49)]


async def test_f22_a_journal_that_cannot_be_written_ends_the_run_and_the_stop_stays(holding):
    """F22: nothing is sent that is not durable; the position keeps its stop at the broker."""
    holding.daemon._organs.journal._database._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(InvariantViolated, match="nothing was sent"):
        await holding.play(3)
    holding._run = None
    assert (holding.shares, holding.stops()) == (98, 98)


async def test_a_day_loss_pulls_entries_and_leaves_the_stop(holding):
    """The limit trips on three reports of the broker's; exits and protection go on."""
    holding.gateway.ledger.cash -= 50_000
    await holding.close()
    await holding.start(risk={"max_day_loss": 20_000.0}, reconcile={"foreign": "report"})
    await holding.play(2)
    holding.gateway.ledger.cash -= 50_000
    for _ in range(8):
        await holding.play(1)
    await holding.until(lambda: holding.notices("limit_latched"))
    assert holding.stops() == holding.shares


@pytest.mark.parametrize(("verb", "shares"), [("block", 98), ("halt", 98), ("flatten", 0)])
async def test_the_three_kill_levels(holding, verb, shares):
    """Block, halt (pulls entries), flatten: no entry leaves after any of them (I14)."""
    await holding.command(verb)
    await holding.play(2)
    await holding.until(lambda: holding.shares == shares)
    await holding.agreed()
    assert [ref for ref in holding.sent() if ref.endswith(":E")] == [ENTRY]


async def test_hole_1_in_reducing_a_flat_book_stays_flat_and_a_sale_never_overshoots(floor):
    """nautilus REDUCING lets flat open and long 100 sell 1,000."""
    await floor.command("reduce")
    await floor.play(5)
    assert (floor.shares, floor.sent()) == (0, [])


async def test_hole_3_a_cancel_without_an_answer_is_no_cancel(floor_with):
    """nautilus takes a silent PENDING_CANCEL for CANCELED."""
    floor = await floor_with(prices(CALM, CALM, UP, 104.0))
    await floor.start(execution={"entry": "limit", "limit_offset_bps": 0.0})
    await floor.play(4)
    await floor.until(lambda: bool(floor.resting("E")))
    floor.gateway.faults.inject("cancel_unanswered", count=100)
    await floor.command("halt")
    await floor.play(2)
    assert ENTRY in floor.book.orders
    assert floor.resting("E") != []


async def test_hole_10_an_order_that_the_broker_cannot_find_is_not_declared_cancelled_at_once(holding):
    """freqtrade declares whatever it cannot find cancelled."""
    holding.gateway.faults.inject("swallow_executions_end")
    stop = holding.resting("S")[0]
    await holding.until(lambda: not holding.events(BrokerReported)[-1].is_complete)
    assert stop.request.order_ref in holding.book.orders


@pytest.mark.parametrize("code", [451, 299, 10999])
async def test_hole_11_a_code_nobody_knows_rejects_no_order(holding, code):
    """backtrader rejects the order for every unlisted code below 500."""
    stop = holding.resting("S")[0]
    (client,) = [each for each in holding.gateway.session.each_client() if each.client_id == 7]
    holding.gateway.faults.clear()
    holding.gateway.controls.send_raw(client.client_id, _error_frame(stop.order_id, code))
    await holding.until(lambda: holding.events(OrderUnknown))
    await holding.agreed()
    assert holding.notices("rejected") == []
    assert [order.perm_id for order in holding.resting("S")] == [stop.perm_id]


async def test_hole_13_every_leg_has_the_price_it_was_given(holding):
    """lumibot gives the take profit the entry's limit price."""
    (target,), (stop,) = holding.resting("T"), holding.resting("S")
    assert (target.limit_price, stop.stop_price) == (pytest.approx(107.1), pytest.approx(100.98))


async def test_hole_15_a_first_1100_tears_nothing_down(holding):
    """ib_async's Watchdog ends the whole gateway on it."""
    clients = [client.client_id for client in holding.gateway.session.each_client()]
    holding.gateway.controls.lose_server()
    await holding.until(lambda: not holding.book.is_connected)
    holding.gateway.controls.restore_server()
    await holding.back(20)
    assert [client.client_id for client in holding.gateway.session.each_client()] == clients
    assert len(holding.events(ConnectionLost)) == 1


async def test_another_account_after_a_restart_is_refused(holding):
    """TWS.md 4.12: the gateway comes back on another login; nothing is traded there."""
    holding.gateway.faults.inject("restart_as_another", account="DU9999999")
    await holding.kill()
    await holding.start(reconciled=False, account="DU7654321")
    with pytest.raises(ConfigError, match="reports account DU"):
        await holding.play_until(lambda: holding._run.done() and holding._run.result() is None)
    holding._run = None


async def test_a_trailing_stop_rests_at_the_broker_and_follows(floor_with):
    floor = await floor_with(prices(CALM, CALM, UP, UP, 104.0, 106.0, 106.0))
    await floor.start(strategy=[a_strategy(exits={**EXITS, "trail_pct": 1.0, "target_pct": 0.0})])
    await floor.play(4)
    await floor.agreed()
    (stop,) = floor.resting("S")
    assert stop.request.order_type == "TRAIL"
    await floor.play(4)
    (stop,) = floor.resting("S")
    assert stop.stop_price == pytest.approx(104.94, abs=0.02)
    floor.gateway.session.desk.cancel_by_broker(stop.perm_id, "cancelled by the exchange")
    await floor.until(lambda: floor.resting("P") != [])
    (again,) = floor.resting("P")
    assert again.request.order_type == "TRAIL"
    assert again.stop_price >= 104.9


async def test_an_entry_carries_the_time_after_which_it_must_not_fill(floor_with):
    floor = await floor_with()
    await floor.start(execution={"entry": "limit", "limit_offset_bps": 0.0, "good_till_slack_s": 30.0})
    await floor.play(3)
    await floor.until(lambda: bool(floor.resting("E")))
    (entry,) = floor.resting("E")
    assert entry.request.tif == "GTD"
    assert entry.good_till == pytest.approx(floor.opens_at + 15 + 120 + 30, abs=5)


async def test_a_time_stop_closes_what_is_held_too_long(floor_with):
    floor = await floor_with()
    await floor.start(strategy=[a_strategy(exits={**EXITS, "max_holding_s": 30})])
    await long(floor)
    await floor.play(8)
    await floor.until(lambda: floor.shares == 0)
    await floor.agreed()


async def test_a_foreign_position_is_reported_and_left_alone(holding):
    holding.gateway.session.desk.manual_order("IBM", "BUY", 10, limit_price=200.0)
    await holding.play(2)
    await holding.until(lambda: holding.notices("foreign_position"), 20)
    assert holding.gateway.ledger.quantity("IBM") == 10


async def test_two_strategies_never_stand_against_each_other(floor_with):
    floor = await floor_with()
    other = a_strategy(name="u", params={"long_from": 9e9, "short_to": 9e8}, exits={**EXITS, "stop_pct": 10.0})
    await floor.start(strategy=[a_strategy(), other])
    await floor.play(6)
    await floor.agreed()
    assert len({ref.split(":")[1] for ref in floor.filled_at_broker()}) == 1
    assert any("other side" in text for text in floor.notices("entry_denied"))


def _error_frame(order_id, code):
    payload = f"4\0002\000{order_id}\000{code}\000a text nobody has seen\000\000".encode()
    return len(payload).to_bytes(4, "big") + payload
