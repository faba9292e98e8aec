"""An exit at work while the position becomes smaller by other hands: it must not turn the position round (I2)."""

import pytest

from shared.commands import CancelOrder, Flatten, ReplaceStop
from shared.events import FillCorrected, OperatorCommanded
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
    filled,
    handle_all,
    lines_of,
    of_kind,
    says,
    some_settings,
)

EXIT = f"{PLAN}:X1"
FLATTEN = OperatorCommanded(received_at=at(70), verb="flatten", scope="account", actor="me")
ACCEPT = OperatorCommanded(received_at=at(90), verb="accept", scope="instrument:SPY", actor="me")


def an_engine_that_closes():
    """Long 500, and the exit for all of them is at work: the instrument is halted."""
    engine = a_long_engine()
    handle_all(engine, [FLATTEN, accepted(EXIT, 71, 9)])
    return engine


def taken_back(engine, left):
    """The broker corrects the entry to so many shares."""
    fill = a_fill(ENTRY, left, 100.0, exec_id="0001.01.01.02")
    return engine.handle(FillCorrected(received_at=at(80), fill=fill))


def changes(commands):
    return {command.order.ref: command.order.quantity for command in of_kind(commands, ReplaceStop)}


def test_an_exit_is_cut_at_once_to_what_the_broker_has_left_of_the_entry():
    assert changes(taken_back(an_engine_that_closes(), 400))[EXIT] == 400


@pytest.mark.parametrize("sold", [100, 300])
def test_an_exit_that_is_filling_keeps_what_is_still_open(sold):
    engine = an_engine_that_closes()
    engine.handle(filled(a_fill(EXIT, sold, 100.0, exec_id="0001.01.02.01", seconds=75)))
    assert changes(taken_back(engine, 400)) == {EXIT: 400, STOP: 400 - sold, TARGET: 400 - sold}


def test_stop_and_target_are_cut_beside_an_exit_by_what_the_broker_took_back_of_the_entry():
    """Found by simulation (brutal 30096): the group takes off what the exit fills, and 12 too many had a stop."""
    told = changes(taken_back(an_engine_that_closes(), 400))
    assert (told[STOP], told[TARGET]) == (400, 400)


def test_an_exit_goes_where_the_broker_took_the_whole_entry_back():
    told = taken_back(an_engine_that_closes(), 0)
    assert [command.ref for command in of_kind(told, CancelOrder)] == [STOP, TARGET, EXIT]


def test_an_exit_is_cut_to_what_a_person_has_left_of_the_position():
    """He sold 100 by hand while it was held up, and says so."""
    engine = an_engine_that_closes()
    held = {"positions": {"SPY": 400}, "open_orders": lines_of(engine)}
    told = handle_all(engine, [a_report(80, **held), a_report(83, **held), ACCEPT, a_report(91, **held)])
    assert changes(told) == {EXIT: 400}


def test_a_row_that_sends_the_exit_changes_no_stop_beside_it():
    """brutal 8222: the change came behind the exit's fill and gave back what the group had taken: it sold short."""
    engine = a_long_engine()
    engine.handle(filled(a_fill(f"{PLAN}:X7", 100, 100.0, exec_id="0001.01.07.01", seconds=75)))
    says(engine, SPY=0.0)
    told = engine.handle(bars(120, SPY=100.0))
    assert [command.order.quantity for command in of_kind(told, Flatten)] == [400]
    assert changes(told) == {}


def test_an_exit_that_fills_cuts_nothing_its_group_does_that():
    engine = an_engine_that_closes()
    told = engine.handle(filled(a_fill(EXIT, 300, 100.0, exec_id="0001.01.02.01", seconds=75)))
    told += engine.handle(bars(120, SPY=100.0))
    assert of_kind(told, ReplaceStop) + of_kind(told, Flatten) == []


@pytest.mark.parametrize("interval_s", [3600, 86_400])
def test_with_long_bars_a_stop_that_the_group_has_left_behind_goes_with_a_report(interval_s):
    """Both legs of a group can fill (TWS.md 4.35); the next row may be an hour away, or tomorrow."""
    engine = a_long_engine(an_engine(settings=some_settings(interval_s=interval_s)))
    engine.handle(filled(a_fill(TARGET, 500, 110.0, exec_id="0001.01.02.01", seconds=100)))
    left = [line for line in lines_of(engine) if line.ref == STOP]
    early = engine.handle(a_report(101, positions={}, open_orders=left))
    late = engine.handle(a_report(1000, positions={}, open_orders=left))
    assert (of_kind(early, CancelOrder), [command.ref for command in of_kind(late, CancelOrder)]) == ([], [STOP])


def test_the_exit_that_was_cut_closes_all_there_is():
    engine = an_engine_that_closes()
    taken_back(engine, 400)
    told = engine.handle(filled(a_fill(EXIT, 400, 100.0, exec_id="0001.01.02.01", seconds=85)))
    assert of_kind(told, Flatten) == []
    assert engine.book.positions() == {}


@pytest.mark.parametrize(("seconds", "cancelled"), [(103, []), (106, [STOP])])
def test_a_leg_that_its_group_has_left_behind_goes_with_the_next_report(seconds, cancelled):
    """storm 15239: two legs had filled, 50 shares of the stop were left behind nothing, and no row came for minutes."""
    engine = a_long_engine()
    engine.handle(bars(60, SPY=100.0))
    engine.handle(filled(a_fill(TARGET, 500, 110.0, exec_id="0001.01.02.01", seconds=100)))
    told = engine.handle(a_report(seconds, open_orders=lines_of(engine)))
    assert [command.ref for command in of_kind(told, CancelOrder)] == cancelled
