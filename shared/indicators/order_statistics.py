"""Where the last print stands among those before: extremes and their ages, ranks, quantiles, drawdown.

Of two equal extremes the newer counts, except that the first full window, and one whose extreme has just left,
takes the oldest it holds: so does TA-Lib, and the ages show it.
"""
# ruff: noqa: PLR0917 - a step takes six

from __future__ import annotations

import math

import numpy as np

from shared.indicators.indicator import FloatArray, kernel


@kernel
def extreme(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, shape: tuple[int, int, float]) -> bool:
    """Highest (side 1) or lowest (side -1) of the last prints; shape: first row, period, side.

    Rows: value, its age in prints, ring. A window is searched again only when its extreme has left.
    """
    first, period, side = shape
    ring = first + 2
    for i in range(lo, hi):
        s[ring + t % period, i] = x[i]
        age = s[first + 1, i] + 1.0
        if t == period - 1 or (t > 0 and age >= period):
            found, at = s[ring + (t + 1) % period, i], period - 1
            for back in range(period - 2, -1, -1):
                candidate = s[ring + (t - back) % period, i]
                if side * candidate > side * found:
                    found, at = candidate, back
            s[first, i], s[first + 1, i] = found, at
        elif t == 0 or side * x[i] >= side * s[first, i]:
            s[first, i], s[first + 1, i] = x[i], 0.0
        else:
            s[first + 1, i] = age
    return t >= period - 1


@kernel
def take_extreme(s: FloatArray, lo: int, hi: int, source: int, scale: tuple[float, float]) -> None:
    """Row `source` times scale[0] plus scale[1] into the first row."""
    for i in range(lo, hi):
        s[0, i] = s[source, i] * scale[0] + scale[1]


@kernel
def highest_close(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, highest, age, ring."""
    if extreme(s, x[0], lo, hi, t, (1, int(p[0]), 1.0)):
        take_extreme(s, lo, hi, 1, (1.0, 0.0))


@kernel
def lowest_close(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, lowest, age, ring."""
    if extreme(s, x[0], lo, hi, t, (1, int(p[0]), -1.0)):
        take_extreme(s, lo, hi, 1, (1.0, 0.0))


@kernel
def minmax(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: lowest, highest; each with age and ring."""
    period = int(p[0])
    below = extreme(s, x[0], lo, hi, t, (2, period, -1.0))
    above = extreme(s, x[0], lo, hi, t, (4 + period, period, 1.0))
    if below and above:
        for i in range(lo, hi):
            s[0, i], s[1, i] = s[2, i], s[4 + period, i]


@kernel
def since_high(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `highest_close`."""
    if extreme(s, x[0], lo, hi, t, (1, int(p[0]), 1.0)):
        take_extreme(s, lo, hi, 2, (1.0, 0.0))


@kernel
def since_low(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `lowest_close`."""
    if extreme(s, x[0], lo, hi, t, (1, int(p[0]), -1.0)):
        take_extreme(s, lo, hi, 2, (1.0, 0.0))


@kernel
def maxindex(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `highest_close`."""
    if extreme(s, x[0], lo, hi, t, (1, int(p[0]), 1.0)):
        take_extreme(s, lo, hi, 2, (-1.0, float(t)))


@kernel
def minindex(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `lowest_close`."""
    if extreme(s, x[0], lo, hi, t, (1, int(p[0]), -1.0)):
        take_extreme(s, lo, hi, 2, (-1.0, float(t)))


@kernel
def drawdown(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `highest_close`."""
    if extreme(s, x[0], lo, hi, t, (1, int(p[0]), 1.0)):
        for i in range(lo, hi):
            s[0, i] = x[0, i] / s[1, i] - 1.0 if s[1, i] > 0.0 else 0.0


@kernel
def percent_rank(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, ring of the prints before."""
    period = int(p[0])
    if t >= period:
        for i in range(lo, hi):
            s[0, i] = 0.0
        for k in range(period):
            for i in range(lo, hi):
                s[0, i] += 1.0 if s[1 + k, i] < x[0, i] else 0.0
        for i in range(lo, hi):
            s[0, i] *= 100.0 / period
    for i in range(lo, hi):
        s[1 + t % period, i] = x[0, i]


@kernel
def rolling_rank(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, ring."""
    period = int(p[0])
    for i in range(lo, hi):
        s[1 + t % period, i] = x[0, i]
    if t < period - 1:
        return
    for i in range(lo, hi):
        s[0, i] = 0.5
    for k in range(period):
        for i in range(lo, hi):
            other, own = s[1 + k, i], x[0, i]
            s[0, i] += 1.0 if other < own else (0.5 if other == own else 0.0)
    for i in range(lo, hi):
        s[0, i] /= period


@kernel
def sort_in(s: FloatArray, x: FloatArray, lo: int, hi: int, t: int, period: int) -> bool:
    """Keep the window sorted in rows 1 to `period`, in order of time in those behind; whether it is full."""
    ring = 1 + period
    slot = ring + t % period
    for i in range(lo, hi):
        held = min(t, period)
        place = held  # of the print that goes: the first of its value, or behind all where none goes
        if t >= period:
            left, right = 0, period - 1
            while left < right:
                middle = (left + right) // 2
                if s[1 + middle, i] < s[slot, i]:
                    left = middle + 1
                else:
                    right = middle
            place = left
        while place > 0 and s[place, i] > x[i]:
            s[1 + place, i] = s[place, i]
            place -= 1
        while place + 1 < held and s[2 + place, i] < x[i]:
            s[1 + place, i] = s[2 + place, i]
            place += 1
        s[1 + place, i] = x[i]
        s[slot, i] = x[i]
    return t >= period - 1


@kernel
def percentile(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State: value, sorted window, ring."""
    period = int(p[0])
    if sort_in(s, x[0], lo, hi, t, period):
        row = max(math.ceil(p[1] / 100.0 * period), 1)
        for i in range(lo, hi):
            s[0, i] = s[row, i]


@kernel
def quantile(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `percentile`."""
    period = int(p[0])
    if sort_in(s, x[0], lo, hi, t, period):
        place = p[1] * (period - 1)
        below = int(np.floor(place))
        above, share = min(below + 1, period - 1), place - below
        for i in range(lo, hi):
            s[0, i] = s[1 + below, i] + (s[1 + above, i] - s[1 + below, i]) * share


@kernel
def median_deviation(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, t: int) -> None:
    """State as `percentile`: distance of the print from the median of the window, in the unit of the price."""
    period = int(p[0])
    if sort_in(s, x[0], lo, hi, t, period):
        lower, upper = 1 + (period - 1) // 2, 1 + period // 2
        for i in range(lo, hi):
            s[0, i] = x[0, i] - (s[lower, i] + s[upper, i]) / 2.0
