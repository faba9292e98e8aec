"""What TWS holds back (PendingSubmit: a preset, a precaution) protects and closes nothing: it goes, another comes."""

from shared.commands import AskBroker, CancelOrder, Flatten, ReplaceStop, SetTimer
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
    accepted,
    an_engine_that_asked,
    an_open_order,
    ask_timers,
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
    says,
    statuses,
)

EXIT, P1 = f"{PLAN}:X1", f"{PLAN}:P1"
LAST = f"protect:last:{PLAN}"


def cancels(commands):
    return [command.ref for command in of_kind(commands, CancelOrder)]


def with_held(engine, held):
    """The broker's lines of all live orders, of which it holds one back."""
    live = engine.book.orders
    others = [ref for ref in live if ref != held]
    return [*lines_of(engine, *others), an_open_order(live[held].order, 9, status="PendingSubmit")]


def a_held_stop():
    """Long 500 SPY since second 61; its stop, sent at 60, has not been confirmed, and a report shows it held."""
    engine = an_engine_that_asked()
    handle_all(engine, [accepted(ENTRY), accepted(TARGET, 61, 3), filled(a_fill())])
    shown = {"positions": {"SPY": 500}, "open_orders": with_held(engine, STOP)}
    return engine, shown, engine.handle(a_report(62.5, **shown))


def an_engine_that_closes_without_a_stop():
    """Its stop was held three times; the exit X1 left at 84 and has no answer. Also what that told."""
    engine, shown, _told = a_held_stop()
    engine.handle(a_report(64.5, **shown))
    handle_all(engine, [cancelled(STOP, 64.6), fired(f"protect:{PLAN}", 65.6)])
    for number, seconds in ((1, 70), (2, 80)):
        held = {"positions": {"SPY": 500}, "open_orders": with_held(engine, f"{PLAN}:P{number}")}
        handle_all(engine, [a_report(seconds, **held), a_report(seconds + 2, **held)])
        told = handle_all(engine, [cancelled(f"{PLAN}:P{number}", seconds + 3), fired(f"protect:{PLAN}", seconds + 4)])
    return engine, told


def an_engine_with_a_held_exit():
    """Its views end with the row at 120; the exit is with TWS, which holds it back."""
    engine = a_long_engine()
    says(engine, SPY=0.0)
    engine.handle(bars(120, SPY=100.0))
    shown = {"positions": {"SPY": 500}, "open_orders": with_held(engine, EXIT)}
    engine.handle(a_report(122, **shown))
    return engine, shown


def test_a_stop_that_tws_holds_back_is_not_confirmed_and_asked_about_soon():
    engine, _shown, told = a_held_stop()
    assert statuses(engine)[STOP] is OrderStatus.UNKNOWN
    assert [timer.after_s for timer in ask_timers(told)] == [2.0]
    assert cancels(told) == []


def test_a_stop_that_is_held_for_longer_than_an_order_travels_is_told_cancelled_and_another_one_placed():
    engine, shown, _told = a_held_stop()
    told = engine.handle(a_report(64.5, **shown))
    assert codes(told) == ["held_order"]
    assert cancels(told) == [STOP]
    told = handle_all(engine, [cancelled(STOP, 64.6), fired(f"protect:{PLAN}", 65.6)])
    (stop,) = of_kind(told, ReplaceStop)
    assert (stop.order.ref, stop.order.quantity, stop.order.stop_price) == (P1, 500, 99.0)


def test_a_stop_that_works_with_the_second_report_stays():
    engine, _shown, _told = a_held_stop()
    told = engine.handle(a_report(64.5, positions={"SPY": 500}, open_orders=lines_of(engine)))
    assert cancels(told) == []
    assert statuses(engine)[STOP] is OrderStatus.WORKING


def test_a_stop_that_is_held_again_after_it_has_worked_has_its_time_again():
    engine, shown, _told = a_held_stop()
    engine.handle(a_report(64.5, positions={"SPY": 500}, open_orders=lines_of(engine)))
    assert cancels(engine.handle(a_report(70, **shown))) == []
    assert statuses(engine)[STOP] is OrderStatus.UNKNOWN
    assert cancels(engine.handle(a_report(72, **shown))) == [STOP]


def test_a_stop_that_is_held_three_times_within_an_hour_leads_to_closing():
    _engine, told = an_engine_that_closes_without_a_stop()
    assert [command.order.ref for command in of_kind(told, Flatten)] == [EXIT]


def test_an_exit_without_an_answer_is_told_as_soon_as_a_stop_where_the_shares_have_none():
    """Of protect_within_s = 5 half is for the answer."""
    engine, told = an_engine_that_closes_without_a_stop()
    (timer,) = [timer for timer in of_kind(told, SetTimer) if timer.timer_id == LAST]
    assert timer.after_s == 2.5
    told = engine.handle(fired(LAST, 86.5))
    assert codes(told) == ["stop_unconfirmed"]
    assert of_kind(told, AskBroker)
    assert codes(handle_all(engine, [fired(LAST, 87), fired(LAST, 88)])) == []


def test_an_exit_that_the_broker_has_confirmed_is_no_alarm():
    engine, _told = an_engine_that_closes_without_a_stop()
    assert codes(handle_all(engine, [accepted(EXIT, 84.5), fired(LAST, 86.5)])) == []


