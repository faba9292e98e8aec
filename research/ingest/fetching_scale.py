"""One scale for a series: what a source of adjusted prices gives has to fit what is stored, before any of it is.

Such a source adjusts all of the past for a split of today. So it is asked for some stored days too; only where the
whole series is fetched anew does a new scale begin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

import numpy as np
from msgspec.structs import replace

from research.ingest.sources.bar_rows import cut, day_of
from research.ingest.sources.source import Chunk, Source, Wanted
from shared.errors import DataError, NotFound
from shared.io.bar_library import BarStore
from shared.io.bar_manifest import Span
from shared.io.bar_places import frequency_of

OFF_MAX = {"split": 0.005, "total": 0.0002}
"""Two closes of one day further apart than so (relative) do not come from one adjustment; a dividend may be small."""
LOOK_BACK = timedelta(days=7)


class OneScale:
    """Chunks of one source for one store, each on the scale of the stored prices or all of them on a new one."""

    def __init__(self, source: Source, store: BarStore, *, again: bool, replace: bool) -> None:
        self._source = source
        self._store = store
        self._again = again
        self._replace = replace

    def begins_anew(self, wanted: Wanted) -> bool:
        """Whether every stored bar is asked for again, to be replaced."""
        if self._source.adjustment == "raw" or not (self._again and self._replace):
            return False
        held = self._held(wanted)
        return held is None or (wanted.first <= day_of(held.first_at) and day_of(held.last_at) <= wanted.last)

    def chunks(self, wanted: Wanted) -> Iterator[Chunk]:
        """The days wanted, oldest first.

        Raises:
            DataError: the source's prices are on another scale than the stored ones, or nobody can tell.
        """
        held = None if self._source.adjustment == "raw" or self.begins_anew(wanted) else self._held(wanted)
        if held is None:
            yield from self._source.chunks(wanted)
            return
        newest = day_of(held.last_at)
        looked = wanted.first - LOOK_BACK
        if looked <= newest < wanted.first:  # one question for both
            told = self._source.chunks(replace(wanted, first=max(looked, day_of(held.first_at))))
            yield from self._from(wanted, held, told)
            return
        known = replace(wanted, first=max(newest - LOOK_BACK, day_of(held.first_at)), last=newest)
        fits = [self._fits(wanted, chunk) for chunk in self._source.chunks(known)]
        self._refuse_unknown(wanted, held, is_known=any(fits))
        yield from self._source.chunks(wanted)

    def _from(self, wanted: Wanted, held: Span, told: Iterable[Chunk]) -> Iterator[Chunk]:
        is_known = False
        for chunk in told:
            if chunk.first < wanted.first:
                is_known |= self._fits(wanted, chunk)
            if chunk.last < wanted.first:
                continue
            self._refuse_unknown(wanted, held, is_known=is_known)
            bars = cut(chunk.bars, wanted.first, chunk.last)
            yield replace(chunk, first=max(chunk.first, wanted.first), bars=bars)

    def _held(self, wanted: Wanted) -> Span | None:
        spans = self._store.spans(frequency_of(wanted.interval_s), [wanted.symbol])
        return spans[0] if spans else None

    def _refuse_unknown(self, wanted: Wanted, held: Span, *, is_known: bool) -> None:
        """A file holds what it holds; who replaces, or asks a source that should know, has to hear."""
        if is_known or (self._again and not self._replace):
            return
        raise DataError(
            f"{wanted.symbol}: {self._source.name} gives none of the stored bars until {day_of(held.last_at)}, so that "
            "nobody can tell whether its prices are on their scale, allowed: some of them; or remove the series and "
            "fetch it again"
        )

    def _fits(self, wanted: Wanted, chunk: Chunk) -> bool:
        """Whether there was anything to compare; DataError if the closes are not the stored ones."""
        adjustment = self._source.adjustment
        frequency = frequency_of(wanted.interval_s)
        try:
            panel = self._store.read([wanted.symbol], frequency, chunk.first, chunk.last, view=adjustment)
        except NotFound:
            return False
        times, ours, theirs = np.intersect1d(panel.opened_at, chunk.bars.opened_at, return_indices=True)
        if not len(times):
            return False
        ratio = chunk.bars.close[theirs] / panel.close[ours, 0]
        worst = int(np.nanargmax(np.abs(ratio - 1.0)))
        if abs(ratio[worst] - 1.0) > OFF_MAX[adjustment]:
            raise DataError(
                f"{wanted.symbol}: {self._source.name} now gives {ratio[worst]:.6g} times the stored prices of "
                f"{day_of(int(times[worst]))}: a split or dividend since, allowed: fetch all of it anew, from "
                f"{day_of(self._first_at(wanted))} on, with --again --replace"
            )
        return True

    def _first_at(self, wanted: Wanted) -> int:
        held = self._held(wanted)
        assert held is not None
        return held.first_at


def whole(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """All of them as one, for parts of the store change their scale whole."""
    found = list(chunks)
    if found:
        bars = found[0].bars
        for chunk in found[1:]:
            bars = bars.joined(chunk.bars)
        actions = tuple(action for chunk in found for action in chunk.actions)
        holes = tuple(hole for chunk in found for hole in chunk.holes)
        yield Chunk(first=found[0].first, last=found[-1].last, bars=bars, actions=actions, holes=holes)
