"""The broker's report against the book: what is settled, what is locked, and what changes nothing."""

import pytest

from shared.commands import AskBroker, Flatten, PlaceBracket, ReplaceStop
from shared.events import OrderUnknown
from shared.orders import OrderStatus
from tests.engine.builders import (
    ENTRY,
    PLAN,
    STOP,
    TARGET,
    a_completed,
    a_fill,
    a_long_engine,
    a_report,
    a_started,
    accepted,
    an_engine_at_work,
    an_engine_that_asked,
    ask_timers,
    bars,
    codes,
    connected,
    disconnected,
    filled,
    fired,
    handle_all,
    lines_of,
    of_kind,
    says,
    statuses,
)


def unknown(ref, seconds=65):
    return OrderUnknown(received_at=bars(seconds).received_at, ref=ref, reason="silence")


def an_engine_in_doubt():
    """The whole bracket is of unknown fate."""
    engine = an_engine_that_asked()
    handle_all(engine, [unknown(ref) for ref in (ENTRY, STOP, TARGET)])
    return engine


# --- an order of unknown fate -----------------------------------------------------------------------------------


def test_an_unknown_order_is_told_of_and_asked_about():
    engine = an_engine_that_asked()
    commands = engine.handle(unknown(ENTRY))
    assert codes(commands) == ["order_unknown"]
    assert len(of_kind(commands, AskBroker)) == 1
    assert engine.book.orders[ENTRY].status is OrderStatus.UNKNOWN


def test_an_unknown_order_counts_as_live_and_blocks_its_instrument():
    engine = an_engine_in_doubt()
    assert engine.book.working_entries("s", "SPY") == (500, 0)
    says(engine, SPY=0.5, IBM=1.0)
    handle_all(engine, [bars(120, SPY=100.0, IBM=185.0)])
    says(engine, SPY=1.0, IBM=1.0)
    assert of_kind(engine.handle(bars(180, SPY=90.5, IBM=185.0)), PlaceBracket) == []


def test_doubt_about_an_order_that_is_not_live_changes_nothing():
    assert a_started().handle(unknown(ENTRY)) == []


def test_silence_after_the_time_to_answer_makes_the_whole_bracket_unknown_and_asks_once():
    engine = an_engine_that_asked()
    commands = engine.handle(fired(f"acknowledge:{ENTRY}", 70))
    assert set(statuses(engine).values()) == {OrderStatus.UNKNOWN}
    assert codes(commands) == ["order_unknown"] * 3
    assert len(of_kind(commands, AskBroker)) == 1


def test_the_time_to_answer_of_an_order_that_was_answered_means_nothing():
    assert an_engine_at_work().handle(fired(f"acknowledge:{ENTRY}", 70)) == []


def test_an_open_order_settles_doubt():
    engine = an_engine_in_doubt()
    commands = engine.handle(a_report(70, open_orders=lines_of(engine)))
    assert set(statuses(engine).values()) == {OrderStatus.WORKING}
    assert commands == []


@pytest.mark.parametrize(("status", "end"), [("Cancelled", OrderStatus.CANCELLED), ("Inactive", OrderStatus.REJECTED)])
def test_a_completed_order_settles_doubt(status, end):
    engine = an_engine_in_doubt()
    ends = [a_completed(ref, status) for ref in (ENTRY, STOP, TARGET)]
    commands = engine.handle(a_report(70, completed_orders=ends))
    assert engine.book.closed_orders == {ENTRY: end, STOP: end, TARGET: end}
    assert codes(commands) == ["missed_end"] * 3


def test_an_order_that_its_oca_group_has_reduced_is_filled_once_the_broker_says_so():
    engine = a_long_engine()
    exit_fill = a_fill(f"{PLAN}:X1", 300, exec_id="0001.02.01.01", seconds=70)
    target_fill = a_fill(TARGET, 200, 102.0, exec_id="0001.03.01.01", seconds=71)
    handle_all(engine, [filled(exit_fill), filled(target_fill), unknown(TARGET, 72)])
    ends = [
        a_completed(STOP, "Cancelled"),
        a_completed(TARGET, "Filled", 200),
        a_completed(f"{PLAN}:X1", "Filled", 300),
    ]
    commands = engine.handle(a_report(75, completed_orders=ends, fills=[a_fill(), exit_fill, target_fill]))
    assert engine.book.orders == {}
    assert ask_timers(commands) == []


def test_an_execution_settles_doubt():
    engine = an_engine_in_doubt()
    lines = lines_of(engine, STOP, TARGET)
    commands = engine.handle(a_report(70, open_orders=lines, fills=[a_fill()], positions={"SPY": 500}))
    assert engine.book.closed_orders == {ENTRY: OrderStatus.FILLED}
    assert engine.book.position("SPY").quantity == 500
    assert codes(commands) == ["fill_recovered"]


def test_one_complete_report_without_the_order_is_not_enough_to_lose_it():
    engine = an_engine_in_doubt()
    commands = engine.handle(a_report(70))
    assert set(statuses(engine).values()) == {OrderStatus.UNKNOWN}
    assert [timer.after_s for timer in ask_timers(commands)] == [2.0]


