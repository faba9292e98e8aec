"""A stop that is gone unasked may be a split's (TWS.md 3.20): what is held has to be told again before any exit."""

import pytest

from shared.commands import AskBroker, Flatten, Notify, ReplaceStop
from shared.events import ConnectionLost, OperatorCommanded
from tests.engine.builders import (
    ENTRY,
    PLAN,
    STOP,
    TARGET,
    a_fill,
    a_long_engine,
    a_report,
    accepted,
    an_engine,
    at,
    bars,
    cancelled,
    codes,
    filled,
    fired,
    handle_all,
    lines_of,
    of_kind,
    rejected,
    says,
    some_settings,
)
from tests.engine.test_truth_splits import a_line

FLATTEN = OperatorCommanded(received_at=at(2000.2), verb="flatten", scope="account", actor="me")


def an_engine_whose_stop_has_just_gone():
    """Long 500 at 100 on which both agreed at 1000; the broker cancelled stop and target at 2000, nobody knows why."""
    engine = a_long_engine()
    engine.handle(a_report(1000, positions={"SPY": 500}, open_orders=lines_of(engine)))
    return engine, handle_all(engine, [cancelled(STOP, 2000, "split"), cancelled(TARGET, 2000, "split")])


def exits(commands):
    return [command.order.quantity for command in of_kind(commands, Flatten)]


def let_go(engine):
    """The strategy wants out, by the next row."""
    says(engine, SPY=0.0)
    return bars(2000.2, SPY=100.0)


@pytest.mark.parametrize("by", ["a strategy", "a person"])
def test_an_exit_waits_until_the_broker_has_told_what_is_held_and_goes_with_that_report(by):
    engine, _ = an_engine_whose_stop_has_just_gone()
    asked = engine.handle(let_go(engine) if by == "a strategy" else FLATTEN)
    assert exits(asked) == []
    assert exits(engine.handle(a_report(2000.4, positions=a_line(500, 100.0)))) == [500]


def test_an_answer_that_was_under_way_when_the_stop_went_is_no_word_of_what_is_held():
    engine, _ = an_engine_whose_stop_has_just_gone()
    told = engine.handle(FLATTEN)
    told += engine.handle(a_report(2000.3, asked=1999.9, positions=a_line(500, 100.0)))
    assert exits(told) == []


def test_an_answer_without_positions_is_no_word_of_what_is_held():
    engine, _ = an_engine_whose_stop_has_just_gone()
    told = handle_all(engine, [FLATTEN, a_report(2000.3, unanswered=("positions",))])
    assert exits(told) == []


@pytest.mark.parametrize("theirs", [50, 5000])
def test_a_flatten_between_the_cancel_of_a_split_and_its_report_closes_the_shares_of_after(theirs):
    """Ten for one a tenth was sold; one for ten, 450 shares that nobody had."""
    engine, _ = an_engine_whose_stop_has_just_gone()
    told = engine.handle(FLATTEN)
    told += engine.handle(a_report(2000.4, positions=a_line(theirs, 50_000 / theirs)))
    assert exits(told) == [theirs]
    assert engine.book.quantity("SPY") == theirs


@pytest.mark.parametrize("theirs", [50, 5000])
def test_a_strategys_exit_in_that_window_sells_nothing_and_waits_for_a_person(theirs):
    engine, _ = an_engine_whose_stop_has_just_gone()
    told = engine.handle(let_go(engine))
    line = a_line(theirs, 50_000 / theirs)
    told += handle_all(engine, [a_report(2000.4 + 3 * n, positions=line) for n in range(4)])
    assert exits(told) == []
    accept = OperatorCommanded(received_at=at(2100), verb="accept", scope="instrument:SPY", actor="me")
    told = handle_all(engine, [accept, a_report(2101, positions=line), bars(2160, SPY=50_000 / theirs)])
    assert exits(told) == [theirs]


