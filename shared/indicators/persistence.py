"""Whether moves go on or turn back: Hurst's exponent, variance ratio; and how evenly a window is spread."""
# ruff: noqa: PLR0917, FURB136 - a step takes six; max() and min() mind NaN, which stops SIMD

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
def hurst(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, highest, lowest, move, `spread` of moves; last close, level, ring of levels."""
    period = int(p[0])
    slots, last = period + 1, 10 + 2 * period
    ring = last + 2
    full = climbed(s, x[0], lo, hi, t, (last, slots, 0))
    if t == 0:
        return
    now, before = ring + t % slots, ring + (t - 1) % slots
    for i in range(lo, hi):
        s[3, i] = s[now, i] - s[before, i]
    spread(s, s[3], lo, hi, t - 1, (4, period))
    if not full:
        return
    oldest = (t + 1) % slots
    for i in range(lo, hi):
        s[1, i] = s[2, i] = s[ring + oldest, i]
    # From the oldest level to the end of the ring, and from the ring's begin to the newest.
    climb(s, lo, hi, (ring + oldest, ring + slots), 0)
    climb(s, lo, hi, (ring, ring + oldest), slots - oldest)
    for i in range(lo, hi):
        reach, deviation = s[1, i] - s[2, i], math.sqrt(s[5, i] * (1.0 / period))
        ratio = reach / deviation
        moves = reach > 0.0 and deviation > 0.0
        s[1, i] = ratio if moves else 0.0
        s[2, i] = ratio if moves else 1.0
    rescaled(s, lo, hi, 1.0 / math.log(period / 2.0))
    for i in range(lo, hi):
        told, moved = s[0, i], s[1, i]
        s[0, i] = told if moved > 0.0 else 0.5


@kernel
def rescaled(s: FloatArray, lo: int, hi: int, scale: float) -> None:
    """Logarithm of row 2, times `scale`, into row 0: halved until it is near 1, the rest by the series of `climbed`."""
    far = 0
    for i in range(lo, hi):
        y, halved = s[2, i], 0.0
        far += not 1.0 <= y < 4096.0  # noqa: PLR2004 - what the steps below bring near 1
        for power, factor in ((8.0, 1 / 256), (4.0, 1 / 16), (2.0, 1 / 4), (1.0, 1 / 2)):
            above = y * factor >= 1.0
            y = y * factor if above else y
            halved = halved + power if above else halved
        above = y > 1.4142135623730951  # noqa: PLR2004 - the root of 2
        y = 0.5 * y if above else y
        halved = halved + 1.0 if above else halved
        z = (y - 1.0) / (y + 1.0)
        q = z * z
        tail = 1 / 15 + q * (1 / 17 + q * (1 / 19 + q * (1 / 21 + q * (1 / 23))))
        tail = 1 / 7 + q * (1 / 9 + q * (1 / 11 + q * (1 / 13 + q * tail)))
        s[0, i] = (halved * 0.6931471805599453 + 2.0 * z * (1.0 + q * (1 / 3 + q * (1 / 5 + q * tail)))) * scale
    if far > 0:
        for i in range(lo, hi):
            if not 1.0 <= s[2, i] < 4096.0:  # noqa: PLR2004 - as above
                s[0, i] = math.log(s[2, i]) * scale


@kernel
def wider(a: float, b: float, c: float, d: float) -> tuple[float, float]:
    """Highest and lowest of four."""
    high, low, higher, lower = (a if a > b else b), (b if a > b else a), (c if c > d else d), (d if c > d else c)
    return (high if high > higher else higher), (low if low < lower else lower)


@kernel
def climb(s: FloatArray, lo: int, hi: int, rows: tuple[int, int], steps: int) -> None:
    """Highest and lowest of the levels in `rows`, less the drift (row 4) of the steps up to them, into rows 1 and 2."""
    first, end = rows
    eights = first + (end - first) // 8 * 8
    for k in range(first, eights, 8):
        n = float(steps + k - first)
        for i in range(lo, hi):
            drift, top, bottom = s[4, i], s[1, i], s[2, i]
            a, b = s[k, i] - n * drift, s[k + 1, i] - (n + 1.0) * drift
            c, d = s[k + 2, i] - (n + 2.0) * drift, s[k + 3, i] - (n + 3.0) * drift
            e, f = s[k + 4, i] - (n + 4.0) * drift, s[k + 5, i] - (n + 5.0) * drift
            g, h = s[k + 6, i] - (n + 6.0) * drift, s[k + 7, i] - (n + 7.0) * drift
            (high, low), (higher, lower) = wider(a, b, c, d), wider(e, f, g, h)
            high, low = (high if high > higher else higher), (low if low < lower else lower)
            s[1, i] = high if high > top else top
            s[2, i] = low if low < bottom else bottom
    for k in range(eights, end):
        n = float(steps + k - first)
        for i in range(lo, hi):
            a, top, bottom = s[k, i] - n * s[4, i], s[1, i], s[2, i]
            s[1, i] = a if a > top else top
            s[2, i] = a if a < bottom else bottom


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
        price = x[0, i] if x[0, i] > 0.0 else 0.0
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
