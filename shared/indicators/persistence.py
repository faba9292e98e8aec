"""Whether moves go on or turn back: Hurst's exponent, variance ratio; and how evenly a window is spread."""
# ruff: noqa: PLR0917 - a step takes six

from __future__ import annotations

import math

from shared.indicators.indicator import FloatArray, kernel


@kernel
def climbed(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int, int]) -> bool:
    """Put the logarithm of the close into the ring; shape: rows of last close and level, ring's slots behind them.

    The level is the sum of the moves, so that one logarithm is taken a print. A move from or to a price that is
    not positive counts as none. Whether the ring is full.
    """
    last, slots, _ = shape
    level, slot = last + 1, last + 2 + t % slots
    far = 0
    for i in range(lo, hi):
        z = (x[i] - s[last, i]) / (x[i] + s[last, i])
        q = z * z
        tail = 1 / 11 + q * (1 / 13 + q * (1 / 15 + q * (1 / 17)))
        s[slot, i] = s[level, i] + 2.0 * z * (1.0 + q * (1 / 3 + q * (1 / 5 + q * (1 / 7 + q * (1 / 9 + q * tail)))))
        far += not q < 0.01  # noqa: PLR2004 - where the series of 2 artanh z is exact
    if far > 0:
        for i in range(lo, hi):
            z = (x[i] - s[last, i]) / (x[i] + s[last, i])
            if not z * z < 0.01:  # noqa: PLR2004 - as above
                moves = x[i] > 0.0 and s[last, i] > 0.0
                s[slot, i] = s[level, i] + (math.log(x[i] / s[last, i]) if moves else 0.0)
    for i in range(lo, hi):
        s[level, i] = s[slot, i]
        s[last, i] = x[i]
    return t >= slots - 1


@kernel
def hurst(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, drift, base, highest, lowest, squares; last close, level, ring of levels."""
    period = int(p[0])
    slots, ring = period + 1, 8
    if not climbed(s, x[0], lo, hi, t, (6, slots, 0)):
        return
    base, end = ring + (t + 1) % slots, ring + t % slots
    for i in range(lo, hi):
        s[1, i] = (s[end, i] - s[base, i]) / period
        s[2, i] = s[base, i]
        s[3, i] = s[4, i] = s[5, i] = 0.0
    before = base
    for k in range(1, slots):
        row = before + 1 if before + 1 < ring + slots else ring
        for i in range(lo, hi):
            place, drift, top, bottom = s[row, i], s[1, i], s[3, i], s[4, i]
            away = (place - s[2, i]) - k * drift
            move = (place - s[before, i]) - drift
            s[3, i] = away if away > top else top  # noqa: FURB136 - as in atr.py
            s[4, i] = away if away < bottom else bottom  # noqa: FURB136 - max() and min() mind NaN, which stops SIMD
            s[5, i] += move * move
        before = row
    scale = 1.0 / math.log(period / 2.0)
    for i in range(lo, hi):
        reach, deviation = s[3, i] - s[4, i], math.sqrt(s[5, i] / period)
        s[0, i] = math.log(reach / deviation) * scale if reach > 0.0 and deviation > 0.0 else 0.5


@kernel
def variance_ratio(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, drift, variance of one, variance of q; last close, level, ring of levels."""
    period, q = int(p[0]), int(p[1])
    slots, ring = period + 1, 6
    if not climbed(s, x[0], lo, hi, t, (4, slots, 0)):
        return
    oldest = t + 1
    for i in range(lo, hi):
        s[1, i] = (s[ring + t % slots, i] - s[ring + oldest % slots, i]) / period
        s[2, i] = s[3, i] = 0.0
    for k in range(1, slots):
        row, one = ring + (oldest + k) % slots, ring + (oldest + k - 1) % slots
        many = ring + (oldest + max(k - q, 0)) % slots
        for i in range(lo, hi):
            single = s[row, i] - s[one, i] - s[1, i]
            s[2, i] += single * single
            joined = s[row, i] - s[many, i] - q * s[1, i] if k >= q else 0.0
            s[3, i] += joined * joined
    scale = (period - 1.0) / (q * (period - q + 1.0) * (1.0 - q / period))
    for i in range(lo, hi):
        s[0, i] = s[3, i] * scale / s[2, i] if s[2, i] > 0.0 else 1.0


@kernel
def entropy(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, sum, sum of x log x, rings of x and of x log x."""
    period = int(p[0])
    slot = 3 + t % period
    for i in range(lo, hi):
        price = x[0, i] if x[0, i] > 0.0 else 0.0  # noqa: FURB136 - as in atr.py
        s[slot, i] = price
        s[slot + period, i] = price * math.log2(price) if price > 0.0 else 0.0
    if t < period - 1:
        return
    for i in range(lo, hi):
        s[1, i] = s[2, i] = 0.0
    for k in range(period):
        for i in range(lo, hi):
            s[1, i] += s[3 + k, i]
            s[2, i] += s[3 + period + k, i]
    for i in range(lo, hi):
        s[0, i] = math.log2(s[1, i]) - s[2, i] / s[1, i] if s[1, i] > 0.0 else 0.0
