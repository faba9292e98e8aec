"""Changes against earlier prints: momentum, rates of change, and sums of what rose against what fell."""
# ruff: noqa: PLR0917, FURB136 - a step takes six; max() minds NaN, which stops SIMD

from __future__ import annotations

import numpy as np

from shared.indicators.indicator import FloatArray, kernel


@kernel
def ago(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> int:
    """Keep the print in a ring of period + 1 rows; shape: first row, period. The row `period` prints ago, or -1."""
    ring, period = shape
    window = period + 1
    slot = ring + t % window
    for i in range(lo, hi):
        s[slot, i] = x[i]
    return ring + (t + 1) % window if t >= period else -1


@kernel
def mom(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, ring."""
    row = ago(s, x[0], lo, hi, t, (1, int(p[0])))
    if row >= 0:
        for i in range(lo, hi):
            s[0, i] = x[0, i] - s[row, i]


@kernel
def roc(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, ring."""
    row = ago(s, x[0], lo, hi, t, (1, int(p[0])))
    if row >= 0:
        for i in range(lo, hi):
            s[0, i] = (x[0, i] / s[row, i] - 1.0) * 100.0 if s[row, i] != 0.0 else 0.0


@kernel
def rocp(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, ring."""
    row = ago(s, x[0], lo, hi, t, (1, int(p[0])))
    if row >= 0:
        for i in range(lo, hi):
            s[0, i] = (x[0, i] - s[row, i]) / s[row, i] if s[row, i] != 0.0 else 0.0


@kernel
def rocr(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, ring."""
    row = ago(s, x[0], lo, hi, t, (1, int(p[0])))
    if row >= 0:
        for i in range(lo, hi):
            s[0, i] = x[0, i] / s[row, i] if s[row, i] != 0.0 else 0.0


@kernel
def rocr100(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, ring."""
    row = ago(s, x[0], lo, hi, t, (1, int(p[0])))
    if row >= 0:
        for i in range(lo, hi):
            s[0, i] = x[0, i] / s[row, i] * 100.0 if s[row, i] != 0.0 else 0.0


@kernel
def window_sum(s: FloatArray, out: int, first: int, period: int, lo: int, hi: int) -> None:
    """Sum of `period` rows from `first` on, anew."""
    for i in range(lo, hi):
        s[out, i] = 0.0
    fours = period - period % 4
    for k in range(first, first + fours, 4):
        for i in range(lo, hi):
            s[out, i] += (s[k, i] + s[k + 1, i]) + (s[k + 2, i] + s[k + 3, i])
    for k in range(first + fours, first + period):
        for i in range(lo, hi):
            s[out, i] += s[k, i]


@kernel
def dpo(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, ring of closes. The close of half a period ago against the mean of all: nothing is shifted."""
    period = int(p[0])
    back = period // 2 + 1
    window = max(period, back + 1)
    for i in range(lo, hi):
        s[1 + t % window, i] = x[0, i]
    if t < window - 1:
        return
    for i in range(lo, hi):
        s[0, i] = 0.0
    for k in range(period):
        row = 1 + (t - k) % window
        for i in range(lo, hi):
            s[0, i] += s[row, i]
    row = 1 + (t - back) % window
    for i in range(lo, hi):
        s[0, i] = s[row, i] - s[0, i] / period


@kernel
def mfi(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, last typical price, sums of inflow and outflow (before: price and flow), rings of both."""
    period = int(p[0])
    slot = 4 + (t - 1) % period
    for i in range(lo, hi):
        typical = (x[0, i] + x[1, i] + x[2, i]) / 3.0
        flow = typical * x[3, i]
        s[2, i] = typical
        s[3, i] = flow
    # Thirds of prices that are the same in cents may differ in the last bit: that is no change, as for TA-Lib.
    for i in range(lo, hi):
        s[slot, i] = s[3, i] if t > 0 and s[2, i] - s[1, i] > 1e-14 * s[2, i] else 0.0
    for i in range(lo, hi):
        s[slot + period, i] = s[3, i] if t > 0 and s[1, i] - s[2, i] > 1e-14 * s[2, i] else 0.0
    for i in range(lo, hi):
        s[1, i] = s[2, i]
    if t < period:
        return
    window_sum(s, 2, 4, period, lo, hi)
    window_sum(s, 3, 4 + period, period, lo, hi)
    for i in range(lo, hi):
        both = s[2, i] + s[3, i]
        # TA-Lib calls a flow below one dollar no flow.
        s[0, i] = 100.0 * s[2, i] / both if both >= 1.0 else 0.0


@kernel
def imi(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, two sums, rings of rises and falls within the bar."""
    period = int(p[0])
    slot = 3 + t % period
    for i in range(lo, hi):
        change = x[1, i] - x[0, i]
        s[slot, i] = change if change > 0.0 else 0.0
        s[slot + period, i] = -change if change < 0.0 else 0.0
    if t < period - 1:
        return
    window_sum(s, 1, 3, period, lo, hi)
    window_sum(s, 2, 3 + period, period, lo, hi)
    for i in range(lo, hi):
        both = s[1, i] + s[2, i]
        s[0, i] = 100.0 * s[1, i] / both if both != 0.0 else 0.0


@kernel
def ultosc(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, last close, pressure, range, rings of both over the longest period."""
    short, middle, long = int(p[0]), int(p[1]), int(p[2])
    longest = max(short, middle, long)
    shortest = min(short, middle, long)
    between = short + middle + long - longest - shortest
    slot = (t - 1) % longest
    for i in range(lo, hi):
        last = s[1, i]
        bottom = x[1, i] if x[1, i] < last else last
        top = x[0, i] if x[0, i] > last else last
        s[4 + slot, i] = x[2, i] - bottom if t > 0 else 0.0
        s[4 + longest + slot, i] = top - bottom if t > 0 else 0.0
        s[1, i] = x[2, i]
    if t < longest:
        return
    for i in range(lo, hi):
        s[0, i] = 0.0
        s[2, i] = 0.0
    for i in range(lo, hi):
        s[3, i] = 0.0
    for back in range(longest):
        row = 4 + (slot - back) % longest
        for i in range(lo, hi):
            s[2, i] += s[row, i]
            s[3, i] += s[row + longest, i]
        share = 0.0
        share += 4.0 if back == shortest - 1 else 0.0
        share += 2.0 if back == between - 1 else 0.0
        share += 1.0 if back == longest - 1 else 0.0
        if share > 0.0:
            for i in range(lo, hi):
                s[0, i] += share * s[2, i] / s[3, i] if s[3, i] != 0.0 else 0.0
    for i in range(lo, hi):
        s[0, i] *= 100.0 / 7.0


@kernel
def vortex(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: plus, minus, last high, low and close, sum of ranges, rings of both ways and of true ranges."""
    period = int(p[0])
    slot = 6 + (t - 1) % period
    for i in range(lo, hi):
        last = s[4, i]
        top = x[0, i] if x[0, i] > last else last
        bottom = x[1, i] if x[1, i] < last else last
        s[slot, i] = abs(x[0, i] - s[3, i])
        s[slot + period, i] = abs(x[1, i] - s[2, i])
        s[slot + 2 * period, i] = top - bottom
        s[2, i], s[3, i], s[4, i] = x[0, i], x[1, i], x[2, i]
    if t < period:
        return
    window_sum(s, 0, 6, period, lo, hi)
    window_sum(s, 1, 6 + period, period, lo, hi)
    window_sum(s, 5, 6 + 2 * period, period, lo, hi)
    for i in range(lo, hi):
        s[0, i] = s[0, i] / s[5, i] if s[5, i] != 0.0 else 0.0
        s[1, i] = s[1, i] / s[5, i] if s[5, i] != 0.0 else 0.0


@kernel
def choppiness(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, last close, sum of ranges, rings of highs, lows and true ranges."""
    period = int(p[0])
    slot = 3 + (t - 1) % period
    for i in range(lo, hi):
        top = x[0, i] if x[0, i] > s[1, i] else s[1, i]
        bottom = x[1, i] if x[1, i] < s[1, i] else s[1, i]
        s[slot, i], s[slot + period, i], s[slot + 2 * period, i] = x[0, i], x[1, i], top - bottom
        s[1, i] = x[2, i]
    if t < period:
        return
    window_sum(s, 2, 3 + 2 * period, period, lo, hi)
    for i in range(lo, hi):
        top, bottom = s[3, i], s[3 + period, i]
        for k in range(4, 3 + period):
            top = s[k, i] if s[k, i] > top else top
            bottom = s[k + period, i] if s[k + period, i] < bottom else bottom
        width = top - bottom
        s[0, i] = 100.0 * np.log(s[2, i] / width) / np.log(period) if width > 0.0 and s[2, i] > 0.0 else 100.0
