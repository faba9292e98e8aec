"""What each trading state lets out, whatever the market does (DESIGN 6, invariants I7 and I14)."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from risk.trading_state import TradingState
from shared.commands import Flatten, PlaceBracket
from shared.events import OperatorCommanded
from shared.orders import Leg
from tests.engine.test_engine_invariants import STEPS, Market

SLOW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
OWED = ("no protective stop possible", "exits overfilled the position")


def quiet(steps):
    """The same market with nobody commanding."""
    return [(moves, views, "", volume) for moves, views, _, volume in steps]


def commanded(market, verb, scope="account"):
    market.handle(OperatorCommanded(received_at=market.now, verb=verb, scope=scope, actor="chance"))
    return len(market.sent)


@SLOW
@given(STEPS, STEPS, st.sampled_from(["halt", "block"]))
def test_in_halted_nothing_leaves_but_cancels_and_what_protection_owes(before, after, verb):
    market = Market()
    for step in quiet(before):
        market.step(*step)
    since = commanded(market, verb)
    for step in quiet(after):
        market.step(*step)
    sent = market.sent[since:]
    assert [command for command in sent if isinstance(command, PlaceBracket)] == []
    own = [command for command in sent if isinstance(command, Flatten) and command.reasons[0] not in OWED]
    assert own == []


@SLOW
@given(STEPS, STEPS)
def test_in_observe_the_worst_case_never_grows_and_no_strategy_sends_anything(before, after):
    market = Market()
    for step in quiet(before):
        market.step(*step)
    since, worst = commanded(market, "observe"), market.worst_case()
    for step in quiet(after):
        market.step(*step)
    assert [command for command in market.sent[since:] if isinstance(command, PlaceBracket)] == []
    assert market.worst_case() <= worst


@SLOW
@given(STEPS, STEPS)
def test_a_latch_holds_through_every_verb_but_reset(before, after):
    market = Market()
    for step in quiet(before):
        market.step(*step)
    book = market.engine.book
    book.breakers.trip("account", "max_day_loss", TradingState.REDUCING, "by hand", market.now)
    commanded(market, "halt")
    commanded(market, "resume")
    worst = market.worst_case()
    for step in after:
        market.step(*step)
        assert market.worst_case() <= worst
        worst = market.worst_case()
    commanded(market, "reset")
    assert book.breakers.latched.get("account", []) == []


@pytest.mark.parametrize("scope", ["strategy:a", "instrument:SPY"])
@SLOW
@given(STEPS, STEPS)
def test_a_narrower_state_stops_only_what_it_names(scope, before, after):
    market = Market()
    for step in quiet(before):
        market.step(*step)
    since = commanded(market, "halt", scope)
    for step in quiet(after):
        market.step(*step)
    entries = [command.bracket.entry for command in market.sent[since:] if isinstance(command, PlaceBracket)]
    kind, _, name = scope.partition(":")
    touched = [order for order in entries if name == (order.ref.split(":")[1] if kind == "strategy" else order.symbol)]
    assert touched == []
    assert all(order.ref.endswith(f":{Leg.ENTRY.value}") for order in entries)
