"""Averages over the last prints, each with a weight of its own: SMA, WMA, TRIMA, HMA, ALMA, VWMA, KAMA, bands.

A ring holds the last prints, one row each. Sums over short windows are made anew: rows are added side by side,
nothing can drift. The plain mean of any period keeps a running sum and its rounding errors, as in sma.py.
"""
# ruff: noqa: PLR0917 - a step takes six

from __future__ import annotations

import math

import numpy as np

from shared.indicators.indicator import FloatArray, kernel


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
def weighted(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int, int]) -> None:
    """Mean with weights 1 to period, the last print the heaviest; shape: row out, first row of the ring, period."""
    out, ring, period = shape
    slot = ring + t % period
    for i in range(lo, hi):
        s[slot, i] = x[i]
    if t < period - 1:
        return
    for i in range(lo, hi):
        s[out, i] = 0.0
    for k in range(1, period + 1):
        row = ring + (t - period + k) % period
        for i in range(lo, hi):
            s[out, i] += k * s[row, i]
    for i in range(lo, hi):
        s[out, i] /= 0.5 * period * (period + 1)


@kernel
def sma(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, total, lost, ring."""
    mean(s, x[0], lo, hi, t, (0, int(p[0])))


@kernel
def wma(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, ring."""
    weighted(s, x[0], lo, hi, t, (0, 1, int(p[0])))


@kernel
def trima(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, two means with their totals and rings: the mean of the means, of half the period each."""
    period = int(p[0])
    inner = (period + 1) // 2
    outer = period - inner + 1
    mean(s, x[0], lo, hi, t, (1, inner))
    if t >= inner - 1:
        first = 4 + inner
        mean(s, s[1], lo, hi, t - inner + 1, (first, outer))
        for i in range(lo, hi):
            s[0, i] = s[first, i] if t >= period - 1 else np.nan


@kernel
def hma(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, weighted mean of half, of all, their difference, rings of half, all and the root."""
    period = int(p[0])
    half, root = period // 2, int(math.sqrt(period))
    weighted(s, x[0], lo, hi, t, (1, 4, half))
    weighted(s, x[0], lo, hi, t, (2, 4 + half, period))
    if t >= period - 1:
        for i in range(lo, hi):
            s[3, i] = 2.0 * s[1, i] - s[2, i]
        if root == 1:
            for i in range(lo, hi):
                s[0, i] = s[3, i]
        elif t >= period + root - 2:
            weighted(s, s[3], lo, hi, t - period + 1, (0, 4 + half + period, root))
        else:
            for i in range(lo, hi):
                s[4 + half + period + (t - period + 1) % root, i] = s[3, i]


@kernel
def alma(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, ring."""
    period = int(p[0])
    centre, width = p[1] * (period - 1), period / p[2]
    for i in range(lo, hi):
        s[1 + t % period, i] = x[0, i]
    if t < period - 1:
        return
    total = 0.0
    for i in range(lo, hi):
        s[0, i] = 0.0
    for k in range(period):
        weight = math.exp(-((k - centre) ** 2) / (2.0 * width * width))
        total += weight
        row = 1 + (t + 1 + k) % period
        for i in range(lo, hi):
            s[0, i] += weight * s[row, i]
    for i in range(lo, hi):
        s[0, i] /= total


@kernel
def vwma(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, sum of volumes, rings of price times volume and of volume."""
    period = int(p[0])
    slot = 2 + t % period
    for i in range(lo, hi):
        s[slot, i] = x[0, i] * x[1, i]
        s[slot + period, i] = x[1, i]
    if t < period - 1:
        return
    for i in range(lo, hi):
        s[0, i] = 0.0
        s[1, i] = 0.0
    for k in range(2, period + 2):
        for i in range(lo, hi):
            s[0, i] += s[k, i]
            s[1, i] += s[k + period, i]
    for i in range(lo, hi):
        s[0, i] = s[0, i] / s[1, i] if s[1, i] != 0.0 else x[0, i]


@kernel
def kama(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, way, ring of period + 1 closes, ring of period steps."""
    period = int(p[0])
    closes, steps = 2, 3 + period
    slot = closes + t % (period + 1)
    before = closes + (t - 1) % (period + 1)
    oldest = closes + (t + 1) % (period + 1)
    for i in range(lo, hi):
        s[slot, i] = x[0, i]
    if t == 0:
        return
    for i in range(lo, hi):
        s[steps + t % period, i] = abs(x[0, i] - s[before, i])
    if t < period:
        return
    for i in range(lo, hi):
        s[1, i] = 0.0
    for k in range(period):
        for i in range(lo, hi):
            s[1, i] += s[steps + k, i]
    for i in range(lo, hi):
        last = s[before, i] if t == period else s[0, i]
        covered = abs(x[0, i] - s[oldest, i])
        efficiency = covered / s[1, i] if s[1, i] > covered else 1.0
        pace = efficiency * (2.0 / 3.0 - 2.0 / 31.0) + 2.0 / 31.0
        s[0, i] = last + (x[0, i] - last) * pace * pace


@kernel
def efficiency_ratio(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `kama`, which it steers."""
    period = int(p[0])
    closes, steps = 2, 3 + period
    slot = closes + t % (period + 1)
    before = closes + (t - 1) % (period + 1)
    oldest = closes + (t + 1) % (period + 1)
    for i in range(lo, hi):
        s[slot, i] = x[0, i]
        s[steps + t % period, i] = abs(x[0, i] - s[before, i])
    if t < period:
        return
    for i in range(lo, hi):
        s[1, i] = 0.0
    for k in range(period):
        for i in range(lo, hi):
            s[1, i] += s[steps + k, i]
    for i in range(lo, hi):
        covered = abs(x[0, i] - s[oldest, i])
        s[0, i] = covered / s[1, i] if s[1, i] > covered else 1.0


@kernel
def bbands(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: upper, middle, lower, squares, mean, total, lost, ring."""
    period = int(p[0])
    mean(s, x[0], lo, hi, t, (4, period))
    if t < period - 1:
        return
    for i in range(lo, hi):
        s[3, i] = 0.0
    fours = period - period % 4
    for k in range(7, 7 + fours, 4):
        for i in range(lo, hi):
            a, b, c, d = s[k, i] - s[4, i], s[k + 1, i] - s[4, i], s[k + 2, i] - s[4, i], s[k + 3, i] - s[4, i]
            s[3, i] += (a * a + b * b) + (c * c + d * d)
    for k in range(7 + fours, 7 + period):
        for i in range(lo, hi):
            off = s[k, i] - s[4, i]
            s[3, i] += off * off
    # One row written per loop, as in wilder.movements.
    for i in range(lo, hi):
        s[3, i] = math.sqrt(s[3, i] / period)
    for i in range(lo, hi):
        s[0, i] = s[4, i] + p[1] * s[3, i]
    for i in range(lo, hi):
        s[1, i] = s[4, i]
    for i in range(lo, hi):
        s[2, i] = s[4, i] - p[2] * s[3, i]


@kernel
def cci(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, typical price, mean, total, lost, ring."""
    period = int(p[0])
    for i in range(lo, hi):
        s[1, i] = (x[0, i] + x[1, i] + x[2, i]) / 3.0
    mean(s, s[1], lo, hi, t, (2, period))
    if t < period - 1:
        return
    for i in range(lo, hi):
        s[0, i] = 0.0
    fours = period - period % 4
    for k in range(5, 5 + fours, 4):
        for i in range(lo, hi):
            a, b, c, d = s[k, i] - s[2, i], s[k + 1, i] - s[2, i], s[k + 2, i] - s[2, i], s[k + 3, i] - s[2, i]
            s[0, i] += (abs(a) + abs(b)) + (abs(c) + abs(d))
    for k in range(5 + fours, 5 + period):
        for i in range(lo, hi):
            s[0, i] += abs(s[k, i] - s[2, i])
    for i in range(lo, hi):
        off, spread = s[1, i] - s[2, i], s[0, i] / period
        # Rounding alone must not decide: a constant has no deviation.
        flat = spread <= 1e-15 * abs(s[2, i])
        s[0, i] = 0.0 if flat else off / (0.015 * spread)


@kernel
def awesome(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, median price, two means with totals and rings."""
    fast, slow = int(p[0]), int(p[1])
    for i in range(lo, hi):
        s[1, i] = (x[0, i] + x[1, i]) / 2.0
    mean(s, s[1], lo, hi, t, (2, fast))
    mean(s, s[1], lo, hi, t, (5 + fast, slow))
    if t >= max(fast, slow) - 1:
        for i in range(lo, hi):
            s[0, i] = s[2, i] - s[5 + fast, i]


@kernel
def qstick(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, total, lost, ring, body."""
    period = int(p[0])
    body = 3 + period
    for i in range(lo, hi):
        s[body, i] = x[1, i] - x[0, i]
    mean(s, s[body], lo, hi, t, (0, period))
