"""Commissions that come when they like, and what the book remembers for how long."""

from datetime import timedelta

import pytest

from shared.events import AccountReported, SessionScheduled
from tests.engine.builders import (
    CLOSE,
    OPEN,
    PLAN,
    STOP,
    TARGET,
    a_fill,
    a_long_engine,
    a_started,
    an_account,
    an_engine_at_work,
    at,
    bars,
    cancelled,
    cost,
    filled,
    handle_all,
    scheduled,
)

# --- commissions ------------------------------------------------------------------------------------------------


def test_a_commission_counts_once_however_often_it_is_reported():
    engine = a_long_engine()
    handle_all(engine, [cost("0001.01.01.01", 2.5), cost("0001.01.01.01", 2.5)])
    assert (engine.book.realized_profit, engine.book.plans[PLAN].commission) == (-2.5, 2.5)


def test_a_commission_may_come_before_its_execution():
    engine = an_engine_at_work()
    handle_all(engine, [cost("0001.01.01.01", 2.5), filled(a_fill())])
    assert (engine.book.realized_profit, engine.book.plans[PLAN].commission) == (-2.5, 2.5)


def test_a_commission_that_never_comes_costs_nothing():
    assert a_long_engine().book.plans[PLAN].commission == 0.0


def test_the_commission_of_a_correction_replaces_the_first():
    engine = a_long_engine()
    handle_all(engine, [cost("0001.01.01.01", 2.5), cost("0001.01.01.02", 2.0)])
    assert (engine.book.realized_profit, engine.book.plans[PLAN].commission) == (-2.0, 2.0)


def test_a_commission_an_hour_late_reaches_its_round_trip_and_opens_no_plan():
    engine = a_long_engine()
    engine.handle(filled(a_fill(TARGET, 500, 102.0, exec_id="0001.01.02.01"), 70))
    handle_all(engine, [cancelled(STOP, 71), bars(120, SPY=102.0), cost("0001.01.02.01", 2.0, 3700)])
    assert engine.book.plans == {}
    assert engine.book.round_trips[0].commission == 2.0


def test_a_commission_of_yesterdays_plan_is_paid_all_the_same():
    engine = a_long_engine()
    engine.handle(filled(a_fill(TARGET, 500, 102.0, exec_id="0001.01.02.01"), 70))
    handle_all(engine, [cancelled(STOP, 71), bars(120, SPY=102.0), the_next_session(1)])
    engine.handle(cost("0001.01.02.01", 2.0, 86_400))
    assert (engine.book.plans, engine.book.realized_profit) == ({}, 998.0)


# --- what is remembered, and for how long -----------------------------------------------------------------------


def the_next_session(days):
    later = timedelta(days=days)
    return SessionScheduled(
        received_at=OPEN + later, session=(OPEN + later).date(), opens_at=OPEN + later, closes_at=CLOSE + later
    )


def a_day_over():
    """An engine that was long and is flat again."""
    engine = a_long_engine()
    engine.handle(filled(a_fill(TARGET, 500, 102.0, exec_id="0001.01.02.01"), 70))
    handle_all(engine, [cost("0001.01.02.01"), cancelled(STOP, 71), bars(120, SPY=102.0)])
    return engine


@pytest.mark.parametrize("days", [1, 7])
def test_an_execution_that_tws_repeats_days_later_is_still_known(days):
    engine = a_day_over()
    engine.handle(the_next_session(days))
    assert engine.handle(filled(a_fill(TARGET, 500, 102.0, exec_id="0001.01.02.01"), 86_400 * days)) == []
    assert engine.book.positions() == {}


def test_what_no_broker_repeats_any_more_is_forgotten():
    engine = a_day_over()
    engine.handle(the_next_session(9))
    book = engine.book
    assert (book.fills, book.commissions, book.closed_orders, book.plans) == ({}, {}, {}, {})
    assert (book.retired, book.round_trips, book.plan_numbers, book.noted) == ({}, [], {}, {})


def test_the_fill_of_an_old_stop_is_remembered_from_its_own_day():
    engine = a_long_engine()
    late = a_fill(STOP, 500, 99.0, exec_id="0001.01.02.01", seconds=86_400 * 14)
    handle_all(engine, [the_next_session(14), filled(late), the_next_session(15)])
    assert engine.handle(filled(late, 86_400 * 15)) == []


def test_an_open_position_outlives_the_memory_of_its_fills():
    engine = a_long_engine()
    engine.handle(the_next_session(30))
    assert engine.book.position("SPY").quantity == 500
    assert (STOP in engine.book.orders, engine.book.plans[PLAN].stop_price) == (True, 99.0)


def test_the_same_session_scheduled_again_forgets_nothing():
    engine = a_day_over()
    engine.handle(scheduled(200))
    assert len(engine.book.round_trips) == 1


def test_a_day_is_measured_from_the_equity_at_its_start():
    engine = a_started()
    engine.handle(AccountReported(received_at=at(10), account=an_account(1_010_000.0)))
    assert (engine.book.day_start_equity, engine.book.equity) == (1_000_000.0, 1_010_000.0)
    engine.handle(the_next_session(1))
    assert engine.book.day_start_equity == 1_010_000.0


def test_a_correction_of_yesterdays_execution_is_held_against_yesterdays_fills():
    engine = a_long_engine()
    engine.handle(filled(a_fill(TARGET, 500, 102.0, exec_id="0001.01.02.01"), 70))
    handle_all(engine, [cancelled(STOP, 71), bars(120, SPY=102.0), the_next_session(1)])
    assert engine.book.retired == {}
    engine.handle(filled(a_fill(TARGET, 400, 102.0, exec_id="0001.01.02.02"), 86_400))
    assert engine.book.position("SPY").quantity == 100
    assert engine.book.position("SPY").average_price == 100.0