def test_what_stays_open_is_asked_less_and_less_often():
    engine = an_engine_in_doubt()
    pauses = [
        timer.after_s
        for seconds in (70, 75, 100, 170, 1000)
        for timer in ask_timers(engine.handle(a_report(seconds, unanswered=["completed_orders"])))
    ]
    assert pauses == [2.0, 2.0, 3.0, 10.0, 30.0]


def test_a_new_question_is_asked_soon_again():
    engine = an_engine_in_doubt()
    handle_all(engine, [a_report(70, unanswered=["completed_orders"]), a_report(1000, open_orders=lines_of(engine))])
    engine.handle(unknown(ENTRY, 1001))
    commands = engine.handle(a_report(1002))
    assert [timer.after_s for timer in ask_timers(commands)] == [2.0]


def pauses(engine, *reports):
    return [timer.after_s for report in reports for timer in ask_timers(engine.handle(report))]


def an_engine_untold(what):
    """A quarter of an hour long one answer was missing in every report."""
    engine = an_engine_at_work()
    open_orders = lines_of(engine)
    assert pauses(engine, *(a_report(s, open_orders=open_orders, unanswered=[what]) for s in (70, 1000)))[-1] == 30.0
    return engine, open_orders


def test_a_break_is_looked_at_again_soon_though_positions_were_not_told_for_long():
    """A stranger's 45 shares waited 54 s for the third report that showed them (brutal 9193)."""
    engine, open_orders = an_engine_untold("positions")
    shown = [a_report(seconds, open_orders=open_orders, positions={"SPY": 45}) for seconds in (1030, 1032, 1034)]
    assert pauses(engine, *shown) == [2.0, 2.0]


def test_another_quantity_is_looked_at_again_soon_though_another_was_shown_for_long():
    engine, open_orders = an_engine_untold("account")
    held = [(1030, 45), (1032, 45), (1062, 50), (1064, 50), (1066, 50)]
    shown = [a_report(s, open_orders=open_orders, positions={"SPY": n}, unanswered=["account"]) for s, n in held]
    assert pauses(engine, *shown) == [2.0, 2.0, 2.0, 2.0, 30.0]


def test_an_order_that_comes_into_doubt_is_asked_about_soon_though_an_answer_was_missing_for_long():
    engine, _ = an_engine_untold("positions")
    engine.handle(unknown(ENTRY, 1001))
    assert pauses(engine, a_report(1002, unanswered=["positions", "open_orders"])) == [2.0]


def test_two_complete_reports_without_the_order_lose_it():
    engine = an_engine_in_doubt()
    engine.handle(a_report(76))
    commands = engine.handle(a_report(78))
    assert engine.book.orders == {}
    assert codes(commands) == ["lost_order"] * 3
    assert ask_timers(commands) == []


def test_absences_with_a_sighting_between_them_do_not_add_up():
    engine = an_engine_in_doubt()
    lines = lines_of(engine)
    handle_all(engine, [a_report(76), a_report(78, open_orders=lines), a_report(80)])
    assert set(engine.book.orders) == {ENTRY, STOP, TARGET}


def test_an_acceptance_between_two_absences_counts_as_a_sighting():
    engine = an_engine_in_doubt()
    handle_all(engine, [a_report(76), accepted(ENTRY, 77), a_report(78)])
    assert set(engine.book.orders) == {ENTRY}


@pytest.mark.parametrize("lacking", ["open_orders", "completed_orders", "fills", "executions"])
def test_what_could_not_be_asked_loses_no_order(lacking):
    engine = an_engine_in_doubt()
    handle_all(engine, [a_report(76 + 2 * number, unanswered=[lacking]) for number in range(3)])
    assert set(statuses(engine).values()) == {OrderStatus.UNKNOWN}


def test_what_an_incomplete_report_does_show_still_counts():
    engine = an_engine_in_doubt()
    engine.handle(a_report(70, open_orders=lines_of(engine), unanswered=["completed_orders"]))
    assert set(statuses(engine).values()) == {OrderStatus.WORKING}


def test_an_order_sent_after_the_question_left_is_not_judged_by_the_answer():
    engine = an_engine_that_asked()
    handle_all(engine, [a_report(61, asked=60), a_report(62, asked=59), a_report(63, asked=58)])
    assert set(statuses(engine).values()) == {OrderStatus.PENDING}


def test_an_order_filled_at_the_broker_waits_for_its_executions():
    engine = an_engine_in_doubt()
    ends = [a_completed(ENTRY, "Filled", 500)]
    lines = lines_of(engine, STOP, TARGET)
    first = engine.handle(a_report(70, open_orders=lines, completed_orders=ends))
    second = engine.handle(a_report(72, open_orders=lines, completed_orders=ends))
    assert engine.book.orders[ENTRY].status is OrderStatus.UNKNOWN
    assert codes(first + second) == ["missing_fill"]
    engine.handle(filled(a_fill(), 73))
    assert engine.book.closed_orders == {ENTRY: OrderStatus.FILLED}


