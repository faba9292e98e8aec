"""Once trading is restricted: can anything that chance does make more of what is held, works or is in doubt?

The market, the line, the process and the broker's moods of test_protection_machine, with orders swallowed, unanswered
and found again; a person or a limit restricts trading, the strategy keeps wanting more, or the other side. DESIGN 6.
"""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from risk.trading_state import TradingState
from shared.commands import Flatten, PlaceBracket
from shared.events import OperatorCommanded
from shared.orders import Leg
from tests.engine.builders import at
from tests.engine.test_protection_machine import A_MOMENT_S, Protection

OWED = ("no protective stop possible", "exits overfilled the position")
STILL = ("halt", "block", "observe")


class Restricted(Protection):
    """The engine against a moody broker, restricted at some moment and never resumed."""

    def __init__(self):
        super().__init__()
        self.how = ""
        self.worst = self.sent = 0

    @precondition(lambda self: not self.how)
    @rule(how=st.sampled_from(["reduce", "halt", "block", "observe", "flatten", "latch"]))
    def restrict(self, how):
        broker = self.broker
        broker.advance(A_MOMENT_S)
        self.how, self.worst, self.sent = how, self._worst(), len(broker.sent)
        if how == "latch":
            broker.engine.book.breakers.trip("account", "a limit", TradingState.REDUCING, "by hand", at(broker.now))
            return
        broker.handle(OperatorCommanded(received_at=at(broker.now), verb=how, scope="account", actor="chance"))

    @precondition(lambda self: self.how == "latch")
    @rule(verb=st.sampled_from(["resume", "reduce", "halt"]))
    def command_anything_but_a_reset(self, verb):
        now = at(self.broker.now)
        self.broker.handle(OperatorCommanded(received_at=now, verb=verb, scope="account", actor="chance"))

    @precondition(lambda self: bool(self.how))
    @rule(view=st.sampled_from([-1.0, -0.5, 1.0]))
    def want_the_other_side_or_more(self, view):
        self.broker.advance(60.0)
        self.broker.row(100.0, SPY=view)

    def _worst(self):
        return abs(self.broker.position()) + sum(one.remaining for one in self.broker.live(Leg.ENTRY))

    def _sent_since(self, kind):
        return [command for _, command in self.broker.sent[self.sent :] if isinstance(command, kind)]

    @invariant()
    def the_brokers_worst_case_never_grows(self):
        if self.how:
            assert self._worst() <= self.worst
            self.worst = self._worst()

    @invariant()
    def no_bracket_is_sent_and_no_position_is_flipped(self):
        if self.how:
            assert self._sent_since(PlaceBracket) == []
            assert self.broker.position() >= 0

    @invariant()
    def where_even_exits_are_stopped_only_what_protection_owes_is_sent(self):
        if self.how in STILL:
            own = [command for command in self._sent_since(Flatten) if command.reasons[0] not in OWED]
            assert own == []


TestRestricted = pytest.mark.filterwarnings("error")(Restricted.TestCase)
TestRestricted.settings = settings(
    max_examples=120,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
