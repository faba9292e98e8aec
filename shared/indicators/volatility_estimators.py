"""How much prices move: true range and kin, and the estimators of volatility from closes and from ranges.

The estimators give a standard deviation per year of `bars_per_year` bars. A price that is not positive has no
logarithm: values that see it are NaN until it has left the window.
"""
# ruff: noqa: ARG001, PLR0913, PLR0917, PLR2004 - a step takes six; windows and Taylor series have small numbers

from __future__ import annotations

import math

from shared.indicators.indicator import FloatArray, kernel


@kernel
def logarithm(s: FloatArray, out: int, a: FloatArray, b: FloatArray, lo: int, hi: int) -> None:
    """ln(a / b) into row `out`: 2 artanh((a - b) / (a + b)), whose series runs on SIMD lanes where a / b is near 1."""
    far = 0
    for i in range(lo, hi):
        z = (a[i] - b[i]) / (a[i] + b[i])
        q = z * z
        tail = 1 / 11 + q * (1 / 13 + q * (1 / 15 + q * (1 / 17)))
        s[out, i] = 2.0 * z * (1.0 + q * (1 / 3 + q * (1 / 5 + q * (1 / 7 + q * (1 / 9 + q * tail)))))
        far += not q < 0.01
    if far > 0:
        for i in range(lo, hi):
            z = (a[i] - b[i]) / (a[i] + b[i])
            if not z * z < 0.01:
                s[out, i] = math.log(a[i] / b[i]) if a[i] > 0.0 and b[i] > 0.0 else math.nan


@kernel
def window_sum(s: FloatArray, out: int, ring: int, lo: int, hi: int, period: int) -> None:
    """Sum of the rows `ring` to `ring + period` into row `out`."""
    for i in range(lo, hi):
        s[out, i] = s[ring, i]
    for k in range(1, period):
        for i in range(lo, hi):
            s[out, i] += s[ring + k, i]


@kernel
def around(s: FloatArray, out: int, ring: int, lo: int, hi: int, period: int) -> None:
    """Sum of squares of the ring around its mean into row `out`; the mean into out + 1."""
    window_sum(s, out + 1, ring, lo, hi, period)
    for i in range(lo, hi):
        s[out + 1, i] /= period
        s[out, i] = 0.0
    for k in range(period):
        for i in range(lo, hi):
            away = s[ring + k, i] - s[out + 1, i]
            s[out, i] += away * away


@kernel
def smooth(s: FloatArray, rows: tuple[int, int, int], lo: int, hi: int, t: int, period: int) -> bool:
    """Exponential mean of row rows[0] into rows[1], its seed in rows[2], as in ema.py. Whether it is there yet."""
    source, out, seed = rows
    if t >= period:
        weight = 2.0 / (period + 1.0)
        for i in range(lo, hi):
            s[out, i] += (s[source, i] - s[out, i]) * weight
        return True
    if t < 0:
        return False
    for i in range(lo, hi):
        s[seed, i] += s[source, i]
        s[out, i] = s[seed, i] / period
    return t == period - 1


@kernel
def true_range(s: FloatArray, row: int, last: int, x: FloatArray, lo: int, hi: int) -> None:
    """True range into `row`; `last` keeps the close."""
    for i in range(lo, hi):
        before = s[last, i]
        top = x[0, i] if x[0, i] > before else before  # noqa: FURB136 - as in atr.py
        bottom = x[1, i] if x[1, i] < before else before  # noqa: FURB136 - max() and min() mind NaN, which stops SIMD
        s[row, i] = top - bottom
        s[last, i] = x[2, i]


