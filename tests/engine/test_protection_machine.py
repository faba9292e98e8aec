"""Random fills, refusals, cancels, silence, dead lines and restarts: is every share protected, and none twice?

I1: no share without a stop, an exit or an alarm for longer than is allowed. I2: in the end protection is exactly as
large as the position. I3: a plan has one entry, which never fills beyond what was intended. RELIABILITY.md 4.
"""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.events import RunStarted, SessionScheduled
from shared.orders import Leg
from tests.engine.builders import CLOSE, OPEN, an_engine, at, connected, disconnected
from tests.engine.moody_broker import MoodyBroker

PROTECTIVE = (Leg.STOP_LOSS, Leg.PROTECTION)
A_MOMENT_S = 0.05  # no two things happen at one instant: what was sent before a question is older than it
MOODS = st.lists(st.sampled_from(["accept", "accept", "swallow", "reject", "mute"]), min_size=1, max_size=4)


class Protection(RuleBasedStateMachine):
    """The engine against a moody broker."""

    def __init__(self):
        super().__init__()
        self.broker = MoodyBroker()

    @initialize(moods=MOODS)
    def long(self, moods):
        self.broker.advance(60.0)
        self.broker.moods = moods
        self.broker.row(100.0, SPY=1.0)

    @rule(moods=MOODS)
    def mood(self, moods):
        self.broker.moods = moods

    @rule(seconds=st.sampled_from([0.3, 1.0, 2.6, 5.0, 11.0]))
    def wait(self, seconds):
        self.broker.advance(seconds)

    @rule(price=st.sampled_from([99.4, 100.0, 100.6]), view=st.sampled_from([1.0, 1.0, 0.5, 0.0]))
    def row(self, price, view):
        self.broker.advance(60.0)
        self.broker.row(price, SPY=view)

    def _pick(self, *legs):
        live = [one for one in self.broker.live(*legs) if one.remaining > 0]
        return live[0] if live else None

    @rule(part=st.sampled_from([1, 100, 500]))
    def fill_an_entry(self, part):
        entry = self._pick(Leg.ENTRY)
        if entry is not None:
            self.broker.fill(entry, min(part, entry.remaining))
            self.broker.watch()

    @rule(leg=st.sampled_from([Leg.STOP_LOSS, Leg.TAKE_PROFIT, Leg.PROTECTION, Leg.EXIT]), part=st.booleans())
    def fill_an_exit(self, leg, part):
        order = self._pick(leg)
        open_shares = self.broker.open_shares(order.plan) if order else 0
        if order is not None and open_shares > 0:
            quantity = min(order.remaining, open_shares)
            self.broker.fill(order, max(quantity // 2, 1) if part else quantity)
            self.broker.watch()

    @rule(leg=st.sampled_from(list(Leg)))
    def cancel_by_the_broker(self, leg):
        order = self._pick(leg)
        if order is not None:
            self.broker.end(order, "202 by the broker")
            self.broker.watch()

    @precondition(lambda self: self.broker.is_connected)
    @rule()
    def lose_the_line(self):
        self.broker.advance(A_MOMENT_S)
        self.broker.handle(disconnected(self.broker.now))
        self.broker.is_connected = False
        self.broker.watch()

    @precondition(lambda self: not self.broker.is_connected)
    @rule()
    def find_the_line(self):
        self.broker.is_connected = True
        self.broker.handle(connected(self.broker.now))

    @rule()
    def fall_asleep_or_wake(self):
        self.broker.is_asleep = not self.broker.is_asleep
        self.broker.watch()

    @rule()
    def restart(self):
        """The process dies and another one takes over what the journal holds; timers die with it."""
        broker = self.broker
        broker.advance(A_MOMENT_S)
        again = an_engine()
        again.restore(broker.engine.snapshot())
        broker.engine, broker.timers, broker.is_connected = again, {"reconcile": broker.now}, True
        broker.handle(RunStarted(received_at=at(broker.now), run_id="again"))
        scheduled = SessionScheduled(received_at=at(broker.now), session=OPEN.date(), opens_at=OPEN, closes_at=CLOSE)
        broker.handle(scheduled)
        broker.handle(connected(broker.now))
        broker.watch()

    # --- what must hold -------------------------------------------------------------------------------------------

    @invariant()
    def no_share_is_bare_for_long_without_an_attempt_or_an_alarm(self):
        for since in self.broker.too_long_bare.values():
            assert self.broker.has_tried_or_told_since(since)

    @invariant()
    def a_plan_has_one_entry_which_fills_no_more_than_was_intended(self):
        entries = [one for one in self.broker.orders.values() if one.leg is Leg.ENTRY]
        assert len({one.plan for one in entries}) == len(entries)
        assert all(one.filled <= one.order.quantity <= 510 for one in entries)

    @invariant()
    def live_entries_and_holdings_never_exceed_what_is_wanted(self):
        entries = sum(one.remaining for one in self.broker.live(Leg.ENTRY))
        assert max(self.broker.position(), 0) + entries <= 510

    def teardown(self):
        """Everybody is friendly again: in the end book and broker agree and protection is exactly the position."""
        broker = self.broker
        broker.moods, broker.is_asleep = [], False
        if not broker.is_connected:
            self.find_the_line()
        for _ in range(6):
            broker.advance(60.0)
            for order in broker.live(Leg.EXIT):  # a market order fills
                broker.fill(order, order.remaining)
            broker.row(100.0)
        stops = {plan: broker.covered(plan, *PROTECTIVE) for plan in broker.open_shares()}
        assert broker.open_shares() == stops
        assert broker.engine.book.holding("s", "SPY") == broker.position()
        super().teardown()


TestProtection = pytest.mark.filterwarnings("error")(Protection.TestCase)
TestProtection.settings = settings(
    max_examples=200,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
