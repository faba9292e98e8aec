"""The sessions of a calendar on disk, for replays: building a calendar brings pandas and takes longer than a replay.

A file is believed only if it was written by the same versions of what computes sessions, for the same days, and its
digest is right; else the sessions are computed and the file is written anew. Where it cannot be written nothing is
lost but time. The daemon does not ask here: it always computes.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec
from msgspec import Struct

from shared.io.whole_file import write_whole
from shared.sessions import FIRST_DAY, LAST_DAY, SessionHours, all_hours, are_taken, take_hours

_COMPUTED_BY = ("exchange_calendars", "pandas", "tzdata")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OF_THE_OWNER_ALONE = 0o600


class KeptSessions(Struct, frozen=True, kw_only=True):
    """One calendar's: ordinal days, and epoch seconds of opens and closes. `digest` is over everything else."""

    calendar: str
    made_by: str
    days: tuple[int, ...]
    opens: tuple[int, ...]
    closes: tuple[int, ...]
    digest: str = ""


def cache_folder() -> Path | None:
    """Where compiled kernels are kept too (NUMBA_CACHE_DIR), else the user's own cache; None if there is no home."""
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(given)
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "openbell"
    try:
        return Path.home() / ".cache" / "openbell"
    except RuntimeError:
        return None


def prepare_sessions(calendar: str, folder: Path | None) -> None:
    """Let shared/sessions know the calendar without computing it, if `folder` has it; else keep what it computes.

    A process reads the file once, however many replays it runs.

    Raises:
        ConfigError: there is no such calendar.
    """
    if are_taken(calendar):
        return
    path = None if folder is None or not calendar.isalnum() else folder / f"sessions_{calendar}.json"
    if path is None:
        return
    made_by = _made_by()
    hours = _read(path, calendar, made_by)
    if hours is not None:
        take_hours(calendar, hours)
        return
    _write(path, _kept(calendar, made_by, all_hours(calendar)))


def _made_by() -> str:
    found = [f"{name} {_version(name)}" for name in _COMPUTED_BY]
    return f"{', '.join(found)}, {FIRST_DAY} to {LAST_DAY}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _kept(calendar: str, made_by: str, hours: tuple[SessionHours, ...]) -> KeptSessions:
    kept = KeptSessions(
        calendar=calendar,
        made_by=made_by,
        days=tuple(each.session.toordinal() for each in hours),
        opens=tuple((each.opens_at - _EPOCH) // timedelta(seconds=1) for each in hours),
        closes=tuple((each.closes_at - _EPOCH) // timedelta(seconds=1) for each in hours),
    )
    return msgspec.structs.replace(kept, digest=_digest(kept))


def _digest(kept: KeptSessions) -> str:
    return sha256(msgspec.json.encode(msgspec.structs.replace(kept, digest=""))).hexdigest()


def _read(path: Path, calendar: str, made_by: str) -> tuple[SessionHours, ...] | None:
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=KeptSessions)
    except (OSError, msgspec.MsgspecError):
        return None
    if (kept.calendar, kept.made_by, kept.digest) != (calendar, made_by, _digest(kept)):
        return None
    return tuple(
        SessionHours(date.fromordinal(day), _EPOCH + timedelta(seconds=opens), _EPOCH + timedelta(seconds=closes))
        for day, opens, closes in zip(kept.days, kept.opens, kept.closes, strict=True)
    )


def _write(path: Path, kept: KeptSessions) -> None:
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, msgspec.json.encode(kept).decode(), mode=_OF_THE_OWNER_ALONE)