@kernel
def trange(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, last close, range."""
    true_range(s, 2, 1, x, lo, hi)
    if t > 0:
        for i in range(lo, hi):
            s[0, i] = s[2, i]


@kernel
def natr(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, last close, range, its mean."""
    period = int(p[0])
    true_range(s, 2, 1, x, lo, hi)
    if t == 0:
        return
    held, share = (period - 1.0, 1.0 / period) if t > period else (1.0, 1.0)
    for i in range(lo, hi):
        s[3, i] = (s[3, i] * held + s[2, i]) * share
    if t == period:
        for i in range(lo, hi):
            s[3, i] /= period
    if t >= period:
        for i in range(lo, hi):
            s[0, i] = s[3, i] / x[2, i] * 100.0 if x[2, i] != 0.0 else 0.0


@kernel
def adr(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, ring."""
    period = int(p[0])
    for i in range(lo, hi):
        s[1 + t % period, i] = x[0, i] - x[1, i]
    if t >= period - 1:
        window_sum(s, 0, 1, lo, hi, period)
        for i in range(lo, hi):
            s[0, i] /= period


@kernel
def chaikin_volatility(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, range, its mean, seed, ring of means."""
    period, back = int(p[0]), int(p[1])
    for i in range(lo, hi):
        s[1, i] = x[0, i] - x[1, i]
    if smooth(s, (1, 2, 3), lo, hi, t, period):
        slot = 4 + t % back
        if t >= period - 1 + back:
            for i in range(lo, hi):
                before = s[slot, i]
                s[0, i] = (s[2, i] - before) / before * 100.0 if before != 0.0 else 0.0
        for i in range(lo, hi):
            s[slot, i] = s[2, i]


@kernel
def ulcer(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, highest, ring of closes, ring of squared drawdowns."""
    period = int(p[0])
    slot = t % period
    for i in range(lo, hi):
        s[2 + slot, i] = s[1, i] = x[0, i]
    if t < period - 1:
        return
    for k in range(period):
        for i in range(lo, hi):
            a, b = s[2 + k, i], s[1, i]
            s[1, i] = a if a > b else b  # noqa: FURB136 - as in atr.py
    for i in range(lo, hi):
        down = (x[0, i] - s[1, i]) / s[1, i] * 100.0 if s[1, i] != 0.0 else 0.0
        s[2 + period + slot, i] = down * down
    if t >= 2 * period - 2:
        window_sum(s, 0, 2 + period, lo, hi, period)
        for i in range(lo, hi):
            s[0, i] = math.sqrt(s[0, i] / period)


@kernel
def annual(s: FloatArray, source: int, lo: int, hi: int, scale: float) -> None:
    """Square root of a row times `scale` into the first row; a variance below 0 is rounding, and counts as 0."""
    for i in range(lo, hi):
        variance = s[source, i] * scale
        s[0, i] = math.sqrt(variance) if not variance < 0.0 else 0.0


@kernel
def parkinson(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, sum, ring of squares."""
    period = int(p[0])
    slot = 2 + t % period
    logarithm(s, slot, x[0], x[1], lo, hi)
    for i in range(lo, hi):
        s[slot, i] *= s[slot, i]
    if t >= period - 1:
        window_sum(s, 1, 2, lo, hi, period)
        annual(s, 1, lo, hi, p[1] / (period * 4.0 * math.log(2.0)))


@kernel
def garman_klass(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, sum, logarithm, ring."""
    period = int(p[0])
    slot = 3 + t % period
    logarithm(s, slot, x[1], x[2], lo, hi)
    logarithm(s, 2, x[3], x[0], lo, hi)
    share = 2.0 * math.log(2.0) - 1.0
    for i in range(lo, hi):
        s[slot, i] = 0.5 * s[slot, i] * s[slot, i] - share * s[2, i] * s[2, i]
    if t >= period - 1:
        window_sum(s, 1, 3, lo, hi, period)
        annual(s, 1, lo, hi, p[1] / period)


@kernel
def excursions(s: FloatArray, out: int, row: int, x: FloatArray, lo: int, hi: int) -> None:
    """Rogers and Satchell's variance of a bar into `out`; rows: up, down and close, as logarithms over the open."""
    logarithm(s, row, x[1], x[0], lo, hi)
    logarithm(s, row + 1, x[2], x[0], lo, hi)
    logarithm(s, row + 2, x[3], x[0], lo, hi)
    for i in range(lo, hi):
        up, down, close = s[row, i], s[row + 1, i], s[row + 2, i]
        s[out, i] = up * (up - close) + down * (down - close)


@kernel
def rogers_satchell(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, sum, three logarithms, ring."""
    period = int(p[0])
    excursions(s, 5 + t % period, 2, x, lo, hi)
    if t >= period - 1:
        window_sum(s, 1, 5, lo, hi, period)
        annual(s, 1, lo, hi, p[1] / period)


@kernel
def yang_zhang(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, variance, last close, three logarithms, two sums each of nights and days, sum; three rings."""
    period = int(p[0])
    nights, days, bars = 11, 11 + period, 11 + 2 * period
    slot = (t - 1) % period
    if t > 0:
        excursions(s, bars + slot, 3, x, lo, hi)
        logarithm(s, nights + slot, x[0], s[2], lo, hi)
        for i in range(lo, hi):
            s[days + slot, i] = s[5, i]
    for i in range(lo, hi):
        s[2, i] = x[3, i]
    if t < period:
        return
    around(s, 6, nights, lo, hi, period)
    around(s, 8, days, lo, hi, period)
    window_sum(s, 10, bars, lo, hi, period)
    share = 0.34 / (1.34 + (period + 1.0) / (period - 1.0))
    for i in range(lo, hi):
        inner = share * s[8, i] / (period - 1.0) + (1.0 - share) * s[10, i] / period
        s[1, i] = s[6, i] / (period - 1.0) + inner
    annual(s, 1, lo, hi, p[1])


@kernel
def moved(s: FloatArray, ring: int, last: int, x: FloatArray, lo: int, hi: int, t: int, period: int) -> bool:
    """Put ln(close / last close) into the ring; whether it holds `period` of them."""
    if t > 0:
        logarithm(s, ring + (t - 1) % period, x, s[last], lo, hi)
    for i in range(lo, hi):
        s[last, i] = x[i]
    return t >= period


@kernel
def realised(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, squares, mean, last close, ring."""
    period = int(p[0])
    if moved(s, 4, 3, x[0], lo, hi, t, period):
        around(s, 1, 4, lo, hi, period)
        annual(s, 1, lo, hi, p[1] / (period - 1.0))


@kernel
def downside(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, sum, last close, ring of squared falls."""
    period = int(p[0])
    full = moved(s, 3, 2, x[0], lo, hi, t, period)
    slot = 3 + (t - 1) % period
    for i in range(lo, hi):
        s[slot, i] = 0.0 if s[slot, i] > 0.0 else s[slot, i] * s[slot, i]
    if full:
        window_sum(s, 1, 3, lo, hi, period)
        annual(s, 1, lo, hi, p[1] / period)


@kernel
def ewma_volatility(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, variance, last close, logarithm."""
    decay = p[0]
    if t > 0:
        logarithm(s, 3, x[0], s[2], lo, hi)
        for i in range(lo, hi):
            square = s[3, i] * s[3, i]
            mixed = decay * s[1, i] + (1.0 - decay) * square if t > 1 else square
            s[1, i] = mixed if square >= 0.0 else s[1, i]
        annual(s, 1, lo, hi, p[1])
    for i in range(lo, hi):
        s[2, i] = x[0, i]


@kernel
def volatility_of_volatility(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, volatility, last close, two sums twice, ring of moves, ring of volatilities."""
    period, scale = int(p[0]), p[1] / (p[0] - 1.0)
    ring = 7 + period
    if not moved(s, 7, 2, x[0], lo, hi, t, period):
        return
    around(s, 3, 7, lo, hi, period)
    for i in range(lo, hi):
        s[ring + t % period, i] = math.sqrt(s[3, i] * scale)
    if t >= 2 * period - 1:
        around(s, 5, ring, lo, hi, period)
        annual(s, 5, lo, hi, 1.0 / (period - 1.0))
