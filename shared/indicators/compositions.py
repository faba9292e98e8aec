"""Oscillators made of several of the simpler ones: Coppock, KST, Connors RSI, Schaff."""
# ruff: noqa: PLR0917 - a step takes six

from __future__ import annotations

import numpy as np

from shared.indicators.indicator import FloatArray, kernel


@kernel
def change(s: FloatArray, now: FloatArray, i: int, place: tuple[int, int, int, int]) -> float:
    """Percent since some prints ago, from a ring of closes; place: first row, its length, t, prints ago."""
    ring, window, t, back = place
    before = s[ring + (t - back) % window, i]
    return 100.0 * (now[i] / before - 1.0) if before != 0.0 else 0.0


@kernel
def coppock(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, ring of closes, ring of sums."""
    period, short, long = int(p[0]), int(p[1]), int(p[2])
    reach = max(short, long)
    window = reach + 1
    sums = 1 + window
    for i in range(lo, hi):
        s[1 + t % window, i] = x[0, i]
        if t < reach:
            continue
        both = change(s, x[0], i, (1, window, t, short)) + change(s, x[0], i, (1, window, t, long))
        s[sums + t % period, i] = both
        if t >= reach + period - 1:
            total = 0.0
            for k in range(1, period + 1):
                total += k * s[sums + (t - period + k) % period, i]
            s[0, i] = total / (0.5 * period * (period + 1))


@kernel
def kst(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, signal, rings of closes, four changes and values; p: four spans, four means, signal."""
    window = int(max(p[0], p[1], p[2], p[3])) + 1
    ring = int(max(p[4], p[5], p[6], p[7]))
    signal = int(p[8])
    values = 2 + window + 4 * ring
    warm = 0
    for j in range(4):
        warm = max(warm, int(p[j] + p[4 + j]) - 1)
    for i in range(lo, hi):
        s[2 + t % window, i] = x[0, i]
        value = 0.0
        for j in range(4):
            first, back, mean = 2 + window + j * ring, int(p[j]), int(p[4 + j])
            if t >= back:
                s[first + t % ring, i] = change(s, x[0], i, (2, window, t, back))
            total = 0.0
            for k in range(mean):
                total += s[first + (t - k) % ring, i]
            value += (j + 1) * total / mean
        s[values + t % signal, i] = value
        if t >= warm + signal - 1:
            total = 0.0
            for k in range(signal):
                total += s[values + k, i]
            s[0, i], s[1, i] = value, total / signal


@kernel
def strength(s: FloatArray, now: float, i: int, t: int, shape: tuple[int, int]) -> float:
    """Wilder's RSI of one instrument, NaN until there; shape: first row, period. Rows: gain, loss, last value."""
    first, period = shape
    moved = now - s[first + 2, i] if t > 0 else 0.0
    held = period - 1.0 if t > period else 1.0
    share = float(period) if t >= period else 1.0
    s[first, i] = (s[first, i] * held + max(moved, 0.0)) / share
    s[first + 1, i] = (s[first + 1, i] * held + max(-moved, 0.0)) / share
    s[first + 2, i] = now
    both = s[first, i] + s[first + 1, i]
    if t < period:
        return np.nan
    return 100.0 * s[first, i] / both if both != 0.0 else 0.0


@kernel
def connors_rsi(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, streak, RSI of closes, RSI of streaks, last close, ring of changes."""
    period, streaks, rank = int(p[0]), int(p[1]), int(p[2])
    for i in range(lo, hi):
        before = s[8, i]
        if t > 0 and x[0, i] > before:
            s[1, i] = max(s[1, i], 0.0) + 1.0
        elif t > 0 and x[0, i] < before:
            s[1, i] = min(s[1, i], 0.0) - 1.0
        else:
            s[1, i] = 0.0
        of_price = strength(s, x[0, i], i, t, (2, period))
        of_streak = strength(s, s[1, i], i, t, (5, streaks))
        s[8, i] = x[0, i]
        if t == 0:
            continue
        now = x[0, i] / before - 1.0 if before != 0.0 else 0.0
        below = 0
        for k in range(rank):
            below += s[9 + k, i] < now
        s[9 + t % rank, i] = now
        if t >= max(period, streaks, rank + 1):
            s[0, i] = (of_price + of_streak + 100.0 * below / rank) / 3.0


@kernel
def placed(s: FloatArray, i: int, t: int, shape: tuple[int, int], last: float) -> float:
    """Where the newest of a ring stands between its lowest and highest, in percent; `last` where they are one."""
    ring, period = shape
    now = s[ring + t % period, i]
    top, bottom = now, now
    for k in range(period):
        top, bottom = max(top, s[ring + k, i]), min(bottom, s[ring + k, i])
    return 100.0 * (now - bottom) / (top - bottom) if top > bottom else last


@kernel
def schaff(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, fast and slow mean, seeds, place of MACD, its mean, its place, rings of MACD and mean."""
    period, fast, slow, factor = int(p[0]), int(p[1]), int(p[2]), p[3]
    for i in range(lo, hi):
        for j in range(2):
            n = fast if j == 0 else slow
            s[3 + j, i] += x[0, i]
            mean = s[1 + j, i]
            s[1 + j, i] = mean + (x[0, i] - mean) * 2.0 / (n + 1.0) if t >= n else s[3 + j, i] / (t + 1.0)
        since = t - max(fast, slow) + 1
        if since < 0:
            continue
        s[8 + since % period, i] = s[1, i] - s[2, i]
        if since < period - 1:
            continue
        s[5, i] = placed(s, i, since, (8, period), s[5, i])
        again = since - period + 1
        s[6, i] = s[5, i] if again == 0 else s[6, i] + factor * (s[5, i] - s[6, i])
        s[8 + period + again % period, i] = s[6, i]
        if again < period - 1:
            continue
        s[7, i] = placed(s, i, again, (8 + period, period), s[7, i])
        s[0, i] = s[7, i] if again == period - 1 else s[0, i] + factor * (s[7, i] - s[0, i])
