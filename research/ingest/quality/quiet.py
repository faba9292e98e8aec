"""Bars in which nothing happened, and volumes in another unit."""

from __future__ import annotations

import numpy as np

from research.ingest.quality.finding import Finding, Limits
from research.ingest.quality.table import Series
from shared.io.bar_checks import PRICES, Flags

_SIDE = 20
"""Bars on each side of a change of unit that are compared."""
_HUNDREDFOLD = (1.85, 2.15)
_SPREAD_MAX = 0.25


def stale_runs(series: Series, limits: Limits) -> list[Finding]:
    """Runs of bars equal in every price; one finding each, at its first bar, counting the repetitions."""
    same = np.logical_and.reduce([np.diff(series.values[name]) == 0 for name in PRICES])
    return [
        Finding(
            kind="stale_run",
            symbol=series.symbol,
            at=int(series.opened_at[first]),
            row=int(series.row[first]),
            count=length,
            detail=f"{length + 1} bars at {series.values['close'][first]:g}",
        )
        for first, length in _runs(same)
        if length + 1 >= limits.stale_bars
    ]


def zero_volumes(series: Series) -> list[Finding]:
    """Runs of bars without volume, where the table has one."""
    volume = series.values.get("volume")
    if volume is None:
        return []
    return [
        Finding(
            kind="zero_volume",
            symbol=series.symbol,
            at=int(series.opened_at[first]),
            row=int(series.row[first]),
            count=length,
            detail=f"{length} bar{'s' if length > 1 else ''}",
        )
        for first, length in _runs(volume == 0)
    ]


def lots_against_shares(series: Series) -> list[Finding]:
    """Points where the usual volume changes about a hundredfold between twenty bars before and twenty after."""
    volume = series.values.get("volume")
    if volume is None or len(volume) < 2 * _SIDE or not (volume > 0).any():
        return []
    logs = np.log10(np.where(volume > 0, volume, np.nan))
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(logs, _SIDE), axis=1)  # NaN comes last
    low, middle, high = (windows[:, _SIDE * quarter // 4] for quarter in (1, 2, 3))
    steady = ~np.isnan(windows[:, -1]) & (high - low <= 2 * _SPREAD_MAX)
    change = np.abs(middle[_SIDE:] - middle[:-_SIDE])
    hit = steady[_SIDE:] & steady[:-_SIDE] & (change >= _HUNDREDFOLD[0]) & (change <= _HUNDREDFOLD[1])
    found = []
    for first, length in _runs(hit):
        inside = slice(first, first + length)
        at = first + int(np.argmax(np.abs(np.diff(logs))[_SIDE - 1 :][inside])) + _SIDE
        before, after = 10 ** middle[at - _SIDE], 10 ** middle[at]
        found.append(
            Finding(
                kind="volume_in_lots",
                symbol=series.symbol,
                at=int(series.opened_at[at]),
                row=int(series.row[at]),
                detail=f"usual volume {before:,.0f} before, {after:,.0f} from here",
            )
        )
    return found


def _runs(flags: Flags) -> list[tuple[int, int]]:
    """First place and length of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    return [(int(first), int(last - first)) for first, last in edges.reshape(-1, 2)]
