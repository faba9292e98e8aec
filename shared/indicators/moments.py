"""Moments of the last prints: sum, variance, standard deviation, z-score, skewness, kurtosis.

Prints come in blocks as long as the window: a window is the rest of one block and the beginning of the next, and its
sums are joined from those of the two. Nothing can drift, and a monstrous print is forgotten when it leaves.
"""

# ruff: noqa: PLR0917 - a step takes six

from __future__ import annotations

import math

from shared.indicators.indicator import FloatArray, kernel
from shared.indicators.lockstep import Base, spec
from shared.indicators.spec import Params, real, whole


@kernel
def rolling(s: FloatArray, new: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> bool:
    """Sum of the last prints of `new`; shape: first row, period. Rows: sum, of the block so far, ring of the rest.

    As in changes.py. Whether the window is full.
    """
    first, period = shape
    slot = t % period
    so_far, ring = first + 1, first + 2
    here, rest = ring + slot, ring + (slot + 1) % period
    begins = slot == 0
    for i in range(lo, hi):
        left = s[rest, i]
        total = new[i] if begins else s[so_far, i] + new[i]
        s[so_far, i] = total
        s[here, i] = new[i]
        s[first, i] = left + total
    if slot == period - 1:
        for i in range(lo, hi):
            s[first, i] = s[so_far, i]
        for k in range(ring + period - 2, ring - 1, -1):
            for i in range(lo, hi):
                s[k, i] += s[k + 1, i]
    return t >= period - 1


@kernel
def spread(s: FloatArray, new: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> bool:
    """Mean of the last prints of `new` and the sum of squares around it; shape: first row, period.

    Rows: mean, squares; first print, sum and squares of the block so far; last print of the block before; rings of
    the sums and squares of the rest. As `rolling`: two parts of a window are joined by Chan, Golub and LeVeque
    (1979). Sums are those of distances from a print of the block, which cost a high price no digits. Whether full.
    """
    first, period = shape
    mean, squares, begun, total, around, ended = first, first + 1, first + 2, first + 3, first + 4, first + 5
    slot = t % period
    sums, rests = first + 6, first + 6 + period
    newer, older = slot + 1.0, period - slot - 1.0
    begins, of_so_far, weight = slot == 0, 1.0 / max(slot, 1), slot / newer
    for i in range(lo, hi):
        value, base, before, square = new[i], s[begun, i], s[total, i], s[around, i]
        base = value if begins else base
        before = 0.0 if begins else before
        away = value - base
        off = away - before * of_so_far
        s[begun, i] = base
        s[total, i] = before + away
        s[around, i] = (0.0 if begins else square) + off * off * weight
        s[sums + slot, i] = value
    if slot == period - 1:
        for i in range(lo, hi):
            s[mean, i] = s[begun, i] + s[total, i] * (1.0 / period)
            s[squares, i] = s[around, i]
            s[ended, i] = new[i]
            s[sums + slot, i] = s[rests + slot, i] = 0.0
        for k in range(period - 2, -1, -1):
            behind = period - 1.0 - k
            of_behind, weight = 1.0 / behind, behind / (behind + 1.0)
            for i in range(lo, hi):
                away, before = s[sums + k, i] - s[ended, i], s[sums + k + 1, i]
                off = away - before * of_behind
                s[sums + k, i] = before + away
                s[rests + k, i] = s[rests + k + 1, i] + off * off * weight
    elif t >= period:
        joint, of_older, of_newer = older * newer / period, 1.0 / older, 1.0 / newer
        for i in range(lo, hi):
            gap, rest, so_far = s[ended, i] - s[begun, i], s[sums + slot + 1, i], s[total, i]
            between = (rest * of_older + gap) - so_far * of_newer
            s[squares, i] = (s[rests + slot + 1, i] + s[around, i]) + between * between * joint
            s[mean, i] = s[begun, i] + (rest + older * gap + so_far) * (1.0 / period)
    return t >= period - 1


@kernel
def two_sum(a: float, b: float) -> tuple[float, float]:
    """As in sma.py."""
    total = a + b
    shadow = total - a
    return total, (a - (total - shadow)) + (b - shadow)


@kernel
def mean(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> None:
    """Mean of the last prints; shape: first row, period. Rows: mean, total, lost, ring."""
    first, period = shape
    slot = first + 3 + t % period
    for i in range(lo, hi):
        gained, error_gained = two_sum(s[first + 1, i], x[i])
        s[first + 1, i], error_left = two_sum(gained, -s[slot, i])
        s[first + 2, i] += error_gained + error_left
        s[slot, i] = x[i]
    if t >= period - 1:
        for i in range(lo, hi):
            s[first, i] = (s[first + 1, i] + s[first + 2, i]) / period


@kernel
def sum_of_last(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, `rolling`."""
    if rolling(s, x[0], lo, hi, t, (1, int(p[0]))):
        for i in range(lo, hi):
            s[0, i] = s[1, i]


@kernel
def dispersion(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: deviation of the last prints, `spread`."""
    period = int(p[0])
    if spread(s, x[0], lo, hi, t, (1, period)):
        for i in range(lo, hi):
            s[0, i] = math.sqrt(s[2, i] * (1.0 / period))


@kernel
def var(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, `spread`."""
    period = int(p[0])
    if spread(s, x[0], lo, hi, t, (1, period)):
        for i in range(lo, hi):
            s[0, i] = s[2, i] / period


@kernel
def stddev(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value. On `dispersion`."""
    if t >= p[0] - 1.0:
        for i in range(lo, hi):
            s[0, i] = x[0, i] * p[1]


@kernel
def bbands(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: upper, middle, lower. On `dispersion`."""
    if t >= p[0] - 1.0:
        for i in range(lo, hi):
            middle, deviation = x[1, i], x[0, i]
            s[0, i] = middle + p[1] * deviation
            s[1, i] = middle
            s[2, i] = middle - p[2] * deviation


@kernel
def zscore(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `var`. The deviation is that of a sample, as in pandas."""
    period = int(p[0])
    if spread(s, x[0], lo, hi, t, (1, period)):
        for i in range(lo, hi):
            away, squares = x[0, i] - s[1, i], s[2, i]
            s[0, i] = away / math.sqrt(squares / (period - 1)) if squares > 0.0 else 0.0


@kernel
def coefficient_of_variation(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `var`."""
    period = int(p[0])
    if spread(s, x[0], lo, hi, t, (1, period)):
        for i in range(lo, hi):
            middle = s[1, i]
            s[0, i] = math.sqrt(s[2, i] / (period - 1)) / abs(middle) if middle != 0.0 else 0.0


@kernel
def powers(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: sums of squares, cubes and fourth powers around the mean, `mean`."""
    n = int(p[0])
    mean(s, x[0], lo, hi, t, (3, n))
    if t < n - 1:
        return
    for i in range(lo, hi):
        s[0, i] = s[1, i] = s[2, i] = 0.0
    fours = n - n % 4
    for k in range(6, 6 + fours, 4):
        for i in range(lo, hi):
            middle = s[3, i]
            a, b, c, d = s[k, i] - middle, s[k + 1, i] - middle, s[k + 2, i] - middle, s[k + 3, i] - middle
            e, f, g, h = a * a, b * b, c * c, d * d
            s[0, i] += (e + f) + (g + h)
            s[1, i] += (e * a + f * b) + (g * c + h * d)
            s[2, i] += (e * e + f * f) + (g * g + h * h)
    for k in range(6 + fours, 6 + n):
        for i in range(lo, hi):
            a = s[k, i] - s[3, i]
            s[0, i] += a * a
            s[1, i] += a * a * a
            s[2, i] += a * a * (a * a)


@kernel
def skew(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value. On `powers`."""
    n = int(p[0])
    if t >= n - 1:
        scale = n * math.sqrt(n - 1.0) / (n - 2.0)
        for i in range(lo, hi):
            squares, cubes = x[0, i], x[1, i]
            s[0, i] = scale * cubes / (squares * math.sqrt(squares)) if squares > 0.0 else 0.0


@kernel
def kurt(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value. On `powers`."""
    n = int(p[0])
    if t >= n - 1:
        scale = n * (n + 1.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0))
        normal = 3.0 * (n - 1.0) ** 2 / ((n - 2.0) * (n - 3.0))
        for i in range(lo, hi):
            squares, fourths = x[0, i], x[2, i]
            s[0, i] = scale * fourths / (squares * squares) - normal if squares > 0.0 else 0.0


def _period(params: Params) -> int:
    return int(params["period"])


DISPERSION = Base(dispersion, ("period",), lambda period: 7 + 2 * int(period))
POWERS = Base(powers, ("period",), lambda period: 6 + int(period))
SPECS = (
    spec(
        sum_of_last,
        "statistic",
        "close -> value",
        (whole("period", 30, low=2),),
        name="sum",
        rows=lambda p: 3 + _period(p),
        warm_up=_period,
        formula="sum of the last period closes",
        source="TA-Lib, SUM",
    ),
    spec(
        var,
        "statistic",
        "close -> value",
        (whole("period", 5),),
        rows=lambda p: 7 + 2 * _period(p),
        warm_up=_period,
        formula="mean of squares around the mean",
        source="TA-Lib, VAR",
    ),
    spec(
        stddev,
        "statistic",
        "close -> value",
        (whole("period", 5, low=2), real("deviations", 1.0, -100.0, 100.0)),
        rows=lambda _: 1,
        base=DISPERSION,
        warm_up=_period,
        formula="deviations x square root of var",
        source="TA-Lib, STDDEV",
    ),
    spec(
        zscore,
        "statistic",
        "close -> value",
        (whole("period", 20, low=2),),
        rows=lambda p: 7 + 2 * _period(p),
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
        rows=lambda p: 7 + 2 * _period(p),
        warm_up=_period,
        formula="(volume - mean) / sample deviation of the last period volumes; 0 where all are equal",
        source="standard score, deviation as in pandas (n - 1)",
    ),
    spec(
        coefficient_of_variation,
        "statistic",
        "close -> value",
        (whole("period", 20, low=2),),
        rows=lambda p: 7 + 2 * _period(p),
        warm_up=_period,
        formula="sample deviation / |mean|; 0 where the mean is 0",
        source="Pearson, Philosophical Transactions A 187, 1896",
    ),
    spec(
        skew,
        "statistic",
        "close -> value",
        (whole("period", 20, low=3),),
        rows=lambda _: 1,
        base=POWERS,
        warm_up=_period,
        formula="third moment around the mean, unbiased; 0 where all closes are equal",
        source="adjusted Fisher-Pearson coefficient, as pandas rolling.skew",
    ),
    spec(
        kurt,
        "statistic",
        "close -> value",
        (whole("period", 20, low=4),),
        rows=lambda _: 1,
        base=POWERS,
        warm_up=_period,
        formula="excess of the fourth moment over the normal, unbiased; 0 where all closes are equal",
        source="Fisher's G2, as pandas rolling.kurt",
    ),
)
