"""What a series holds, beside its parts: a note that saves reading them, and that their checksums can be held against.

It is never trusted over the files: an entry counts only while size and time of its file are the noted ones, else the
part is read anew; a manifest that is missing or damaged is as good as an empty one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct

from shared.io.bar_checks import Integers
from shared.io.bar_part import Part, new_york_days, read_part

MANIFEST = "manifest.json"
Gap = tuple[str, str]


class PartNote(Struct, frozen=True, kw_only=True):
    """One part: instants in nanoseconds UTC, `checksum` SHA-256 of the file, `gaps` those inside it.

    A gap is (first, last) session in a row of which there is no bar, both included, ISO.
    """

    name: str
    size: int
    modified_ns: int
    checksum: str
    rows: int
    first_at: int
    last_at: int
    sources: tuple[str, ...]
    adjustment: str
    fetched_at: str
    gaps: tuple[Gap, ...] = ()
    adjusted_at: str = ""


class SeriesNote(Struct, frozen=True, kw_only=True):
    """One symbol at one frequency."""

    symbol: str
    frequency: str
    parts: tuple[PartNote, ...] = ()
    schema: str = "openbell.bars/1"


class Span(Struct, frozen=True, kw_only=True):
    """What the store has of a symbol at a frequency: `first_at` and `last_at` start the first and last bar, in ns UTC.

    `fetched_at` is the latest that any part says, ISO or empty; `adjusted_at` is the first part's; `gaps` as in
    PartNote, those between parts included.
    """

    symbol: str
    frequency: str
    adjustment: str
    first_at: int
    last_at: int
    rows: int
    parts: int
    sources: tuple[str, ...]
    fetched_at: str
    gaps: tuple[Gap, ...]
    adjusted_at: str = ""


def note_of(path: Path, part: Part, sessions: Integers) -> PartNote:
    """The entry of a part as its file stands on the disk; `sessions` are the exchange's days, from 1970, rising."""
    status = path.stat()
    return PartNote(
        name=path.name,
        size=status.st_size,
        modified_ns=status.st_mtime_ns,
        checksum=sha256(path.read_bytes()).hexdigest(),
        rows=len(part.bars),
        first_at=int(part.bars.opened_at[0]),
        last_at=int(part.bars.opened_at[-1]),
        sources=tuple(sorted(set(part.sources.tolist()))),
        adjustment=part.adjustment,
        fetched_at=part.fetched_at,
        gaps=gaps_of(np.unique(new_york_days(part.bars.opened_at)), sessions),
        adjusted_at=part.adjusted_at,
    )


def read_manifest(folder: Path) -> dict[str, PartNote]:
    """The entries by name of part; empty where nothing can be read."""
    try:
        kept = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=SeriesNote)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    return {note.name: note for note in kept.parts}


def notes_of(folder: Path, sessions: Integers) -> tuple[PartNote, ...]:
    """An entry for each part on the disk, from the manifest where it is fresh; DataError for a damaged part."""
    kept = read_manifest(folder)
    return tuple(_fresh(path, kept.get(path.name), sessions) for path in parts_in(folder))


def parts_in(folder: Path) -> list[Path]:
    """The parts of a series in the order of time."""
    return sorted(path for path in folder.glob("*.parquet") if not path.name.startswith("."))


def span_of(symbol: str, frequency: str, notes: Iterable[PartNote], sessions: Integers) -> Span:
    """The span over all parts."""
    parts = sorted(notes, key=lambda note: note.first_at)
    gaps = list(parts[0].gaps)
    for before, after in pairwise(parts):
        gaps += gaps_of(new_york_days(np.array([before.last_at, after.first_at])), sessions)
        gaps += after.gaps
    return Span(
        symbol=symbol,
        frequency=frequency,
        adjustment=parts[0].adjustment,
        first_at=parts[0].first_at,
        last_at=parts[-1].last_at,
        rows=sum(note.rows for note in parts),
        parts=len(parts),
        sources=tuple(sorted({source for note in parts for source in note.sources})),
        fetched_at=max(note.fetched_at for note in parts),
        gaps=tuple(gaps),
        adjusted_at=parts[0].adjusted_at,
    )


def _fresh(path: Path, kept: PartNote | None, sessions: Integers) -> PartNote:
    status = path.stat()
    if kept is not None and (kept.size, kept.modified_ns) == (status.st_size, status.st_mtime_ns):
        return kept
    return note_of(path, read_part(path), sessions)


def gaps_of(days: Integers, sessions: Integers) -> tuple[Gap, ...]:
    """The runs of sessions without a bar between the first and the last of the rising `days`."""
    inside = sessions[(sessions > days[0]) & (sessions < days[-1])]
    is_missing = ~np.isin(inside, days)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_missing, [False]])))
    return tuple((_iso(inside[first]), _iso(inside[last - 1])) for first, last in edges.reshape(-1, 2))


def session_days(calendar: str) -> Integers:
    """The sessions of an exchange as days from 1970; the years that shared/sessions.py knows."""
    from shared.sessions import all_hours

    days = [hours.session.toordinal() for hours in all_hours(calendar)]
    return np.array(days, dtype=np.int64) - date(1970, 1, 1).toordinal()


def _iso(day: int) -> str:
    return str(np.datetime64(int(day), "D"))
