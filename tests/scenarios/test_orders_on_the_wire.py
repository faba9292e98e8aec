"""What a bracket is at the broker: trailing stops, good-till dates, time stops; and what a reconnect does to orders."""

from datetime import UTC, datetime

import pytest

from tests.scenarios.floor import CALM, UP, prices

PERCENT = {"method": "percent", "stop_pct": 1.0, "target_pct": 0.0}


def a_strategy(**exits):
    return {
        "name": "t",
        "kind": "threshold.py",
        "params": {"long_from": 101.0},
        "allocation": 1.0,
        "sizing": {"method": "fixed_fraction", "fraction": 0.01},
        "exits": {**PERCENT, **exits},
    }


@pytest.fixture
async def trailing(floor_with):
    """Long at 102.01 behind a stop that trails by one percent; then 104, 106, 105.50."""
    floor = await floor_with(prices(CALM, CALM, UP, UP, 104.0, 106.0, 105.5))
    await floor.start(strategy=[a_strategy(trail_pct=1.0)])
    await floor.play(4)
    await floor.until(lambda: floor.shares == floor.stops() == 98)
    return floor


async def test_a_trailing_stop_is_the_brokers_own_order(trailing):
    (stop,) = trailing.resting("S")
    assert (stop.request.order_type, stop.request.trailing_percent, stop.request.tif) == ("TRAIL", 1.0, "GTC")


async def test_a_trailing_stop_ratchets_at_the_broker_and_never_moves_back(trailing):
    """106.00 less one percent is 104.94."""
    await trailing.play(4)
    (stop,) = trailing.resting("S")
    assert stop.stop_price == pytest.approx(104.94)
    await trailing.agreed()
    assert trailing.notices("reprotected") == []


async def test_a_trailing_stop_that_is_lost_is_put_back_as_one_where_it_stood(trailing):
    await trailing.play(4)
    (stop,) = trailing.resting("S")
    trailing.gateway.session.desk.cancel_by_broker(stop.perm_id, "Order cancelled by the exchange")
    await trailing.until(lambda: trailing.resting("P") != [])
    (again,) = trailing.resting("P")
    assert (again.request.order_type, again.request.trail_stop_price) == ("TRAIL", 104.94)
    await trailing.agreed()


async def test_a_trailing_stop_closes_the_position_where_it_stands(floor_with):
    floor = await floor_with(prices(CALM, CALM, UP, UP, 104.0, 106.0, 104.9))
    await floor.start(strategy=[a_strategy(trail_pct=1.0)])
    await floor.play(8)
    await floor.agreed()
    assert floor.shares == 0
    assert list(floor.filled_at_broker()) == ["OB1:t:20131008:SPY-1:E", "OB1:t:20131008:SPY-1:S"]


async def test_an_entry_ends_by_itself_at_the_broker(waiting):
    """Decided at 13:30:15, 120 s to fill and 30 s of slack: good till 13:32:45 UTC."""
    (entry,) = waiting.resting("E")
    assert entry.request.tif == "GTD"
    due = datetime(2013, 10, 8, 13, 32, 45, tzinfo=UTC).timestamp()
    assert entry.good_till == pytest.approx(due, abs=2)


async def test_an_entry_whose_daemon_is_dead_is_over_when_its_time_is_up(waiting):
    await waiting.kill()
    await waiting.play(32)
    assert waiting.resting() == []
    assert waiting.shares == 0


async def test_an_entry_that_does_not_fill_is_cancelled_in_time_and_not_sent_again(waiting):
    await waiting.play(26)
    await waiting.until(lambda: waiting.resting() == [])
    await waiting.play(3)
    assert len(waiting.entries()) == 1


async def test_a_time_stop_closes_the_position(floor_with):
    """30 seconds after the first fill, whatever the price says."""
    floor = await floor_with()
    await floor.start(strategy=[a_strategy(max_holding_s=30)])
    await floor.play(6)
    await floor.agreed()
    assert floor.shares == 98
    await floor.play(6)
    await floor.agreed()
    assert floor.shares == 0
    assert floor.resting() == []
    bought, sold = floor.gateway.ledger.executions
    assert 30 <= sold.at - bought.at <= 40
    assert len(floor.entries()) == 1


async def test_an_entry_from_before_a_reconnect_is_pulled(waiting):
    """execution.entries_on_reconnect = "cancel": nobody acts on a view from before the silence."""
    await waiting.cut()
    await waiting.until(lambda: waiting.resting() == [])
    assert waiting.shares == 0
    assert len(waiting.entries()) == 1


async def test_an_entry_is_kept_over_a_reconnect_where_that_is_the_policy(floor_with):
    floor = await floor_with(prices(CALM, CALM, UP, 103.0, 103.0, 101.5))
    entry = {"entry": "limit", "limit_offset_bps": 0.0, "entries_on_reconnect": "keep"}
    await floor.start(execution=entry)
    await floor.play(4)
    await floor.until(lambda: floor.resting("E") != [])
    await floor.cut()
    await floor.play(3)
    await floor.agreed()
    assert floor.shares == 98
    assert len(floor.entries()) == 1


@pytest.mark.parametrize(("policy", "left"), [("keep", 98), ("cancel", 0)])
async def test_a_target_stays_or_goes_by_policy_and_the_stop_always_stays(floor_with, policy, left):
    floor = await floor_with()
    await floor.start(execution={"targets_on_reconnect": policy})
    await floor.play(4)
    await floor.until(lambda: floor.stops() == 98)
    await floor.cut()
    await floor.until(lambda: sum(order.remaining for order in floor.resting("T")) == left)
    await floor.agreed()
    assert floor.stops() == 98


async def test_what_was_queued_while_the_server_was_away_is_settled_when_it_is_back(waiting):
    """TWS.md 4.40: a cancel that TWS kept for itself reaches the market after 1102 and is heard of."""
    waiting.gateway.controls.lose_server()
    await waiting.until(lambda: not waiting.book.is_connected)
    await waiting.order("halt")
    assert len(waiting.resting("E")) == 1
    waiting.gateway.controls.restore_server()
    await waiting.back()
    await waiting.until(lambda: waiting.resting() == [])
    assert waiting.shares == 0
