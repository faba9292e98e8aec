"""The line breaks, comes back, or another process takes over: what is doubted, asked and never sent twice."""

from msgspec.structs import replace

from shared.commands import AskBroker, CancelOrder, Flatten, PlaceBracket, ReplaceStop
from shared.events import OperatorCommanded
from shared.orders import OrderStatus
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
    a_start,
    a_started,
    accepted,
    an_engine,
    an_engine_at_work,
    an_engine_that_asked,
    ask_timers,
    bars,
    cancelled,
    codes,
    connected,
    disconnected,
    fired,
    handle_all,
    lines_of,
    of_kind,
    run_started,
    says,
    scheduled,
    some_limits,
    some_settings,
    statuses,
)

# --- cancels that go unheard ------------------------------------------------------------------------------------


def an_engine_that_cancelled(limit=True):
    engine = an_engine_at_work(an_engine(settings=some_settings(entry="limit")) if limit else None)
    assert len(of_kind(engine.handle(fired(f"entry:{ENTRY}", 180)), CancelOrder)) == 1
    return engine


def test_a_cancel_that_two_reports_do_not_show_is_asked_again():
    engine = an_engine_that_cancelled()
    lines = lines_of(engine)
    engine.handle(a_report(182, open_orders=lines))
    assert engine.book.orders[ENTRY].status is OrderStatus.CANCELLING
    engine.handle(a_report(184, open_orders=lines))
    assert engine.book.orders[ENTRY].status is OrderStatus.WORKING
    assert [command.ref for command in of_kind(engine.handle(bars(240, SPY=100.0)), CancelOrder)] == [ENTRY]


def test_a_cancel_the_broker_is_working_on_is_left_to_it():
    engine = an_engine_that_cancelled()
    lines = [replace(line, status="PendingCancel") for line in lines_of(engine)]
    handle_all(engine, [a_report(182, open_orders=lines), a_report(184, open_orders=lines)])
    assert engine.book.orders[ENTRY].status is OrderStatus.CANCELLING


def test_an_entry_whose_time_is_up_while_nobody_answers_is_cancelled_after_the_reconnect():
    engine = an_engine_at_work(an_engine(settings=some_settings(entry="limit", entries_on_reconnect="keep")))
    lines = lines_of(engine)
    engine.handle(disconnected(100))
    assert engine.handle(fired(f"entry:{ENTRY}", 180)) == []
    told = handle_all(engine, [connected(200), a_report(201, open_orders=lines)])
    assert [command.ref for command in of_kind(told, CancelOrder)] == [ENTRY]


def test_the_time_of_an_entry_that_is_over_means_nothing():
    assert a_long_engine().handle(fired(f"entry:{ENTRY}", 180)) == []


def test_a_halt_while_nobody_answers_cancels_the_entry_with_the_first_report_afterwards():
    engine = an_engine_at_work()
    lines = lines_of(engine)
    engine.handle(disconnected(100))
    halt = OperatorCommanded(received_at=bars(110).received_at, verb="halt", scope="account", actor="me")
    handle_all(engine, [halt, connected(200)])
    commands = engine.handle(a_report(201, open_orders=lines))
    assert [command.ref for command in of_kind(commands, CancelOrder)] == [ENTRY]


# --- connection --------------------------------------------------------------------------------------------------


def test_after_a_reconnect_nothing_is_entered_before_the_answer():
    engine = a_started()
    engine.handle(bars(60, SPY=100.0))
    assert codes(engine.handle(disconnected(70))) == ["connection_lost"]
    assert engine.handle(connected(80)) == []
    says(engine, SPY=1.0)
    assert of_kind(engine.handle(bars(120, SPY=100.0)), PlaceBracket) == []
    assert codes(engine.handle(a_report(121))) == ["reconciled"]
    assert len(of_kind(engine.handle(bars(180, SPY=100.0)), PlaceBracket)) == 1


