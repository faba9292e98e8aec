"""How fast entries go out, and one instrument that fills again and again."""

import pytest

from daemon.engine.pace import Pace
from risk.trading_state import TradingState
from shared.commands import CancelOrder, Notify, PlaceBracket
from shared.events import SessionScheduled
from shared.ids import leg_ref
from shared.orders import Leg, OrderIntent, Side
from tests.engine.builders import (
    CLOSE,
    ENTRY,
    OPEN,
    STOP,
    TARGET,
    a_fill,
    a_started,
    accepted,
    an_engine,
    an_engine_at_work,
    at,
    bars,
    cancelled,
    filled,
    handle_all,
    of_kind,
    says,
    some_limits,
    some_settings,
)


def an_intent(**changes):
    usual = {
        "strategy": "s",
        "symbol": "SPY",
        "side": Side.BUY,
        "quantity": 500,
        "reduces": False,
        "reason": "told",
    }
    return OrderIntent(**{**usual, **changes})


def a_pace(*seconds, window_s=30.0):
    """One that sent the same entry at each of these seconds."""
    pace = Pace()
    for second in seconds:
        pace.note_sent(an_intent(), at(second), duplicate_window_s=window_s)
    return pace


# --- rates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("now", "last_s", "last_min"), [(60.2, 2, 3), (61.0, 1, 3), (61.4, 0, 3), (120.0, 0, 1)])
def test_entries_are_counted_over_the_last_second_and_the_last_minute(now, last_s, last_min):
    pace = a_pace(59, 60, 60.2)
    assert (pace.sent_last_s(at(now)), pace.sent_last_min(at(now))) == (last_s, last_min)


def test_a_clock_that_steps_back_forgets_no_entry():
    assert a_pace(60).sent_last_s(at(-3600)) == 1


def test_a_session_counts_its_own_entries_and_the_windows_go_on_across_it():
    pace = a_pace(60, 61)
    pace.begin_session(at(62))
    assert (pace.sent_today, pace.sent_last_min(at(62))) == (0, 2)


def test_an_instrument_that_did_not_fill_for_a_day_is_forgotten():
    pace = Pace()
    pace.note_filled("SPY", "OB1:s:20131007:SPY-1", OPEN)
    pace.note_filled("IBM", "OB1:s:20131007:IBM-1", at(3600))
    pace.begin_session(at(86_400))
    assert list(pace.filled) == ["IBM"]


def test_a_bracket_counts_as_one_entry_and_the_next_session_begins_at_none():
    engine = an_engine_at_work()
    assert (engine.book.pace.sent_today, engine.book.pace.sent_last_s(at(60))) == (1, 1)
    day = CLOSE - OPEN
    engine.handle(
        SessionScheduled(
            received_at=CLOSE, session=OPEN.date().replace(day=9), opens_at=OPEN + day, closes_at=CLOSE + day
        )
    )
    assert engine.book.pace.sent_today == 0


# --- the same again ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "is_duplicate"), [(60, True), (89.9, True), (90, False)])
def test_the_same_entry_again_within_the_window_is_a_duplicate(seconds, is_duplicate):
    assert a_pace(60).is_duplicate(an_intent(), at(seconds), 30.0) is is_duplicate


@pytest.mark.parametrize(
    "change",
    [{"strategy": "t"}, {"symbol": "IBM"}, {"side": Side.SELL}, {"quantity": 499}],
    ids=["strategy", "symbol", "side", "quantity"],
)
def test_an_entry_that_differs_in_anything_is_no_duplicate(change):
    assert not a_pace(60).is_duplicate(an_intent(**change), at(61), 30.0)


def test_the_reason_does_not_make_an_entry_another_one():
    assert a_pace(60).is_duplicate(an_intent(reason="said otherwise"), at(61), 30.0)


# --- one instrument again and again -----------------------------------------------------------------------------


def a_limited_engine(**limits):
    return a_started(an_engine(settings=some_settings(some_limits(**limits))))


def an_entry(engine, seconds, number):
    """Whatever the view was, another entry of the next size is wanted, sent and reported as cancelled."""
    says(engine, SPY=number / 10)
    brackets = of_kind(engine.handle(bars(seconds, SPY=100.0)), PlaceBracket)
    refs = [bracket.bracket.entry.ref for bracket in brackets]
    plans = [ref.rpartition(":")[0] for ref in refs]
    handle_all(engine, [cancelled(leg_ref(plan, leg), seconds + 1) for plan in plans for leg in _BRACKET])
    return refs


_BRACKET = (Leg.ENTRY, Leg.STOP_LOSS, Leg.TAKE_PROFIT)


def test_entries_that_the_broker_called_cancelled_and_filled_all_the_same_stop_the_instrument():
    """pysystemtrade#1580: fifteen orders reported cancelled (10349), all fifteen filled (RELIABILITY.md F6)."""
    engine = a_limited_engine(max_entries_in_window=2, entry_window_s=600.0)
    (first,) = an_entry(engine, 60, 1)
    (second,) = an_entry(engine, 120, 2)
    quiet = engine.handle(filled(a_fill(first, 50, exec_id="0001.01.01.01", seconds=125)))
    assert [notice.code for notice in of_kind(quiet, Notify) if notice.level == "critical"] == []
    loud = engine.handle(filled(a_fill(second, 100, exec_id="0001.01.02.01", seconds=126)))
    assert [notice.code for notice in of_kind(loud, Notify) if notice.level == "critical"] == ["limit_latched"]
    assert engine.book.breakers.state_for("s", "SPY") is TradingState.REDUCING
    assert engine.book.breakers.state_for("s", "IBM") is TradingState.ACTIVE
    assert an_entry(engine, 180, 9) == []


def test_the_latch_pulls_the_entries_that_still_work():
    engine = an_engine_at_work(an_engine(settings=some_settings(some_limits(max_entries_in_window=1))))
    commands = engine.handle(filled(a_fill(quantity=100)))
    assert [command.ref for command in of_kind(commands, CancelOrder)] == [ENTRY]


def test_the_parts_of_one_entry_count_once():
    engine = an_engine_at_work(an_engine(settings=some_settings(some_limits(max_entries_in_window=2))))
    handle_all(engine, [filled(a_fill(quantity=100)), filled(a_fill(quantity=100, exec_id="0001.01.02.01"))])
    assert engine.book.breakers.state_for("s", "SPY") is TradingState.ACTIVE


def test_entries_further_apart_than_the_window_are_not_counted_together():
    engine = a_limited_engine(max_entries_in_window=2, entry_window_s=100.0)
    (first,) = an_entry(engine, 60, 1)
    engine.handle(filled(a_fill(first, 50, exec_id="0001.01.01.01", seconds=62)))
    (second,) = an_entry(engine, 180, 2)
    engine.handle(filled(a_fill(second, 50, exec_id="0001.01.02.01", seconds=182)))
    assert engine.book.breakers.state_for("s", "SPY") is TradingState.ACTIVE


def test_a_latched_instrument_may_still_be_left():
    engine = an_engine_at_work(an_engine(settings=some_settings(some_limits(max_entries_in_window=1))))
    engine.handle(filled(a_fill()))
    says(engine, SPY=0.0)
    assert "Flatten" in [type(command).__name__ for command in engine.handle(bars(120, SPY=100.0))]


def test_a_lifted_limit_latches_nothing():
    engine = an_engine_at_work()
    handle_all(engine, [filled(a_fill()), accepted(STOP, 62), accepted(TARGET, 62)])
    assert engine.book.breakers.latched == {}
