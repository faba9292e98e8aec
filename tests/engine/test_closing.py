"""Exits that come to nothing go again, after a pause, until the shares are gone; and somebody is told each time."""

import pytest

from shared.commands import CancelOrder, Flatten, Notify, ReplaceStop, SetTimer
from shared.events import OperatorCommanded
from shared.ids import leg_ref
from shared.orders import Leg
from tests.engine.builders import (
    ENTRY,
    PLAN,
    STOP,
    TARGET,
    a_completed,
    a_fill,
    a_long_engine,
    a_report,
    accepted,
    an_engine_at_work,
    at,
    bars,
    cancelled,
    codes,
    connected,
    filled,
    fired,
    handle_all,
    lines_of,
    of_kind,
    rejected,
    run_started,
    says,
    taken_by_its_group,
)

RETRY = f"close:{PLAN}"


def an_exit(number):
    return leg_ref(PLAN, Leg.EXIT, number)


def a_protection(number):
    return leg_ref(PLAN, Leg.PROTECTION, number)


def told(seconds, verb, scope="account"):
    return OperatorCommanded(received_at=at(seconds), verb=verb, scope=scope, actor="test")


def exits_in(commands):
    return [command.order.ref for command in of_kind(commands, Flatten)]


def critical(commands):
    return [notice.code for notice in of_kind(commands, Notify) if notice.level == "critical"]


def retries(commands):
    return [timer.after_s for timer in of_kind(commands, SetTimer) if timer.timer_id == RETRY]


def a_closing_engine():
    """Long 500 SPY, whose view has ended: the first exit is on its way."""
    engine = a_long_engine()
    says(engine, SPY=0.0)
    engine.handle(bars(120, SPY=100.0))
    return engine


def an_unprotectable_engine():
    """Long 500 SPY, three stops refused, the first exit on its way."""
    engine = a_long_engine()
    handle_all(engine, [rejected(STOP, 70), rejected(a_protection(1), 71), rejected(a_protection(2), 72)])
    return engine


# --- refused exits ----------------------------------------------------------------------------------------------


def test_a_refused_exit_is_an_alarm_and_goes_again_after_a_second_not_within_the_same_event():
    engine = a_closing_engine()
    commands = engine.handle(rejected(an_exit(1), 121))
    assert (critical(commands), exits_in(commands), retries(commands)) == (["rejected"], [], [1.0])
    assert exits_in(engine.handle(fired(RETRY, 122))) == [an_exit(2)]


def test_each_refusal_is_told_and_the_pauses_double_up_to_a_minute():
    engine = a_closing_engine()
    pauses, now = [], 121.0
    handle_all(engine, [rejected(an_exit(1), now)])
    pauses = _refuse_again_and_again(engine, now)
    assert pauses == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


def _refuse_again_and_again(engine, now, number=2, pause=1.0):
    """Let every pause run out and refuse the exit that follows, eight times in all."""
    if number == 9:
        return []
    now += pause
    assert exits_in(engine.handle(fired(RETRY, now))) == [an_exit(number)]
    commands = engine.handle(rejected(an_exit(number), now + 0.1))
    assert critical(commands) == ["rejected"]
    (pause,) = retries(commands)
    return [pause, *_refuse_again_and_again(engine, now + 0.1, number + 1, pause)]


def test_a_row_does_not_cut_the_pause_short():
    engine = a_closing_engine()
    engine.book.plans[PLAN].failed_exits = 6
    engine.handle(rejected(an_exit(1), 150))
    assert exits_in(engine.handle(bars(180, SPY=100.0))) == []
    assert exits_in(engine.handle(bars(240, SPY=100.0))) == [an_exit(2)]


@pytest.mark.parametrize("end", [cancelled, rejected], ids=["cancelled", "rejected"])
def test_the_exit_of_a_view_that_turned_back_in_the_pause_is_not_sent(end):
    engine = a_closing_engine()
    engine.handle(end(an_exit(1), 170))
    says(engine, SPY=1.0)
    engine.handle(bars(180, SPY=100.0))
    assert exits_in(engine.handle(fired(RETRY, 181))) == []


def test_an_exit_the_broker_cancelled_goes_again_once_what_is_held_is_told():
    """A split cancels as an exchange does."""
    engine = a_closing_engine()
    assert retries(engine.handle(cancelled(an_exit(1), 121, reason="202 by the exchange"))) == [1.0]
    part = {"positions": {"SPY": 500}, "fills": [a_fill()], "completed_orders": [a_completed(ENTRY, "Filled", 500)]}
    engine.handle(a_report(121.4, open_orders=lines_of(engine, STOP, TARGET), **part))
    assert exits_in(engine.handle(fired(RETRY, 122))) == [an_exit(2)]


def test_an_exit_that_two_reports_deny_goes_again():
    engine = a_closing_engine()
    part = {"positions": {"SPY": 500}, "fills": [a_fill()], "completed_orders": [a_completed(ENTRY, "Filled", 500)]}
    legs = lines_of(engine, STOP, TARGET)
    engine.handle(fired(f"acknowledge:{an_exit(1)}", 130))
    engine.handle(a_report(131, open_orders=legs, **part))
    assert retries(engine.handle(a_report(240, open_orders=legs, **part))) == [1.0]
    assert exits_in(engine.handle(fired(RETRY, 241))) == [an_exit(2)]


