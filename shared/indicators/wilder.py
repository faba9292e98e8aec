"""Wilder's smoothing and what lives on it: RSI, CMO, average true range, the directional movement family."""
# ruff: noqa: PLR0917, FURB136 - a step takes six; max() minds NaN, which stops SIMD

from __future__ import annotations

import numpy as np

from shared.indicators.indicator import FloatArray, kernel


@kernel
def gains(s: FloatArray, close: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> bool:
    """Wilder's mean gain and loss; shape: first row, period. Rows: gain, loss, last close. Whether they are there."""
    first, period = shape
    held = period - 1.0 if t > period else 1.0
    share = float(period) if t >= period else 1.0
    for i in range(lo, hi):
        change = close[i] - s[first + 2, i] if t > 0 else 0.0
        gain = change if change > 0.0 else 0.0
        s[first, i] = (s[first, i] * held + gain) / share
        s[first + 1, i] = (s[first + 1, i] * held + (gain - change)) / share
        s[first + 2, i] = close[i]
    return t >= period


@kernel
def rsi(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, gain, loss, last close."""
    if gains(s, x[0], lo, hi, t, (1, int(p[0]))):
        for i in range(lo, hi):
            both = s[1, i] + s[2, i]
            s[0, i] = 100.0 * s[1, i] / both if both != 0.0 else 0.0


@kernel
def cmo(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, gain, loss, last close."""
    if gains(s, x[0], lo, hi, t, (1, int(p[0]))):
        for i in range(lo, hi):
            both = s[1, i] + s[2, i]
            s[0, i] = 100.0 * (s[1, i] - s[2, i]) / both if both != 0.0 else 0.0


@kernel
def movements(s: FloatArray, x: FloatArray, lo: int, hi: int, first: int) -> None:
    """Rows from `first`: last high, low and close, then plus and minus movement and true range of this print."""
    # One row written per loop: LLVM asks of every row written whether it overlaps another, and gives up soon.
    for i in range(lo, hi):
        up, down = x[0, i] - s[first, i], s[first + 1, i] - x[1, i]
        s[first + 3, i] = up if up > 0.0 and up > down else 0.0
    for i in range(lo, hi):
        up, down = x[0, i] - s[first, i], s[first + 1, i] - x[1, i]
        s[first + 4, i] = down if down > 0.0 and down > up else 0.0
    for i in range(lo, hi):
        last = s[first + 2, i]
        top = x[0, i] if x[0, i] > last else last
        bottom = x[1, i] if x[1, i] < last else last
        s[first + 5, i] = top - bottom
    for k in range(3):
        for i in range(lo, hi):
            s[first + k, i] = x[k, i]


@kernel
def fade(total: FloatArray, part: FloatArray, lo: int, hi: int, t: int, period: int) -> None:
    """Wilder's running sum: `period` - 1 parts, then each time minus its share plus the new part."""
    if t == 0:
        return
    if t < period:
        for i in range(lo, hi):
            total[i] += part[i]
    else:
        for i in range(lo, hi):
            total[i] = total[i] - total[i] / period + part[i]


@kernel
def directions(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> bool:
    """The three running sums in the rows from `first` on, `movements` behind. Whether an index can be told."""
    first, period = shape
    movements(s, x, lo, hi, first + 3)
    for k in range(3):
        fade(s[first + k], s[first + 6 + k], lo, hi, t, period)
    return t >= period


@kernel
def plus_di(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, three sums, `movements`."""
    if directions(s, x, lo, hi, t, (1, int(p[0]))):
        for i in range(lo, hi):
            s[0, i] = 100.0 * s[1, i] / s[3, i] if s[3, i] != 0.0 else 0.0


@kernel
def minus_di(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `plus_di`."""
    if directions(s, x, lo, hi, t, (1, int(p[0]))):
        for i in range(lo, hi):
            s[0, i] = 100.0 * s[2, i] / s[3, i] if s[3, i] != 0.0 else 0.0


@kernel
def plus_dm(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, last high, last low, movement, sum."""
    for i in range(lo, hi):
        up, down = x[0, i] - s[1, i], s[2, i] - x[1, i]
        s[3, i] = up if up > 0.0 and up > down else 0.0
        s[1, i], s[2, i] = x[0, i], x[1, i]
    fade(s[4], s[3], lo, hi, t, int(p[0]))
    if t >= int(p[0]) - 1:
        for i in range(lo, hi):
            s[0, i] = s[4, i]


@kernel
def minus_dm(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `plus_dm`."""
    for i in range(lo, hi):
        up, down = x[0, i] - s[1, i], s[2, i] - x[1, i]
        s[3, i] = down if down > 0.0 and down > up else 0.0
        s[1, i], s[2, i] = x[0, i], x[1, i]
    fade(s[4], s[3], lo, hi, t, int(p[0]))
    if t >= int(p[0]) - 1:
        for i in range(lo, hi):
            s[0, i] = s[4, i]


@kernel
def direction_index(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> bool:
    """DX into row `first`, `directions` behind; where nothing moves it stays."""
    first, period = shape
    if not directions(s, x, lo, hi, t, (first + 1, period)):
        return False
    for i in range(lo, hi):
        plus, minus = s[first + 1, i], s[first + 2, i]
        both = plus + minus
        moved = both != 0.0 and s[first + 3, i] != 0.0
        s[first, i] = 100.0 * abs(plus - minus) / both if moved else s[first, i]
    return True


@kernel
def dx(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, index, `directions`."""
    if direction_index(s, x, lo, hi, t, (1, int(p[0]))):
        for i in range(lo, hi):
            s[0, i] = s[1, i]


@kernel
def trend_strength(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> bool:
    """ADX into row `first`, DX and its like behind. A print without movement counts for nothing."""
    first, period = shape
    if not direction_index(s, x, lo, hi, t, (first + 1, period)):
        return False
    if t < 2 * period:
        for i in range(lo, hi):
            both = s[first + 2, i] + s[first + 3, i]
            moved = both != 0.0 and s[first + 4, i] != 0.0
            s[first, i] += s[first + 1, i] if moved else 0.0
        if t == 2 * period - 1:
            for i in range(lo, hi):
                s[first, i] /= period
    else:
        for i in range(lo, hi):
            both = s[first + 2, i] + s[first + 3, i]
            moved = both != 0.0 and s[first + 4, i] != 0.0
            after = (s[first, i] * (period - 1) + s[first + 1, i]) / period
            s[first, i] = after if moved else s[first, i]
    return t >= 2 * period - 1


@kernel
def adx(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, strength, index, `directions`."""
    if trend_strength(s, x, lo, hi, t, (1, int(p[0]))):
        for i in range(lo, hi):
            s[0, i] = s[1, i]


@kernel
def adxr(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, strength, index, `directions`, ring of strengths."""
    period = int(p[0])
    if not trend_strength(s, x, lo, hi, t, (1, period)):
        return
    since = t - 2 * period + 1
    for i in range(lo, hi):
        s[12 + since % period, i] = s[1, i]
    if since >= period - 1:
        oldest = 12 + (since + 1) % period
        for i in range(lo, hi):
            s[0, i] = (s[1, i] + s[oldest, i]) / 2.0


@kernel
def true_range_mean(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> bool:
    """Wilder's average true range; shape: first row, period. Rows: mean, last close. Whether it is there yet."""
    first, period = shape
    if t > 0:
        held = period - 1.0 if t > period else 1.0
        share = float(period) if t >= period else 1.0
        for i in range(lo, hi):
            last = s[first + 1, i]
            top = x[0, i] if x[0, i] > last else last
            bottom = x[1, i] if x[1, i] < last else last
            s[first, i] = (s[first, i] * held + (top - bottom)) / share
    for i in range(lo, hi):
        s[first + 1, i] = x[2, i]
    return t >= period


@kernel
def atr(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, mean, last close."""
    if true_range_mean(s, x, lo, hi, t, (1, int(p[0]))):
        for i in range(lo, hi):
            s[0, i] = s[1, i]


@kernel
def keltner(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: upper, middle, lower, mean typical price, its seed, mean range, last close."""
    period, ranged = int(p[0]), int(p[1])
    warm = max(period - 1, ranged)
    # Both means are seeded by the prints that end where the first band is.
    since, since_ranged = t - (warm - period + 1), t - (warm - ranged)
    if since_ranged >= 0:
        true_range_mean(s, x, lo, hi, since_ranged, (5, ranged))
    weight = 2.0 / (period + 1.0)
    if since >= 0:
        for i in range(lo, hi):
            typical = (x[0, i] + x[1, i] + x[2, i]) / 3.0
            seed = s[4, i] + typical
            s[3, i] = s[3, i] + (typical - s[3, i]) * weight if since >= period else seed / period
            s[4, i] = seed
    if t >= warm:
        for i in range(lo, hi):
            reach = p[2] * s[5, i]
            s[0, i], s[1, i], s[2, i] = s[3, i] + reach, s[3, i], s[3, i] - reach


@kernel
def supertrend(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: line, trend, upper band, lower band, mean range, last close, close before this print."""
    before = s[6]
    for i in range(lo, hi):
        before[i] = s[5, i]
    if not true_range_mean(s, x, lo, hi, t, (4, int(p[0]))):
        return
    for i in range(lo, hi):
        middle, reach = (x[0, i] + x[1, i]) / 2.0, p[1] * s[4, i]
        top, bottom = middle + reach, middle - reach
        started = not np.isnan(s[0, i])
        if started and not (top < s[2, i] or before[i] > s[2, i]):
            top = s[2, i]
        if started and not (bottom > s[3, i] or before[i] < s[3, i]):
            bottom = s[3, i]
        rising = x[2, i] > top if started and s[1, i] < 0.0 else x[2, i] >= bottom
        s[1, i] = 1.0 if rising else -1.0
        s[0, i] = bottom if rising else top
        s[2, i], s[3, i] = top, bottom
