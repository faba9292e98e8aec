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
    here, rest, begins = ring + slot, ring + (slot + 1) % period, slot == 0
    for i in range(lo, hi):
        new, left = x[i], s[rest, i]
        before = new if begins else s[so_far, i]
        now = new if new > before else before
        s[so_far, i] = now
        s[here, i] = new
        s[first, i] = left if left > now else now
    if slot == period - 1:
        for i in range(lo, hi):
            s[first, i] = s[so_far, i]
        for k in range(ring + period - 2, ring - 1, -1):
            for i in range(lo, hi):
                a, b = s[k, i], s[k + 1, i]
                s[k, i] = a if a > b else b


@kernel
def lowest(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int]) -> None:
    """As `highest`."""
    first, period = shape
    slot = t % period
    so_far, ring = first + 1, first + 2
    here, rest, begins = ring + slot, ring + (slot + 1) % period, slot == 0
    for i in range(lo, hi):
        new, left = x[i], s[rest, i]
        before = new if begins else s[so_far, i]
        now = new if new < before else before
        s[so_far, i] = now
        s[here, i] = new
        s[first, i] = left if left < now else now
    if slot == period - 1:
        for i in range(lo, hi):
            s[first, i] = s[so_far, i]
        for k in range(ring + period - 2, ring - 1, -1):
            for i in range(lo, hi):
                a, b = s[k, i], s[k + 1, i]
                s[k, i] = a if a < b else b


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
def reach(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """What stochastics stand on. State: close, highest, lowest, with rings."""
    span(s, x, lo, hi, t, (1, int(p[0])))
    for i in range(lo, hi):
        s[0, i] = x[2, i]


@kernel
def willr(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value. On `reach`."""
    period = int(p[0])
    if t >= period - 1:
        lowest_row = 3 + period
        for i in range(lo, hi):
            top, bottom, close = x[1, i], x[lowest_row, i], x[0, i]
            s[0, i] = (top - close) / (top - bottom) * -100.0 if top != bottom else 0.0


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
def position(out: FloatArray, now: FloatArray, top: FloatArray, bottom: FloatArray, lo: int, hi: int) -> None:
    """Where a value stands between lowest and highest, in percent."""
    for i in range(lo, hi):
        place, width = 100.0 * (now[i] - bottom[i]), top[i] - bottom[i]
        out[i] = place / width if width != 0.0 else 0.0


@kernel
def stoch(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: slow k, slow d, fast k, two means, rings. On `reach`."""
    fast, slow, slower = int(p[0]), int(p[1]), int(p[2])
    if t < fast - 1:
        return
    position(s[2], x[0], x[1], x[3 + fast], lo, hi)
    if not average(s, 2, lo, hi, t - fast + 1, (3, 5, slow)):
        return
    if average(s, 3, lo, hi, t - fast - slow + 2, (4, 5 + slow, slower)):
        for i in range(lo, hi):
            s[0, i], s[1, i] = s[3, i], s[4, i]


@kernel
def stochf(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: fast k, fast d, k, its mean, ring. On `reach`."""
    fast, slow = int(p[0]), int(p[1])
    if t < fast - 1:
        return
    position(s[2], x[0], x[1], x[3 + fast], lo, hi)
    if average(s, 2, lo, hi, t - fast + 1, (3, 4, slow)):
        for i in range(lo, hi):
            s[0, i], s[1, i] = s[2, i], s[3, i]


@kernel
def stochrsi(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: fast k, fast d, k, its mean, highest, lowest, rings. On `gains` of wilder.py."""
    period, fast, slow = int(p[0]), int(p[1]), int(p[2])
    if t < period:
        return
    since = t - period
    highest(s, x[0], lo, hi, since, (4, fast))
    lowest(s, x[0], lo, hi, since, (6 + fast, fast))
    if since < fast - 1:
        return
    position(s[2], x[0], s[4], s[6 + fast], lo, hi)
    if average(s, 2, lo, hi, since - fast + 1, (3, 8 + 2 * fast, slow)):
        for i in range(lo, hi):
            s[0, i], s[1, i] = s[2, i], s[3, i]


@kernel
def age(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int, float]) -> None:
    """Prints since the highest (side 1) or lowest (side -1) of the last, the newest of equals.

    Shape: first row, window, side. Rows: age, extreme of the block so far and its slot, ring of the rest, their slots.
    """
    first, window, side = shape
    slot = t % window
    ring, slots = first + 3, first + 3 + window
    here, rest, begins = ring + slot, (slot + 1) % window, slot == 0
    value, place = first + 1, first + 2
    # One or two rows written per loop: LLVM asks of every row written whether it overlaps another, and gives up soon.
    for i in range(lo, hi):
        new, before, kept = x[i] * side, s[value, i], s[place, i]
        s[here, i] = new
        s[place, i] = float(slot) if begins or new >= before else kept
    for i in range(lo, hi):
        new, before = s[here, i], s[value, i]
        s[value, i] = new if begins or new >= before else before
    old = float(slot + window)
    for i in range(lo, hi):
        left, now, since, at = s[ring + rest, i], s[value, i], s[slots + rest, i], s[place, i]
        s[first, i] = old - since if left > now else float(slot) - at
    if slot == window - 1:
        for i in range(lo, hi):
            s[first, i] = float(slot) - s[place, i]
            s[slots + slot, i] = float(slot)
        for k in range(window - 2, -1, -1):
            for i in range(lo, hi):
                kept = s[slots + k + 1, i]
                s[slots + k, i] = float(k) if s[ring + k, i] > s[ring + k + 1, i] else kept
            for i in range(lo, hi):
                older, newer = s[ring + k, i], s[ring + k + 1, i]
                s[ring + k, i] = older if older > newer else newer


@kernel
def aroon(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: down, up; `age` of lowest and highest."""
    period = int(p[0])
    bottom, top = 2, 7 + 2 * period
    age(s, x[1], lo, hi, t, (bottom, period + 1, -1.0))
    age(s, x[0], lo, hi, t, (top, period + 1, 1.0))
    if t >= period:
        for i in range(lo, hi):
            s[0, i] = 100.0 * (period - s[bottom, i]) / period
            s[1, i] = 100.0 * (period - s[top, i]) / period


@kernel
def aroonosc(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value; `age` of lowest and highest."""
    period = int(p[0])
    bottom, top = 1, 6 + 2 * period
    age(s, x[1], lo, hi, t, (bottom, period + 1, -1.0))
    age(s, x[0], lo, hi, t, (top, period + 1, 1.0))
    if t >= period:
        for i in range(lo, hi):
            s[0, i] = 100.0 * (s[bottom, i] - s[top, i]) / period


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
    # Middles instead of the extremes' own rows, which are written anew with every print.
    for i in range(lo, hi):
        s[a, i] = (s[a, i] + s[a + 2 + short, i]) / 2.0
        s[b, i] = (s[b, i] + s[b + 2 + middle, i]) / 2.0
    for i in range(lo, hi):
        s[ring + slot, i] = (s[a, i] + s[b, i]) / 2.0
        s[ring + middle + slot, i] = (s[c, i] + s[c + 2 + long, i]) / 2.0
    if since >= middle - 1:
        for k, row in enumerate((a, b, ring + oldest, ring + middle + oldest)):
            for i in range(lo, hi):
                s[k, i] = s[row, i]


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