def test_the_group_cancels_the_exit_because_the_stop_has_filled_and_nothing_is_sold_twice():
    engine = a_closing_engine()
    engine.handle(cancelled(an_exit(1), 121))
    engine.handle(filled(a_fill(STOP, price=99.0, exec_id="0001.01.02.01", seconds=121)))
    assert exits_in(engine.handle(fired(RETRY, 122))) == []
    assert exits_in(engine.handle(bars(180, SPY=99.0))) == []


# --- flatten ----------------------------------------------------------------------------------------------------


def test_a_refused_flatten_goes_again_though_everything_is_halted():
    engine = a_long_engine()
    assert exits_in(engine.handle(told(70, "flatten"))) == [an_exit(1)]
    engine.handle(rejected(an_exit(1), 71))
    assert exits_in(engine.handle(fired(RETRY, 72))) == [an_exit(2)]


def test_shares_that_fill_after_a_flatten_are_closed_as_well():
    engine = an_engine_at_work()
    engine.handle(filled(a_fill(quantity=200)))
    commands = engine.handle(told(70, "flatten"))
    assert [command.ref for command in of_kind(commands, CancelOrder)] == [ENTRY]
    engine.handle(filled(a_fill(quantity=100, exec_id="0001.01.02.01", seconds=71)))
    (late,) = of_kind(engine.handle(bars(120, SPY=100.0)), Flatten)
    assert late.order.quantity == 100


def test_a_flatten_that_came_to_nothing_is_taken_up_by_the_next_report_where_no_rows_come():
    engine = a_long_engine()
    engine.handle(told(70, "flatten"))
    engine.handle(rejected(an_exit(1), 71))
    legs = lines_of(engine, STOP, TARGET)
    done = [a_completed(ENTRY, "Filled", 500)]
    report = a_report(90, open_orders=legs, positions={"SPY": 500}, fills=[a_fill()], completed_orders=done)
    assert exits_in(engine.handle(report)) == [an_exit(2)]


# --- what cannot be protected -----------------------------------------------------------------------------------


def test_a_position_that_cannot_be_protected_and_whose_close_is_refused_is_told_each_time_and_goes_again():
    engine = an_unprotectable_engine()
    commands = engine.handle(rejected(an_exit(1), 73))
    assert (critical(commands), exits_in(commands), retries(commands)) == (["rejected"], [], [1.0])
    again = engine.handle(fired(RETRY, 74))
    assert (critical(again), exits_in(again)) == (["unprotectable"], [an_exit(2)])


def test_the_pause_of_a_refused_close_ends_in_a_new_process_too():
    """Its timer died with the process: bare shares waited for the next row, or the next comparison, minutes later."""
    engine = an_unprotectable_engine()
    engine.book.plans[PLAN].failed_exits = 4
    assert retries(engine.handle(rejected(an_exit(1), 73))) == [16.0]
    assert retries(engine.handle(run_started(75, "r2"))) == [14.0]
    handle_all(engine, [connected(76), a_report(76.5, positions={"SPY": 500})])
    assert exits_in(engine.handle(fired(RETRY, 89))) == [an_exit(2)]


def test_a_halt_does_not_keep_an_unprotectable_position():
    engine = a_long_engine()
    engine.handle(told(69, "halt"))
    handle_all(engine, [rejected(STOP, 70), rejected(a_protection(1), 71)])
    assert exits_in(engine.handle(rejected(a_protection(2), 72))) == [an_exit(1)]


def test_a_stop_that_is_cancelled_again_and_again_leads_to_a_close():
    engine = a_long_engine()
    engine.handle(cancelled(STOP, 70))
    handle_all(
        engine, [fired(f"protect:last:{PLAN}", 71), accepted(a_protection(1), 72), cancelled(a_protection(1), 73)]
    )
    handle_all(
        engine, [fired(f"protect:last:{PLAN}", 74), accepted(a_protection(2), 75), cancelled(a_protection(2), 76)]
    )
    commands = handle_all(engine, [fired(f"protect:last:{PLAN}", 77), a_report(77.1, positions={"SPY": 500})])
    assert (exits_in(commands), of_kind(commands, ReplaceStop)) == ([an_exit(1)], [])


def test_stops_that_were_lost_hours_apart_are_put_back_every_time():
    engine = a_long_engine()
    handle_all(engine, [cancelled(STOP, 70), fired(f"protect:last:{PLAN}", 71), cancelled(a_protection(1), 4000)])
    handle_all(engine, [fired(f"protect:last:{PLAN}", 4001), cancelled(a_protection(2), 8000)])
    (stop,) = of_kind(engine.handle(fired(f"protect:last:{PLAN}", 8001)), ReplaceStop)
    assert stop.order.ref == a_protection(3)


def test_the_old_stop_of_a_position_closed_in_a_new_group_is_pulled_at_once():
    engine = a_closing_engine()
    handle_all(engine, [taken_by_its_group(an_exit(1), 121), a_report(121.5, positions={"SPY": 500})])
    handle_all(engine, [fired(RETRY, 122), accepted(an_exit(2), 123)])
    fill = a_fill(an_exit(2), exec_id="0001.01.02.01", seconds=124)
    pulled = [command.ref for command in of_kind(engine.handle(filled(fill)), CancelOrder)]
    assert pulled == [STOP, TARGET]


def test_every_retry_is_a_new_order_with_a_reference_of_its_own():
    engine = a_closing_engine()
    handle_all(engine, [rejected(an_exit(1), 121), fired(RETRY, 122), rejected(an_exit(2), 123)])
    assert exits_in(engine.handle(fired(RETRY, 125.1))) == [an_exit(3)]
    assert codes(engine.handle(fired(RETRY, 126))) == []