def test_a_stop_that_is_put_back_because_its_time_is_up_lets_no_exit_go():
    """Nobody has told yet what is held."""
    engine, _ = an_engine_whose_stop_has_just_gone()
    told = handle_all(engine, [FLATTEN, fired(f"protect:{PLAN}", 2001), fired(f"protect:last:{PLAN}", 2002.5)])
    assert [command.order.quantity for command in of_kind(told, ReplaceStop)] == [500]
    assert exits(told + handle_all(engine, [accepted(f"{PLAN}:P1", 2003), bars(2040, SPY=100.0)])) == []
    assert exits(engine.handle(a_report(2041, positions=a_line(500, 100.0), open_orders=lines_of(engine)))) == [500]


def test_a_stop_that_was_refused_is_no_split_and_holds_no_exit_back():
    engine = a_long_engine()
    engine.handle(rejected(STOP, 70))
    assert exits(engine.handle(FLATTEN)) == [500]


def test_a_stop_that_its_own_fill_took_is_not_waited_for():
    """The target has filled, so its group has cancelled the stop: nothing is open, and nothing has to be asked."""
    engine = a_long_engine()
    engine.handle(filled(a_fill(TARGET, 500, 102.0, exec_id="0001.01.02.01", seconds=70)))
    assert of_kind(engine.handle(cancelled(STOP, 70)), AskBroker) == []
    assert engine.book.legs_gone == {}


def test_a_clock_that_is_set_back_holds_no_exit_back():
    """I21: the answer is dated before the stop's end, and is younger all the same."""
    engine, _ = an_engine_whose_stop_has_just_gone()
    told = handle_all(engine, [FLATTEN, a_report(1500, positions=a_line(500, 100.0))])
    assert exits(told) == [500]


def test_the_wait_outlives_a_restart():
    engine, _ = an_engine_whose_stop_has_just_gone()
    again = an_engine()
    again.restore(engine.snapshot())
    assert exits(again.handle(FLATTEN)) == []


def test_a_flatten_that_found_its_exit_cancelled_by_a_split_closes_the_shares_of_after():
    """What a person wanted flat before it is still wanted flat: the shares of before would be a part, or too many."""
    engine = a_long_engine()
    engine.handle(a_report(1000, positions={"SPY": 500}, open_orders=lines_of(engine)))
    told = engine.handle(FLATTEN)
    ends = [cancelled(ref, 2001, "split") for ref in (STOP, TARGET, f"{PLAN}:X1")]
    told += handle_all(engine, [*ends, a_report(2001.5, positions=a_line(5000, 10.0)), fired(f"close:{PLAN}", 2003)])
    assert exits(told) == [500, 5000]
    assert codes(told).count("settled") == 1


def test_with_daily_bars_it_does_not_wait_for_the_next_days_row():
    """The row is decided on when the session is over; the exit is for the next open."""
    engine = a_long_engine(an_engine(settings=some_settings(interval_s=86_400)))
    engine.handle(a_report(1000, positions={"SPY": 500}, open_orders=lines_of(engine)))
    engine.handle(cancelled(STOP, 23_499.9))
    says(engine, SPY=0.0)
    told = engine.handle(bars(23_500, SPY=100.0))
    assert exits(told) == []
    assert exits(engine.handle(a_report(23_500.2, positions={"SPY": 500}, open_orders=lines_of(engine)))) == [500]


def test_an_entry_that_is_still_to_come_is_held_back_too_until_what_is_held_is_told():
    engine, _ = an_engine_whose_stop_has_just_gone()
    handle_all(engine, [fired(f"protect:{PLAN}", 2001), fired(f"protect:last:{PLAN}", 2002.5)])
    handle_all(engine, [accepted(f"{PLAN}:P1", 2003)])
    says(engine, SPY=1.0)
    engine.book.set_target("s", "SPY", 600, "more")
    told = engine.handle(bars(2040, SPY=100.0))
    assert "entry_denied" in codes(told)
    assert ENTRY not in engine.book.orders


def test_a_person_is_told_that_a_flatten_waits_for_the_word_of_what_is_held():
    engine, _ = an_engine_whose_stop_has_just_gone()
    (told,) = [command for command in of_kind(engine.handle(FLATTEN), Notify) if command.code == "flatten_waits"]
    assert (told.level, told.text.partition(":")[0]) == ("warning", "SPY")


