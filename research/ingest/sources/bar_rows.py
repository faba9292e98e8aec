"""Rows of an answer as bars: in order, each once; cut to days and sessions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import numpy as np

from shared.errors import DataError
from shared.io.bar_checks import DAILY_S, SECOND_NS
from shared.io.bar_files import DAY_OPENS, NEW_YORK, VALUES, at_new_york
from shared.io.bar_part import Bars, shown
from shared.sessions import session_of

Row = tuple[int, float, float, float, float, float]
"""Nanoseconds UTC of the start, open, high, low, close, volume."""


def day_ns(day: date) -> int:
    """Where a daily bar begins: 09:30 New York, in nanoseconds UTC."""
    return at_new_york(day, DAY_OPENS)


def local_ns(wall: datetime) -> int:
    """Nanoseconds UTC of a New York wall time without zone."""
    return at_new_york(wall.date(), wall.time())


def day_of(at_ns: int) -> date:
    """The New York day of an instant."""
    return datetime.fromtimestamp(at_ns // SECOND_NS, UTC).astimezone(NEW_YORK).date()


def bars_of(rows: Iterable[Row], where: str) -> Bars:
    """The rows in the order of time. The same row twice counts once; two different ones for one time are refused.

    Raises:
        DataError: with one line, `where` in front.
    """
    distinct = sorted(set(rows))
    for before, after in pairwise(distinct):
        if before[0] == after[0]:
            raise DataError(f"{where}: two different bars of {shown(before[0])}, allowed: one for each time")
    table = np.array([row[1:] for row in distinct], dtype=np.float64).reshape(len(distinct), len(VALUES))
    return Bars(
        opened_at=np.array([row[0] for row in distinct], dtype=np.int64),
        **{name: np.ascontiguousarray(table[:, place]) for place, name in enumerate(VALUES)},
    )


def without_bad(bars: Bars) -> Bars:
    """The bars whose prices are finite, above 0 and within low and high, and whose volume is 0 or more."""
    good = np.isfinite(bars.open) & np.isfinite(bars.high) & np.isfinite(bars.low) & np.isfinite(bars.close)
    good &= (bars.low > 0.0) & (bars.low <= np.minimum(bars.open, bars.close))
    good &= bars.high >= np.maximum(bars.open, bars.close)
    return bars.at(good & np.isfinite(bars.volume) & (bars.volume >= 0.0))


def cut(bars: Bars, first: date, last: date) -> Bars:
    """The bars of these New York days, both included."""
    begins, ends = at_new_york(first, time.min), at_new_york(last + timedelta(days=1), time.min)
    return bars.at((bars.opened_at >= begins) & (bars.opened_at < ends))


def regular_only(bars: Bars, interval_s: int, calendar: str) -> Bars:
    """The intraday bars that begin within the regular session of their day."""
    if interval_s >= DAILY_S or not len(bars):
        return bars
    starts = bars.opened_at // SECOND_NS
    kept = np.zeros(len(bars), dtype=np.bool_)
    for day in sorted({day_of(int(at)) for at in bars.opened_at}):
        hours = session_of(calendar, day)
        if hours is not None:
            kept |= (starts >= hours.opens_at.timestamp()) & (starts < hours.closes_at.timestamp())
    return bars.at(kept)


def number_of(cell: object, where: str, name: str) -> float:
    """A cell as a number. Raises DataError for anything else."""
    try:
        return float(str(cell))
    except ValueError:
        raise DataError(f"{where}: {name} {cell!r}, allowed: a number") from None
