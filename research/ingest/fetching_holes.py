"""An answer without a bar between answers with bars is not believed at once: it is asked for again.

TWS says "no data" when its farm has a bad moment (TWS.md 4.45), others answer an empty list. What is empty before the
first bar or after the last one may well be so: a listing, a delisting, a source that is late.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from research.ingest.sources.bar_rows import day_of
from research.ingest.sources.source import Chunk, Source, Wanted
from shared.io.bar_manifest import Span
from shared.sessions import all_hours


def holes_asked_again(source: Source, wanted: Wanted, chunks: Iterable[Chunk], held: Span | None) -> Iterator[Chunk]:
    """The same chunks in the same order; of a hole the second answer, with its days as `holes` where that is empty too.

    `held` is what was stored before: bars on its days count as seen.
    """
    waiting: list[Chunk] = []
    is_begun = False
    for chunk in chunks:
        is_begun = is_begun or (held is not None and day_of(held.first_at) < chunk.first)
        if _is_empty(chunk, wanted) and is_begun:
            waiting.append(chunk)
            continue
        if len(chunk.bars):
            is_begun = True
            yield from _again(source, wanted, waiting)
        else:
            yield from waiting
        waiting = []
        yield chunk
    if waiting and held is not None and waiting[-1].last < day_of(held.last_at):
        yield from _again(source, wanted, waiting)
    else:
        yield from waiting


def _is_empty(chunk: Chunk, wanted: Wanted) -> bool:
    sessions = (hours.session for hours in all_hours(wanted.calendar))
    return not len(chunk.bars) and any(chunk.first <= session <= chunk.last for session in sessions)


def _again(source: Source, wanted: Wanted, holes: Iterable[Chunk]) -> Iterator[Chunk]:
    for hole in holes:
        for chunk in source.chunks(replace(wanted, first=hole.first, last=hole.last, is_doubted=True)):
            yield replace(chunk, holes=((chunk.first, chunk.last),)) if _is_empty(chunk, wanted) else chunk
