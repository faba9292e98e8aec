"""How much prices move: true range and kin, and the estimators of volatility from closes and from ranges.

The estimators give a standard deviation per year of `bars_per_year` bars. A price that is not positive has no
logarithm: values that see it are NaN until it has left the window.
"""
# ruff: noqa: ARG001, PLR0917, PLR2004 - a step takes six; windows and Taylor series have small numbers

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
    the sums and squares of the rest. As in moments.py. Whether the window is full.
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
    """State: value, range, its sum with ring."""
    period = int(p[0])
    for i in range(lo, hi):
        s[1, i] = x[0, i] - x[1, i]
    if rolling(s, s[1], lo, hi, t, (2, period)):
        for i in range(lo, hi):
            s[0, i] = s[2, i] / period


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
def highest(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> bool:
    """As in extremes.py. Whether the window is full."""
    first, period = shape
    slot = t % period
    so_far, ring = first + 1, first + 2
    here, rest, begins = ring + slot, ring + (slot + 1) % period, slot == 0
    for i in range(lo, hi):
        new, left, before = x[i], s[rest, i], s[so_far, i]
        now = new if begins or new > before else before
        s[so_far, i] = now
        s[here, i] = new
        s[first, i] = left if left > now else now  # noqa: FURB136 - as in atr.py
    if slot == period - 1:
        for i in range(lo, hi):
            s[first, i] = s[so_far, i]
        for k in range(ring + period - 2, ring - 1, -1):
            for i in range(lo, hi):
                a, b = s[k, i], s[k + 1, i]
                s[k, i] = a if a > b else b  # noqa: FURB136 - as in atr.py
    return t >= period - 1


@kernel
def ulcer(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, squared drawdown, its sum with ring, highest close with ring."""
    period = int(p[0])
    top = 4 + period
    if not highest(s, x[0], lo, hi, t, (top, period)):
        return
    for i in range(lo, hi):
        down = (x[0, i] - s[top, i]) / s[top, i] * 100.0 if s[top, i] != 0.0 else 0.0
        s[1, i] = down * down
    if rolling(s, s[1], lo, hi, t - period + 1, (2, period)):
        for i in range(lo, hi):
            s[0, i] = math.sqrt(s[2, i] / period)


@kernel
def annual(s: FloatArray, source: int, lo: int, hi: int, scale: float) -> None:
    """Square root of a row times `scale` into the first row; a variance below 0 is rounding, and counts as 0."""
    for i in range(lo, hi):
        variance = s[source, i] * scale
        s[0, i] = math.sqrt(variance) if not variance < 0.0 else 0.0


@kernel
def parkinson(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, square, its sum with ring."""
    period = int(p[0])
    logarithm(s, 1, x[0], x[1], lo, hi)
    for i in range(lo, hi):
        s[1, i] *= s[1, i]
    if rolling(s, s[1], lo, hi, t, (2, period)):
        annual(s, 2, lo, hi, p[1] / (period * 4.0 * math.log(2.0)))


@kernel
def garman_klass(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, variance of the bar, logarithm, sum of variances with ring."""
    period = int(p[0])
    logarithm(s, 1, x[1], x[2], lo, hi)
    logarithm(s, 2, x[3], x[0], lo, hi)
    share = 2.0 * math.log(2.0) - 1.0
    for i in range(lo, hi):
        s[1, i] = 0.5 * s[1, i] * s[1, i] - share * s[2, i] * s[2, i]
    if rolling(s, s[1], lo, hi, t, (3, period)):
        annual(s, 3, lo, hi, p[1] / period)


@kernel
def excursions(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: Rogers and Satchell's variance of the bar; up, down and close over the open, logarithms; open, close."""
    logarithm(s, 1, x[1], x[0], lo, hi)
    logarithm(s, 2, x[2], x[0], lo, hi)
    logarithm(s, 3, x[3], x[0], lo, hi)
    for i in range(lo, hi):
        up, down, close = s[1, i], s[2, i], s[3, i]
        s[0, i] = up * (up - close) + down * (down - close)
    for i in range(lo, hi):
        s[4, i], s[5, i] = x[0, i], x[3, i]


@kernel
def rogers_satchell(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, sum of variances with ring. On `excursions`."""
    period = int(p[0])
    if rolling(s, x[0], lo, hi, t, (1, period)):
        annual(s, 1, lo, hi, p[1] / period)


@kernel
def yang_zhang(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, variance, last close, night; `spread` twice, `rolling`. On `excursions`."""
    period = int(p[0])
    nights, days, bars = 4, 10 + 2 * period, 16 + 4 * period
    if t > 0:
        logarithm(s, 3, x[4], s[2], lo, hi)
        spread(s, s[3], lo, hi, t - 1, (nights, period))
        spread(s, x[3], lo, hi, t - 1, (days, period))
        rolling(s, x[0], lo, hi, t - 1, (bars, period))
    for i in range(lo, hi):
        s[2, i] = x[5, i]
    if t < period:
        return
    share = 0.34 / (1.34 + (period + 1.0) / (period - 1.0))
    of_night, of_day, of_bar = 1.0 / (period - 1.0), share / (period - 1.0), (1.0 - share) / period
    for i in range(lo, hi):
        s[1, i] = of_night * s[nights + 1, i] + (of_day * s[days + 1, i] + of_bar * s[bars, i])
    annual(s, 1, lo, hi, p[1])


@kernel
def moved(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> bool:
    """ln(close / last close) into row 1, the close into row 2; whether there was one before."""
    if t > 0:
        logarithm(s, 1, x, s[2], lo, hi)
    for i in range(lo, hi):
        s[2, i] = x[i]
    return t > 0


@kernel
def realised(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, `moved`, `spread`."""
    period = int(p[0])
    if moved(s, x[0], lo, hi, t) and spread(s, s[1], lo, hi, t - 1, (3, period)):
        annual(s, 4, lo, hi, p[1] / (period - 1.0))


@kernel
def downside(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, `moved`, sum of squared falls with ring."""
    period = int(p[0])
    if not moved(s, x[0], lo, hi, t):
        return
    for i in range(lo, hi):
        move = s[1, i]
        s[1, i] = 0.0 if move > 0.0 else move * move
    if rolling(s, s[1], lo, hi, t - 1, (3, period)):
        annual(s, 3, lo, hi, p[1] / period)


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
    """State: value, `moved`, volatility, `spread` of moves and of volatilities."""
    period, scale = int(p[0]), p[1] / (p[0] - 1.0)
    first, second = 4, 10 + 2 * period
    if not (moved(s, x[0], lo, hi, t) and spread(s, s[1], lo, hi, t - 1, (first, period))):
        return
    for i in range(lo, hi):
        s[3, i] = math.sqrt(s[first + 1, i] * scale)
    if spread(s, s[3], lo, hi, t - period, (second, period)):
        annual(s, second + 1, lo, hi, 1.0 / (period - 1.0))
