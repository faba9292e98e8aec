"""Whatever the market does and whoever commands: what must always be true, judged by the broker's own books.

Two strategies with random views trade two instruments against the in-process broker; fills are partial, people halt,
reduce, resume and flatten at random.
"""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brokers.simulated.bar_broker import BarBroker
from brokers.simulated.bar_fills import BarMatcher
from brokers.simulated.costs.charging import free_of_charge
from daemon.engine.exposure import gross_exposure
from shared.commands import CancelOrder, Flatten, PlaceBracket, ReplaceStop
from shared.events import BarsClosed, ConnectionRestored, OperatorCommanded, RunStarted, SessionScheduled
from shared.ids import parse_ref
from shared.market import BarRow
from shared.messages import encode
from shared.orders import Leg
from tests.engine.builders import CLOSE, OPEN, a_desk, a_universe, an_engine, says, some_limits, some_settings

SYMBOLS = ("SPY", "IBM")
LIMITS = some_limits(max_gross_exposure=0.4, max_order_quantity=700)
VIEWS = st.sampled_from([None, 0.0, 1.0, -1.0, 0.5])
STEPS = st.lists(
    st.tuples(
        st.tuples(*[st.integers(-180, 180)] * 2),
        st.tuples(VIEWS, VIEWS),
        st.sampled_from(["", "", "", "", "", "halt", "reduce", "resume", "flatten"]),
        st.sampled_from([300.0, 5_000.0, 1e6]),
    ),
    min_size=5,
    max_size=40,
)


def part_of(text):
    """The parts of a reference of ours; a broker's line without one would be a fault of its own."""
    parts = parse_ref(text)
    assert parts is not None
    return parts


class Market:
    """An engine, the in-process broker and everything either of them said."""

    def __init__(self):
        universe = a_universe(*SYMBOLS)
        desks = [a_desk(universe, "a"), a_desk(universe, "b", allocation=0.5)]
        self.engine = an_engine(universe=universe, desks=desks, settings=some_settings(LIMITS))
        self.broker = BarBroker(
            universe=universe,
            account_id="DU1",
            starting_cash=1e6,
            matcher=BarMatcher(slippage_bps=1.0, participation=0.5),
            charge=free_of_charge,
            slippage_bps=1.0,
        )
        self.now = OPEN
        self.prices = np.array([100.0, 185.0])
        self.sent = []
        self.handle(RunStarted(received_at=OPEN, run_id="r"))
        self.handle(SessionScheduled(received_at=OPEN, session=OPEN.date(), opens_at=OPEN, closes_at=CLOSE))
        self.handle(ConnectionRestored(received_at=OPEN, account_id="DU1"))
        self.handle(self.broker.report(OPEN))

    def handle(self, event):
        for command in self.engine.handle(event):
            self.sent.append(command)
            if isinstance(command, PlaceBracket | CancelOrder | ReplaceStop | Flatten):
                assert gross_exposure(self.engine.book, {"SPY": 0, "IBM": 1}) <= 0.4 * 1.1e6
                for answer in self.broker.execute(command, self.now):
                    self.handle(answer)

    def step(self, moves, views, verb, volume):
        self.now += timedelta(minutes=1)
        opened, self.prices = self.prices, np.round(self.prices * (1 + np.array(moves) / 10_000), 2)
        high, low = np.maximum(opened, self.prices) + 0.03, np.minimum(opened, self.prices) - 0.03
        row = BarRow(open=opened, high=high, low=low, close=self.prices, volume=np.full(2, volume))
        for event in self.broker.on_row(self.now, row):
            self.handle(event)
        self.handle(self.broker.valued(self.now)[0])
        if verb:
            self.handle(OperatorCommanded(received_at=self.now, verb=verb, scope="account", actor="chance"))
        for name, symbol, view in (("a", "SPY", views[0]), ("b", "SPY", views[1]), ("b", "IBM", views[0])):
            if view is not None:
                told = {**self.engine._desks[name].strategy.views, symbol: view}
                says(self.engine, name, **told)
        self.handle(BarsClosed(received_at=self.now, closed_at=self.now, interval_s=60, row=row))

    # --- what the broker knows, plan by plan

    def filled(self):
        totals: dict[str, int] = {}
        for fill in self.broker.report(self.now).fills:
            totals[fill.ref] = totals.get(fill.ref, 0) + fill.quantity
        return totals

    def open_shares(self):
        shares: dict[str, int] = {}
        for ref, quantity in self.filled().items():
            parts = part_of(ref)
            sign = 1 if parts.leg is Leg.ENTRY else -1
            shares[parts.plan_id] = shares.get(parts.plan_id, 0) + sign * quantity
        return shares

    def working(self, *legs):
        """Remaining shares of working orders of those legs, by plan."""
        filled = self.filled()
        found: dict[str, int] = {}
        for order in self.broker.report(self.now).open_orders:
            parts = part_of(order.ref)
            if parts.leg in legs:
                left = order.quantity - filled.get(order.ref, 0)
                found[parts.plan_id] = found.get(parts.plan_id, 0) + left
        return found

    def worst_case(self):
        shares, entries = self.open_shares(), self.working(Leg.ENTRY)
        return sum(shares.values()) + sum(entries.values())


@pytest.mark.filterwarnings("error")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(STEPS)
def test_after_every_row_the_broker_holds_a_stop_behind_every_open_share_and_no_plan_is_flipped(steps):
    market = Market()
    for step in steps:
        market.step(*step)
        stops = market.working(Leg.STOP_LOSS, Leg.PROTECTION)
        bare = {plan: left for plan, left in market.open_shares().items() if left > stops.get(plan, 0)}
        flipped = {plan: left for plan, left in market.open_shares().items() if left < 0}
        assert (bare, flipped) == ({}, {})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(STEPS)
def test_while_reducing_the_worst_case_never_grows(steps):
    market = Market()
    limit = None
    for moves, views, verb, volume in steps:
        market.step(moves, views, verb, volume)
        if verb in ("reduce", "halt", "flatten"):
            limit = market.worst_case()
        elif verb == "resume":
            limit = None
        if limit is not None:
            assert market.worst_case() <= limit
            limit = market.worst_case()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(STEPS)
def test_the_book_says_what_the_broker_says_and_the_same_events_give_the_same_commands(steps):
    first, second = Market(), Market()
    for step in steps:
        first.step(*step)
        second.step(*step)
        held = {position.symbol: position.quantity for position in first.broker.report(first.now).positions}
        ours = {symbol: position.quantity for symbol, position in first.engine.book.positions().items()}
        assert ours == {symbol: quantity for symbol, quantity in held.items() if quantity}
    assert [encode(command) for command in first.sent] == [encode(command) for command in second.sent]
