"""The time axis of a page: rows are put into columns, at most as many as a screen shows.

A column keeps the first, last, lowest and highest value of its rows, so that no peak is lost however many rows
there are. The axis counts rows: nights and weekends leave no gaps.
"""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from research.backtest.result import Floats

COLUMNS_MAX = 720
TICKS_MAX = 7
STEPS_MIN = (1, 5, 10, 15, 30, 60, 120)
SESSIONS_PER_MONTH = 21
YEARS_FROM = 3 * 252
NEW_YORK = ZoneInfo("America/New_York")


class Tick(Struct, frozen=True):
    """A place on the time axis (the number of a row) and what is written there."""

    row: int
    text: str


class TimeAxis(Struct, frozen=True, kw_only=True, eq=False):
    """C columns over T rows: rows `edges[c]` to `edges[c + 1]` are column c; `edges` is int64 of shape (C + 1,)."""

    edges: npt.NDArray[np.int64]
    labels: tuple[str, ...]
    ticks: tuple[Tick, ...]

    @property
    def columns(self) -> int:
        return len(self.edges) - 1

    @property
    def rows(self) -> int:
        return int(self.edges[-1])

    @property
    def ends(self) -> npt.NDArray[np.int64]:
        """The last row of every column, shape (C,)."""
        return self.edges[1:] - 1

    def share(self, row: int) -> float:
        """Where the column of `row` stands between the first (0) and the last (1)."""
        column = int(np.searchsorted(self.edges, row, side="right")) - 1
        return column / max(self.columns - 1, 1)


def time_axis(closed_at: tuple[datetime, ...], sessions: tuple[date, ...]) -> TimeAxis:
    """The axis of these rows; at least one row."""
    rows = len(closed_at)
    columns = min(rows, COLUMNS_MAX)
    edges = np.linspace(0, rows, columns + 1).astype(np.int64)
    daily = len(set(sessions)) == rows
    ends = (edges[1:] - 1).tolist()
    labels = tuple(
        sessions[at].isoformat() if daily else f"{closed_at[at].astimezone(NEW_YORK):%Y-%m-%d %H:%M}" for at in ends
    )
    return TimeAxis(edges=edges, labels=labels, ticks=tuple(time_ticks(closed_at, sessions)))


def time_ticks(closed_at: tuple[datetime, ...], sessions: tuple[date, ...]) -> list[Tick]:
    """At most TICKS_MAX labels: first rows of years or of every k-th session, or every k-th hour of a single one."""
    starts = [at for at, day in enumerate(sessions) if at == 0 or sessions[at - 1] != day]
    if len(starts) > YEARS_FROM:
        years = [at for at in starts if at and sessions[at].year != sessions[at - 1].year]
        return [Tick(at, f"{sessions[at].year}") for at in years[:: -(-len(years) // TICKS_MAX)]]
    if len(starts) > 1:
        chosen = starts[:: -(-len(starts) // TICKS_MAX)]
        years_too = sessions[-1].year != sessions[0].year or len(starts) > SESSIONS_PER_MONTH
        form = "%b %Y" if years_too else "%a %d %b"
        return [Tick(at, f"{sessions[at]:{form}}") for at in chosen]
    times = [at.astimezone(NEW_YORK) for at in closed_at]
    for step in STEPS_MIN:
        rows = [at for at, time in enumerate(times) if (60 * time.hour + time.minute) % step == 0]
        if len(rows) <= TICKS_MAX:
            break
    return [Tick(at, f"{times[at]:%H:%M}") for at in rows or [0]]


class Column(Struct, frozen=True, kw_only=True, eq=False):
    """A series in the columns of an axis: float64 arrays of shape (C,); NaN where a column holds no value."""

    first: Floats
    last: Floats
    low: Floats
    high: Floats


def in_columns(values: Floats, axis: TimeAxis) -> Column:
    """The series of shape (T,) in columns; NaN rows are passed over, the last value of a column is its last known."""
    if axis.columns == axis.rows:
        return Column(first=values, last=values, low=values, high=values)
    starts = axis.edges[:-1]
    known = np.isfinite(values)
    low = np.minimum.reduceat(np.where(known, values, np.inf), starts)
    high = np.maximum.reduceat(np.where(known, values, -np.inf), starts)
    at = np.arange(axis.rows)
    first_at = np.minimum.reduceat(np.where(known, at, axis.rows), starts)
    last_at = np.maximum.reduceat(np.where(known, at, -1), starts)
    some = last_at >= 0
    first, last = np.full(axis.columns, np.nan), np.full(axis.columns, np.nan)
    first[some], last[some] = values[first_at[some]], values[last_at[some]]
    return Column(first=first, last=last, low=np.where(some, low, np.nan), high=np.where(some, high, np.nan))
