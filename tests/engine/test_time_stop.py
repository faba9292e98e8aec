"""A plan that has been open for exits.max_holding_s is closed, whoever looks first: a row or the timer."""

import pytest

from daemon.engine.settings import ExitPolicy
from shared.commands import Flatten, PlaceBracket, SetTimer
from shared.ids import leg_ref
from shared.orders import Leg
from tests.engine.builders import (
    CLOSE,
    OPEN,
    PLAN,
    STOP,
    TARGET,
    a_desk,
    a_fill,
    a_long_engine,
    a_report,
    a_universe,
    an_engine,
    an_engine_at_work,
    at,
    bars,
    cancelled,
    connected,
    filled,
    fired,
    handle_all,
    lines_of,
    of_kind,
    run_started,
    says,
)

TIMER = f"time_stop:{PLAN}"
EXIT = leg_ref(PLAN, Leg.EXIT, 1)


def a_patient_engine(max_holding_s=600):
    universe = a_universe()
    exits = ExitPolicy(method="percent", stop=1.0, target=2.0, max_holding_s=max_holding_s)
    return an_engine(universe=universe, desks=[a_desk(universe, exits=exits)])


def exits_in(commands):
    return [(command.order.ref, command.order.quantity, command.reasons) for command in of_kind(commands, Flatten)]


def test_the_first_fill_of_an_entry_sets_the_timer_and_the_next_does_not():
    engine = an_engine_at_work(a_patient_engine())
    (timer,) = of_kind(engine.handle(filled(a_fill(quantity=100, seconds=61), 63)), SetTimer)
    assert (timer.timer_id, timer.after_s, timer.clock) == (TIMER, 598.0, "market")
    assert of_kind(engine.handle(filled(a_fill(quantity=400, exec_id="0001.01.02.01", seconds=64))), SetTimer) == []


def test_a_position_held_for_its_time_is_closed_by_the_timer():
    engine = a_long_engine(a_patient_engine())
    assert exits_in(engine.handle(fired(TIMER, 661))) == [(EXIT, 500, ("time stop",))]


def test_a_position_held_for_its_time_is_closed_on_the_row_if_no_timer_came():
    engine = a_long_engine(a_patient_engine())
    assert exits_in(engine.handle(bars(660, SPY=100.0))) == []
    assert exits_in(engine.handle(bars(720, SPY=100.0))) == [(EXIT, 500, ("time stop",))]


def test_timer_and_row_close_it_once():
    engine = a_long_engine(a_patient_engine())
    engine.handle(fired(TIMER, 661))
    assert exits_in(engine.handle(bars(720, SPY=100.0))) == []


def test_after_a_time_stop_the_same_view_does_not_enter_again():
    engine = a_long_engine(a_patient_engine())
    engine.handle(fired(TIMER, 661))
    handle_all(engine, [filled(a_fill(EXIT, exec_id="0001.01.02.01", seconds=662)), cancelled(STOP), cancelled(TARGET)])
    assert of_kind(engine.handle(bars(720, SPY=100.0)), PlaceBracket) == []


def test_a_view_that_turned_before_the_time_stop_still_enters_the_other_side():
    engine = a_long_engine(a_patient_engine())
    says(engine, SPY=-1.0)
    engine.handle(bars(720, SPY=100.0))
    handle_all(engine, [filled(a_fill(EXIT, exec_id="0001.01.02.01", seconds=721)), cancelled(STOP), cancelled(TARGET)])
    assert len(of_kind(engine.handle(bars(780, SPY=100.0)), PlaceBracket)) == 1


def test_only_the_plan_that_is_too_old_is_closed():
    engine = a_long_engine(a_patient_engine())
    engine._desks["s"]._allocation = 2.0
    says(engine, SPY=0.9)
    (bracket,) = of_kind(engine.handle(bars(300, SPY=100.0)), PlaceBracket)
    engine.handle(filled(a_fill(bracket.bracket.entry.ref, 400, exec_id="0001.01.02.01", seconds=301)))
    assert exits_in(engine.handle(fired(TIMER, 661))) == [(EXIT, 500, ("time stop",))]
    assert engine.book.target("s", "SPY") == 400


def test_after_a_restart_the_timer_has_the_rest_of_the_time():
    engine = a_long_engine(a_patient_engine())
    (timer,) = of_kind(engine.handle(run_started(361, "r2")), SetTimer)
    assert (timer.timer_id, timer.after_s) == (TIMER, 300.0)


@pytest.mark.parametrize("has_row", [False, True])
def test_a_time_that_ran_out_while_nobody_answered_is_met_by_the_first_report_afterwards(has_row):
    engine = a_long_engine(a_patient_engine())
    lines = lines_of(engine, STOP, TARGET)
    engine.handle(run_started(700, "r2"))
    before = [fired(TIMER, 700), connected(701), *([bars(720, SPY=100.0)] if has_row else [])]
    assert exits_in(handle_all(engine, before)) == []
    report = a_report(721, open_orders=lines, positions={"SPY": 500}, fills=[a_fill()])
    assert exits_in(engine.handle(report)) == [(EXIT, 500, ("time stop",))]
    assert exits_in(engine.handle(bars(780, SPY=100.0))) == []


@pytest.mark.parametrize("before", ["timer", "row"])
def test_nothing_is_closed_that_the_broker_has_not_shown_since_the_start(before):
    """brutal 2256: the stop had filled while the daemon was dead, its exit was on the way before the first answer."""
    engine = a_long_engine(a_patient_engine())
    handle_all(engine, [run_started(700, "r2"), connected(701)])
    assert exits_in(engine.handle(fired(TIMER, 702) if before == "timer" else bars(720, SPY=100.0))) == []
    stopped = a_fill(STOP, 500, 99.0, exec_id="0001.01.02.01", seconds=650)
    assert exits_in(engine.handle(a_report(721, fills=[a_fill(), stopped]))) == []
    assert engine.book.positions() == {}


@pytest.mark.parametrize("seconds", [-60, (CLOSE - OPEN).total_seconds() + 60])
def test_a_time_stop_outside_the_session_waits_for_its_first_row(seconds):
    engine = a_long_engine(a_patient_engine(1))
    engine.book.plans[PLAN].opened_at = at(-3600)
    assert exits_in(engine.handle(fired(TIMER, seconds))) == []


def test_a_strategy_without_a_time_stop_holds_for_as_long_as_it_likes():
    engine = a_long_engine()
    assert exits_in(engine.handle(bars(18_000, SPY=100.0))) == []
