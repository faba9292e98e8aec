"""What no broker repeats any more is forgotten, and nothing else: whoever has just been restored forgets the same."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared.commands import Flatten
from shared.events import FillCorrected, OperatorCommanded, SessionScheduled
from shared.ids import own_ref, parse_ref
from tests.engine.builders import (
    CLOSE,
    ENTRY,
    OPEN,
    PLAN,
    STOP,
    TARGET,
    a_fill,
    a_long_engine,
    a_report,
    an_engine,
    at,
    bars,
    cancelled,
    cost,
    filled,
    fired,
    handle_all,
    of_kind,
    rejected,
)

DAY_S = 86_400
TARGET_FILL = a_fill(TARGET, 500, 102.0, exec_id="0001.01.02.01")


def flatten(seconds):
    return OperatorCommanded(received_at=at(seconds), verb="flatten", scope="account", actor="me")


def the_session_after(days):
    later = timedelta(days=days)
    return SessionScheduled(
        received_at=OPEN + later, session=(OPEN + later).date(), opens_at=OPEN + later, closes_at=CLOSE + later
    )


def a_day_over():
    """An engine that was long and is flat again, its commissions told."""
    engine = a_long_engine()
    closing = [filled(TARGET_FILL, 70), cost("0001.01.01.01"), cost("0001.01.02.01")]
    return handle_all_of(engine, [*closing, cancelled(STOP, 71), bars(120, SPY=102.0)])


def handle_all_of(engine, events):
    handle_all(engine, events)
    return engine


@pytest.mark.parametrize("days", [1, 7, 8, 9, 30])
def test_a_restored_engine_forgets_what_the_other_forgets(days):
    engine, again = a_day_over(), an_engine()
    again.restore(engine.snapshot())
    engine.handle(the_session_after(days))
    again.handle(the_session_after(days))
    assert engine.snapshot() == again.snapshot()


@pytest.mark.parametrize(("days", "is_known"), [(8, True), (9, False)])
def test_orders_and_executions_are_known_for_eight_days(days, is_known):
    book = handle_all_of(a_day_over(), [the_session_after(day) for day in range(1, days + 1)]).book
    assert (bool(book.closed_orders), bool(book.fills), bool(book.commissions)) == (is_known, is_known, is_known)


def test_an_execution_that_was_corrected_to_a_later_day_is_known_from_that_day():
    later = replace(TARGET_FILL, exec_id="0001.01.02.02", filled_at=at(DAY_S * 5))
    events = [FillCorrected(received_at=at(DAY_S * 5), fill=later), the_session_after(9)]
    assert list(handle_all_of(a_day_over(), events).book.fills.values()) == [later]


def test_a_commission_whose_execution_nobody_told_is_dropped_with_the_day():
    engine = handle_all_of(a_day_over(), [cost("0001.09.09.01")])
    assert "0001.09.09" in engine.book.commissions
    engine.handle(the_session_after(1))
    assert sorted(engine.book.commissions) == ["0001.01.01", "0001.01.02"]


def test_a_reference_of_ours_has_its_parts_and_a_foreign_one_is_an_error():
    assert own_ref(ENTRY) is parse_ref(ENTRY)
    with pytest.raises(ValueError, match="'manual': not one of ours"):
        own_ref("manual")


def test_what_closes_a_plan_that_comes_back_after_days_has_a_name_that_was_never_used():
    """brutal 2165: a stop's execution was taken back two days later, and the daemon died at each start."""
    exit_ref = f"{PLAN}:X1"
    engine, again = a_long_engine(), an_engine()
    stopped = a_fill(STOP, 500, 98.0, exec_id="0001.01.02.01", seconds=70)
    gone = [cancelled(TARGET, 71), rejected(exit_ref, 72)]
    handle_all(engine, [flatten(70), filled(stopped), *gone, bars(120, SPY=98.0)])
    again.restore(engine.snapshot())
    handle_all(again, [the_session_after(day) for day in (1, 2)])
    later = DAY_S * 2 + 3600
    busted = replace(stopped, exec_id="0001.01.02.02", quantity=0, filled_at=at(later))
    held = {"positions": {"SPY": 500}}
    told = handle_all(again, [FillCorrected(received_at=at(later), fill=busted), a_report(later + 1, **held)])
    told += handle_all(again, [flatten(later + 2), a_report(later + 3, **held), fired(f"close:{PLAN}", later + 5)])
    assert [command.order.ref for command in of_kind(told, Flatten)] == [f"{PLAN}:X2"]
