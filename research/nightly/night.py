"""Which night it is: the session that has just closed, the one the plan is for, and where everything of it is kept."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

from msgspec import Struct

from shared.config import Config
from shared.errors import DataError, NotFound
from shared.sessions import SessionHours, session_at_or_after, session_of

_DAYS_BACK_MAX = 30
AFTER_CLOSE = timedelta(minutes=15)
"""What the journal holds of a session ends so long after its close."""


class Night(Struct, frozen=True, kw_only=True):
    """One night. `data` is the file or folder of bars, None = those of the journal; `folder` belongs to it alone."""

    config: Config
    hours: SessionHours
    next_session: date
    data: Path | None

    @property
    def session(self) -> date:
        """The exchange's date of the session that has closed."""
        return self.hours.session

    @property
    def journal_until(self) -> datetime:
        """The last moment whose events belong to the session."""
        return self.hours.closes_at + AFTER_CLOSE

    @property
    def folder(self) -> Path:
        return nights_folder(self.config) / f"{self.session}"


def nights_folder(config: Config) -> Path:
    """One folder per session in it; paper and live each have their own. From config.toml's folder."""
    return config.base_dir / config.state_dir / config.mode / "nightly"


def night_of(config: Config, session: date | None, now: datetime, data: Path | None) -> Night:
    """The night after `session`, or after the last one that has closed by `now`.

    Raises:
        DataError: there is no such session, or it has not closed. NotFound: `data` does not exist.
    """
    calendar = config.session.calendar
    if session is not None and session > now.date():
        raise DataError(f"nightly: --session {session} is to come, allowed: a session that has closed")
    hours = _last_closed(calendar, now) if session is None else session_of(calendar, session)
    if hours is None:
        raise DataError(f"nightly: {calendar} has no session on {session}, allowed: a day on which it trades")
    if hours.closes_at > now:
        closes = f"{hours.closes_at:%Y-%m-%d %H:%M} UTC"
        raise DataError(f"nightly: the session of {hours.session} closes at {closes}, allowed: a closed one")
    chosen = data or (config.base_dir / config.nightly.data if config.nightly.data else None)
    if chosen is not None and not chosen.exists():
        raise NotFound(f"nightly: no bars at {chosen}; give nightly.data or --data a .parquet or .csv file or a folder")
    following = session_at_or_after(calendar, hours.closes_at)
    return Night(config=config, hours=hours, next_session=following.session, data=chosen)


def session_before(calendar: str, session: date, count: int) -> date:
    """The session `count` sessions before `session`; the earliest the calendar knows where there are fewer."""
    day, left, empty = session, count, 0
    while left and empty < _DAYS_BACK_MAX:
        day -= timedelta(days=1)
        is_session = session_of(calendar, day) is not None
        left -= is_session
        empty = 0 if is_session else empty + 1
    return day + timedelta(days=empty)


def _last_closed(calendar: str, now: datetime) -> SessionHours:
    for back in range(_DAYS_BACK_MAX):
        hours = session_of(calendar, now.date() - timedelta(days=back))
        if hours is not None and hours.closes_at <= now:
            return hours
    raise DataError(f"nightly: {calendar} has had no session in the {_DAYS_BACK_MAX} days before {now:%Y-%m-%d}")
