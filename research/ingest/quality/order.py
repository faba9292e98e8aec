"""Times and values that cannot be, and the bars that are left for every other check."""

from __future__ import annotations

import numpy as np

from research.ingest.quality.finding import Finding
from research.ingest.quality.table import Series
from shared.io.bar_checks import NO_TIME, PRICES, Flags

_BEFORE_ALL = 0


def unsound(series: Series) -> tuple[list[Finding], Flags]:
    """Values that are none, prices of 0 or less, negative volume; and which bars have none of it."""
    values = series.values
    checked = [name for name in (*PRICES, "volume") if name in values]
    no_value = (series.opened_at == NO_TIME) | np.logical_or.reduce([~np.isfinite(values[name]) for name in checked])
    low = np.logical_or.reduce([values[name] <= 0 for name in PRICES]) & ~no_value
    negative = (values["volume"] < 0) & ~no_value if "volume" in values else np.zeros(len(series), dtype=np.bool_)
    found = []
    for kind, bad in (("missing_value", no_value), ("not_positive", low), ("negative_volume", negative)):
        found += [_said(series, kind, at) for at in np.flatnonzero(bad)]
    return found, ~(no_value | low | negative)


def disordered(series: Series) -> tuple[list[Finding], Series]:
    """Decreasing and repeated times; and the bars in the order of time, of equal times the first."""
    times = series.opened_at
    latest = np.maximum.accumulate(times) if len(times) else times
    is_backward = np.concatenate([[False], times[1:] < latest[:-1]])[: len(times)]
    found = [_decreasing(series, int(at)) for at in np.flatnonzero(is_backward)]
    order = np.argsort(times, kind="stable")
    again = np.flatnonzero(np.diff(times[order]) == 0) + 1
    first_of = np.searchsorted(times[order], times[order[again]])
    for at, first in zip(order[again], order[first_of], strict=True):
        same = all(column[at] == column[first] or column[at] != column[at] for column in series.values.values())
        kind = "duplicate_time" if same else "conflicting_time"
        found.append(
            Finding(
                kind=kind,
                symbol=series.symbol,
                at=int(times[at]),
                row=int(series.row[at]),
                detail=f"the time of row {series.row[first]}",
            )
        )
    return found, series.at(np.delete(order, again))


def _decreasing(series: Series, at: int) -> Finding:
    return Finding(
        kind="decreasing_time",
        symbol=series.symbol,
        at=int(series.opened_at[at]),
        row=int(series.row[at]),
        detail="earlier than a bar above it",
    )


def _said(series: Series, kind: str, at: np.intp) -> Finding:
    cells = ", ".join(f"{name} {series.values[name][at]:g}" for name in (*PRICES, "volume") if name in series.values)
    time = int(series.opened_at[at])
    return Finding(
        kind=kind,
        symbol=series.symbol,
        at=_BEFORE_ALL if time == NO_TIME else time,
        row=int(series.row[at]),
        detail=cells if time != NO_TIME else f"no time; {cells}",
    )
