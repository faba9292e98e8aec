"""Straight lines through the last prints, and how two series, or a series and its past, go together."""

# ruff: noqa: PLR0917 - a step takes six

from __future__ import annotations

import math

from shared.indicators.indicator import FloatArray, kernel
from shared.indicators.lockstep import spec
from shared.indicators.spec import Params, real, whole


@kernel
def fitted(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, period: int) -> bool:
    """Least squares of the last prints over 0 to period - 1: intercept into row 1, slope into row 2; ring from 3.

    The place is taken from the middle of the window and the price from the last print, so that a high price
    takes no digits from a small slope. Whether the window is full.
    """
    slot = 3 + t % period
    for i in range(lo, hi):
        s[slot, i] = x[i]
    if t < period - 1:
        return False
    for i in range(lo, hi):
        s[1, i] = s[2, i] = 0.0
    middle = (period - 1) / 2.0
    for k in range(period):
        row = 3 + (t + 1 + k) % period
        place = k - middle
        for i in range(lo, hi):
            away = s[row, i] - x[i]
            s[1, i] += away
            s[2, i] += place * away
    squares = period * (period * period - 1.0) / 12.0
    for i in range(lo, hi):
        s[2, i] /= squares
        s[1, i] = (s[1, i] / period - s[2, i] * middle) + x[i]
    return True


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
def products(s: FloatArray, lo: int, hi: int, rings: tuple[int, int], period: int) -> None:
    """Of two rings, rows 1 to 5: means, squares around them, and the products of what is around them."""
    a, b = rings
    for i in range(lo, hi):
        s[1, i] = s[2, i] = s[3, i] = s[4, i] = s[5, i] = 0.0
    for k in range(period):
        for i in range(lo, hi):
            s[1, i] += s[a + k, i]
            s[2, i] += s[b + k, i]
    for i in range(lo, hi):
        s[1, i] /= period
        s[2, i] /= period
    for k in range(period):
        for i in range(lo, hi):
            first, second = s[a + k, i] - s[1, i], s[b + k, i] - s[2, i]
            s[3, i] += first * first
            s[4, i] += second * second
            s[5, i] += first * second


@kernel
def correl(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, five of `products`, two rings."""
    period = int(p[0])
    slot = t % period
    for i in range(lo, hi):
        s[6 + slot, i], s[6 + period + slot, i] = x[0, i], x[1, i]
    if t < period - 1:
        return
    products(s, lo, hi, (6, 6 + period), period)
    for i in range(lo, hi):
        both = math.sqrt(s[3, i]) * math.sqrt(s[4, i])
        s[0, i] = s[5, i] / both if both > 0.0 else 0.0


@kernel
def beta(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, five of `products`, two rings of changes, two last prices."""
    period = int(p[0])
    last = 6 + 2 * period
    if t > 0:
        slot = (t - 1) % period
        for i in range(lo, hi):
            first, second = s[last, i], s[last + 1, i]
            s[6 + slot, i] = x[0, i] / first - 1.0 if first != 0.0 else 0.0
            s[6 + period + slot, i] = x[1, i] / second - 1.0 if second != 0.0 else 0.0
    for i in range(lo, hi):
        s[last, i], s[last + 1, i] = x[0, i], x[1, i]
    if t >= period:
        products(s, lo, hi, (6, 6 + period), period)
        for i in range(lo, hi):
            s[0, i] = s[5, i] / s[3, i] if s[3, i] > 0.0 else 0.0


@kernel
def autocorr(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, five of `products`, rings of changes now and `lag` before, ring of the lag, last close."""
    period, lag = int(p[0]), int(p[1])
    waiting = 6 + 2 * period
    last = waiting + lag
    if t > 0:
        slot, place = (t - 1) % period, waiting + (t - 1) % lag
        for i in range(lo, hi):
            before = s[last, i]
            change = x[0, i] / before - 1.0 if before != 0.0 else 0.0
            s[6 + slot, i], s[6 + period + slot, i] = change, s[place, i]
            s[place, i] = change
    for i in range(lo, hi):
        s[last, i] = x[0, i]
    if t >= period + lag:
        products(s, lo, hi, (6, 6 + period), period)
        for i in range(lo, hi):
            both = math.sqrt(s[3, i]) * math.sqrt(s[4, i])
            s[0, i] = s[5, i] / both if both > 0.0 else 0.0


@kernel
def half_life(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, five of `products`, rings of closes before and of changes, last close."""
    period, limit = int(p[0]), p[1]
    last = 6 + 2 * period
    if t > 0:
        slot = (t - 1) % period
        for i in range(lo, hi):
            s[6 + slot, i], s[6 + period + slot, i] = s[last, i], x[0, i] - s[last, i]
    for i in range(lo, hi):
        s[last, i] = x[0, i]
    if t >= period:
        products(s, lo, hi, (6, 6 + period), period)
        for i in range(lo, hi):
            pull = s[5, i] / s[3, i] if s[3, i] > 0.0 else 0.0
            life = -math.log(2.0) / math.log(1.0 + pull) if -1.0 < pull < 0.0 else limit
            s[0, i] = min(life, limit) if pull > -1.0 else 0.0


def _period(params: Params) -> int:
    return int(params["period"])


def _line(params: Params) -> int:
    return 3 + _period(params)


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
        rows=lambda p: 6 + 2 * _period(p),
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
        rows=lambda p: 6 + 2 * _period(p),
        warm_up=_period,
        formula="Pearson's correlation of close and volume; 0 where one of the two does not move",
        source="Pearson, Proceedings of the Royal Society 58, 1895",
    ),
    spec(
        beta,
        "statistic",
        "high low -> value",
        (whole("period", 5),),
        rows=lambda p: 8 + 2 * _period(p),
        warm_up=lambda p: _period(p) + 1,
        formula="slope of the relative changes of the second on those of the first; 0 where that does not move",
        source="TA-Lib, BETA",
    ),
    spec(
        autocorr,
        "statistic",
        "close -> value",
        (whole("period", 20, low=2), whole("lag", 1)),
        rows=lambda p: 7 + 2 * _period(p) + int(p["lag"]),
        warm_up=lambda p: _period(p) + int(p["lag"]) + 1,
        formula="correlation of the last period relative changes with those lag before; 0 where they do not move",
        source="pandas, rolling.corr of a series with itself shifted",
    ),
    spec(
        half_life,
        "statistic",
        "close -> prints",
        (whole("period", 60, low=3), real("limit", 1000.0, 1.0, 1e9)),
        rows=lambda p: 7 + 2 * _period(p),
        warm_up=lambda p: _period(p) + 1,
        formula="-ln 2 / ln(1 + b), b the slope of the change on the close before; limit where b >= 0, 0 where b <= -1",
        source="Chan, Algorithmic Trading, 2013, chapter 2 (AR(1), discrete form)",
    ),
)
