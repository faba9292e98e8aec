"""What a person orders: the closed set of verbs, what a latch does to them, and nonces that are remembered."""

import pytest

from risk.trading_state import TradingState
from shared.commands import CancelOrder, Flatten, Notify, PlaceBracket
from shared.events import OperatorCommanded, SessionScheduled
from tests.engine.builders import (
    ENTRY,
    a_long_engine,
    a_started,
    an_engine,
    an_engine_at_work,
    at,
    bars,
    codes,
    handle_all,
    of_kind,
    says,
)


def ordered(verb, scope="account", seconds=70, nonce=""):
    return OperatorCommanded(received_at=at(seconds), verb=verb, scope=scope, actor="me", nonce=nonce)


def cancels(commands):
    return [command.ref for command in of_kind(commands, CancelOrder)]


@pytest.mark.parametrize(
    ("verb", "state", "pulled"),
    [
        ("block", TradingState.HALTED, []),
        ("halt", TradingState.HALTED, [ENTRY]),
        ("reduce", TradingState.REDUCING, [ENTRY]),
        ("observe", TradingState.OBSERVE, [ENTRY]),
        ("flatten", TradingState.HALTED, [ENTRY]),
    ],
)
def test_every_verb_sets_its_state_and_only_block_leaves_the_entries(verb, state, pulled):
    engine = an_engine_at_work()
    commands = engine.handle(ordered(verb))
    assert engine.book.trading_states.state_for("s", "SPY") is state
    assert cancels(commands) == pulled
    assert codes(commands)[0] == "operator"


def test_flatten_closes_what_is_held_and_halt_does_not():
    assert [c.order.quantity for c in of_kind(a_long_engine().handle(ordered("flatten")), Flatten)] == [500]
    assert of_kind(a_long_engine().handle(ordered("halt")), Flatten) == []


@pytest.mark.parametrize("scope", ["strategy:s", "instrument:SPY"])
def test_a_verb_holds_in_its_scope_only(scope):
    engine = a_started()
    engine.handle(ordered("halt", scope))
    assert engine.book.trading_states.state_for("s", "SPY") is TradingState.HALTED
    assert engine.book.trading_states.state_for("other", "IBM") is TradingState.ACTIVE


def test_resume_ends_what_a_person_has_set():
    engine = a_started()
    handle_all(engine, [ordered("halt"), ordered("resume", seconds=71)])
    says(engine, SPY=1.0)
    assert len(of_kind(engine.handle(bars(120, SPY=100.0)), PlaceBracket)) == 1


def a_latched_engine():
    engine = a_started()
    engine.book.breakers.trip("account", "day_loss", TradingState.REDUCING, "lost 5,000", at(60))
    return engine


def test_resume_refuses_what_a_limit_has_latched_and_names_it():
    engine = a_latched_engine()
    refused = [command for command in of_kind(engine.handle(ordered("resume")), Notify) if command.code != "operator"]
    assert [(command.code, "day_loss" in command.text) for command in refused] == [("resume_refused", True)]
    says(engine, SPY=1.0)
    assert of_kind(engine.handle(bars(120, SPY=100.0)), PlaceBracket) == []


def test_resume_of_another_scope_leaves_the_latch():
    engine = a_latched_engine()
    handle_all(engine, [ordered("resume", "strategy:s"), ordered("resume", "instrument:SPY")])
    assert engine.book.breakers.state_for("s", "SPY") is TradingState.REDUCING


def test_reset_ends_a_latch_and_what_a_person_has_set():
    engine = a_latched_engine()
    handle_all(engine, [ordered("halt"), ordered("reset", seconds=71)])
    says(engine, SPY=1.0)
    assert len(of_kind(engine.handle(bars(120, SPY=100.0)), PlaceBracket)) == 1


def test_reset_of_another_scope_leaves_the_latch():
    engine = a_latched_engine()
    engine.handle(ordered("reset", "strategy:s"))
    assert engine.book.breakers.state_for("s", "SPY") is TradingState.REDUCING


def test_the_nonce_of_a_signed_command_is_remembered_over_a_restart():
    engine = a_started()
    handle_all(engine, [ordered("halt", nonce="n1"), ordered("resume", seconds=71)])
    other = an_engine()
    other.restore(engine.snapshot())
    assert list(other.book.nonces) == ["n1"]
    assert other.book.nonces["n1"] == at(70).isoformat()


def test_a_nonce_that_no_command_can_carry_any_more_is_forgotten():
    """A signed command lives for ten seconds; eight days are plenty."""
    engine = a_started()
    handle_all(engine, [ordered("resume", nonce="old"), ordered("resume", nonce="new", seconds=9 * 86_400)])
    later = at(10 * 86_400)
    engine.handle(SessionScheduled(received_at=later, session=later.date(), opens_at=later, closes_at=later))
    assert list(engine.book.nonces) == ["new"]


def test_a_state_survives_a_restart():
    engine = a_started()
    engine.handle(ordered("halt"))
    other = an_engine()
    other.restore(engine.snapshot())
    assert other.book.trading_states.state_for("s", "SPY") is TradingState.HALTED
