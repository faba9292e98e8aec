"""The three kills through the socket and the wire: block, halt (cancels), flatten; each one once, and for good."""

import pytest

from shared.events import OperatorCommanded
from tests.scenarios.floor import CALM, UP, prices

VERBS = ["block", "halt", "flatten"]


@pytest.mark.parametrize(("verb", "left"), [("block", 1), ("halt", 0), ("flatten", 0)])
async def test_a_working_entry_stays_under_block_and_goes_under_halt_and_flatten(waiting, verb, left):
    assert (await waiting.order(verb)).state == "HALTED"
    await waiting.until(lambda: len(waiting.resting("E")) == left)
    await waiting.play(3)
    assert len(waiting.resting("E")) == left
    assert len(waiting.entries()) == 1


@pytest.mark.parametrize(("verb", "shares"), [("block", 98), ("halt", 98), ("flatten", 0)])
async def test_a_position_keeps_its_stop_until_it_is_flattened(holding, verb, shares):
    assert (await holding.order(verb)).accepted
    await holding.until(lambda: holding.shares == shares and holding.stops() == shares)
    await holding.play(3)
    await holding.agreed()
    assert holding.shares == shares


@pytest.mark.parametrize("verb", VERBS)
async def test_no_new_entry_leaves_after_a_kill_nor_after_a_restart(floor, verb):
    """I14: the state outlives the process; a person ends it."""
    await floor.order(verb)
    await floor.play(4)
    assert floor.entries() == []
    await floor.kill()
    await floor.start()
    await floor.play(2)
    assert floor.entries() == []
    assert (await floor.order("resume")).state == "ACTIVE"
    await floor.play(2)
    assert len(floor.entries()) == 1


async def test_the_order_stands_in_the_journal_before_it_is_answered(holding):
    await holding.order("halt")
    assert [(event.verb, event.scope) for event in holding.events(OperatorCommanded)] == [("halt", "account")]


async def test_a_flatten_while_nobody_answers_is_carried_out_after_the_reconnect(holding):
    """I14: kill while the line is down."""
    holding.gateway.controls.refuse_connections(1e9)
    holding.gateway.controls.drop()
    await holding.until(lambda: not holding.book.is_connected)
    assert (await holding.order("flatten")).accepted
    assert holding.shares == 98
    holding.gateway.controls.admit_connections()
    await holding.until(lambda: holding.shares == 0 and holding.resting() == [], 20)


async def test_a_flatten_whose_exit_is_refused_is_tried_again(holding):
    """201 twice; the wish is not forgotten and the stop stays meanwhile."""
    holding.gateway.faults.inject("reject_order", count=2)
    await holding.order("flatten")
    await holding.until(lambda: len(holding.notices("rejected")) == 2, 20)
    assert holding.stops() == 98
    await holding.until(lambda: holding.shares == 0 and holding.resting() == [], 20)


async def test_a_narrower_scope_touches_nothing_else(floor_with):
    """Two strategies hold SPY; one of them is flattened."""
    floor = await floor_with(prices(CALM, CALM, UP))
    both = [{**_STRATEGY, "name": name} for name in ("t", "u")]
    await floor.start(strategy=both)
    await floor.play(4)
    await floor.until(lambda: floor.shares == floor.stops() > 0)
    before = floor.shares
    await floor.order("flatten", "strategy:u")
    await floor.until(lambda: floor.shares == before / 2)
    await floor.agreed()
    assert {ref.split(":")[1] for ref in floor.filled_at_broker() if ":X" in ref} == {"u"}


_STRATEGY = {
    "kind": "threshold.py",
    "params": {"long_from": 101.0},
    "allocation": 0.5,
    "sizing": {"method": "fixed_fraction", "fraction": 0.02},
    "exits": {"method": "percent", "stop_pct": 1.0, "target_pct": 5.0},
}
