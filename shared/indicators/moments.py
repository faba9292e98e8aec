"""Moments of the last prints: sum, variance, standard deviation, z-score, skewness, kurtosis.

A ring holds the last prints, one row each, and every sum is made anew from it around the mean of the window: rows
are added side by side, nothing can drift, and a monstrous print is forgotten when it leaves.
"""

# ruff: noqa: PLR0917 - a step takes six

from __future__ import annotations

import math

from shared.indicators.indicator import FloatArray, kernel
from shared.indicators.lockstep import spec
from shared.indicators.spec import Params, real, whole


@kernel
def kept(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> bool:
    """Put `x` into the ring; shape: its first row and the period. Whether the window is full."""
    ring, period = shape
    slot = ring + t % period
    for i in range(lo, hi):
        s[slot, i] = x[i]
    return t >= period - 1


@kernel
def centre(s: FloatArray, row: int, lo: int, hi: int, shape: tuple[int, int]) -> None:
    """Mean of the ring into `row`."""
    ring, period = shape
    for i in range(lo, hi):
        s[row, i] = s[ring, i]
    for k in range(1, period):
        for i in range(lo, hi):
            s[row, i] += s[ring + k, i]
    for i in range(lo, hi):
        s[row, i] /= period


@kernel
def spread(s: FloatArray, row: int, lo: int, hi: int, shape: tuple[int, int]) -> None:
    """Mean of the ring into `row`, sum of squares around it into row + 1."""
    ring, period = shape
    centre(s, row, lo, hi, shape)
    for i in range(lo, hi):
        s[row + 1, i] = 0.0
    for k in range(period):
        for i in range(lo, hi):
            away = s[ring + k, i] - s[row, i]
            s[row + 1, i] += away * away


@kernel
def sum_of_last(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, ring."""
    period = int(p[0])
    if kept(s, x[0], lo, hi, t, (1, period)):
        for i in range(lo, hi):
            s[0, i] = s[1, i]
        for k in range(1, period):
            for i in range(lo, hi):
                s[0, i] += s[1 + k, i]


@kernel
def var(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, mean, squares, ring."""
    shape = (3, int(p[0]))
    if kept(s, x[0], lo, hi, t, shape):
        spread(s, 1, lo, hi, shape)
        for i in range(lo, hi):
            s[0, i] = s[2, i] / shape[1]


@kernel
def stddev(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `var`."""
    shape = (3, int(p[0]))
    if kept(s, x[0], lo, hi, t, shape):
        spread(s, 1, lo, hi, shape)
        for i in range(lo, hi):
            s[0, i] = math.sqrt(s[2, i] / shape[1]) * p[1]


@kernel
def zscore(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `var`. The deviation is that of a sample, as in pandas."""
    shape = (3, int(p[0]))
    if kept(s, x[0], lo, hi, t, shape):
        spread(s, 1, lo, hi, shape)
        for i in range(lo, hi):
            away, squares = x[0, i] - s[1, i], s[2, i]
            s[0, i] = away / math.sqrt(squares / (shape[1] - 1)) if squares > 0.0 else 0.0


@kernel
def coefficient_of_variation(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `var`."""
    shape = (3, int(p[0]))
    if kept(s, x[0], lo, hi, t, shape):
        spread(s, 1, lo, hi, shape)
        for i in range(lo, hi):
            middle = s[1, i]
            s[0, i] = math.sqrt(s[2, i] / (shape[1] - 1)) / abs(middle) if middle != 0.0 else 0.0


@kernel
def skew(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, mean, squares, cubes, ring."""
    ring, n = 4, int(p[0])
    if not kept(s, x[0], lo, hi, t, (ring, n)):
        return
    centre(s, 1, lo, hi, (ring, n))
    for i in range(lo, hi):
        s[2, i] = s[3, i] = 0.0
    for k in range(n):
        for i in range(lo, hi):
            away = s[ring + k, i] - s[1, i]
            square = away * away
            s[2, i] += square
            s[3, i] += square * away
    scale = n * math.sqrt(n - 1.0) / (n - 2.0)
    for i in range(lo, hi):
        squares = s[2, i]
        s[0, i] = scale * s[3, i] / (squares * math.sqrt(squares)) if squares > 0.0 else 0.0


@kernel
def kurt(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, mean, squares, fourth powers, ring."""
    ring, n = 4, int(p[0])
    if not kept(s, x[0], lo, hi, t, (ring, n)):
        return
    centre(s, 1, lo, hi, (ring, n))
    for i in range(lo, hi):
        s[2, i] = s[3, i] = 0.0
    for k in range(n):
        for i in range(lo, hi):
            away = s[ring + k, i] - s[1, i]
            square = away * away
            s[2, i] += square
            s[3, i] += square * square
    scale = n * (n + 1.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0))
    normal = 3.0 * (n - 1.0) ** 2 / ((n - 2.0) * (n - 3.0))
    for i in range(lo, hi):
        squares = s[2, i]
        s[0, i] = scale * s[3, i] / (squares * squares) - normal if squares > 0.0 else 0.0


def _period(params: Params) -> int:
    return int(params["period"])


SPECS = (
    spec(
        sum_of_last,
        "statistic",
        "close -> value",
        (whole("period", 30, low=2),),
        name="sum",
        rows=lambda p: 1 + _period(p),
        warm_up=_period,
        formula="sum of the last period closes",
        source="TA-Lib, SUM",
    ),
    spec(
        var,
        "statistic",
        "close -> value",
        (whole("period", 5),),
        rows=lambda p: 3 + _period(p),
        warm_up=_period,
        formula="mean of squares around the mean",
        source="TA-Lib, VAR",
    ),
    spec(
        stddev,
        "statistic",
        "close -> value",
        (whole("period", 5, low=2), real("deviations", 1.0, -100.0, 100.0)),
        rows=lambda p: 3 + _period(p),
        warm_up=_period,
        formula="deviations x square root of var",
        source="TA-Lib, STDDEV",
    ),
    spec(
        zscore,
        "statistic",
        "close -> value",
        (whole("period", 20, low=2),),
        rows=lambda p: 3 + _period(p),
        warm_up=_period,
        formula="(close - mean) / sample deviation of the last period closes; 0 where all are equal",
        source="standard score, deviation as in pandas (n - 1)",
    ),
    spec(
        zscore,
        "volume",
        "volume -> value",
        (whole("period", 20, low=2),),
        name="volume_zscore",
        rows=lambda p: 3 + _period(p),
        warm_up=_period,
        formula="(volume - mean) / sample deviation of the last period volumes; 0 where all are equal",
        source="standard score, deviation as in pandas (n - 1)",
    ),
    spec(
        coefficient_of_variation,
        "statistic",
        "close -> value",
        (whole("period", 20, low=2),),
        rows=lambda p: 3 + _period(p),
        warm_up=_period,
        formula="sample deviation / |mean|; 0 where the mean is 0",
        source="Pearson, Philosophical Transactions A 187, 1896",
    ),
    spec(
        skew,
        "statistic",
        "close -> value",
        (whole("period", 20, low=3),),
        rows=lambda p: 4 + _period(p),
        warm_up=_period,
        formula="third moment around the mean, unbiased; 0 where all closes are equal",
        source="adjusted Fisher-Pearson coefficient, as pandas rolling.skew",
    ),
    spec(
        kurt,
        "statistic",
        "close -> value",
        (whole("period", 20, low=4),),
        rows=lambda p: 4 + _period(p),
        warm_up=_period,
        formula="excess of the fourth moment over the normal, unbiased; 0 where all closes are equal",
        source="Fisher's G2, as pandas rolling.kurt",
    ),
)
