"""What our own gate holds back is told once, an exit by itself."""

from shared.commands import Flatten, Notify
from shared.events import OperatorCommanded
from shared.ids import leg_ref
from shared.orders import Leg
from tests.engine.builders import (
    ENTRY,
    PLAN,
    a_fill,
    a_long_engine,
    a_started,
    at,
    bars,
    codes,
    filled,
    fired,
    handle_all,
    of_kind,
    rejected,
    says,
)


def told(seconds, verb):
    return OperatorCommanded(received_at=at(seconds), verb=verb, scope="account", actor="test")


def test_an_exit_that_the_state_forbids_is_told_though_an_entry_was_denied_for_the_same_reason():
    """Found by simulation (brutal 3494): shares were held over the close, and nobody had heard that they would be."""
    engine = a_started()
    says(engine, SPY=0.5)
    handle_all(engine, [bars(60, SPY=100.0), filled(a_fill(ENTRY, 250)), told(70, "block")])
    says(engine, SPY=1.0)
    assert codes(engine.handle(bars(120, SPY=100.0))) == ["entry_denied"]
    says(engine, SPY=0.0)
    notices = of_kind(engine.handle(bars(180, SPY=100.0)), Notify)
    assert [(notice.code, notice.level) for notice in notices] == [("exit_denied", "warning")]
    assert codes(engine.handle(bars(240, SPY=100.0))) == []


def test_an_exit_that_is_denied_again_after_one_was_sent_is_told_again():
    engine = a_long_engine()
    engine.handle(told(70, "block"))
    says(engine, SPY=0.0)
    assert codes(engine.handle(bars(120, SPY=100.0))) == ["exit_denied"]
    sent = handle_all(engine, [told(130, "resume"), bars(180, SPY=100.0)])
    assert len(of_kind(sent, Flatten)) == 1
    handle_all(engine, [rejected(leg_ref(PLAN, Leg.EXIT, 1), 181), told(182, "block")])
    assert codes(engine.handle(fired(f"close:{PLAN}", 183))) == ["exit_denied"]
