"""Which rows a replay has to look at. All others are passed over, and lead to nothing.

A row is looked at when something can happen on it:

    a session begins            `TimelineRows.opens`
    a conviction changes        `Recital.news`: the strategies have spoken for the whole panel
    a price looks odd           `Foresight.plain`: the price screen decides on such rows one by one
    an order can be touched     `BarBroker.rows_until_touch`, from the levels of the orders that work now
    an instant comes            the engine's timers, an order's last moment, a plan's age
    a limit could be reached    `Rest` of the engine: equity and prices have moved as far as any limit allows
    the engine is not at rest   anything of which the next row is to decide: working entries and exits, denied
                                entries (asked for again on every row), trailing stops, doubts, limits about to trip

Everything else about a row (last prices, average true ranges, returns, the high water, the account) is brought up to
date by the engine's and the broker's own kernels over the whole stretch, before the next row is looked at.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Mapping
from datetime import datetime

import numpy as np

from brokers.simulated.bar_broker import BarBroker
from brokers.simulated.valuation import Alarm
from daemon.engine.engine import Engine
from daemon.engine.rest import PassedRows, Rest
from research.backtest.foresight import Foresight
from research.backtest.moments import nanoseconds_of
from research.backtest.recital import Recital
from research.backtest.result import Floats
from research.backtest.timeline import Timeline
from shared.market import BarRow


class Sleeper:
    """Knows the rows that are looked at in any case, and finds the others as the orders stand."""

    def __init__(
        self, *, engine: Engine, recitals: Mapping[str, Recital], foresight: Foresight, timeline: Timeline
    ) -> None:
        self._engine = engine
        self._recitals = recitals
        self._timeline = timeline
        self._before = len(timeline.warm_up)
        self._rows = foresight.rows
        awake = timeline.rows.opens | ~foresight.plain[self._before :]
        for recital in recitals.values():
            awake |= recital.news(self._before)[self._before :]
        forced = np.append(np.flatnonzero(awake), len(awake))
        self._forced = array("q", forced.tobytes())

    def turn_to(self, at: int) -> None:
        """The next row that the strategies are asked about; negative for the rows of the warm-up."""
        for recital in self._recitals.values():
            recital.row = self._before + at

    def begin(self) -> None:
        """The warm-up is over: what was said in it is no view that anybody holds."""
        for recital in self._recitals.values():
            recital.said.clear()

    def next_forced(self, at: int) -> int:
        """The first row after `at` that is looked at however quiet the market is; the number of rows if none is."""
        return self._forced[bisect_right(self._forced, at)]

    def rest(self) -> Rest | None:
        """The engine's bounds of sleep; None while it is awake, or has not taken up what a strategy said."""
        rest = self._engine.resting.rest()
        if rest is None:
            return None
        convictions = self._engine.book.convictions
        for name, recital in self._recitals.items():
            if not recital.said.items() <= convictions.get(name, {}).items():
                return None
        return rest

    def due_at(
        self, rest: Rest, timers: Mapping[str, datetime], broker: BarBroker, latest: datetime
    ) -> datetime | None:
        """The first instant at which something happens, whatever the prices: an idle timer wakes nobody.

        Nobody sleeps beyond `latest`, the end of the session: what comes later may be left out.
        """
        is_idle = self._engine.resting.is_idle
        instants = [at for timer_id, at in timers.items() if at <= latest and not is_idle(timer_id)]
        instants += [at for at in (rest.due_at, broker.next_expiry()) if at is not None]
        return min(instants, default=None)

    def before(self, due_at: datetime | None, first: int, end: int) -> int:
        """The first of the rows `first` to `end` that closes at `due_at` or later; `end` if none does."""
        if due_at is None:
            return end
        return first + int(self._timeline.rows.closed_ns[first:end].searchsorted(nanoseconds_of(due_at)))

    def until_touch(self, broker: BarBroker, first: int, end: int) -> int:
        """The first of these rows in which an order may be filled; `end` if there is none."""
        rows, a, b = self._rows, self._before + first, self._before + end
        return first + broker.rows_until_touch(rows.low[a:b], rows.high[a:b])

    def value(self, broker: BarBroker, rest: Rest, first: int, out: tuple[Floats, Floats]) -> int:
        """Value the account on the rows from `first` on; how many lie within the engine's bounds."""
        alarm = Alarm(floor=rest.floor, peak=rest.peak, keep=rest.keep, room=rest.room)
        at = self._before + first
        return broker.pass_over(self._rows.close[at : at + len(out[0])], alarm, out)

    def pass_over(self, first: int, end: int, closed_at: datetime, equity: Floats) -> None:
        """Let the engine take in the rows `first` to `end`, which led to nothing; the last closed at `closed_at`."""
        rows = self._timeline.rows
        self._engine.resting.pass_over(
            PassedRows(
                rows=self._stretch(first, end),
                closed_s=rows.closed_ns[first:end] // 1000 / 1e6,
                closed_at=closed_at,
                equity=equity,
            )
        )

    def _stretch(self, first: int, end: int) -> BarRow:
        rows, a, b = self._rows, self._before + first, self._before + end
        return BarRow(
            open=rows.open[a:b], high=rows.high[a:b], low=rows.low[a:b], close=rows.close[a:b], volume=rows.volume[a:b]
        )
