"""Locks: only after two looks with nothing in between (TWS.md 4.53), with cause, kind and since; exits pass."""

import pytest
from msgspec.structs import replace

from daemon.engine.settings import TruthPolicy
from shared.commands import Flatten, ReplaceStop
from shared.events import DataQualityReported
from tests.engine.builders import (
    PLAN,
    STOP,
    TARGET,
    a_fill,
    a_long_engine,
    a_report,
    a_started,
    an_engine,
    an_engine_at_work,
    at,
    bars,
    cancelled,
    codes,
    connected,
    disconnected,
    filled,
    handle_all,
    lines_of,
    of_kind,
    says,
    some_settings,
)


def test_two_reports_within_two_seconds_are_one_look():
    engine = a_started()
    handle_all(engine, [a_report(30 + n / 2, positions={"SPY": 7}) for n in range(4)])
    assert engine.book.locks == {}
    engine.handle(a_report(32, positions={"SPY": 7}))
    assert set(engine.book.locks) == {"SPY"}


def test_positions_that_lag_an_execution_do_not_lock():
    """4.53: each report is one execution behind."""
    engine = an_engine_at_work()
    lines = lines_of(engine)
    parts = [a_fill(quantity=100, exec_id=f"0001.01.0{n}.01", seconds=60 + 3 * n) for n in range(1, 5)]
    steps = [
        step
        for n, part in enumerate(parts, start=1)
        for step in (filled(part), a_report(61 + 3 * n, positions={"SPY": 100 * (n - 1)}, open_orders=lines))
    ]
    assert "quantity_break" not in codes(handle_all(engine, steps))
    assert engine.book.locks == {}


def test_a_lock_tells_its_kind_its_cause_and_since_when():
    engine = a_started()
    handle_all(engine, [a_report(30, positions={"SPY": 7}), a_report(40, positions={"SPY": 7})])
    lock = engine.book.locks["SPY"]
    assert (lock.kind, lock.cause, lock.since) == ("quantity_break", "SPY: the book holds 0, the broker 7", at(40))


def test_a_stop_is_still_put_back_while_the_brokers_position_may_lag_a_young_execution():
    """After a reconnect the lock comes at once, but a figure younger than the execution denies no shares."""
    engine = an_engine_at_work()
    handle_all(engine, [disconnected(70), connected(80)])
    young = a_fill(seconds=79)
    rest = lines_of(engine, TARGET)
    engine.handle(a_report(81, fills=[young], open_orders=rest))
    assert set(engine.book.locks) == {"SPY"}
    assert engine.book.believable(engine.book.plans[PLAN]) == 500


def test_a_figure_that_is_older_than_the_execution_by_far_denies_the_shares():
    engine = a_long_engine()
    handle_all(engine, [disconnected(70), connected(80), a_report(81)])
    assert engine.book.believable(engine.book.plans[PLAN]) == 0


@pytest.mark.parametrize("theirs", [600, 500, 200])
def test_an_exit_passes_a_lock_for_what_the_broker_holds(theirs):
    engine = a_long_engine()
    lines = lines_of(engine)
    handle_all(engine, [a_report(s, open_orders=lines, positions={"SPY": theirs}) for s in (70, 80)])
    says(engine, SPY=0.0)
    exits = of_kind(engine.handle(bars(120, SPY=100.0)), Flatten)
    assert [command.order.quantity for command in exits] == [min(theirs, 500)]


def test_a_stop_passes_a_lock():
    engine = a_long_engine()
    rest = lines_of(engine, TARGET)
    held = {"positions": {"SPY": 600}, "open_orders": rest}
    (stop,) = of_kind(handle_all(engine, [a_report(s, **held) for s in (70, 80, 90)]), ReplaceStop)
    assert stop.order.quantity == 500


def test_an_execution_that_explains_the_break_ends_it():
    engine = a_long_engine()
    rest = lines_of(engine, STOP)
    late = a_fill(TARGET, 500, 102.0, exec_id="0001.01.02.01", seconds=69)
    handle_all(engine, [a_report(70, open_orders=rest), a_report(71, fills=[late]), a_report(74), a_report(77)])
    assert (engine.book.locks, engine.book.breaks, engine.book.positions()) == ({}, {}, {})


def test_a_silent_feed_changes_nothing_about_what_is_held():
    """F18: frozen data are no lost connection; positions keep their stops and reports go on being compared."""
    engine = a_long_engine()
    silent = DataQualityReported(received_at=at(70), symbol="", quality="silent", reason="2103")
    held = {"positions": {"SPY": 500}, "open_orders": lines_of(engine)}
    told = handle_all(engine, [silent, a_report(80, **held), a_report(90, **held)])
    assert codes(told) == ["data_quality"]
    assert engine.book.is_reconciled
    assert engine.book.unprotected_plans() == []


def test_another_quantity_while_the_instrument_is_locked_is_told_as_well_and_once():
    """A person turned by hand what was already in question: nobody may find that out by chance."""
    engine = a_started()
    handle_all(engine, [a_report(second, positions={"SPY": 7}) for second in (30, 40)])
    told = handle_all(engine, [a_report(second, positions={"SPY": 52}) for second in (50, 60, 70)])
    assert codes(told) == ["quantity_break"]
    assert engine.book.locks["SPY"].cause == "SPY: the book holds 0, the broker 52"
    assert engine.book.locks["SPY"].since == at(40)


def test_another_quantity_is_told_also_where_an_order_that_lives_twice_locks_the_instrument_too():
    """brutal 5571: a hand sold 72 shares more, and the lock had another cause by then."""
    engine = a_long_engine()
    lines = lines_of(engine)
    double = replace(next(line for line in lines if line.ref == STOP), perm_id=99)
    left = [line for line in lines if line.ref != STOP]
    told = handle_all(engine, [a_report(second, positions={"SPY": 700}, open_orders=lines) for second in (90, 100)])
    told += engine.handle(a_report(110, positions={"SPY": 700}, open_orders=[*lines, double]))
    told += handle_all(
        engine, [a_report(second, positions={"SPY": 650}, open_orders=left) for second in (120, 130, 140)]
    )
    assert [code for code in codes(told) if code.startswith(("quantity", "double"))] == [
        "quantity_break",
        "double_perm_id",
        "quantity_break",
    ]


def test_an_order_that_lived_twice_and_is_gone_holds_up_no_adoption():
    """storm 323: its lock waited for both to agree, and they could not agree while it held the shares back."""
    policy = TruthPolicy(foreign="adopt")
    engine = a_long_engine(an_engine(settings=some_settings(truth=policy)))
    lines = lines_of(engine)
    double = replace(next(line for line in lines if line.ref == STOP), perm_id=99)
    handle_all(engine, [a_report(90 + n, positions={"SPY": 700}, open_orders=[*lines, double]) for n in (0, 3)])
    handle_all(engine, [cancelled(STOP, 95), cancelled(STOP, 95)])
    handle_all(engine, [a_report(500 + 3 * n, positions={"SPY": 700}, open_orders=[lines[0]]) for n in range(4)])
    assert engine.book.holding("adopted", "SPY") == 200
