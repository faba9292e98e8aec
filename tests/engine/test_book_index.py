"""What the book finds by its index is what a plain scan finds, and what is left alone had nothing to be done.

An engine that was restored a moment ago has built its index anew and holds nothing to be at rest. Whatever chance does,
it must command the same as the one that has kept its index all along, and remember the same.
"""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, rule

from daemon.engine.settings import ExitPolicy
from shared.events import RunStarted, SessionScheduled
from shared.orders import Leg
from tests.engine.builders import (
    CLOSE,
    OPEN,
    PLAN,
    a_desk,
    a_fill,
    a_long_engine,
    a_start,
    a_universe,
    an_engine,
    at,
    connected,
    cost,
    filled,
    some_limits,
    some_settings,
)
from tests.engine.moody_broker import MoodyBroker
from tests.engine.test_protection_machine import A_MOMENT_S, Protection

LIMITS = {
    "max_day_loss": 400.0,
    "max_strategy_day_loss": 300.0,
    "max_instrument_day_loss": 350.0,
    "max_losses_in_a_row": 4,
    "max_unknown_orders": 6,
}


def a_limited_engine():
    """Trailing stops, a time stop and limits that chance reaches now and then."""
    universe = a_universe()
    exits = ExitPolicy(method="percent", stop=1.0, target=2.0, trail=0.8, max_holding_s=300)
    desks = [a_desk(universe, exits=exits)]
    return an_engine(universe=universe, desks=desks, settings=some_settings(limits=some_limits(**LIMITS)))


class TwinBroker(MoodyBroker):
    """Gives every event to a second engine too, restored a moment before."""

    def __init__(self):
        self.make: Callable[[], Any] = an_engine
        super().__init__()
        self.make = a_limited_engine
        self.engine = self.make()
        for event in a_start():
            self.handle(event)

    def handle(self, event):
        twin = self.make()
        twin.restore(self.engine.snapshot())
        expected = twin.handle(event)
        commands = self.engine.handle(event)
        assert commands == expected
        assert self.engine.snapshot() == twin.snapshot()
        for command in commands:
            self.sent.append((self.now, command))
            self._execute(command)


class Twins(Protection):
    """The market, the line, the process and the moods of test_protection_machine."""

    def __init__(self):
        super().__init__()
        self.broker = TwinBroker()

    @rule()
    def restart(self):
        broker = self.broker
        broker.advance(A_MOMENT_S)
        again = a_limited_engine()
        again.restore(broker.engine.snapshot())
        broker.engine, broker.timers, broker.is_connected = again, {"reconcile": broker.now}, True
        broker.handle(RunStarted(received_at=at(broker.now), run_id="again"))
        broker.handle(SessionScheduled(received_at=at(broker.now), session=OPEN.date(), opens_at=OPEN, closes_at=CLOSE))
        broker.handle(connected(broker.now))

    @invariant()
    def no_share_is_bare_for_long_without_an_attempt_or_an_alarm(self):
        """Whether the engine does well is judged by test_protection_machine, under limits that never trip."""

    @invariant()
    def live_entries_and_holdings_never_exceed_what_is_wanted(self):
        """As above."""

    @invariant()
    def a_plan_has_one_entry_which_fills_no_more_than_was_intended(self):
        """As above."""

    @invariant()
    def orders_are_found_as_by_a_scan(self):
        book = self.broker.engine.book
        for plan in book.plans.values():
            legs = [book.orders[ref] for ref in plan.refs if ref in book.orders]
            assert list(book.orders_of(plan.plan_id)) == legs
        assert list(book.index.entries.values()) == [o for o in book.orders.values() if o.leg is Leg.ENTRY]
        for symbol in ("SPY", "IBM"):
            assert list(book.orders_in(symbol)) == [o for o in book.orders.values() if o.order.symbol == symbol]

    @invariant()
    def plans_are_found_as_by_a_scan(self):
        book = self.broker.engine.book
        spy = [plan for plan in book.plans.values() if plan.symbol == "SPY"]
        assert list(book.plans_in("SPY")) == spy
        assert list(book.plans_of("s", "SPY")) == [plan for plan in spy if plan.strategy == "s"]

    def teardown(self):
        """Nothing to come: the line may stay dead."""


TestTwins = pytest.mark.filterwarnings("error")(Twins.TestCase)
TestTwins.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


def test_a_plan_at_rest_is_not_looked_at_until_it_is_touched():
    book = a_long_engine().book
    assert dict(book.index.unsettled) == {}
    book.touch(book.plans[PLAN])
    assert list(book.index.unsettled) == [PLAN]


def test_what_a_book_finds_stands_in_no_snapshot():
    engine, again = a_long_engine(), an_engine()
    before = engine.snapshot()
    again.restore(before)
    engine.book.touch(engine.book.plans[PLAN])
    assert engine.snapshot() == again.snapshot() == before


def test_a_commission_told_after_its_plan_was_put_away_counts_in_the_days_loss():
    engine = a_long_engine(a_limited_engine())
    engine.handle(filled(a_fill(f"{PLAN}:S", price=99.5, seconds=70, exec_id="0001.01.02.01")))
    engine.book.retire_plans()
    told = engine._watch._day_losses.sums().account.loss
    engine.handle(cost("0001.01.02.01", 7.0, seconds=80))
    assert (told, engine._watch._day_losses.sums().account.loss) == (250.0, 257.0)
