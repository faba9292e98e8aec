"""Changes against earlier prints: momentum, rates of change, and sums of what rose against what fell."""
# ruff: noqa: PLR0917, FURB136 - a step takes six; max() minds NaN, which stops SIMD

from __future__ import annotations

import math

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
def rolling(s: FloatArray, new: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> bool:
    """Sum of the last prints of `new`; shape: first row, period. Rows: sum, of the block so far, ring of the rest.

    As the extremes in extremes.py: nothing can drift, and what has left the window is forgotten. Whether it is full.
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
    """State: value, last typical price, inflow, outflow, sums of both with rings."""
    period = int(p[0])
    for i in range(lo, hi):
        typical, last = (x[0, i] + x[1, i] + x[2, i]) / 3.0, s[1, i]
        flow = typical * x[3, i]
        # Thirds of prices that are the same in cents may differ in the last bit: that is no change, as for TA-Lib.
        least = 1e-14 * typical
        s[1, i] = typical
        s[2, i] = flow if typical - last > least else 0.0
        s[3, i] = flow if last - typical > least else 0.0
    into, out = 4, 6 + period
    if t == 0:
        return
    full = rolling(s, s[2], lo, hi, t - 1, (into, period))
    rolling(s, s[3], lo, hi, t - 1, (out, period))
    if full:
        for i in range(lo, hi):
            both = s[into, i] + s[out, i]
            # TA-Lib calls a flow below one dollar no flow.
            s[0, i] = 100.0 * s[into, i] / both if both >= 1.0 else 0.0


@kernel
def imi(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, rise and fall within the bar, sums of both with rings."""
    period = int(p[0])
    for i in range(lo, hi):
        change = x[1, i] - x[0, i]
        s[1, i] = change if change > 0.0 else 0.0
        s[2, i] = -change if change < 0.0 else 0.0
    rises, falls = 3, 5 + period
    full = rolling(s, s[1], lo, hi, t, (rises, period))
    rolling(s, s[2], lo, hi, t, (falls, period))
    if full:
        for i in range(lo, hi):
            both = s[rises, i] + s[falls, i]
            s[0, i] = 100.0 * s[rises, i] / both if both != 0.0 else 0.0


@kernel
def true_range(s: FloatArray, x: FloatArray, i: int, last: int) -> float:
    """Of the print, against the close in row `last`."""
    before = s[last, i]
    top = x[0, i] if x[0, i] > before else before
    bottom = x[1, i] if x[1, i] < before else before
    return float(top - bottom)


@kernel
def ultosc(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, last close, pressure, range; over each period the sums of both, with rings."""
    shortest, longest = int(min(p[0], p[1], p[2])), int(max(p[0], p[1], p[2]))
    between = int(p[0] + p[1] + p[2]) - shortest - longest
    for i in range(lo, hi):
        bottom = x[1, i] if x[1, i] < s[1, i] else s[1, i]
        s[2, i] = x[2, i] - bottom
        s[3, i] = true_range(s, x, i, 1)
        s[1, i] = x[2, i]
    if t == 0:
        return
    full = False
    a, b, c = 4, 8 + 2 * shortest, 12 + 2 * (shortest + between)
    for first, period in ((a, shortest), (b, between), (c, longest)):
        rolling(s, s[2], lo, hi, t - 1, (first, period))
        full = rolling(s, s[3], lo, hi, t - 1, (first + 2 + period, period))
    if full:
        d, e, f = a + 2 + shortest, b + 2 + between, c + 2 + longest
        for i in range(lo, hi):
            # Divided before it is asked whether: a load or a division that depends on a question stops SIMD.
            quick, middle, slow = 4.0 * s[a, i] / s[d, i], 2.0 * s[b, i] / s[e, i], s[c, i] / s[f, i]
            quick, middle = (quick if s[d, i] != 0.0 else 0.0), (middle if s[e, i] != 0.0 else 0.0)
            s[0, i] = (quick + middle + (slow if s[f, i] != 0.0 else 0.0)) * (100.0 / 7.0)


@kernel
def vortex(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: plus, minus, last high, low and close, both ways and true range; the sums of these, with rings."""
    period = int(p[0])
    for i in range(lo, hi):
        s[5, i] = abs(x[0, i] - s[3, i])
        s[6, i] = abs(x[1, i] - s[2, i])
        s[7, i] = true_range(s, x, i, 4)
    for k in range(3):
        for i in range(lo, hi):
            s[2 + k, i] = x[k, i]
    if t == 0:
        return
    full, size = False, 2 + period
    for k in range(3):
        full = rolling(s, s[5 + k], lo, hi, t - 1, (8 + k * size, period))
    if full:
        plus, minus, ranges = 8, 8 + size, 8 + 2 * size
        for i in range(lo, hi):
            up, down, over = s[plus, i], s[minus, i], s[ranges, i]
            s[0, i] = up / over if over != 0.0 else 0.0
            s[1, i] = down / over if over != 0.0 else 0.0


@kernel
def choppiness(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, last close, range, highest, lowest, sum of ranges with ring, rings of highs and lows."""
    period = int(p[0])
    highs = 7 + period
    slot = highs + (t - 1) % period
    for i in range(lo, hi):
        s[2, i] = true_range(s, x, i, 1)
        s[1, i] = x[2, i]
    if t == 0:
        return
    for i in range(lo, hi):
        s[slot, i], s[slot + period, i] = x[0, i], x[1, i]
    if not rolling(s, s[2], lo, hi, t - 1, (5, period)):
        return
    for i in range(lo, hi):
        s[3, i], s[4, i] = x[0, i], x[1, i]
    for k in range(highs, highs + period):
        for i in range(lo, hi):
            high, low, top, bottom = s[k, i], s[k + period, i], s[3, i], s[4, i]
            s[3, i] = high if high > top else top
            s[4, i] = low if low < bottom else bottom
    scale = 100.0 / math.log(period)
    for i in range(lo, hi):
        width, ranges = s[3, i] - s[4, i], s[5, i]
        s[0, i] = scale * math.log(ranges / width) if width > 0.0 and ranges > 0.0 else 100.0
