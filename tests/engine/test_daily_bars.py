"""With daily bars an entry is decided when a session is over, and is for the next one: it waits for the open."""

from datetime import timedelta

from shared.commands import CancelOrder, PlaceBracket
from shared.events import SessionScheduled
from tests.engine.builders import (
    CLOSE,
    ENTRY,
    OPEN,
    STOP,
    TARGET,
    a_report,
    a_started,
    accepted,
    an_engine,
    bars,
    connected,
    disconnected,
    handle_all,
    lines_of,
    of_kind,
    says,
    some_settings,
)

CLOSE_S = (CLOSE - OPEN).total_seconds()
DAY = timedelta(days=1)
DAY_S = DAY.total_seconds()
TOMORROW = SessionScheduled(
    received_at=CLOSE + timedelta(seconds=10), session=OPEN.date() + DAY, opens_at=OPEN + DAY, closes_at=CLOSE + DAY
)


def an_engine_that_waits_for_the_open():
    """It has sent its bracket two seconds after the close, and the next session is scheduled."""
    settings = some_settings(interval_s=86_400, flatten_before_close_s=0.0, entry_timeout_s=10.0)
    engine = a_started(an_engine(settings=settings))
    says(engine, SPY=1.0)
    assert of_kind(engine.handle(bars(CLOSE_S + 2, SPY=100.0)), PlaceBracket)
    legs = [accepted(ref, CLOSE_S + 3, perm_id) for perm_id, ref in enumerate((ENTRY, STOP, TARGET), start=1)]
    handle_all(engine, [*legs, TOMORROW])
    return engine


def cancelled_refs(commands):
    return [command.ref for command in of_kind(commands, CancelOrder)]


def test_the_gateways_restart_at_night_takes_no_entry_that_waits_for_the_open():
    """The view is of the last session, and so it is in the morning."""
    engine = an_engine_that_waits_for_the_open()
    lines = lines_of(engine)
    told = handle_all(engine, [disconnected(CLOSE_S + 14_000), connected(CLOSE_S + 14_060)])
    told += engine.handle(a_report(CLOSE_S + 14_061, open_orders=lines))
    told += engine.handle(a_report(CLOSE_S + 14_361, open_orders=lines))
    assert cancelled_refs(told) == []


def test_an_entry_that_outlives_its_session_is_cancelled_with_the_next_row():
    engine = an_engine_that_waits_for_the_open()
    told = engine.handle(bars(CLOSE_S + DAY_S + 2, SPY=100.0))
    assert ENTRY in cancelled_refs(told)


def test_a_reconnect_while_its_session_runs_leaves_an_entry_alone():
    """A limit that has not been reached is as good as it was when it was decided."""
    engine = an_engine_that_waits_for_the_open()
    lines = lines_of(engine)
    told = handle_all(engine, [disconnected(DAY_S + 3600), connected(DAY_S + 3660)])
    told += engine.handle(a_report(DAY_S + 3661, open_orders=lines))
    assert cancelled_refs(told) == []