def test_each_exit_without_an_answer_is_told():
    engine, _told = an_engine_that_closes_without_a_stop()
    handle_all(engine, [fired(LAST, 86.5), rejected(EXIT, 87)])
    told = engine.handle(fired(f"close:{PLAN}", 88))
    assert [command.order.ref for command in of_kind(told, Flatten)] == [f"{PLAN}:X2"]
    assert [timer.after_s for timer in of_kind(told, SetTimer) if timer.timer_id == LAST] == [2.5]
    assert codes(engine.handle(fired(LAST, 90.5))) == ["stop_unconfirmed"]


def test_an_exit_that_may_have_died_with_the_process_is_told_after_the_start():
    """Found by simulation (brutal 20929): killed while it sent the exit, then silent until that was taken as lost."""
    engine, _told = an_engine_that_closes_without_a_stop()
    told = handle_all(engine, [run_started(86), connected(86.5), a_report(86.6, positions={"SPY": 500})])
    told += engine.handle(fired(f"protect:{PLAN}", 87))
    assert [timer.after_s for timer in of_kind(told, SetTimer) if timer.timer_id == LAST] == [1.5]
    assert codes(engine.handle(fired(LAST, 88.5))) == ["stop_unconfirmed"]


def test_an_exit_that_is_held_is_cancelled_after_a_while_and_sent_anew():
    engine, shown = an_engine_with_a_held_exit()
    assert cancels(engine.handle(a_report(130, **shown))) == []
    told = engine.handle(a_report(136, **shown))
    assert codes(told) == ["held_order"]
    assert cancels(told) == [EXIT]
    told = handle_all(engine, [cancelled(EXIT, 136.1), fired(f"close:{PLAN}", 137)])
    assert [(command.order.ref, command.order.quantity) for command in of_kind(told, Flatten)] == [(f"{PLAN}:X2", 500)]


def test_a_target_that_is_held_goes():
    engine = a_long_engine()
    shown = {"positions": {"SPY": 500}, "open_orders": with_held(engine, TARGET)}
    assert cancels(handle_all(engine, [a_report(70, **shown), a_report(80, **shown)])) == [TARGET]


def test_an_entry_that_is_held_waits_for_its_time_like_any_other():
    engine = an_engine_that_asked()
    shown = {"open_orders": with_held(engine, ENTRY)}
    assert cancels(handle_all(engine, [a_report(70, **shown), a_report(80, **shown)])) == []
    assert statuses(engine)[ENTRY] is OrderStatus.WORKING
    assert cancels(engine.handle(fired(f"entry:{ENTRY}", 180))) == [ENTRY]


def test_what_waited_in_a_queue_while_the_line_was_down_gets_the_time_of_an_order_on_its_way():
    engine, shown = an_engine_with_a_held_exit()
    handle_all(engine, [disconnected(123), connected(200)])
    assert cancels(handle_all(engine, [a_report(201, **shown), a_report(203, **shown)])) == []
    assert cancels(engine.handle(a_report(216, **shown))) == [EXIT]


def test_a_cancel_of_a_held_order_that_goes_unheard_is_sent_again():
    engine, shown, _told = a_held_stop()
    engine.handle(a_report(64.5, **shown))
    told = handle_all(engine, [a_report(seconds, **shown) for seconds in (66, 68, 70)])
    assert cancels(told) == [STOP]
    assert of_kind(told, AskBroker) == []


def test_an_exit_that_is_held_counts_once_as_failed_however_often_a_report_shows_it():
    """Its cancel went unheard: the pause of the next exit grew with each report, to a minute."""
    engine, shown = an_engine_with_a_held_exit()
    told = handle_all(engine, [a_report(seconds, **shown) for seconds in range(136, 158, 2)])
    assert len([code for code in codes(told) if code == "held_order"]) > 1
    assert {timer.after_s for timer in of_kind(told, SetTimer) if timer.timer_id == f"close:{PLAN}"} == {1.0}
    told = handle_all(engine, [cancelled(EXIT, 157), fired(f"close:{PLAN}", 158)])
    assert [command.order.ref for command in of_kind(told, Flatten)] == [f"{PLAN}:X2"]


def test_a_stop_that_is_held_counts_once_as_failed_however_often_a_report_shows_it():
    engine, shown, _told = a_held_stop()
    handle_all(engine, [a_report(seconds, **shown) for seconds in range(64, 90, 2)])
    told = handle_all(engine, [cancelled(STOP, 90), fired(f"protect:{PLAN}", 91)])
    assert [command.order.ref for command in of_kind(told, ReplaceStop)] == [P1]
    assert of_kind(told, Flatten) == []


def test_an_exit_that_is_held_goes_again_when_its_cancel_took_longer_than_the_pause():
    """Rows may have ceased: nothing else would send it."""
    engine, shown = an_engine_with_a_held_exit()
    handle_all(engine, [a_report(136, **shown), fired(f"close:{PLAN}", 137)])
    (timer,) = engine.handle(cancelled(EXIT, 140))
    assert (timer.timer_id, timer.after_s) == (f"close:{PLAN}", 1.0)
    told = engine.handle(fired(f"close:{PLAN}", 141))
    assert [command.order.ref for command in of_kind(told, Flatten)] == [f"{PLAN}:X2"]


def test_an_exit_that_is_held_goes_again_when_a_report_shows_its_end():
    engine, shown = an_engine_with_a_held_exit()
    handle_all(engine, [a_report(136, **shown), fired(f"close:{PLAN}", 137)])
    lines = lines_of(engine, STOP, TARGET)
    told = engine.handle(a_report(141, positions={"SPY": 500}, open_orders=lines, completed_orders=[a_completed(EXIT)]))
    assert f"close:{PLAN}" in [timer.timer_id for timer in of_kind(told, SetTimer)]
