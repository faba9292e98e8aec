"""Earnings days and the sessions around them in which one does not open positions.

An announcement day has no time of day. For the reaction it is taken as after the close (the next session moves); for a
blackout as before the open (the session itself moves already), so that both sessions are blacked out. That a day was
an announcement is known at its end, unless the table has a `known_by` of its own (a date scheduled in advance).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from research.ingest.point_in_time.known_by import end_of_day, sessions_between
from research.ingest.point_in_time.reading import days_of, read_table
from shared.errors import DataError
from shared.io.bar_checks import Flags, Integers
from shared.io.bar_files import NEW_YORK
from shared.sessions import FIRST_DAY, LAST_DAY

if TYPE_CHECKING:
    import pandas as pd

A_YEAR = timedelta(days=364)
"""Companies report on the same weekday of the same week of the next year."""
SAME_QUARTER = timedelta(days=40)
"""A date known within so many days of an estimate replaces it."""


class Blackout(Struct, frozen=True, kw_only=True):
    """Sessions before and after an announcement that are closed to new positions.

    An expected date (a year after the last one of that quarter) is widened by `slack_days` on both sides until the real
    one is known; a scheduled date is not.
    """

    before_sessions: int = 3
    after_sessions: int = 1
    slack_days: int = 5

    def __post_init__(self) -> None:
        if min(self.before_sessions, self.after_sessions, self.slack_days) < 0:
            raise DataError(f"blackout: {self}, allowed: 0 or more sessions and days")


class _Date(Struct, frozen=True):
    """An announcement on `day` that sessions from `known_from` on know."""

    day: date
    known_from: date


def load_earnings(path: Path) -> pd.DataFrame:
    """Columns symbol, announce_date and known_by (UTC; the end of the day if the table has none)."""
    import pandas as pd

    rows = read_table(path, ("symbol", "announce_date"))
    days = days_of(rows, "announce_date", path)
    known = end_of_day(days)
    if "known_by" in rows.columns:
        known = pd.to_datetime(rows["known_by"], utc=True, errors="coerce").dt.as_unit("ns").fillna(known)
    return rows[["symbol"]].assign(announce_date=days, known_by=known)


def reaction_session(day: date, sessions: Sequence[date]) -> date | None:
    """The first session after the announcement's day; None where the calendar ends before."""
    at = bisect_right(sessions, day)
    return sessions[at] if at < len(sessions) else None


def blackout(
    earnings: pd.DataFrame, symbols: Sequence[str], sessions: Sequence[date], rule: Blackout | None = None
) -> Flags:
    """True where a session is closed to new positions: (S, n), from what was known before that session began."""
    chosen = rule or Blackout()
    calendar = sessions_between(FIRST_DAY, LAST_DAY)
    rows = _places(sessions, calendar)
    closed = np.zeros((len(sessions), len(symbols)), dtype=np.bool_)
    of_symbol = _dates(earnings)
    for column, symbol in enumerate(symbols):
        dates = of_symbol.get(symbol, [])
        of_calendar = np.zeros(len(calendar), dtype=np.bool_)
        for one in dates:
            _close_around(of_calendar, calendar, one, chosen)
            _close_expected(of_calendar, calendar, one.day + A_YEAR, (dates, one, chosen))
        closed[:, column] = of_calendar[rows]
    return closed


def _places(sessions: Sequence[date], calendar: Sequence[date]) -> Integers:
    """Where the sessions stand in the whole calendar, in which sessions around the asked ones are counted."""
    place = {day: at for at, day in enumerate(calendar)}
    unknown = [day for day in sessions if day not in place]
    if unknown:
        raise DataError(f"blackout: {unknown[0]} is no session, allowed: those of XNYS, {FIRST_DAY} to {LAST_DAY}")
    return np.array([place[day] for day in sessions], dtype=np.int64)


def _close_around(closed: Flags, sessions: Sequence[date], one: _Date, rule: Blackout) -> None:
    """From the sessions before (as far as the date was known) to those after the reaction."""
    if not sessions[0] <= one.day <= sessions[-1]:
        return
    first = max(bisect_left(sessions, one.day) - rule.before_sessions, bisect_left(sessions, one.known_from))
    closed[max(first, 0) : bisect_right(sessions, one.day) + 1 + rule.after_sessions] = True


def _close_expected(
    closed: Flags, sessions: Sequence[date], expected: date, of: tuple[Sequence[_Date], _Date, Blackout]
) -> None:
    """Around a date expected because of the one a year before, until the real one is known."""
    dates, cause, rule = of
    if not sessions[0] <= expected <= sessions[-1]:
        return
    slack = timedelta(days=rule.slack_days)
    first = max(bisect_left(sessions, expected - slack) - rule.before_sessions, bisect_left(sessions, cause.known_from))
    last = bisect_right(sessions, expected + slack) + 1 + rule.after_sessions
    replaced = [other.known_from for other in dates if other is not cause and abs(other.day - expected) <= SAME_QUARTER]
    if replaced:
        last = min(last, bisect_left(sessions, min(replaced)))
    closed[max(first, 0) : max(last, 0)] = True


def _dates(earnings: pd.DataFrame) -> dict[str, list[_Date]]:
    found: dict[str, list[_Date]] = {}
    known = earnings["known_by"].dt.tz_convert(NEW_YORK)
    for symbol, day, at in zip(earnings["symbol"], earnings["announce_date"], known, strict=True):
        found.setdefault(symbol, []).append(_Date(day.date(), _first_session_day(at.to_pydatetime())))
    return {symbol: sorted(dates, key=lambda one: (one.day, one.known_from)) for symbol, dates in found.items()}


def _first_session_day(known_at: datetime) -> date:
    """The first day whose beginning lies at or after this instant of New York."""
    is_midnight = known_at.time() == known_at.time().min
    return known_at.date() + timedelta(days=0 if is_midnight else 1)
