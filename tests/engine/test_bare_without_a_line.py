"""Shares that nobody is known to protect while the broker cannot be reached, or does not say what it holds."""

import pytest

from shared.commands import Flatten, ReplaceStop, SetTimer
from tests.engine.builders import (
    PLAN,
    STOP,
    TARGET,
    a_fill,
    a_long_engine,
    a_report,
    accepted,
    an_engine_that_asked,
    bars,
    cancelled,
    codes,
    connected,
    disconnected,
    filled,
    fired,
    handle_all,
    lines_of,
    of_kind,
    rejected,
    run_started,
)

GRACE, LAST = f"protect:{PLAN}", f"protect:last:{PLAN}"
STANDS = {"positions": {"SPY": 500}}


def an_engine_with_an_unconfirmed_stop():
    """Long 500, and the broker has not said a word of the stop."""
    engine = an_engine_that_asked()
    engine.handle(filled(a_fill()))
    return engine


def told_on_a_dead_line(engine, lost=70):
    """What a person is told by the two timers after the line is lost, the grace's and the last one."""
    timers = [timer.timer_id for timer in engine.handle(disconnected(lost))[1:]]
    timers += [timer.timer_id for timer in engine.handle(fired(GRACE, lost + 1))]
    assert timers[-1] == LAST
    return codes(engine.handle(fired(LAST, lost + 2.5)))


def test_a_person_is_told_of_a_stop_that_went_before_the_line_did():
    engine = a_long_engine()
    engine.handle(cancelled(STOP, 70))
    assert told_on_a_dead_line(engine, 70.5) == ["stop_unconfirmed"]


def test_a_person_is_told_of_a_stop_that_the_lost_line_leaves_unconfirmed():
    assert told_on_a_dead_line(an_engine_with_an_unconfirmed_stop()) == ["stop_unconfirmed"]


def test_nobody_is_told_of_stops_that_rest_at_the_broker():
    engine = a_long_engine()
    assert codes(handle_all(engine, [disconnected(70), fired(GRACE, 71), fired(LAST, 72.5)])) == ["connection_lost"]
    assert engine.handle(run_started(80, "r2")) == []


def test_a_person_is_told_once_however_long_the_line_is_down():
    engine = an_engine_with_an_unconfirmed_stop()
    told_on_a_dead_line(engine)
    later = [fired(LAST, 75), bars(120, SPY=100.0), fired(GRACE, 130), fired(LAST, 131)]
    assert codes(handle_all(engine, later)) == []


def test_a_person_is_told_by_a_new_process_that_does_not_reach_the_broker():
    engine = an_engine_with_an_unconfirmed_stop()
    (timer,) = engine.handle(run_started(100, "r2"))
    assert timer.timer_id == GRACE
    assert codes(handle_all(engine, [fired(GRACE, 101), fired(LAST, 102.5)])) == ["stop_unconfirmed"]


@pytest.mark.parametrize("lacking", ["positions", "open_orders"])
def test_a_person_is_told_of_a_stop_that_goes_on_a_line_that_does_not_tell_what_is_held(lacking):
    engine = a_long_engine()
    silent = a_report(81, unanswered=[lacking], **STANDS)
    handle_all(engine, [disconnected(70), connected(80), silent, cancelled(STOP, 82)])
    assert codes(handle_all(engine, [fired(GRACE, 83), fired(LAST, 84.5)])) == ["stop_unconfirmed"]


def test_a_stop_that_goes_between_the_connect_and_its_report_is_put_back_after_its_grace():
    engine = a_long_engine()
    handle_all(engine, [disconnected(70), connected(80), cancelled(STOP, 80.1)])
    target = lines_of(engine, TARGET)
    assert of_kind(engine.handle(a_report(80.2, open_orders=target, **STANDS)), ReplaceStop) == []
    (stop,) = of_kind(engine.handle(fired(GRACE, 81.1)), ReplaceStop)
    assert stop.order.quantity == 500


def test_what_was_told_is_over_with_the_word_of_the_stop():
    engine = an_engine_with_an_unconfirmed_stop()
    told_on_a_dead_line(engine)
    handle_all(engine, [connected(80), accepted(STOP, 80.5), a_report(81, open_orders=lines_of(engine), **STANDS)])
    assert told_on_a_dead_line_again(engine) == ["stop_unconfirmed"]


def told_on_a_dead_line_again(engine):
    engine.handle(cancelled(STOP, 90))
    return told_on_a_dead_line(engine, 90.5)


# --- on a line that tells what is held ------------------------------------------------------------------------------


def test_an_exit_in_the_place_of_a_refused_stop_has_its_timer_though_the_clock_is_slow():
    """Of protect_within_s = 5 half is for the answer; silence alone was noticed after acknowledge_within_s = 10."""
    engine = a_long_engine()
    refused = [rejected(ref, 70 + n / 10) for n, ref in enumerate((STOP, f"{PLAN}:P1", f"{PLAN}:P2"))]
    told = handle_all(engine, refused)
    assert [command.order.ref for command in of_kind(told, Flatten)] == [f"{PLAN}:X1"]
    assert GRACE in [timer.timer_id for timer in of_kind(told, SetTimer)]
    (timer,) = of_kind(engine.handle(fired(GRACE, 70.7)), SetTimer)
    assert timer.timer_id == LAST
    assert codes(engine.handle(fired(LAST, 71.5))) == ["stop_unconfirmed"]


def test_a_stop_put_back_for_one_that_nobody_confirmed_is_told_of_itself():
    engine = an_engine_with_an_unconfirmed_stop()
    doubt = f"protect:doubt:{PLAN}"
    first = [fired(f"acknowledge:{STOP}", 62.5), fired(doubt, 65)]
    assert codes(handle_all(engine, first))[-1] == "stop_unconfirmed"
    (stop,) = of_kind(handle_all(engine, [a_report(66, **STANDS), a_report(68, **STANDS)]), ReplaceStop)
    handle_all(engine, [fired(f"acknowledge:{stop.order.ref}", 70.5)])
    assert codes(engine.handle(fired(doubt, 73))) == ["stop_unconfirmed"]
