"""What is not ours, what nobody will tell any more, money that is not what it should be: each settled in its way."""

import shutil

import pytest

from tests.scenarios.floor import CALM, UP, prices

DAY_S = 86_400.0


@pytest.fixture
def with_policy(floor_with):
    """Flat, and somebody buys 50 SPY by hand at the gateway."""

    async def start(foreign):
        floor = await floor_with(prices(CALM))
        await floor.start(reconcile={"foreign": foreign})
        await floor.play(2)
        floor.gateway.session.desk.manual_order("SPY", "BUY", 50)
        await floor.play(1)
        assert floor.shares == 50
        return floor

    return start


async def test_a_foreign_position_is_reported_and_left_alone(with_policy):
    floor = await with_policy("report")
    await floor.play_until(lambda: "SPY" in floor.book.locks)
    await floor.play(5)
    assert (floor.shares, floor.resting()) == (50, [])
    assert "the book holds 0, the broker 50" in floor.notices("quantity_break")[0]


async def test_a_foreign_position_is_adopted_with_a_stop_of_its_own(with_policy):
    """reconcile.adopted_stop_pct: two percent below 100.00."""
    floor = await with_policy("adopt")
    await floor.play_until(lambda: floor.stops() == 50)
    await floor.agreed(20)
    assert [(order.remaining, order.stop_price) for order in floor.resting("P")] == [(50, 98.0)]
    assert floor.resting("P")[0].request.order_ref.startswith("OB1:adopted:")


async def test_a_foreign_position_is_closed_where_that_is_the_policy(with_policy):
    floor = await with_policy("reduce")
    await floor.play_until(lambda: floor.shares == 0)
    await floor.until(lambda: floor.resting() == [])
    assert sum(execution.quantity for execution in floor.gateway.ledger.executions) == 100


async def test_a_break_locks_entries_and_not_exits(holding):
    """Somebody buys 10 more by hand: no entry any more, but the exit goes out for our 98 alone."""
    holding.gateway.session.desk.manual_order("SPY", "BUY", 10)
    await holding.play_until(lambda: "SPY" in holding.book.locks)
    await holding.order("flatten")
    await holding.until(lambda: holding.shares == 10, 20)
    await holding.until(lambda: holding.resting() == [])


async def _the_stop_fills_while_nobody_runs(holding, quantity):
    """Agreed about 98; the daemon dies; shares are sold by its stop; midnight passes, and who asks is told nothing."""
    await holding.agreed_since_its_fills()
    await holding.kill()
    (stop,) = holding.resting("S")
    holding.gateway.session.desk.fill(stop.perm_id, quantity, 100.9)
    holding.clock.advance_to(holding.clock.now() + DAY_S)
    await holding.until(lambda: holding.gateway.session.now() >= holding.clock.now() - 60)


async def _settled(holding):
    """The break of yesterday is settled against positions; the ids it was settled under."""
    await holding.start(reconciled=False, session={"flatten_before_close_s": 0})
    await holding.play_until(lambda: holding.notices("settled") != [])
    return [exec_id for exec_id in holding.book.fills if exec_id.startswith("SETTLED")]


async def test_a_break_older_than_the_brokers_memory_is_settled_the_next_day(holding):
    await _the_stop_fills_while_nobody_runs(holding, 98)
    await _settled(holding)
    await holding.agreed(20)
    assert holding.book.positions() == {}
    assert "executed before the broker's memory begins" in holding.notices("settled")[0]


async def test_hole_4_the_same_break_settled_twice_has_the_same_id_and_another_quantity_another(holding):
    """ANCHORS.md 1e.4: NT gives different restarts of different quantities one order id."""
    await _the_stop_fills_while_nobody_runs(holding, 40)
    state = holding.folder / "state"
    shutil.copytree(_state(holding), state.with_name("before"))
    first = await _settled(holding)
    await holding.kill()
    shutil.rmtree(_state(holding))
    shutil.copytree(state.with_name("before"), _state(holding))
    again = await _settled(holding)
    assert again == first
    assert len(first) == 1
    assert ".40." in first[0]


def _state(floor):
    return floor.config.base_dir / floor.config.state_dir


async def test_money_that_is_missing_at_the_broker_latches_the_account(floor_with):
    """RISK.md, post-trade check: 5,000 of a million are gone, the tolerance is 0.1 percent; values come every 180 s."""
    floor = await floor_with(prices(CALM))
    await floor.start(risk={"max_account_drift_pct": 0.1})
    await floor.play(2)
    floor.gateway.ledger.cash -= 5_000.0
    await floor.play_until(lambda: "account" in floor.book.breakers.latched, 60)
    assert [latch.rule for latch in floor.book.breakers.latched["account"]] == ["account_drift"]
    assert "5000.00 USD off ours" in floor.notices("account_drift")[0]


async def test_money_that_our_own_fills_explain_latches_nothing(floor_with):
    floor = await floor_with(prices(*[CALM, CALM, UP, UP, UP] * 2, CALM))
    await floor.start(risk={"max_account_drift_pct": 0.1})
    await floor.play(130)
    await floor.agreed()
    assert len(floor.gateway.ledger.executions) == 4
    assert floor.book.breakers.latched == {}


async def test_a_bust_while_nobody_listens_is_found_after_the_reconnect(holding):
    """RISK.md, busts: the exchange takes the trade back during 1100."""
    holding.gateway.controls.lose_server()
    await holding.until(lambda: not holding.book.is_connected)
    bought = holding.gateway.ledger.executions[0]
    holding.gateway.session.desk.bust_or_correct(bought.exec_id, quantity=0.0)
    holding.gateway.controls.restore_server()
    await holding.back()
    await holding.until(lambda: not holding.book.positions())
    await holding.play(2)
    await holding.until(lambda: holding.resting() == [])
    assert holding.shares == 0
