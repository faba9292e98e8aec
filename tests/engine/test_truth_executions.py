"""Executions: once each (I6, F10), corrected, busted, recovered after a loss (F2)."""

import pytest
from msgspec.structs import replace

from shared.commands import AskBroker, Flatten, PlaceBracket, ReplaceStop
from shared.events import FillCorrected
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
    an_engine_at_work,
    an_engine_that_asked,
    at,
    bars,
    cancelled,
    codes,
    connected,
    cost,
    disconnected,
    filled,
    fired,
    handle_all,
    lines_of,
    of_kind,
    says,
)


def corrected(fill, seconds=80):
    return FillCorrected(received_at=at(seconds), fill=fill)


STOPPED = a_fill(STOP, 500, 99.0, exec_id="0001.01.02.01", seconds=70)


def a_stopped_engine():
    """Long 500 at 100, stopped out at 99."""
    engine = a_long_engine()
    handle_all(engine, [filled(STOPPED), cancelled(TARGET, 71)])
    return engine


# --- once each ------------------------------------------------------------------------------------------------------


def test_an_execution_counts_once_however_often_and_by_whatever_way_it_comes():
    """I6 and F10."""
    engine = an_engine_that_asked()
    again = a_report(62, fills=[a_fill(), a_fill()], positions={"SPY": 500}, open_orders=lines_of(engine))
    handle_all(engine, [filled(a_fill()), filled(a_fill()), again, again, filled(a_fill())])
    assert engine.book.position("SPY").quantity == 500


def test_executions_missed_while_the_line_was_dead_are_recovered_and_told():
    """F2: two seconds after the open the line breaks, and the fill is never told again by itself."""
    engine = an_engine_that_asked()
    rest = lines_of(engine, STOP, TARGET)
    handle_all(engine, [disconnected(62), connected(90)])
    told = engine.handle(a_report(91, fills=[a_fill()], positions={"SPY": 500}, open_orders=rest))
    assert codes(told) == ["fill_recovered", "reconciled"]
    assert engine.book.unprotected_plans() == []


def test_nothing_is_entered_before_the_report_of_this_connection_was_compared():
    """I13."""
    engine = a_started()
    says(engine, SPY=1.0)
    stale = a_report(95, asked=60)
    handle_all(engine, [disconnected(62), connected(90), stale])
    assert of_kind(engine.handle(bars(120, SPY=100.0)), PlaceBracket) == []
    engine.handle(a_report(121, asked=120))
    assert len(of_kind(engine.handle(bars(180, SPY=100.0)), PlaceBracket)) == 1


@pytest.mark.parametrize("lacking", ["positions", "executions", "open_orders", "completed_orders", "account"])
def test_a_partial_answer_opens_no_gate(lacking):
    """F4 and I12."""
    engine = a_started()
    says(engine, SPY=1.0)
    handle_all(engine, [disconnected(62), connected(90), a_report(91, unanswered=[lacking])])
    assert of_kind(engine.handle(bars(120, SPY=100.0)), PlaceBracket) == []


# --- corrected and busted -------------------------------------------------------------------------------------------


def test_a_corrected_execution_replaces_the_first_and_is_told():
    engine = a_long_engine()
    told = engine.handle(corrected(a_fill(quantity=400, price=101.0, exec_id="0001.01.01.02")))
    assert (engine.book.position("SPY").quantity, engine.book.position("SPY").average_price) == (400, 101.0)
    assert codes(told)[0] == "fill_corrected"


def test_a_correction_that_comes_by_a_report_counts_like_a_live_one():
    engine = a_long_engine()
    newer = a_fill(quantity=400, exec_id="0001.01.01.02")
    engine.handle(a_report(80, fills=[newer], positions={"SPY": 400}, open_orders=lines_of(engine)))
    assert engine.book.position("SPY").quantity == 400


def test_an_old_version_after_its_correction_changes_nothing():
    engine = a_long_engine()
    engine.handle(corrected(a_fill(quantity=400, exec_id="0001.01.01.02")))
    assert engine.handle(filled(a_fill())) == []
    assert engine.book.position("SPY").quantity == 400


