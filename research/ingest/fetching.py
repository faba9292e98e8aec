"""Fetching: what is missing is asked for, a chunk is stored before the next one is asked, a fault stops one symbol."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Event
from typing import Literal, Protocol

from msgspec import Struct
from msgspec.structs import replace

from research.ingest.fetching_coverage import Coverage
from research.ingest.fetching_holes import holes_asked_again
from research.ingest.fetching_scale import OneScale, whole
from research.ingest.sources.bar_rows import day_of, without_bad
from research.ingest.sources.clock import Stopped
from research.ingest.sources.source import Chunk, Source, SourceRefuses, Wanted
from shared.errors import DataError, OpenbellError
from shared.io.bar_checks import SECOND_NS
from shared.io.bar_library import BarStore
from shared.io.bar_places import frequency_of

SETTLED_DAYS = 7
"""A day without a bar is asked for again until it is so old."""
_DAY = timedelta(days=1)
State = Literal["stored", "nothing_new", "failed", "not_asked"]


class Fetched(Struct, frozen=True, kw_only=True):
    """What became of one symbol; counts are bars. `reason` says in one line why it failed.

    `holes` are days ("FIRST" or "FIRST/LAST") without a bar between days with bars; they were asked for twice.
    """

    symbol: str
    state: State
    added: int = 0
    replaced: int = 0
    dropped: int = 0
    actions: int = 0
    until: str = ""
    reason: str = ""
    holes: tuple[str, ...] = ()


class Watcher(Protocol):
    """Who is told how it goes; called from several threads."""

    def chunk(self, symbol: str, until: date, bars: int) -> None: ...

    def done(self, fetched: Fetched) -> None: ...


class Terms(Struct, frozen=True, kw_only=True):
    """`again`: also what was answered before. `replace`: what contradicts the stored takes its place."""

    again: bool = False
    replace: bool = False
    drop_bad_bars: bool = False


class Fetcher:
    """One source and one store; series of another kind (bid, extended hours) have a store and coverage of their own.

    `on_stop` wakes whoever waits for their turn, so that an interruption need not wait for them.
    """

    def __init__(
        self,
        source: Source,
        store: BarStore,
        coverage: Coverage,
        terms: Terms,
        *,
        on_stop: Callable[[], None],
    ) -> None:
        self._source = source
        self._on_stop = on_stop
        self._store = store
        self._coverage = coverage
        self._terms = terms
        self._scale = OneScale(source, store, again=terms.again, replace=terms.replace)
        self._refused = Event()
        self._why = ""

    def run(self, wanted: Sequence[Wanted], watcher: Watcher) -> list[Fetched]:
        """Every symbol's fate, in the order of `wanted`. An interruption lets what is running end and goes on up."""
        with ThreadPoolExecutor(max_workers=self._source.parallel, thread_name_prefix="fetch") as crew:
            futures: list[Future[Fetched]] = [crew.submit(self._one, each, watcher) for each in wanted]
            try:
                return [future.result() for future in futures]
            except BaseException:
                self._stop("interrupted")
                self._on_stop()
                self._source.close()
                crew.shutdown(cancel_futures=True)
                raise

    def _one(self, wanted: Wanted, watcher: Watcher) -> Fetched:
        fetched = self._fate(wanted, watcher)
        watcher.done(fetched)
        return fetched

    def _fate(self, wanted: Wanted, watcher: Watcher) -> Fetched:
        so_far = Fetched(symbol=wanted.symbol, state="nothing_new")
        if self._refused.is_set():
            return replace(so_far, state="not_asked", reason=self._why)
        try:
            anew = self._scale.begins_anew(wanted)
            for first, last in self._missing(wanted):
                chunks = self._arriving(replace(wanted, first=first, last=last), watcher)
                for chunk in whole(chunks) if anew else chunks:
                    so_far = self._keep(wanted, chunk, so_far, anew=anew)
        except SourceRefuses as refusal:
            self._stop(str(refusal))
            return replace(so_far, state="failed", reason=str(refusal))
        except Stopped as stopped:
            return replace(so_far, state="not_asked", reason=str(stopped))
        except OpenbellError as fault:
            return replace(so_far, state="failed", reason=str(fault))
        return so_far

    def _stop(self, why: str) -> None:
        self._why = self._why or why
        self._refused.set()

    def _missing(self, wanted: Wanted) -> list[tuple[date, date]]:
        """Days to ask for. What was answered counts only while there are stored bars that may have come of it."""
        if self._terms.again or not self._store.spans(frequency_of(wanted.interval_s), [wanted.symbol]):
            return [(wanted.first, wanted.last)]
        return self._coverage.missing(wanted.symbol, wanted.first, wanted.last)

    def _arriving(self, wanted: Wanted, watcher: Watcher) -> Iterator[Chunk]:
        """The chunks of a span as they come, until the run is stopped."""
        spans = self._store.spans(frequency_of(wanted.interval_s), [wanted.symbol])
        held = spans[0] if spans else None
        for chunk in holes_asked_again(self._source, wanted, self._scale.chunks(wanted), held):
            if self._refused.is_set():
                raise DataError(self._why)
            yield chunk
            watcher.chunk(wanted.symbol, chunk.last, len(chunk.bars))

    def _answered_until(self, chunk: Chunk) -> date:
        """The chunk's last day, but of the last days only those that have bars: a source may be late with them."""
        settled = day_of(int(self._source.now_s()) * SECOND_NS) - SETTLED_DAYS * _DAY
        printed = day_of(int(chunk.bars.opened_at[-1])) if len(chunk.bars) else settled
        return min(chunk.last, max(settled, printed))

    def _keep(self, wanted: Wanted, chunk: Chunk, so_far: Fetched, *, anew: bool) -> Fetched:
        bars = without_bad(chunk.bars) if self._terms.drop_bad_bars else chunk.bars
        done = self._store.append(
            wanted.symbol,
            frequency_of(wanted.interval_s),
            bars,
            source=self._source.name,
            adjustment=self._source.adjustment,
            replace=self._terms.replace,
            fetched_at=datetime.fromtimestamp(int(self._source.now_s()), UTC),
            rescaled_at=datetime.fromtimestamp(self._source.now_s(), UTC) if anew else None,
        )
        actions = 0
        if chunk.actions:
            actions = self._store.put_actions(wanted.symbol, chunk.actions, replace=self._terms.replace)
        answered = self._answered_until(chunk)
        if answered >= chunk.first:
            self._coverage.add(wanted.symbol, chunk.first, answered)
        changed = done.added + done.replaced + actions
        return Fetched(
            symbol=wanted.symbol,
            state="stored" if changed or so_far.state == "stored" else "nothing_new",
            added=so_far.added + done.added,
            replaced=so_far.replaced + done.replaced,
            dropped=so_far.dropped + len(chunk.bars) - len(bars),
            actions=so_far.actions + actions,
            until=chunk.last.isoformat(),
            holes=so_far.holes + tuple(_days(*hole) for hole in chunk.holes),
        )


def _days(first: date, last: date) -> str:
    return f"{first}" if first == last else f"{first}/{last}"
