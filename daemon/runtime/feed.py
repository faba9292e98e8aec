"""From one instrument's 5-second bars to rows of the whole universe.

A row closes when every instrument has delivered the last 5-second bar of its interval (or a newer one). If
some have not, it closes `row_grace_s` wall seconds after the first sign that the interval is over: a newer
bar of anybody, or as much time as its first bar left of it. A closed row is never reopened: later bars are counted
and dropped. An interval in which nobody printed has no row.

A daily row is a whole session: one in which the streams began is left to the broker's history, and a session's row from
there is decided on as if the stream had brought it, until the next session opens.
"""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime, timedelta

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from brokers.port import ClosedRow
from daemon.runtime.clock import MarketClock
from daemon.runtime.inbox import Inbox
from daemon.runtime.quote_board import QuoteBoard
from shared.events import BarsClosed
from shared.market import Bar, BarRow, Universe
from shared.sessions import session_at_or_after

DAY_S = 86_400
SETTLED_S = 60.0
"""After the close, until the broker's history has the session's bar."""
_TICK_S = 1e-6
"""Instants are known to the microsecond."""


class Intervals(Struct, frozen=True):
    """Where rows begin and end: at whole multiples of UTC time, or, for daily rows, with the session."""

    calendar_name: str
    interval_s: int

    @property
    def are_daily(self) -> bool:
        return self.interval_s >= DAY_S

    def end_of(self, opened_at: datetime) -> datetime:
        """The end of the interval that holds a bar opened at `opened_at`."""
        if self.are_daily:
            return session_at_or_after(self.calendar_name, opened_at).closes_at
        seconds = (math.floor(opened_at.timestamp()) // self.interval_s + 1) * self.interval_s
        return datetime.fromtimestamp(seconds, UTC)

    def start_of(self, closed_at: datetime) -> datetime:
        """When the first bar of the interval that ends at `closed_at` can open: never before the session."""
        session = session_at_or_after(self.calendar_name, closed_at - timedelta(seconds=1))
        return max(closed_at - timedelta(seconds=self.interval_s), session.opens_at)

    def rows_between(self, after: datetime, until: datetime) -> int:
        """Rows that may have closed after the one and by the other: while the exchange is closed none does."""
        rows, at = 0, after
        if self.are_daily:
            while (ends_at := session_at_or_after(self.calendar_name, at).closes_at) <= until:
                rows, at = rows + 1, ends_at
            return rows
        while (session := session_at_or_after(self.calendar_name, at)).opens_at < until and at < until:
            open_s = (min(until, session.closes_at) - max(at, session.opens_at)).total_seconds()
            is_over, at = session.closes_at <= until, session.closes_at
            rows += math.ceil(open_s / self.interval_s) if is_over else int(open_s // self.interval_s)
        return rows

    def is_open(self, now: datetime) -> bool:
        """Whether a session runs."""
        return session_at_or_after(self.calendar_name, now).opens_at <= now

    def can_act_on(self, closed_at: datetime, now: datetime) -> bool:
        """Whether what is decided on a row of history is as good as on its close: a daily one, before the next open."""
        return self.are_daily and now < session_at_or_after(self.calendar_name, closed_at).opens_at


class FeedCounts(Struct):
    """What did not become part of a row: too late for it, seen before, or impossible in itself."""

    late: int = 0
    repeated: int = 0
    impossible: int = 0


class RowBuilder:
    """Pure: bars in, closed rows out, oldest first. Knows no clock but the bars' own times."""

    def __init__(self, universe: Universe, intervals: Intervals) -> None:
        self._place = {symbol: index for index, symbol in enumerate(universe.symbols)}
        self._intervals = intervals
        self._open: dict[datetime, np.ndarray] = {}
        self._seen_until: list[datetime | None] = [None] * len(universe)
        self.closed_through: datetime | None = None
        self.counts = FeedCounts()

    def close_through(self, at: datetime) -> None:
        """Treat every interval that ended at or before `at` as closed (its row was already fed)."""
        self.closed_through = at if self.closed_through is None else max(at, self.closed_through)
        self._open = {end: row for end, row in self._open.items() if end > self.closed_through}

    def add(self, symbol: str, opened_at: datetime, interval_s: int, bar: Bar) -> list[ClosedRow]:
        """Take in one bar; the rows that are complete by it."""
        index = self._place[symbol]
        ended_at = opened_at + timedelta(seconds=interval_s)
        end = self._intervals.end_of(opened_at)
        if self.closed_through is not None and end <= self.closed_through:
            self.counts.late += 1
            return []
        seen = self._seen_until[index]
        if seen is not None and ended_at <= seen:
            self.counts.repeated += 1
            return []
        self._seen_until[index] = ended_at
        self._merge(end, index, bar)
        done = [end for end in sorted(self._open) if self._is_complete(end)]
        return self.close(done[-1]) if done else []

    def drop_open(self) -> None:
        """What is not closed yet will not be a row."""
        self._open.clear()

    def newest_end(self) -> datetime | None:
        """End of the newest interval that has a bar."""
        return max(self._open, default=None)

    def ends_before(self, end: datetime) -> list[datetime]:
        """Ends of the open intervals older than `end`."""
        return sorted(older for older in self._open if older < end)

    def close(self, end: datetime) -> list[ClosedRow]:
        """Close every open interval up to and including the one that ends at `end`, complete or not."""
        rows = [ClosedRow(closed_at=older, row=_row(self._open[older])) for older in sorted(self._open) if older <= end]
        self.close_through(end)
        return rows

    def _is_complete(self, end: datetime) -> bool:
        return all(seen is not None and seen >= end for seen in self._seen_until)

    def _merge(self, end: datetime, index: int, bar: Bar) -> None:
        values = self._open.setdefault(end, np.full((5, len(self._place)), np.nan))
        if math.isnan(bar.close):
            return
        if not _is_possible(bar):
            self.counts.impossible += 1
            return
        cell = values[:, index]
        if np.isnan(cell[0]):
            cell[:] = (bar.open, bar.high, bar.low, bar.close, bar.volume)
        else:
            cell[1:] = (max(cell[1], bar.high), min(cell[2], bar.low), bar.close, cell[4] + bar.volume)


class Feed:
    """Puts BarsClosed into the inbox, watching the clock for rows that somebody's silence holds up."""

    def __init__(
        self,
        *,
        universe: Universe,
        intervals: Intervals,
        clock: MarketClock,
        inbox: Inbox,
        row_grace_s: float,
    ) -> None:
        self._builder = RowBuilder(universe, intervals)
        self._intervals = intervals
        self._clock = clock
        self._inbox = inbox
        self._row_grace_s = row_grace_s
        self._waiting: dict[datetime, asyncio.Task[None]] = {}
        self._graced: dict[datetime, asyncio.TimerHandle] = {}
        self._quotes = QuoteBoard(universe)
        self._subscribed_at: datetime | None = None
        self._first_opened_at: datetime | None = None
        self.last_bar_at: datetime | None = None
        self._last_bar_mark_s = 0.0

    @property
    def counts(self) -> FeedCounts:
        return self._builder.counts

    @property
    def last_row_at(self) -> datetime | None:
        """End of the newest row that was fed, from the stream or from history."""
        return self._builder.closed_through

    @property
    def history_until(self) -> datetime:
        """Rows that ended by then are in the broker's history as they stay."""
        return self._clock.now() - timedelta(seconds=SETTLED_S if self._intervals.are_daily else 0.0)

    @property
    def lacks_a_row(self) -> bool:
        """Whether a session that the history knows has no row yet, and none runs."""
        last = self.last_row_at
        if not self._intervals.are_daily or self._intervals.is_open(self._clock.now()):
            return False
        return last is None or self._intervals.rows_between(last, self.history_until) > 0

    def resume(self, last_row_at: datetime | None) -> None:
        """Rows up to `last_row_at` were fed before this process began."""
        if last_row_at is not None:
            self._builder.close_through(last_row_at)

    def put_history(self, rows: list[ClosedRow], *, is_remembered: bool = False) -> int:
        """Feed those rows of history that are news, and say how many they were.

        They are warm-up where they are too old to act on, or where strategies take over what they remember of them
        (`is_remembered`) and know nothing while these pass.
        """
        last, now = self.last_row_at, self._clock.now()
        news = [row for row in rows if last is None or row.closed_at > last]
        for row in news:
            can_act = not is_remembered and self._intervals.can_act_on(row.closed_at, now)
            self._inbox.put(replace(self._event(row, warm_up=not can_act), quotes=None))
            self._builder.close_through(row.closed_at)
        return len(news)

    def on_quote(self, symbol: str, bid: float, ask: float, _at: datetime) -> None:
        """Take one instrument's best bid and ask; NaN for a side that nobody shows."""
        self._quotes.put(symbol, bid, ask)

    def begin(self) -> None:
        """The streams start (again) now; what was quoted before is no longer known."""
        self._quotes.clear()
        self._subscribed_at, self._first_opened_at = self._clock.now(), None
        if self._intervals.are_daily:
            self.close()
            self._builder.drop_open()

    def on_bar(self, symbol: str, opened_at: datetime, interval_s: int, bar: Bar) -> None:
        """Take one bar from the broker's stream."""
        ended_at = opened_at + timedelta(seconds=interval_s)
        self._clock.observe(ended_at)
        self._first_opened_at = self._first_opened_at or opened_at
        if self.last_bar_at is None or ended_at > self.last_bar_at:
            self.last_bar_at, self._last_bar_mark_s = ended_at, self._clock.elapsed_s()
        if self._intervals.are_daily and self._is_partial(self._intervals.end_of(opened_at)):
            return
        self._emit(self._builder.add(symbol, opened_at, interval_s, bar))
        newest = self._builder.newest_end()
        if newest is None:
            return
        for end in self._builder.ends_before(newest):
            self._start_grace(end)
        if newest not in self._waiting:
            self._waiting[newest] = asyncio.create_task(self._wait_for_end(newest), name=f"row {newest:%H:%M:%S}")

    def close(self) -> None:
        """Stop waiting for silent instruments."""
        for end in [*self._waiting, *self._graced]:
            self._forget(end)

    async def _wait_for_end(self, end: datetime) -> None:
        """By the bars' own time and what has passed since the newest: a wrong clock cuts no row short.

        What is left below a clock's tick is none: to sleep for it is to return at once, and the loop would never end.
        """
        while (left_s := self._left_s(end)) > _TICK_S:
            await self._clock.sleep(min(left_s, max(left_s / 10, 1.0)))  # in slices: a bar may bring the end nearer
        self._start_grace(end)

    def _left_s(self, end: datetime) -> float:
        assert self.last_bar_at is not None
        return (end - self.last_bar_at).total_seconds() - (self._clock.elapsed_s() - self._last_bar_mark_s)

    def _start_grace(self, end: datetime) -> None:
        if end not in self._graced:
            loop = asyncio.get_running_loop()
            self._graced[end] = loop.call_later(self._row_grace_s, self._run_out, end)

    def _run_out(self, end: datetime) -> None:
        self._emit(self._builder.close(end))

    def _emit(self, rows: list[ClosedRow]) -> None:
        for closed in rows:
            self._forget(closed.closed_at)
            self._inbox.put(self._event(closed, warm_up=self._is_partial(closed.closed_at)))

    def _forget(self, end: datetime) -> None:
        if (task := self._waiting.pop(end, None)) is not None:
            task.cancel()
        if (handle := self._graced.pop(end, None)) is not None:
            handle.cancel()

    def _event(self, closed: ClosedRow, *, warm_up: bool) -> BarsClosed:
        return BarsClosed(
            received_at=self._clock.now(),
            closed_at=closed.closed_at,
            interval_s=self._intervals.interval_s,
            row=closed.row,
            warm_up=warm_up,
            quotes=None if warm_up else self._quotes.row(),
        )

    def _is_partial(self, closed_at: datetime) -> bool:
        """True if the streams began inside this interval: its row lacks bars and must not lead to orders."""
        if self._subscribed_at is None or self._first_opened_at is None:
            return False
        start = self._intervals.start_of(closed_at)
        return start < self._subscribed_at and start < self._first_opened_at


def _row(values: np.ndarray) -> BarRow:
    return BarRow(open=values[0], high=values[1], low=values[2], close=values[3], volume=values[4])


def _is_possible(bar: Bar) -> bool:
    """A bar that can be: finite, positive, high and low around open and close, volume not negative."""
    prices = (bar.open, bar.high, bar.low, bar.close)
    if not all(math.isfinite(value) for value in (*prices, bar.volume)):
        return False
    return 0 < bar.low <= min(bar.open, bar.close) and max(bar.open, bar.close) <= bar.high and bar.volume >= 0