def test_a_person_is_told_that_a_flatten_waits_for_the_line():
    engine = a_long_engine()
    engine.handle(ConnectionLost(received_at=at(2000), reason="reset"))
    assert "flatten_waits" in codes(engine.handle(FLATTEN))


def test_a_flatten_of_what_is_known_waits_for_nothing():
    assert "flatten_waits" not in codes(a_long_engine().handle(FLATTEN))


def test_a_stop_waits_for_the_word_of_what_is_held_where_an_exit_went_unasked():
    """A split that found no stop at the broker took the exit alone: a stop of before it would fire at once."""
    engine, _ = an_engine_whose_stop_has_just_gone()
    told = handle_all(engine, [FLATTEN, a_report(2000.5, positions=a_line(500, 100.0))])
    assert exits(told) == [500]
    told = handle_all(engine, [accepted(f"{PLAN}:X1", 2000.6), cancelled(f"{PLAN}:X1", 2000.9, "split")])
    assert of_kind(told, AskBroker)
    told = handle_all(engine, [fired(f"protect:{PLAN}", 2001), fired(f"close:{PLAN}", 2001.9)])
    assert (exits(told), of_kind(told, ReplaceStop)) == ([], [])
    assert exits(engine.handle(a_report(2002, positions=a_line(5000, 10.0)))) == [5000]


def an_engine_whose_stops_are_refused_since():
    """The one put back because its time was up, and the next, are refused: with the one that went, three in an hour."""
    engine, _ = an_engine_whose_stop_has_just_gone()
    told = handle_all(engine, [fired(f"protect:{PLAN}", 2001), fired(f"protect:last:{PLAN}", 2002.5)])
    return engine, told + handle_all(engine, [rejected(f"{PLAN}:P1", 2002.6), rejected(f"{PLAN}:P2", 2002.7)])


def test_shares_that_can_have_no_stop_wait_too_and_a_person_is_told_once():
    """Found by simulation (brutal 61312): the shares of before a split were closed."""
    engine, told = an_engine_whose_stops_are_refused_since()
    told += engine.handle(bars(2040, SPY=100.0))
    assert exits(told) == []
    (alarm,) = [command for command in of_kind(told, Notify) if command.code == "unprotectable"]
    assert alarm.level == "critical"
    assert exits(engine.handle(a_report(2041, positions=a_line(5000, 10.0)))) == []


def test_shares_that_can_have_no_stop_are_closed_with_that_word():
    engine, _ = an_engine_whose_stops_are_refused_since()
    told = engine.handle(a_report(2022.5, positions=a_line(500, 100.0)))
    assert (exits(told), codes(told).count("unprotectable")) == ([500], 1)


def without_executions(quantity, *, asked=2023.0):
    """Five questions, and the end of one answer was lost (TWS.md 4.6); it was waited for."""
    return a_report(2043, asked=asked, positions=a_line(quantity, 100.0), unanswered=("executions",))


def test_the_books_shares_are_word_enough_without_the_executions_once_none_can_lag():
    """Nothing has split or filled, and nobody knows when the executions will be told."""
    engine, _ = an_engine_whose_stops_are_refused_since()
    assert exits(engine.handle(without_executions(500))) == [500]


@pytest.mark.parametrize("theirs", [0, 250, 5000])
def test_other_shares_than_the_books_are_neither_sold_nor_entered_until_the_executions_explain_them(theirs):
    engine, _ = an_engine_whose_stops_are_refused_since()
    told = handle_all(engine, [FLATTEN, without_executions(theirs), bars(2100, SPY=100.0)])
    assert exits(told) == []


@pytest.mark.parametrize("asked", [1995.0, 2003.0])
def test_the_books_shares_as_the_stop_went_are_no_word_without_the_executions(asked):
    """Positions lag fills by seconds (TWS.md 4.53), and the stop may have filled."""
    engine, _ = an_engine_whose_stops_are_refused_since()
    assert exits(engine.handle(without_executions(500, asked=asked))) == []
