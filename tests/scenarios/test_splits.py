"""F16: a split jumps the position and takes the resting orders; a person's word settles it, not ours."""

import pytest

from shared.events import OperatorCommanded

ENTRY = "OB1:t:20131008:SPY-1:E"


async def _split(holding):
    """Agreed about 98 shares; then two for one at half the price, the stops are gone, and the daemon has locked SPY."""
    await holding.agreed_since_its_fills()
    holding.gateway.faults.inject("split", ratio=2.0)
    await holding.until(lambda: holding.book.locks != {}, 20)
    return holding


async def test_f16_a_split_locks_alarms_and_places_nothing_by_itself(holding):
    floor = await _split(holding)
    await floor.play(3)
    assert floor.shares == 196
    assert floor.book.locks["SPY"].kind == "corporate_action"
    assert len(floor.notices("corporate_action")) >= 1
    assert floor.resting() == []
    assert floor.entries() == [ENTRY]


async def test_f16_accepted_the_position_is_whole_and_its_stop_stands_at_the_new_price(holding):
    """98 shares behind 100.98 become 196 behind 50.49."""
    floor = await _split(holding)
    reply = await floor.order("accept", "instrument:SPY")
    assert reply.accepted
    await floor.agreed(20)
    assert [(order.remaining, order.stop_price) for order in floor.resting("P")] == [(196, 50.49)]
    assert floor.book.positions()["SPY"].average_price == pytest.approx(51.005)
    assert len(floor.notices("settled")) == 1
    assert [event.verb for event in floor.events(OperatorCommanded)] == ["accept"]


async def test_f16_after_it_the_lock_heals_and_the_position_is_traded_on(holding):
    floor = await _split(holding)
    await floor.order("accept", "instrument:SPY")
    await floor.agreed(20)
    await floor.play_until(lambda: floor.book.locks == {})
    assert (await floor.order("flatten")).accepted
    await floor.until(lambda: floor.shares == 0 and floor.resting() == [], 20)


async def test_f16_nothing_is_accepted_where_nothing_differs(holding):
    await holding.order("accept", "instrument:SPY")
    await holding.until(lambda: holding.notices("accept_refused"))
    await holding.agreed()
    assert holding.shares == 98
