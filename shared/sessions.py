"""Trading hours of an exchange: holidays, half days and daylight saving, all instants in UTC.

The one importer of exchange_calendars, and only inside functions: it brings pandas, which is slow to import.
"""

from __future__ import annotations

import warnings
from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from shared.errors import ConfigError

# Asked for by name, because the package's own default range moves with today's date.
FIRST_DAY = date(2007, 1, 1)
LAST_DAY = date(2027, 12, 31)
_TAKEN: dict[str, tuple[SessionHours, ...]] = {}


class SessionHours(Struct, frozen=True):
    """The regular hours of one session; `session` is the exchange's date."""

    session: date
    opens_at: datetime
    closes_at: datetime


def session_at_or_after(calendar_name: str, at: datetime) -> SessionHours:
    """The session that runs at `at`, or else the next one; a session's closing instant belongs to the next.

    Raises:
        ConfigError: the calendar does not exist, or `at` lies outside FIRST_DAY to LAST_DAY.
    """
    hours = all_hours(calendar_name)
    index = bisect_right(hours, at, key=lambda session: session.closes_at)
    if index == len(hours) or at.date() < FIRST_DAY - timedelta(days=1):
        raise ConfigError(
            f"session.calendar: {calendar_name} has no session at or after {at:%Y-%m-%d}, "
            f"known are {FIRST_DAY} to {LAST_DAY}"
        )
    return hours[index]


def session_of(calendar_name: str, session: date) -> SessionHours | None:
    """The hours of the session on that exchange date, or None if the exchange is closed all day."""
    index = bisect_right(all_hours(calendar_name), session, key=lambda hours: hours.session) - 1
    found = all_hours(calendar_name)[index] if index >= 0 else None
    return found if found is not None and found.session == session else None


def zone_of(calendar_name: str) -> ZoneInfo:
    """The time zone in which the exchange writes its dates and hours; raises ConfigError as the others."""
    return ZoneInfo(_calendar(calendar_name).tz.key)


def take_hours(calendar_name: str, hours: tuple[SessionHours, ...]) -> None:
    """Spare the computation: these are what `all_hours` gave before (shared/io/session_cache.py)."""
    _TAKEN[calendar_name] = hours


def are_taken(calendar_name: str) -> bool:
    """Whether this process has been given the calendar's hours."""
    return calendar_name in _TAKEN


def all_hours(calendar_name: str) -> tuple[SessionHours, ...]:
    """Every session of FIRST_DAY to LAST_DAY in order; raises ConfigError as the others."""
    return _TAKEN.get(calendar_name) or _computed_hours(calendar_name)


@cache
def _computed_hours(calendar_name: str) -> tuple[SessionHours, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in _calendar
        schedule = _calendar(calendar_name).schedule
        days = schedule.index.to_pydatetime()
        opens, closes = (list(schedule[column].dt.to_pydatetime()) for column in ("open", "close"))
    hours = tuple(
        SessionHours(day.date(), opened.astimezone(UTC), closed.astimezone(UTC))
        for day, opened, closed in zip(days, opens, closes, strict=True)
    )
    assert all(before.closes_at <= after.closes_at for before, after in pairwise(hours))
    return hours


@cache
def _calendar(calendar_name: str) -> Any:  # noqa: ANN401 - exchange_calendars has no types
    with warnings.catch_warnings():
        # exchange_calendars 4.13 still uses what pandas 3.1 has begun to deprecate.
        warnings.simplefilter("ignore")
        import exchange_calendars

        if calendar_name not in exchange_calendars.get_calendar_names():
            raise ConfigError(_unknown(calendar_name, exchange_calendars.get_calendar_names()))
        return exchange_calendars.get_calendar(calendar_name, start=str(FIRST_DAY), end=str(LAST_DAY))


def _unknown(calendar_name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(calendar_name.upper(), known, n=3) or ["XNYS", "XNAS", "CMES", "XLON"]
    example = ", ".join(near)
    return f"session.calendar: {calendar_name!r} is not a calendar of exchange_calendars, such as {example}"