def test_an_incomplete_report_does_not_open_the_gate():
    engine = a_started()
    handle_all(engine, [disconnected(10), connected(20)])
    told = engine.handle(a_report(21, unanswered=["positions"]))
    assert codes(told) == ["report_incomplete"]
    assert len(ask_timers(told)) == 1
    assert not engine.book.is_reconciled


def test_an_answer_to_a_question_from_before_the_loss_does_not_open_the_gate():
    engine = a_started()
    handle_all(engine, [disconnected(10), connected(20)])
    engine.handle(a_report(21, asked=9))
    assert not engine.book.is_reconciled
    engine.handle(a_report(23, asked=21))
    assert engine.book.is_reconciled


def test_a_second_restoration_without_a_loss_closes_the_gate_again():
    engine = a_started()
    engine.handle(connected(20))
    assert not engine.book.is_reconciled


def test_what_could_not_be_asked_is_told_once_until_it_could():
    engine = a_started()
    told = handle_all(engine, [a_report(s, unanswered=["fills"]) for s in (10, 12)])
    again = handle_all(engine, [a_report(14), a_report(16, unanswered=["fills"])])
    assert (codes(told), codes(again)) == (["report_incomplete"], ["report_incomplete"])


def test_while_nobody_answers_nobody_is_asked():
    engine = a_started()
    engine.handle(disconnected(10))
    assert engine.handle(a_report(11, unanswered=["positions"])) != []
    assert ask_timers(engine.handle(a_report(12, unanswered=["positions", "fills"]))) == []
    assert engine.handle(fired("ask", 13)) == []
    assert engine.handle(disconnected(14)) == []


def test_the_timer_asks_while_something_is_open():
    assert [type(command) for command in a_started().handle(fired("ask", 13))] == [AskBroker]


def test_a_timer_nobody_knows_any_more_does_nothing():
    assert a_started().handle(fired("of another release", 13)) == []


def test_a_lost_connection_makes_what_is_in_flight_unknown_and_leaves_what_is_confirmed():
    engine = an_engine_that_asked()
    handle_all(engine, [accepted(STOP), disconnected(70)])
    assert statuses(engine) == {
        ENTRY: OrderStatus.UNKNOWN,
        STOP: OrderStatus.WORKING,
        TARGET: OrderStatus.UNKNOWN,
    }


# --- a new process ------------------------------------------------------------------------------------------------


def test_a_new_process_sends_no_pending_order_again_counts_it_as_live_and_settles_it():
    engine = an_engine_that_asked(an_engine(settings=some_settings(entries_on_reconnect="keep")))
    commands = handle_all(engine, [run_started(100, "r2"), scheduled(100), connected(101)])
    assert of_kind(commands, PlaceBracket) == []
    assert set(statuses(engine).values()) == {OrderStatus.UNKNOWN}
    assert engine.book.working_entries("s", "SPY") == (500, 0)
    lines = lines_of(engine)
    assert codes(engine.handle(a_report(102, open_orders=lines))) == ["reconciled"]
    assert of_kind(engine.handle(bars(120, SPY=100.0)), PlaceBracket) == []
    assert set(statuses(engine).values()) == {OrderStatus.WORKING}


def test_a_new_process_gives_a_resting_entry_the_rest_of_its_time():
    engine = an_engine_at_work(an_engine(settings=some_settings(entry="limit")))
    (timer,) = engine.handle(run_started(100, "r2"))
    assert (timer.timer_id, timer.after_s, timer.clock) == (f"entry:{ENTRY}", 80.0, "market")


def test_a_new_process_forgets_that_the_last_one_was_stopping():
    engine = a_started()
    engine.book.is_stopping = True
    engine.handle(run_started(100, "r2"))
    assert not engine.book.is_stopping


# --- what a report lacks ----------------------------------------------------------------------------------------


