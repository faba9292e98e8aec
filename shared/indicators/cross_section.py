"""Transforms of one row across its instruments: rank, z-score, winsorise, demean, neutralise, scale.

Every transform takes a row (n,) or a time-major panel (T, n) of any feature and gives the same shape; a panel goes
row by row through the kernel of the row, so night and live give the same bits. A NaN takes no part and stays NaN.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.errors import ConfigError, InvariantViolated
from shared.indicators.indicator import FloatArray, IntArray, kernel

Groups = npt.NDArray[np.int64]


@kernel
def rank_rows(panel: FloatArray, out: FloatArray) -> None:
    for t in range(panel.shape[0]):
        row = panel[t]
        order = np.argsort(row, kind="mergesort")  # NaN stand last
        count = 0
        for i in range(row.shape[0]):
            count += not np.isnan(row[i])
            out[t, i] = np.nan
        first = 0
        while first < count:
            last = first
            while last + 1 < count and row[order[last + 1]] == row[order[first]]:
                last += 1
            for k in range(first, last + 1):
                out[t, order[k]] = ((first + last) / 2.0 + 1.0) / count
            first = last + 1


@kernel
def mean_of(row: FloatArray, sector: IntArray, which: int) -> float:
    """Mean of what is there in one sector (-1: in all), NaN if nothing is; around its first value, for big levels."""
    total, count, first = 0.0, 0, np.nan
    for i in range(row.shape[0]):
        if not np.isnan(row[i]) and (which < 0 or sector[i] == which):
            first = row[i] if count == 0 else first
            total += row[i] - first
            count += 1
    return first + total / count if count > 0 else np.nan


@kernel
def neutralise_rows(panel: FloatArray, sector: IntArray, sectors: int, out: FloatArray) -> None:
    for t in range(panel.shape[0]):
        for which in range(sectors):
            middle = mean_of(panel[t], sector, which)
            for i in range(panel.shape[1]):
                if sector[i] == which:
                    out[t, i] = panel[t, i] - middle
        for i in range(panel.shape[1]):
            if sector[i] < 0:
                out[t, i] = np.nan


@kernel
def zscore_rows(panel: FloatArray, sector: IntArray, out: FloatArray) -> None:
    for t in range(panel.shape[0]):
        middle = mean_of(panel[t], sector, -1)
        squares, count = 0.0, 0
        for i in range(panel.shape[1]):
            out[t, i] = panel[t, i] - middle
            if not np.isnan(out[t, i]):
                squares += out[t, i] * out[t, i]
                count += 1
        deviation = np.sqrt(squares / (count - 1)) if count > 1 else 0.0
        for i in range(panel.shape[1]):
            if not np.isnan(out[t, i]):
                out[t, i] = out[t, i] / deviation if deviation > 0.0 else 0.0


@kernel
def winsorise_rows(panel: FloatArray, share: float, out: FloatArray) -> None:
    for t in range(panel.shape[0]):
        there = np.sort(panel[t][~np.isnan(panel[t])])
        last = there.shape[0] - 1
        for i in range(panel.shape[1]):
            out[t, i] = panel[t, i]
        if last < 0:
            continue
        place = share * last
        below = int(np.floor(place))
        part = place - below
        above = min(below + 1, last)
        floor = there[below] + (there[above] - there[below]) * part
        ceiling = there[last - below] + (there[last - above] - there[last - below]) * part
        for i in range(panel.shape[1]):
            if panel[t, i] < floor:
                out[t, i] = floor
            elif panel[t, i] > ceiling:
                out[t, i] = ceiling


@kernel
def scale_rows(panel: FloatArray, gross: float, out: FloatArray) -> None:
    for t in range(panel.shape[0]):
        total = 0.0
        for i in range(panel.shape[1]):
            if not np.isnan(panel[t, i]):
                total += abs(panel[t, i])
        for i in range(panel.shape[1]):
            out[t, i] = panel[t, i] * (gross / total) if total > 0.0 else panel[t, i]


def rank(values: npt.ArrayLike) -> FloatArray:
    """Rank among what is there over its count, from 1 / count to 1; ties have the mean of their ranks."""
    panel, out = _rows(values)
    rank_rows(panel, out)
    return out.reshape(np.shape(values))


def zscore(values: npt.ArrayLike) -> FloatArray:
    """(value - mean) / sample deviation of the row (n - 1); 0 where all are equal."""
    panel, out = _rows(values)
    zscore_rows(panel, np.zeros(panel.shape[1], dtype=np.int64), out)
    return out.reshape(np.shape(values))


def demean(values: npt.ArrayLike) -> FloatArray:
    """Value less the mean of the row."""
    panel, out = _rows(values)
    neutralise_rows(panel, np.zeros(panel.shape[1], dtype=np.int64), 1, out)
    return out.reshape(np.shape(values))


def neutralise(values: npt.ArrayLike, sectors: npt.ArrayLike) -> FloatArray:
    """Value less the mean of its sector; `sectors` (n,) are whole numbers from 0, -1 where unknown: those are NaN."""
    panel, out = _rows(values)
    sector = np.asarray(sectors)
    if sector.shape != (panel.shape[1],) or not np.issubdtype(sector.dtype, np.integer):
        raise InvariantViolated(
            f"neutralise: sectors of shape {sector.shape} and type {sector.dtype},"
            f" allowed: ({panel.shape[1]},) of whole numbers"
        )
    codes = sector.astype(np.int64)
    neutralise_rows(panel, codes, int(codes.max(initial=-1)) + 1, out)
    return out.reshape(np.shape(values))


def winsorise(values: npt.ArrayLike, share: float = 0.01) -> FloatArray:
    """Values beyond the quantiles `share` and 1 - `share` of the row become those quantiles (interpolated)."""
    if not 0.0 <= share < 0.5:  # noqa: PLR2004 - the median
        raise ConfigError(f"winsorise: share {share!r}, allowed: from 0 to less than 0.5")
    panel, out = _rows(values)
    winsorise_rows(panel, float(share), out)
    return out.reshape(np.shape(values))


def scale(values: npt.ArrayLike, gross: float = 1.0) -> FloatArray:
    """Values times one factor a row, so that their sizes add up to `gross`; a row of zeros stays."""
    if not 0.0 < gross < np.inf:
        raise ConfigError(f"scale: gross {gross!r}, allowed: numbers above 0")
    panel, out = _rows(values)
    scale_rows(panel, float(gross), out)
    return out.reshape(np.shape(values))


def _rows(values: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """`values` as a panel of rows in the layout of the kernels, and room for the answer."""
    shape = np.shape(values)
    if len(shape) not in {1, 2}:
        raise InvariantViolated(f"cross section: shape {shape}, allowed: (n,) or (T, n)")
    panel = np.require(np.reshape(np.asarray(values, dtype=np.float64), (-1, shape[-1])), requirements=["C", "W"])
    return panel, np.full(panel.shape, np.nan)