def test_the_bust_of_an_exit_opens_the_position_again_and_it_gets_a_stop():
    engine = a_stopped_engine()
    told = engine.handle(corrected(replace(STOPPED, quantity=0, exec_id="0001.01.02.02")))
    assert engine.book.position("SPY").quantity == 500
    assert codes(told)[0] == "fill_busted"
    (stop,) = of_kind(engine.handle(fired(f"protect:{PLAN}", 82)), ReplaceStop)
    assert (stop.order.ref, stop.order.quantity, stop.order.stop_price) == (f"{PLAN}:P1", 500, 99.0)


def test_what_is_taken_back_of_an_exit_is_covered_although_its_group_has_cut_the_stop():
    """The broker cuts a stop without a word of its new size: 16 shares stood bare for a minute (brutal 953)."""
    engine = a_long_engine()
    first = a_fill(TARGET, 300, 102.0, exec_id="0001.01.02.01", seconds=70)
    told = handle_all(engine, [filled(first), corrected(replace(first, quantity=0, exec_id="0001.01.02.02"))])
    assert len(of_kind(told, AskBroker)) == 1
    lines = [replace(line, quantity=200) for line in lines_of(engine, STOP)]
    cut = [a_report(81, positions={"SPY": 500}, open_orders=[*lines, *lines_of(engine, TARGET)])]
    (stop,) = of_kind(handle_all(engine, [*cut, fired(f"protect:{PLAN}", 82)]), ReplaceStop)
    assert (stop.order.ref, stop.order.quantity) == (STOP, 500)


@pytest.mark.parametrize(("told", "stops"), [((200, 200), [700]), ((200, 0), []), ((200,), [])])
def test_what_a_stop_has_filled_beyond_its_executions_is_covered_once_two_reports_have_told_it(told, stops):
    """storms 11443, 11860: a correction came before its execution: 200 of 700 are spent, and 500 covered."""
    engine = a_long_engine()
    busted = replace(a_fill(STOP, 0, seconds=70), exec_id="0001.01.02.02")
    assert of_kind(engine.handle(corrected(busted, 70)), AskBroker)
    lines = lines_of(engine)
    for number, filled_shares in enumerate(told):
        shown = [replace(line, filled=filled_shares if line.ref == STOP else 0) for line in lines]
        engine.handle(a_report(71 + 2 * number, positions={"SPY": 500}, open_orders=shown))
    sent = of_kind(engine.handle(fired(f"protect:{PLAN}", 80)), ReplaceStop)
    assert [each.order.quantity for each in sent] == stops


def test_an_entry_is_over_with_what_it_fills_beyond_an_execution_that_was_taken_back():
    """storm 14933: 1,000 of 5,632 were busted before they were told, and it seemed open; its legs rested for all."""
    engine = an_engine_at_work()
    engine.handle(corrected(replace(a_fill(ENTRY, 0), exec_id="0001.01.01.02"), 62))
    shown = [replace(line, filled=100 if line.ref == ENTRY else 0) for line in lines_of(engine)]
    handle_all(engine, [a_report(63, open_orders=shown), a_report(65, open_orders=shown)])
    told = engine.handle(filled(a_fill(ENTRY, 400, exec_id="0001.01.03.01", seconds=66)))
    assert engine.book.closed_orders[ENTRY] == "filled"
    assert {each.order.ref: each.order.quantity for each in of_kind(told, ReplaceStop)} == {STOP: 400, TARGET: 400}


def test_a_bust_after_the_plan_was_put_away_brings_it_back():
    engine = a_stopped_engine()
    engine.handle(bars(120, SPY=100.0))
    assert PLAN in engine.book.retired
    engine.handle(corrected(replace(STOPPED, quantity=0, exec_id="0001.01.02.02"), 130))
    assert engine.book.plans[PLAN].open_quantity == 500
    (stop,) = of_kind(engine.handle(fired(f"protect:{PLAN}", 132)), ReplaceStop)
    assert stop.order.quantity == 500


def test_a_bust_of_an_execution_nobody_told_us_of_holds_nothing():
    engine = a_started()
    commands = engine.handle(corrected(a_fill(quantity=0, exec_id="0001.01.01.02")))
    assert engine.book.positions() == {}
    assert of_kind(commands, Flatten) == []


