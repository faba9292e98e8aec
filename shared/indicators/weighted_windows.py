"""Averages over the last prints, each with a weight of its own: SMA, WMA, TRIMA, HMA, ALMA, VWMA, KAMA, bands.

Sums are those of two parts of a window, as in changes.py, and cannot drift. The plain mean keeps a running sum and its
rounding errors, as in sma.py.
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
def weighted(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int, int]) -> bool:
    """Mean with weights 1 to period, the last print the heaviest; shape: row out, first row, period.

    Rows: sum and weighted sum of the block so far, ring of the weighted sums of the rest, whose oldest has weight 1.
    As `rolling`. Whether the window is full; nothing is told before.
    """
    out, total, period = shape
    heavy, ring, slot = total + 1, total + 2, t % period
    newer, older, begins = slot + 1.0, period - slot - 1.0, slot == 0
    share = 1.0 / (0.5 * period * (period + 1))
    for i in range(lo, hi):
        new, before, weighty = x[i], s[total, i], s[heavy, i]
        s[total, i] = new if begins else before + new
        s[heavy, i] = new if begins else weighty + newer * new
        s[ring + slot, i] = new
    if t < period - 1:
        return False
    if slot < period - 1:
        for i in range(lo, hi):
            s[out, i] = (s[ring + slot + 1, i] + s[heavy, i] + older * s[total, i]) * share
        return True
    for i in range(lo, hi):
        s[out, i] = s[heavy, i] * share
        s[total, i] = x[i]
    for k in range(ring + period - 2, ring - 1, -1):
        for i in range(lo, hi):
            s[total, i] += s[k, i]
            s[k, i] = s[k + 1, i] + s[total, i]
    return True


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
def sma(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, total, lost, ring."""
    mean(s, x[0], lo, hi, t, (0, int(p[0])))


@kernel
def wma(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, `weighted`."""
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
    """State: value, weighted mean of half, of all, their difference; `weighted` of half, all and the root."""
    period = int(p[0])
    half, root = period // 2, int(math.sqrt(period))
    weighted(s, x[0], lo, hi, t, (1, 4, half))
    if weighted(s, x[0], lo, hi, t, (2, 6 + half, period)):
        for i in range(lo, hi):
            s[3, i] = 2.0 * s[1, i] - s[2, i]
        weighted(s, s[3], lo, hi, t - period + 1, (0, 8 + half + period, root))


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
    """State: value, price times volume; its sum and that of volume, with rings."""
    period = int(p[0])
    money, volume = 2, 4 + period
    for i in range(lo, hi):
        s[1, i] = x[0, i] * x[1, i]
    rolling(s, s[1], lo, hi, t, (money, period))
    if rolling(s, x[1], lo, hi, t, (volume, period)):
        for i in range(lo, hi):
            s[0, i] = s[money, i] / s[volume, i] if s[volume, i] != 0.0 else x[0, i]


@kernel
def way(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, period: int) -> bool:
    """Sum of the last steps into row 2, the way covered into row 1; whether they are there.

    Rows: covered, sum of steps with ring, ring of period + 1 closes.
    """
    window, closes = period + 1, 4 + period
    here, before, oldest = closes + t % window, closes + (t - 1) % window, closes + (t + 1) % window
    for i in range(lo, hi):
        s[here, i] = x[i]
    if t == 0:
        return False
    for i in range(lo, hi):
        s[1, i] = abs(x[i] - s[before, i])
    full = rolling(s, s[1], lo, hi, t - 1, (2, period))
    for i in range(lo, hi):
        s[1, i] = abs(x[i] - s[oldest, i])
    return full


@kernel
def kama(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, `way`."""
    period = int(p[0])
    if not way(s, x[0], lo, hi, t, period):
        return
    before = 4 + period + (t - 1) % (period + 1) if t == period else 0
    for i in range(lo, hi):
        last, covered, steps = s[before, i], s[1, i], s[2, i]
        efficiency = covered / steps if steps > covered else 1.0
        pace = efficiency * (2.0 / 3.0 - 2.0 / 31.0) + 2.0 / 31.0
        s[0, i] = last + (x[0, i] - last) * pace * pace


@kernel
def efficiency_ratio(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `kama`, which it steers."""
    if way(s, x[0], lo, hi, t, int(p[0])):
        for i in range(lo, hi):
            s[0, i] = s[1, i] / s[2, i] if s[2, i] > s[1, i] else 1.0


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
