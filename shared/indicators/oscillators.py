"""Oscillators and bands of few: AC, unsmoothed CMO, forecast oscillator, KDJ, SMI, VHF, WAD, RVI, fractals.

Windows are gone through anew with every print, side by side: nothing can drift.
"""
# ruff: noqa: PLR0917, FURB136 - a step takes six; max() minds NaN, which stops SIMD

from __future__ import annotations

import math

from shared.indicators.indicator import FloatArray, kernel


@kernel
def keep(s: FloatArray, row: int, x: FloatArray, lo: int, hi: int) -> None:
    """Put a print into a row."""
    for i in range(lo, hi):
        s[row, i] = x[i]


@kernel
def total(s: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int, int, int]) -> None:
    """Sum of the last values of a ring; shape: row out, ring, its slots, how many values. The newest stands at `t`."""
    out, ring, slots, count = shape
    for i in range(lo, hi):
        s[out, i] = 0.0
    for k in range(count):
        row = ring + (t - k) % slots
        for i in range(lo, hi):
            s[out, i] += s[row, i]


@kernel
def extremes(s: FloatArray, lo: int, hi: int, highs: tuple[int, int], lows: tuple[int, int], count: int) -> None:
    """Highest of one ring and lowest of another, all of whose `count` slots are filled; each: row out, ring."""
    top, first = highs
    bottom, second = lows
    for i in range(lo, hi):
        s[top, i], s[bottom, i] = s[first, i], s[second, i]
    for k in range(1, count):
        for i in range(lo, hi):
            high, low, above, below = s[first + k, i], s[second + k, i], s[top, i], s[bottom, i]
            s[top, i] = high if high > above else above
            s[bottom, i] = low if low < below else below