def test_an_order_whose_execution_was_corrected_downwards_is_over():
    """The broker's count of what was filled does not follow the correction (brutal 30084)."""
    engine = an_engine_in_doubt()
    corrected = a_fill(ENTRY, 300, exec_id="0001.01.01.02")
    ends, lines = [a_completed(ENTRY, "Filled", 500)], lines_of(engine, STOP, TARGET)
    engine.handle(a_report(70, fills=[corrected], open_orders=lines, completed_orders=ends, positions={"SPY": 300}))
    assert engine.book.closed_orders == {ENTRY: OrderStatus.FILLED}


def test_an_order_cancelled_after_more_fills_than_we_know_waits_for_its_executions():
    engine = an_engine_in_doubt()
    lines = lines_of(engine, STOP, TARGET)
    engine.handle(a_report(70, open_orders=lines, completed_orders=[a_completed(ENTRY, "Cancelled", 200)]))
    assert engine.book.orders[ENTRY].status is OrderStatus.UNKNOWN


def test_an_entry_that_ended_unheard_is_not_sent_again():
    engine = an_engine_in_doubt()
    handle_all(engine, [a_report(70), a_report(72)])
    assert of_kind(engine.handle(bars(120, SPY=100.0)), PlaceBracket) == []


def test_a_stop_that_ended_unheard_is_replaced():
    engine = a_long_engine()
    lines = lines_of(engine, TARGET)
    held = {"open_orders": lines, "positions": {"SPY": 500}}
    handle_all(engine, [a_report(70, **held), a_report(72, **held)])
    (stop,) = of_kind(engine.handle(fired(f"protect:{PLAN}", 74)), ReplaceStop)
    assert (stop.order.quantity, stop.order.stop_price) == (500, 99.0)


# --- positions and locks ------------------------------------------------------------------------------------------


def test_a_break_in_steady_state_locks_with_the_second_report():
    engine = a_started()
    assert codes(engine.handle(a_report(30, positions={"SPY": 7}))) == []
    told = engine.handle(a_report(60, positions={"SPY": 7}))
    assert codes(told) == ["quantity_break"]
    assert engine.book.locks["SPY"].cause == "SPY: the book holds 0, the broker 7"
    assert codes(engine.handle(a_report(90, positions={"SPY": 7}))) == []


def test_a_break_that_changes_from_report_to_report_locks_all_the_same():
    engine = a_started()
    handle_all(engine, [a_report(30, positions={"SPY": 7}), a_report(60, positions={"SPY": 9})])
    assert set(engine.book.locks) == {"SPY"}


def test_a_break_that_is_gone_in_the_next_report_was_only_late():
    engine = a_started()
    handle_all(engine, [a_report(30, positions={"SPY": 7}), a_report(60), a_report(90, positions={"SPY": 7})])
    assert engine.book.locks == {}


def test_a_break_right_after_the_reconnect_locks_at_once():
    engine = a_started()
    handle_all(engine, [disconnected(10), connected(20)])
    assert codes(engine.handle(a_report(21, positions={"SPY": -3}))) == ["quantity_break", "reconciled"]
    assert set(engine.book.locks) == {"SPY"}


def a_locked_engine():
    engine = a_started()
    handle_all(engine, [a_report(30, positions={"SPY": 7}), a_report(40, positions={"SPY": 7})])
    return engine


def test_a_locked_instrument_takes_no_entry_and_its_neighbour_does():
    engine = a_locked_engine()
    says(engine, SPY=1.0, IBM=1.0)
    placed = of_kind(engine.handle(bars(60, SPY=100.0, IBM=185.0)), PlaceBracket)
    assert [p.bracket.entry.symbol for p in placed] == ["IBM"]


def test_a_lock_heals_after_two_clean_reports_in_a_row():
    engine = a_locked_engine()
    assert codes(engine.handle(a_report(50))) == []
    assert codes(engine.handle(a_report(60))) == ["healed"]
    assert engine.book.locks == {}


def test_a_broken_report_between_two_clean_ones_begins_the_healing_anew():
    engine = a_locked_engine()
    handle_all(engine, [a_report(50), a_report(60, positions={"SPY": 7}), a_report(70)])
    assert set(engine.book.locks) == {"SPY"}


@pytest.mark.parametrize("lacking", ["positions", "fills", "executions"])
def test_what_could_not_be_asked_neither_locks_nor_heals(lacking):
    engine = a_long_engine()
    lines = lines_of(engine)
    handle_all(engine, [a_report(s, open_orders=lines, unanswered=[lacking]) for s in (70, 72, 74)])
    assert engine.book.locks == {}
    locked = a_locked_engine()
    handle_all(locked, [a_report(s, unanswered=[lacking]) for s in (50, 60, 70)])
    assert set(locked.book.locks) == {"SPY"}


def test_an_exit_passes_a_lock():
    engine = a_long_engine()
    lines = lines_of(engine)
    handle_all(engine, [a_report(s, open_orders=lines, positions={"SPY": 600}) for s in (70, 80)])
    says(engine, SPY=0.0)
    assert [c.order.quantity for c in of_kind(engine.handle(bars(120, SPY=100.0)), Flatten)] == [500]
