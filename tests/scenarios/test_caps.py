"""Aggregate stops (F17, RISK.md): what a strategy that orders on every row may do, and what latches for good."""

import pytest

from shared.events import OrderRejected
from tests.scenarios.floor import CALM, UP, prices

FLICKER = (CALM, *[UP, CALM] * 20)
"""The view changes with every row: in, out, in, out."""


@pytest.fixture
async def flickering(floor_with):
    async def start(**risk):
        floor = await floor_with(prices(*FLICKER))
        await floor.start(risk=risk)
        return floor

    return start


async def test_f17_without_a_cap_the_strategy_enters_every_time(flickering):
    """The measure for the others: 20 steps are about ten entries."""
    floor = await flickering()
    await floor.play(20)
    assert len(floor.entries()) >= 8


async def test_f17_a_cap_a_minute_stops_a_strategy_that_orders_on_every_row(flickering):
    """F17, Knight 2012: 212 parent orders became four million, and nothing counted them."""
    floor = await flickering(max_orders_per_min=2)
    await floor.play(12)
    assert len(floor.entries()) == 2
    assert floor.notices("entry_denied") == ["t BUY 98 SPY: 2 entries were sent in the last minute, at most 2"]
    await floor.play(8)
    await floor.agreed()


async def test_f17_a_cap_a_day_holds_for_the_rest_of_the_session(flickering):
    floor = await flickering(max_orders_per_day=3)
    await floor.play(24)
    assert len(floor.entries()) == 3
    await floor.agreed()


async def test_f17_a_cap_a_second_holds_between_strategies(floor_with):
    """Both strategies want in at the same row."""
    floor = await floor_with()
    await floor.start(risk={"max_orders_per_s": 1}, strategy=[_a_strategy("t"), _a_strategy("u")])
    await floor.play(3)
    assert len(floor.entries()) == 1


async def test_f17_the_cap_of_a_day_is_not_forgotten_by_a_restart(flickering):
    floor = await flickering(max_orders_per_day=2)
    await floor.play(8)
    assert len(floor.entries()) == 2
    await floor.kill()
    await floor.start(risk={"max_orders_per_day": 2})
    await floor.play(8)
    assert len(floor.entries()) == 2


async def test_f17_an_instrument_that_fills_again_and_again_is_latched_until_a_person_resets_it(flickering):
    """pysystemtrade #1580: fifteen orders where one was wanted."""
    floor = await flickering(max_entries_in_window=2, entry_window_s=600.0)
    await floor.play(16)
    assert len(floor.entries()) == 2
    assert [latch.rule for latch in floor.book.breakers.latched["instrument:SPY"]] == ["repeated_execution"]
    await floor.agreed()
    assert floor.shares == 0


async def test_a_loss_of_the_day_latches_pulls_entries_and_lets_the_stop_work(floor_with):
    """RISK.md, loss limits: 98 shares fall from 102 by 0.50, the limit is 30 dollars."""
    floor = await floor_with(prices(CALM, CALM, UP, 101.5))
    await floor.start(risk={"max_day_loss": 30.0})
    await floor.play(8)
    assert [latch.rule for latch in floor.book.breakers.latched["account"]] == ["max_day_loss"]
    await floor.agreed()
    assert (floor.shares, floor.stops()) == (98, 98)
    assert len(floor.notices("limit_latched")) == 1


async def test_a_latched_loss_outlives_restart_and_resume_and_ends_by_reset(floor_with):
    floor = await floor_with(prices(CALM, CALM, UP, 101.5))
    await floor.start(risk={"max_day_loss": 30.0})
    await floor.play(8)
    await floor.kill()
    await floor.start(risk={"max_day_loss": 30.0})
    assert (await floor.order("resume")).state == "REDUCING"
    assert (await floor.order("reset")).state == "ACTIVE"


async def test_orders_that_are_refused_one_after_the_other_end_the_entries(flickering):
    """RISK.md, reject streak: 201 to everything."""
    floor = await flickering(max_rejects_in_a_row=3)
    floor.gateway.faults.inject("reject_order", count=1000)
    await floor.play(20)
    assert [latch.rule for latch in floor.book.breakers.latched["account"]] == ["max_rejects_in_a_row"]
    assert len(floor.events(OrderRejected)) >= 3
    assert len(floor.entries()) <= 3
    assert floor.shares == 0


async def test_two_strategies_never_stand_against_each_other(floor_with):
    """RISK.md, self-trade: one is long from 101, the other short up to 103."""
    floor = await floor_with()
    await floor.start(strategy=[_a_strategy("t"), _a_strategy("u", long_from=1000.0, short_to=103.0)])
    await floor.play(6)
    await floor.agreed()
    assert {ref.split(":")[1] for ref in floor.filled_at_broker()} == {"u"}
    assert floor.shares < 0
    assert floor.notices("entry_denied") == ["t BUY 98 SPY: another strategy stands on the other side of SPY"]


async def test_two_strategies_may_if_the_configuration_says_so(floor_with):
    floor = await floor_with()
    both = [_a_strategy("t"), _a_strategy("u", long_from=1000.0, short_to=103.0)]
    await floor.start(strategy=both, execution={"self_trade": "allow"})
    await floor.play(6)
    await floor.until(lambda: {ref.split(":")[1] for ref in floor.filled_at_broker()} == {"t", "u"})
    assert floor.stops() >= 98


def _a_strategy(name, **params):
    return {
        "name": name,
        "kind": "threshold.py",
        "params": {"long_from": 101.0, **params},
        "allocation": 0.5,
        "sizing": {"method": "fixed_fraction", "fraction": 0.02},
        "exits": {"method": "percent", "stop_pct": 10.0, "target_pct": 0.0},
    }