@kernel
def smooth(s: FloatArray, rows: tuple[int, int, int], lo: int, hi: int, t: int, shape: tuple[int, float]) -> bool:
    """Mean of row rows[0] into rows[1], its seed in rows[2]: that of `period` values, then it moves by a weight.

    Shape: period, weight. `t` counts the values. Whether it is there yet.
    """
    source, out, seed = rows
    period, weight = shape
    if t >= period:
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
def accelerator(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, awesome oscillator, two sums, rings of middles and of oscillators."""
    fast, slow, signal = int(p[0]), int(p[1]), int(p[2])
    slots = max(fast, slow)
    here, since = 4 + t % slots, t - slots + 1
    for i in range(lo, hi):
        s[here, i] = (x[0, i] + x[1, i]) / 2.0
    if since < 0:
        return
    total(s, lo, hi, t, (2, 4, slots, fast))
    total(s, lo, hi, t, (3, 4, slots, slow))
    kept = 4 + slots + since % signal
    for i in range(lo, hi):
        s[1, i] = s[2, i] / fast - s[3, i] / slow
        s[kept, i] = s[1, i]
    if since >= signal - 1:
        total(s, lo, hi, since, (2, 4 + slots, signal, signal))
        for i in range(lo, hi):
            s[0, i] = s[1, i] - s[2, i] / signal


@kernel
def cmou(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, last close, sums of changes and of their sizes, rings of both."""
    period = int(p[0])
    change, size = 4 + (t - 1) % period, 4 + period + (t - 1) % period
    if t > 0:
        for i in range(lo, hi):
            s[change, i] = x[0, i] - s[1, i]
            s[size, i] = abs(x[0, i] - s[1, i])
    keep(s, 1, x[0], lo, hi)
    if t < period:
        return
    total(s, lo, hi, t - 1, (2, 4, period, period))
    total(s, lo, hi, t - 1, (3, 4 + period, period, period))
    for i in range(lo, hi):
        s[0, i] = 100.0 * s[2, i] / s[3, i] if s[3, i] != 0.0 else 0.0


@kernel
def fosc(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, sum and weighted sum of distances from the last print, ring of closes."""
    period = int(p[0])
    middle, share = (period - 1) / 2.0, 12.0 / (period * (period * period - 1.0))
    if t >= period:
        last = 3 + (t - 1) % period
        for i in range(lo, hi):
            s[1, i] = s[2, i] = 0.0
        for k in range(period):
            row = 3 + (t - period + k) % period
            for i in range(lo, hi):
                away = s[row, i] - s[last, i]
                s[1, i] += away
                s[2, i] += away * (k - middle)
        for i in range(lo, hi):
            forecast = s[last, i] + s[1, i] / period + s[2, i] * share * (period - middle)
            s[0, i] = 100.0 * (x[0, i] - forecast) / x[0, i] if x[0, i] != 0.0 else 0.0
    keep(s, 3 + t % period, x[0], lo, hi)


@kernel
def vhf(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, last close, highest, lowest, sum of steps, rings of closes and steps."""
    period = int(p[0])
    step = 5 + period + t % period
    for i in range(lo, hi):
        s[step, i] = abs(x[0, i] - s[1, i])
    keep(s, 1, x[0], lo, hi)
    keep(s, 5 + t % period, x[0], lo, hi)
    if t < period:
        return
    extremes(s, lo, hi, (2, 5), (3, 5), period)
    total(s, lo, hi, t, (4, 5 + period, period, period))
    for i in range(lo, hi):
        s[0, i] = (s[2, i] - s[3, i]) / s[4, i] if s[4, i] != 0.0 else 0.0


@kernel
def wad(_p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, last close, total."""
    for i in range(lo, hi):
        high, low, close, last = x[0, i], x[1, i], x[2, i], s[1, i]
        bottom = low if low < last else last
        top = high if high > last else last
        rise, fall = close - bottom, close - top
        moved = rise if close > last else (fall if close < last else 0.0)
        s[2, i] += moved if t > 0 else 0.0
        s[0, i] = s[2, i]
    keep(s, 1, x[2], lo, hi)


@kernel
def kdj(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: k, d, j, place, two means, two seeds, highest, lowest, rings."""
    fast, slow_k, slow_d = int(p[0]), int(p[1]), int(p[2])
    keep(s, 10 + t % fast, x[0], lo, hi)
    keep(s, 10 + fast + t % fast, x[1], lo, hi)
    since = t - fast + 1
    if since < 0:
        return
    extremes(s, lo, hi, (8, 10), (9, 10 + fast), fast)
    for i in range(lo, hi):
        place, width = 100.0 * (x[2, i] - s[9, i]), s[8, i] - s[9, i]
        s[3, i] = place / width if width != 0.0 else 0.0
    smooth(s, (3, 4, 6), lo, hi, since, (slow_k, 1.0 / slow_k))
    if smooth(s, (4, 5, 7), lo, hi, since - slow_k + 1, (slow_d, 1.0 / slow_d)):
        for i in range(lo, hi):
            s[0, i], s[1, i] = s[4, i], s[5, i]
        for i in range(lo, hi):
            s[2, i] = 3.0 * s[4, i] - 2.0 * s[5, i]


@kernel
def smi(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: index, signal; distance, range; first and second means of both, their seeds; index, its mean, seed.

    Then highest, lowest, rings.
    """
    period, fast, slow, signal = int(p[0]), int(p[1]), int(p[2]), int(p[3])
    keep(s, 17 + t % period, x[0], lo, hi)
    keep(s, 17 + period + t % period, x[1], lo, hi)
    since = t - period + 1
    if since < 0:
        return
    extremes(s, lo, hi, (15, 17), (16, 17 + period), period)
    for i in range(lo, hi):
        s[2, i] = x[2, i] - (s[15, i] + s[16, i]) / 2.0
        s[3, i] = s[15, i] - s[16, i]
    there, weight = False, 2.0 / (fast + 1.0)
    for k in range(2):
        smooth(s, (2 + k, 4 + k, 8 + k), lo, hi, since, (slow, 2.0 / (slow + 1.0)))
        there = smooth(s, (4 + k, 6 + k, 10 + k), lo, hi, since - slow + 1, (fast, weight))
    if not there:
        return
    for i in range(lo, hi):
        s[12, i] = 200.0 * s[6, i] / s[7, i] if s[7, i] != 0.0 else 0.0
    if smooth(s, (12, 13, 14), lo, hi, since - slow - fast + 2, (signal, 2.0 / (signal + 1.0))):
        for i in range(lo, hi):
            s[0, i], s[1, i] = s[12, i], s[13, i]


@kernel
def rvi(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, last close, deviation of rises and of falls, their means, seeds, sum, squares, ring of closes."""
    period, window = int(p[0]), int(p[1])
    keep(s, 10 + t % window, x[0], lo, hi)
    if t >= window - 1:
        total(s, lo, hi, t, (8, 10, window, window))
        for i in range(lo, hi):
            s[8, i], s[9, i] = s[8, i] / window, 0.0
        for k in range(10, 10 + window):
            for i in range(lo, hi):
                off = s[k, i] - s[8, i]
                s[9, i] += off * off
        for i in range(lo, hi):
            deviation, change = math.sqrt(s[9, i] / window), x[0, i] - s[1, i]
            s[2, i] = deviation if change > 0.0 else 0.0
            s[3, i] = deviation if change < 0.0 else 0.0
        since, shape = t - window + 1, (period, 1.0 / period)
        smooth(s, (2, 4, 6), lo, hi, since, shape)
        if smooth(s, (3, 5, 7), lo, hi, since, shape):
            for i in range(lo, hi):
                both = s[4, i] + s[5, i]
                s[0, i] = 100.0 * s[4, i] / both if both != 0.0 else 50.0
    keep(s, 1, x[0], lo, hi)


@kernel
def accbands(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: upper, middle, lower, three sums, rings of the three."""
    period = int(p[0])
    upper = 6 + t % period
    middle, lower = upper + period, upper + 2 * period
    for i in range(lo, hi):
        high, low = x[0, i], x[1, i]
        reach = 4.0 * (high - low) / (high + low) if high + low != 0.0 else 0.0
        s[upper, i] = high * (1.0 + reach)
        s[lower, i] = low * (1.0 - reach)
    keep(s, middle, x[2], lo, hi)
    if t < period - 1:
        return
    for k in range(3):
        total(s, lo, hi, t, (3 + k, 6 + k * period, period, period))
        for i in range(lo, hi):
            s[k, i] = s[3 + k, i] / period


@kernel
def avgdev(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, mean, ring."""
    period = int(p[0])
    keep(s, 2 + t % period, x[0], lo, hi)
    if t < period - 1:
        return
    total(s, lo, hi, t, (1, 2, period, period))
    for i in range(lo, hi):
        s[1, i], s[0, i] = s[1, i] / period, 0.0
    for k in range(2, 2 + period):
        for i in range(lo, hi):
            s[0, i] += abs(s[k, i] - s[1, i])
    for i in range(lo, hi):
        s[0, i] /= period


@kernel
def fractal(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: swing high, swing low, rings of highs and lows."""
    left, right = int(p[0]), int(p[1])
    slots = left + right + 1
    keep(s, 2 + t % slots, x[0], lo, hi)
    keep(s, 2 + slots + t % slots, x[1], lo, hi)
    if t < slots - 1:
        return
    centre = (t - right) % slots
    for i in range(lo, hi):
        s[0, i] = s[1, i] = 100.0
    for k in range(slots):
        if k != centre:
            for i in range(lo, hi):
                top, high = s[2 + centre, i], s[2 + k, i]
                bottom, low = s[2 + slots + centre, i], s[2 + slots + k, i]
                swing_high, swing_low = s[0, i], s[1, i]
                s[0, i] = swing_high if top > high else 0.0
                s[1, i] = swing_low if bottom < low else 0.0
