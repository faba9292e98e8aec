"""What the highest and lowest of the last prints say: channels, stochastics, Aroon, Ichimoku.

The extreme of a window of n prints costs three comparisons, not n (van Herk, Pattern Recognition Letters 13,
1992): prints come in blocks of n; a window is the rest of one block and the beginning of the next.
"""
# ruff: noqa: PLR0917, FURB136 - a step takes six; max() minds NaN, which stops SIMD

from __future__ import annotations

import math

import numpy as np

from shared.indicators.indicator import FloatArray, kernel


@kernel
def highest(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> None:
    """Highest of the last prints; shape: first row, period. Rows: highest, of the block so far, ring of the rest."""
    first, period = shape
    slot = t % period
    so_far, ring = first + 1, first + 2
    for i in range(lo, hi):
        before = x[i] if slot == 0 else s[so_far, i]
        s[so_far, i] = x[i] if x[i] > before else before
        s[ring + slot, i] = x[i]
    if slot == period - 1:
        for k in range(period - 2, -1, -1):
            for i in range(lo, hi):
                a, b = s[ring + k, i], s[ring + k + 1, i]
                s[ring + k, i] = a if a > b else b
        for i in range(lo, hi):
            s[first, i] = s[so_far, i]
    elif t >= period:
        for i in range(lo, hi):
            a, b = s[ring + slot + 1, i], s[so_far, i]
            s[first, i] = a if a > b else b


@kernel
def lowest(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> None:
    """As `highest`."""
    first, period = shape
    slot = t % period
    so_far, ring = first + 1, first + 2
    for i in range(lo, hi):
        before = x[i] if slot == 0 else s[so_far, i]
        s[so_far, i] = x[i] if x[i] < before else before
        s[ring + slot, i] = x[i]
    if slot == period - 1:
        for k in range(period - 2, -1, -1):
            for i in range(lo, hi):
                a, b = s[ring + k, i], s[ring + k + 1, i]
                s[ring + k, i] = a if a < b else b
        for i in range(lo, hi):
            s[first, i] = s[so_far, i]
    elif t >= period:
        for i in range(lo, hi):
            a, b = s[ring + slot + 1, i], s[so_far, i]
            s[first, i] = a if a < b else b


@kernel
def span(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> bool:
    """Highest of x[0] in the first row, lowest of x[1] `period + 2` rows behind; whether they are there yet."""
    first, period = shape
    highest(s, x[0], lo, hi, t, shape)
    lowest(s, x[1], lo, hi, t, (first + period + 2, period))
    return t >= period - 1


@kernel
def midpoint(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, highest, lowest, with rings."""
    period = int(p[0])
    highest(s, x[0], lo, hi, t, (1, period))
    lowest(s, x[0], lo, hi, t, (3 + period, period))
    if t >= period - 1:
        for i in range(lo, hi):
            s[0, i] = (s[1, i] + s[3 + period, i]) / 2.0


@kernel
def midprice(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `midpoint`."""
    period = int(p[0])
    if span(s, x, lo, hi, t, (1, period)):
        for i in range(lo, hi):
            s[0, i] = (s[1, i] + s[3 + period, i]) / 2.0


@kernel
def donchian(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: upper, middle, lower, highest, lowest, with rings."""
    period = int(p[0])
    if span(s, x, lo, hi, t, (3, period)):
        for i in range(lo, hi):
            top, bottom = s[3, i], s[5 + period, i]
            s[0, i], s[1, i], s[2, i] = top, (top + bottom) / 2.0, bottom


@kernel
def willr(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `midpoint`."""
    period = int(p[0])
    if span(s, x, lo, hi, t, (1, period)):
        for i in range(lo, hi):
            top, bottom = s[1, i], s[3 + period, i]
            s[0, i] = (top - x[2, i]) / (top - bottom) * -100.0 if top != bottom else 0.0


@kernel
def average(s: FloatArray, source: int, lo: int, hi: int, t: int, shape: tuple[int, int, int]) -> bool:
    """Mean of the last values of a row, summed anew; shape: row out, ring, period. Whether it is there yet."""
    out, ring, period = shape
    if t < 0:
        return False
    slot = ring + t % period
    for i in range(lo, hi):
        s[slot, i] = s[source, i]
    if t < period - 1:
        return False
    for i in range(lo, hi):
        s[out, i] = s[ring, i]
    for k in range(1, period):
        for i in range(lo, hi):
            s[out, i] += s[ring + k, i]
    for i in range(lo, hi):
        s[out, i] /= period
    return True


@kernel
def position(s: FloatArray, close: FloatArray, lo: int, hi: int, shape: tuple[int, int, int]) -> None:
    """Where the close stands between lowest and highest, in percent; shape: row out, highest, lowest."""
    out, top, bottom = shape
    for i in range(lo, hi):
        width = s[top, i] - s[bottom, i]
        s[out, i] = 100.0 * (close[i] - s[bottom, i]) / width if width != 0.0 else 0.0


@kernel
def stoch(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: slow k, slow d, fast k, two means, highest, lowest, rings."""
    fast, slow, slower = int(p[0]), int(p[1]), int(p[2])
    if not span(s, x, lo, hi, t, (5, fast)):
        return
    position(s, x[2], lo, hi, (2, 5, 7 + fast))
    ring = 9 + 2 * fast
    if not average(s, 2, lo, hi, t - fast + 1, (3, ring, slow)):
        return
    if average(s, 3, lo, hi, t - fast - slow + 2, (4, ring + slow, slower)):
        for i in range(lo, hi):
            s[0, i], s[1, i] = s[3, i], s[4, i]


@kernel
def stochf(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: fast k, fast d, k, its mean, highest, lowest, rings."""
    fast, slow = int(p[0]), int(p[1])
    if not span(s, x, lo, hi, t, (4, fast)):
        return
    position(s, x[2], lo, hi, (2, 4, 6 + fast))
    if average(s, 2, lo, hi, t - fast + 1, (3, 8 + 2 * fast, slow)):
        for i in range(lo, hi):
            s[0, i], s[1, i] = s[2, i], s[3, i]


@kernel
def strength(s: FloatArray, close: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> bool:
    """Wilder's RSI into row `first`; rows: RSI, last close, gain, loss. Whether it is there yet."""
    first, period = shape
    for i in range(lo, hi):
        change = close[i] - s[first + 1, i] if t > 0 else 0.0
        gain, loss = (change, 0.0) if change > 0.0 else (0.0, -change)
        held = period - 1 if t > period else 1
        share = 1.0 if t < period else 1.0 / period
        s[first + 2, i] = (s[first + 2, i] * held + gain) * share
        s[first + 3, i] = (s[first + 3, i] * held + loss) * share
        s[first + 1, i] = close[i]
    if t < period:
        return False
    for i in range(lo, hi):
        both = s[first + 2, i] + s[first + 3, i]
        s[first, i] = 100.0 * s[first + 2, i] / both if both != 0.0 else 0.0
    return True


@kernel
def stochrsi(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: fast k, fast d, k, its mean, RSI with its three, highest, lowest, rings."""
    period, fast, slow = int(p[0]), int(p[1]), int(p[2])
    if not strength(s, x[0], lo, hi, t, (4, period)):
        return
    since = t - period
    highest(s, s[4], lo, hi, since, (8, fast))
    lowest(s, s[4], lo, hi, since, (10 + fast, fast))
    if since < fast - 1:
        return
    position(s, s[4], lo, hi, (2, 8, 10 + fast))
    if average(s, 2, lo, hi, since - fast + 1, (3, 12 + 2 * fast, slow)):
        for i in range(lo, hi):
            s[0, i], s[1, i] = s[2, i], s[3, i]


@kernel
def ages(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> bool:
    """Prints since the highest x[0] and the lowest x[1] of period + 1, in rows first and first + 1; then both rings."""
    first, period = shape
    window = period + 1
    tops, bottoms = first + 2, first + 2 + window
    for i in range(lo, hi):
        s[tops + t % window, i] = x[0, i]
        s[bottoms + t % window, i] = x[1, i]
    if t < period:
        return False
    for i in range(lo, hi):
        top, bottom = x[0, i], x[1, i]
        top_age, bottom_age = 0.0, 0.0
        for k in range(1, window):
            row = (t - k) % window
            high, low = s[tops + row, i], s[bottoms + row, i]
            if high > top:
                top, top_age = high, float(k)
            if low < bottom:
                bottom, bottom_age = low, float(k)
        s[first, i], s[first + 1, i] = top_age, bottom_age
    return True


@kernel
def aroon(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: down, up, two ages, rings."""
    period = int(p[0])
    if ages(s, x, lo, hi, t, (2, period)):
        for i in range(lo, hi):
            s[0, i] = 100.0 * (period - s[3, i]) / period
            s[1, i] = 100.0 * (period - s[2, i]) / period


@kernel
def aroonosc(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, two ages, rings."""
    period = int(p[0])
    if ages(s, x, lo, hi, t, (1, period)):
        for i in range(lo, hi):
            s[0, i] = 100.0 * (s[2, i] - s[1, i]) / period


@kernel
def ichimoku(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: conversion, base, span A, span B; three pairs of extremes, rings of both spans."""
    short, middle, long = int(p[0]), int(p[1]), int(p[2])
    a, b = 4, 8 + 2 * short
    c = b + 4 + 2 * middle
    ring = c + 4 + 2 * long
    short_there = span(s, x, lo, hi, t, (a, short))
    middle_there = span(s, x, lo, hi, t, (b, middle))
    long_there = span(s, x, lo, hi, t, (c, long))
    if not (short_there and middle_there and long_there):
        return
    since = t - max(short, middle, long) + 1
    slot, oldest = since % middle, (since + 1) % middle
    for i in range(lo, hi):
        conversion = (s[a, i] + s[a + 2 + short, i]) / 2.0
        base = (s[b, i] + s[b + 2 + middle, i]) / 2.0
        s[ring + slot, i] = (conversion + base) / 2.0
        s[ring + middle + slot, i] = (s[c, i] + s[c + 2 + long, i]) / 2.0
        if since >= middle - 1:
            s[0, i], s[1, i] = conversion, base
            s[2, i], s[3, i] = s[ring + oldest, i], s[ring + middle + oldest, i]


@kernel
def fisher(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, last value, smoothed position, median price, highest, lowest, rings."""
    period = int(p[0])
    for i in range(lo, hi):
        s[3, i] = (x[0, i] + x[1, i]) / 2.0
    highest(s, s[3], lo, hi, t, (4, period))
    lowest(s, s[3], lo, hi, t, (6 + period, period))
    if t < period - 1:
        return
    for i in range(lo, hi):
        bottom = s[6 + period, i]
        width = s[4, i] - bottom
        place = (s[3, i] - bottom) / width - 0.5 if width != 0.0 else 0.0
        moved = 0.66 * place + 0.67 * s[2, i]
        s[2, i] = min(max(moved, -0.999), 0.999)
        before = 0.0 if np.isnan(s[0, i]) else s[0, i]
        s[1, i] = before
        s[0, i] = 0.5 * math.log((1.0 + s[2, i]) / (1.0 - s[2, i])) + 0.5 * before