def test_a_busted_execution_costs_nothing_any_more():
    engine = a_long_engine()
    handle_all(engine, [cost("0001.01.01.01", 2.5), corrected(a_fill(quantity=0, exec_id="0001.01.01.02"))])
    assert engine.book.plans[PLAN].commission == 0.0
    assert engine.book.realized_profit == 0.0


def test_the_commission_of_a_busted_execution_that_comes_afterwards_is_not_charged():
    engine = a_long_engine()
    handle_all(engine, [corrected(a_fill(quantity=0, exec_id="0001.01.01.02")), cost("0001.01.01.01", 2.5, 90)])
    assert engine.book.plans[PLAN].commission == 0.0


@pytest.mark.parametrize("left", [0, 400])
def test_what_is_taken_back_of_an_entry_is_not_bought_again(left):
    engine = a_long_engine()
    engine.handle(corrected(a_fill(quantity=left, exec_id="0001.01.01.02")))
    commands = handle_all(engine, [bars(120, SPY=100.0), bars(180, SPY=100.0)])
    assert of_kind(commands, PlaceBracket) + of_kind(commands, Flatten) == []


def test_what_is_taken_back_of_an_entry_is_cut_off_its_legs_at_once_no_oca_group_does_that():
    engine = a_long_engine()
    changed = of_kind(engine.handle(corrected(a_fill(quantity=400, exec_id="0001.01.01.02"))), ReplaceStop)
    assert {change.order.ref: change.order.quantity for change in changed} == {STOP: 400, TARGET: 400}


def test_what_is_taken_back_before_the_holdings_are_known_is_cut_off_when_they_are():
    """brutal 2931: the next row sent an exit, TWS held it back, and the stop stood for twice the shares."""
    engine = a_long_engine()
    resting = lines_of(engine)
    handle_all(engine, [disconnected(70), connected(80), corrected(a_fill(quantity=400, exec_id="0001.01.01.02"))])
    report = a_report(90, positions={"SPY": 400}, open_orders=resting)
    assert STOP in [change.order.ref for change in of_kind(engine.handle(report), ReplaceStop)]


def test_a_correction_while_the_entry_still_works_leaves_its_rest_wanted():
    engine = an_engine_at_work()
    first = a_fill(quantity=200)
    handle_all(engine, [filled(first), corrected(replace(first, quantity=150, exec_id="0001.01.01.02"))])
    engine.handle(filled(a_fill(quantity=300, exec_id="0001.01.08.01", seconds=90)))
    assert of_kind(engine.handle(bars(120, SPY=100.0)), Flatten) == []
    assert engine.book.holding("s", "SPY") == 450


def test_what_is_taken_back_of_a_stop_that_has_filled_gets_a_stop_of_its_own():
    """The broker gives a corrected execution's shares back to the position, never to the order (brutal 24004)."""
    engine = a_long_engine()
    first, rest = a_fill(STOP, 6, exec_id="0001.01.02.01"), a_fill(STOP, 494, exec_id="0001.01.03.01")
    handle_all(engine, [filled(first, 70), corrected(replace(first, quantity=5, exec_id="0001.01.02.02"), 71)])
    (stop,) = of_kind(handle_all(engine, [filled(rest, 72), fired(f"protect:{PLAN}", 76)]), ReplaceStop)
    assert (stop.order.ref, stop.order.quantity) == (f"{PLAN}:P1", 1)


@pytest.mark.parametrize("status", ["Filled", "Cancelled"])
def test_a_stop_that_ended_is_over_though_its_first_execution_is_known_corrected_only(status):
    engine = a_long_engine()
    engine.handle(corrected(a_fill(STOP, 499, exec_id="0001.01.02.02"), 71))
    over = a_completed(STOP, status, filled=500)
    engine.handle(a_report(90, positions={"SPY": 1}, completed_orders=[over], open_orders=lines_of(engine, TARGET)))
    assert STOP in engine.book.closed_orders


def test_the_profit_of_a_busted_exit_is_taken_back():
    engine = a_stopped_engine()
    assert engine.book.realized_profit == -500.0
    engine.handle(corrected(replace(STOPPED, quantity=0, exec_id="0001.01.02.02")))
    assert engine.book.realized_profit == 0.0
