"""When the gateway restarts and the broker resets: no entries then, and silence is no alarm.

Sources: TWS.md 3.41 (reset windows of North America), 3.42 (daily restart, weekly login). All of it is wall time of a
zone, so that daylight saving is the zone's affair.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from shared.config_sections import SessionConfig
from shared.events import QuietWindow

NEW_YORK = ZoneInfo("America/New_York")
MONDAY, FRIDAY, SATURDAY, SUNDAY = 0, 4, 5, 6


class Reset(Struct, frozen=True):
    """A recurring window: the weekdays on which it begins (Monday 0), its first and last minute, in New York."""

    weekdays: tuple[int, ...]
    begins: time
    lasts: timedelta
    reason: str


RESETS = (
    Reset((0, 1, 2, 3, 4, 6), time(0, 15), timedelta(minutes=90), "nightly reset of the broker's servers"),
    Reset((FRIDAY,), time(23, 0), timedelta(hours=4), "weekend reset of the broker's servers"),
)
WEEKLY_LOGIN = Reset((SUNDAY,), time(1, 0), timedelta(0), "weekly login")
"""From here on the gateway cannot log in by itself: a person must (TWS.md 3.42)."""


def quiet_windows(section: SessionConfig, since: datetime, until: datetime) -> tuple[QuietWindow, ...]:
    """Every quiet window that touches `since` to `until`, by its beginning."""
    found = [window for day in _days(since, until) for window in _of_day(section, day)]
    touching = (window for window in found if window.begins_at < until and since < window.ends_at)
    return tuple(sorted(touching, key=lambda window: (window.begins_at, window.ends_at)))


def window_at(windows: tuple[QuietWindow, ...], at: datetime) -> QuietWindow | None:
    """The window that holds at `at`, if one does."""
    return next((window for window in windows if window.begins_at <= at < window.ends_at), None)


def last_weekly_login(at: datetime) -> datetime:
    """The latest Sunday 01:00 of New York that is not after `at`: logins made before it have ended."""
    local = at.astimezone(NEW_YORK)
    sunday = local.date() - timedelta(days=(local.weekday() - SUNDAY) % 7)
    moment = datetime.combine(sunday, WEEKLY_LOGIN.begins, NEW_YORK)
    if moment > local:
        moment = datetime.combine(sunday - timedelta(days=7), WEEKLY_LOGIN.begins, NEW_YORK)
    return moment.astimezone(UTC)


def _days(since: datetime, until: datetime) -> Iterator[date]:
    """The local days whose windows may reach into the time; a window may begin the evening before."""
    day, last = since.date() - timedelta(days=2), until.date() + timedelta(days=1)
    while day <= last:
        yield day
        day += timedelta(days=1)


def _of_day(section: SessionConfig, day: date) -> Iterator[QuietWindow]:
    for reset in RESETS:
        if day.weekday() in reset.weekdays:
            begins_at = datetime.combine(day, reset.begins, NEW_YORK).astimezone(UTC)
            yield QuietWindow(begins_at=begins_at, ends_at=begins_at + reset.lasts, reason=reset.reason)
    if section.gateway_restart_at:
        at = time.fromisoformat(section.gateway_restart_at)
        restart = datetime.combine(day, at, ZoneInfo(section.gateway_zone)).astimezone(UTC)
        yield QuietWindow(
            begins_at=restart - timedelta(seconds=section.quiet_before_restart_s),
            ends_at=restart + timedelta(seconds=section.quiet_after_restart_s),
            reason="daily restart of the gateway",
        )