def test_what_is_bare_after_a_reconnect_is_protected_although_the_account_did_not_answer():
    """Found by simulation (brutal 1074): odd account figures kept every report from counting for 30 s."""
    engine = a_long_engine()
    handle_all(engine, [disconnected(70), connected(80)])
    lacks_stop = {"positions": {"SPY": 500}, "open_orders": [], "unanswered": ["account"]}
    told = handle_all(engine, [a_report(81, **lacks_stop), a_report(84, **lacks_stop), fired(f"protect:{PLAN}", 86)])
    assert [command.order.quantity for command in of_kind(told, ReplaceStop)] == [500]


def test_nothing_is_entered_after_a_reconnect_on_account_figures_that_have_grown_old():
    engine = an_engine(settings=some_settings(limits=replace(some_limits(), account_age_max_s=600.0)))
    handle_all(engine, [*a_start(), disconnected(70), connected(1200), a_report(1201, unanswered=["account"])])
    says(engine, SPY=1.0)
    assert of_kind(engine.handle(bars(1260, SPY=100.0)), PlaceBracket) == []


def test_a_question_of_an_earlier_connection_does_not_make_the_next_one_patient():
    engine = an_engine_at_work()
    handle_all(engine, [a_report(70, unanswered=["positions"]), a_report(900, unanswered=["positions"])])
    handle_all(engine, [disconnected(901), connected(902)])
    assert ask_timers(engine.handle(a_report(903, unanswered=["positions"])))[0].after_s == 2.0


def test_what_the_end_of_the_session_wants_flat_is_closed_by_the_report_where_its_timer_fired_into_a_dead_line():
    """Found by simulation (brutal 24020): no row came any more, and the position was held over the close."""
    engine = a_long_engine()
    closing = (CLOSE - OPEN).total_seconds() - 300
    handle_all(engine, [disconnected(closing - 10), fired("flatten", closing)])
    held = {"positions": {"SPY": 500}, "open_orders": lines_of(engine)}
    told = handle_all(engine, [connected(closing + 60), a_report(closing + 61, **held)])
    assert [command.order.quantity for command in of_kind(told, Flatten)] == [500]


def test_legs_that_became_too_large_while_nobody_answered_are_cut_by_the_first_report_afterwards():
    """Found by simulation (brutal 1321): a stop stood behind nothing until the first row of after the reconnect."""
    engine = a_long_engine()
    lines = lines_of(engine)
    sold = a_fill(f"{PLAN}:X1", 500, 100.0, exec_id="0001.01.02.01", seconds=75)
    handle_all(engine, [disconnected(70), connected(80)])
    pulled = of_kind(engine.handle(a_report(81, open_orders=lines, fills=[sold])), CancelOrder)
    assert [command.ref for command in pulled] == [STOP, TARGET]
    assert of_kind(engine.handle(a_report(83, open_orders=lines)), CancelOrder) == []


def test_a_stop_that_was_gone_before_the_line_broke_waits_for_no_grace_whose_timer_fired_meanwhile():
    """Found by simulation (brutal 7256): the followed clock stood still, and the next row came 53 s later."""
    engine = a_long_engine()
    gone = handle_all(engine, [cancelled(STOP, 70), disconnected(70), fired(f"protect:{PLAN}", 70), connected(70)])
    assert of_kind(gone, ReplaceStop) == []
    (stop,) = of_kind(engine.handle(a_report(70, positions={"SPY": 500})), ReplaceStop)
    assert (stop.order.ref, stop.order.quantity) == (f"{PLAN}:P1", 500)


def test_a_stop_that_goes_on_this_line_has_its_grace():
    engine = a_long_engine()
    back = a_report(69.6, positions={"SPY": 500}, open_orders=lines_of(engine))
    handle_all(engine, [disconnected(69), connected(69.5), back])
    gone = handle_all(engine, [cancelled(STOP, 70), a_report(70.2, positions={"SPY": 500})])
    assert of_kind(gone, ReplaceStop) == []
