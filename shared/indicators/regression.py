"""Straight lines through the last prints, and how two series, or a series and its past, go together."""

# ruff: noqa: PLR0917, PLR0913 - a step takes six, two series one more

from __future__ import annotations

import math

from shared.indicators.indicator import FloatArray, kernel
from shared.indicators.lockstep import spec
from shared.indicators.spec import Params, real, whole


@kernel
def fitted(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, period: int) -> bool:
    """Least squares of the last prints over 0 to period - 1: intercept into row 1, slope into row 2.

    Rows from 3: first print, sum and sum times place of the block so far, last print of the block before; rings of
    both sums of the rest. Two parts of a window are joined as in moments.py; sums are those of distances from a
    print of the block, so that a high price takes no digits from a small slope. Whether the window is full.
    """
    begun, total, placed, ended, slot = 3, 4, 5, 6, t % period
    sums, places, older = 7, 7 + period, period - slot - 1.0
    begins = slot == 0
    for i in range(lo, hi):
        value, base, before, heavy = x[i], s[begun, i], s[total, i], s[placed, i]
        base = value if begins else base
        s[begun, i] = base
        s[total, i] = (0.0 if begins else before) + (value - base)
        s[placed, i] = (0.0 if begins else heavy) + slot * (value - base)
        s[sums + slot, i] = value
    rest = (slot + 1) % period
    middle, share = (period - 1) / 2.0, 12.0 / (period * (period * period - 1.0))
    for i in range(lo, hi):
        gap = s[ended, i] - s[begun, i]
        of_rest, so_far = s[sums + rest, i], s[total, i]
        both = of_rest + older * gap + so_far if older > 0.0 else so_far
        heavy = s[places + rest, i] + gap * (0.5 * older * (older - 1.0)) + (s[placed, i] + older * so_far)
        heavy = heavy if older > 0.0 else s[placed, i]
        slope = (heavy - middle * both) * share
        s[2, i] = slope
        s[1, i] = (both * (1.0 / period) - slope * middle) + s[begun, i]
    if slot == period - 1:
        for i in range(lo, hi):
            s[ended, i] = x[i]
            s[sums + slot, i] = s[places + slot, i] = 0.0
        for k in range(period - 2, -1, -1):
            for i in range(lo, hi):
                behind = s[sums + k + 1, i]
                s[places + k, i] = s[places + k + 1, i] + behind
                s[sums + k, i] = behind + (s[sums + k, i] - s[ended, i])
    return t >= period - 1


@kernel
def linearreg(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, intercept, slope, ring."""
    period = int(p[0])
    if fitted(s, x[0], lo, hi, t, period):
        for i in range(lo, hi):
            s[0, i] = s[1, i] + s[2, i] * (period - 1)


@kernel
def tsf(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `linearreg`."""
    period = int(p[0])
    if fitted(s, x[0], lo, hi, t, period):
        for i in range(lo, hi):
            s[0, i] = s[1, i] + s[2, i] * period


@kernel
def linearreg_intercept(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `linearreg`."""
    if fitted(s, x[0], lo, hi, t, int(p[0])):
        for i in range(lo, hi):
            s[0, i] = s[1, i]


@kernel
def linearreg_slope(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `linearreg`."""
    if fitted(s, x[0], lo, hi, t, int(p[0])):
        for i in range(lo, hi):
            s[0, i] = s[2, i]


@kernel
def linearreg_angle(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `linearreg`."""
    if fitted(s, x[0], lo, hi, t, int(p[0])):
        for i in range(lo, hi):
            s[0, i] = math.atan(s[2, i]) * (180.0 / math.pi)


@kernel
def products(s: FloatArray, a: FloatArray, b: FloatArray, lo: int, hi: int, t: int, period: int) -> bool:
    """Of the last prints of `a` and `b`: squares of each around its mean into rows 1 and 2, their products into 3.

    Rows from 4, of a, then of b: first print, sum and squares of the block so far, last print of the block before;
    products of the block so far; rings of sums and squares, of a and b, and of products of the rest. As `spread` in
    moments.py. Whether the window is full.
    """
    slot = t % period
    newer, older = slot + 1.0, period - slot - 1.0
    begins, of_so_far, weight = slot == 0, 1.0 / max(slot, 1), slot / newer
    for i in range(lo, hi):
        off = (a[i] - s[4, i]) - s[5, i] * of_so_far
        other = (b[i] - s[8, i]) - s[9, i] * of_so_far
        joined = s[12, i] + off * other * weight
        s[12, i] = 0.0 if begins else joined
    for k in range(2):
        new, base, total, square, ring = b if k else a, 4 + 4 * k, 5 + 4 * k, 6 + 4 * k, 13 + 2 * k * period + slot
        for i in range(lo, hi):
            value, anchor, before, squares = new[i], s[base, i], s[total, i], s[square, i]
            anchor = value if begins else anchor
            before = 0.0 if begins else before
            away = value - anchor
            off = away - before * of_so_far
            s[base, i], s[total, i] = anchor, before + away
            s[square, i] = (0.0 if begins else squares) + off * off * weight
            s[ring, i] = value
    if slot == period - 1:
        for i in range(lo, hi):
            s[1, i], s[2, i], s[3, i] = s[6, i], s[10, i], s[12, i]
            s[7, i], s[11, i] = a[i], b[i]
        close_block(s, lo, hi, period)
    elif t >= period:
        joint, of_older, of_newer = older * newer / period, 1.0 / older, 1.0 / newer
        rest, step = 13 + slot + 1, period
        for i in range(lo, hi):
            first = (s[rest, i] * of_older + (s[7, i] - s[4, i])) - s[5, i] * of_newer
            second = (s[rest + 2 * step, i] * of_older + (s[11, i] - s[8, i])) - s[9, i] * of_newer
            s[1, i] = (s[rest + step, i] + s[6, i]) + first * first * joint
            s[2, i] = (s[rest + 3 * step, i] + s[10, i]) + second * second * joint
            s[3, i] = (s[rest + 4 * step, i] + s[12, i]) + first * second * joint
    return t >= period - 1


@kernel
def close_block(s: FloatArray, lo: int, hi: int, period: int) -> None:
    """Make sums from each print to the end of the block out of the rings of `products`."""
    for ring in range(13 + period - 1, 13 + 5 * period, period):
        for i in range(lo, hi):
            s[ring, i] = 0.0
    first, second = 13, 13 + 2 * period
    for k in range(period - 2, -1, -1):
        behind = period - 1.0 - k
        of_behind, weight = 1.0 / behind, behind / (behind + 1.0)
        for i in range(lo, hi):
            off = (s[first + k, i] - s[7, i]) - s[first + k + 1, i] * of_behind
            other = (s[second + k, i] - s[11, i]) - s[second + k + 1, i] * of_behind
            s[first + period + k, i] = s[first + period + k + 1, i] + off * off * weight
            s[second + period + k, i] = s[second + period + k + 1, i] + other * other * weight
            s[second + 2 * period + k, i] = s[second + 2 * period + k + 1, i] + off * other * weight
        for i in range(lo, hi):
            s[first + k, i] = s[first + k + 1, i] + (s[first + k, i] - s[7, i])
            s[second + k, i] = s[second + k + 1, i] + (s[second + k, i] - s[11, i])


@kernel
def correlate(s: FloatArray, lo: int, hi: int) -> None:
    """Pearson's correlation out of `products` into row 0; 0 where one does not move."""
    for i in range(lo, hi):
        both = math.sqrt(s[1, i]) * math.sqrt(s[2, i])
        s[0, i] = s[3, i] / both if both > 0.0 else 0.0


@kernel
def correl(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, `products`."""
    if products(s, x[0], x[1], lo, hi, t, int(p[0])):
        correlate(s, lo, hi)


@kernel
def beta(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, `products` of changes, two last prices, two changes."""
    period = int(p[0])
    last = 13 + 5 * period
    for i in range(lo, hi):
        first, second = s[last, i], s[last + 1, i]
        s[last + 2, i] = x[0, i] / first - 1.0 if first != 0.0 else 0.0
        s[last + 3, i] = x[1, i] / second - 1.0 if second != 0.0 else 0.0
        s[last, i], s[last + 1, i] = x[0, i], x[1, i]
    if t > 0 and products(s, s[last + 2], s[last + 3], lo, hi, t - 1, period):
        for i in range(lo, hi):
            s[0, i] = s[3, i] / s[1, i] if s[1, i] > 0.0 else 0.0


@kernel
def autocorr(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, `products` of changes now and `lag` before, last close, change, the one before, ring of the lag."""
    period, lag = int(p[0]), int(p[1])
    last = 13 + 5 * period
    now, then = last + 1, last + 2
    place = last + 3 + t % lag
    for i in range(lo, hi):
        before, close = s[last, i], x[0, i]
        s[then, i] = s[place, i]
        s[now, i] = close / before - 1.0 if before != 0.0 else 0.0
        s[last, i] = close
    for i in range(lo, hi):
        s[place, i] = s[now, i]
    if t > lag and products(s, s[now], s[then], lo, hi, t - lag - 1, period):
        correlate(s, lo, hi)


@kernel
def half_life(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, `products` of the close before and the change, last close, the one before, change."""
    period, limit = int(p[0]), p[1]
    last = 13 + 5 * period
    for i in range(lo, hi):
        before, close = s[last, i], x[0, i]
        s[last + 1, i], s[last + 2, i] = before, close - before
        s[last, i] = close
    if t > 0 and products(s, s[last + 1], s[last + 2], lo, hi, t - 1, period):
        for i in range(lo, hi):
            pull = s[3, i] / s[1, i] if s[1, i] > 0.0 else 0.0
            life = -math.log(2.0) / math.log(1.0 + pull) if -1.0 < pull < 0.0 else limit
            s[0, i] = min(life, limit) if pull > -1.0 else 0.0


def _period(params: Params) -> int:
    return int(params["period"])


def _line(params: Params) -> int:
    return 7 + 2 * _period(params)


SPECS = (
    *(
        spec(
            step,
            "statistic",
            "close -> value",
            (whole("period", 14, low=2),),
            name=name,
            rows=_line,
            warm_up=_period,
            formula=formula,
            source=f"TA-Lib, {name.upper()}",
        )
        for step, name, formula in (
            (linearreg, "linearreg", "value of the least-squares line at the last print"),
            (linearreg_slope, "linearreg_slope", "slope of the least-squares line, price per print"),
            (
                linearreg_intercept,
                "linearreg_intercept",
                "value of the least-squares line at the first print of the window",
            ),
            (linearreg_angle, "linearreg_angle", "arc tangent of linearreg_slope, degrees"),
            (tsf, "tsf", "value of the least-squares line one print on"),
        )
    ),
    spec(
        correl,
        "statistic",
        "high low -> value",
        (whole("period", 30, low=2),),
        rows=lambda p: 13 + 5 * _period(p),
        warm_up=_period,
        formula="Pearson's correlation; 0 where one of the two does not move",
        source="TA-Lib, CORREL",
    ),
    spec(
        correl,
        "statistic",
        "close volume -> value",
        (whole("period", 30, low=2),),
        name="price_volume_correl",
        rows=lambda p: 13 + 5 * _period(p),
        warm_up=_period,
        formula="Pearson's correlation of close and volume; 0 where one of the two does not move",
        source="Pearson, Proceedings of the Royal Society 58, 1895",
    ),
    spec(
        beta,
        "statistic",
        "high low -> value",
        (whole("period", 5),),
        rows=lambda p: 17 + 5 * _period(p),
        warm_up=lambda p: _period(p) + 1,
        formula="slope of the relative changes of the second on those of the first; 0 where that does not move",
        source="TA-Lib, BETA",
    ),
    spec(
        autocorr,
        "statistic",
        "close -> value",
        (whole("period", 20, low=2), whole("lag", 1)),
        rows=lambda p: 16 + 5 * _period(p) + int(p["lag"]),
        warm_up=lambda p: _period(p) + int(p["lag"]) + 1,
        formula="correlation of the last period relative changes with those lag before; 0 where they do not move",
        source="pandas, rolling.corr of a series with itself shifted",
    ),
    spec(
        half_life,
        "statistic",
        "close -> prints",
        (whole("period", 60, low=3), real("limit", 1000.0, 1.0, 1e9)),
        rows=lambda p: 16 + 5 * _period(p),
        warm_up=lambda p: _period(p) + 1,
        formula="-ln 2 / ln(1 + b), b the slope of the change on the close before; limit where b >= 0, 0 where b <= -1",
        source="Chan, Algorithmic Trading, 2013, chapter 2 (AR(1), discrete form)",
    ),
)
