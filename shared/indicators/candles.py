"""What candlestick patterns look at: the last candles, and the averages by which a body is long or a shadow short."""

# ruff: noqa: PLR0913, PLR0917 - numba takes no keywords

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from shared.indicators.indicator import FloatArray, IntArray, kernel

SLOTS = 16  # one more than the furthest candle an average reaches: five candles back, and ten before
AVERAGES = 8  # no pattern has more

Setting = Literal["long", "short", "doji", "shadow_short", "shadow_very_short", "near", "far", "equal"]

# TA-Lib's candle settings: which length of a candle (a field of Candle, or both shadows), over how many candles
# before it, times which factor, by which divisor.
BODY, LENGTH, SHADOWS = 4, 10, 11
SETTINGS: dict[Setting, tuple[int, int, float, float]] = {
    "long": (BODY, 10, 1.0, 1.0),
    "short": (BODY, 10, 1.0, 1.0),
    "doji": (LENGTH, 10, 0.1, 1.0),
    "shadow_short": (SHADOWS, 10, 1.0, 2.0),
    "shadow_very_short": (LENGTH, 10, 0.1, 1.0),
    "near": (LENGTH, 5, 0.2, 1.0),
    "far": (LENGTH, 5, 0.6, 1.0),
    "equal": (LENGTH, 5, 0.05, 1.0),
}


class Candle(NamedTuple):
    """One candle. `body`, `upper` and `lower` shadow are lengths; `top` and `bottom` the prices that bound the body.

    `colour` is 1 where the close is not under the open (white) and -1 elsewhere (black).
    """

    open: float
    high: float
    low: float
    close: float
    body: float
    upper: float
    lower: float
    top: float
    bottom: float
    colour: float


Last = tuple[Candle, ...]  # the last candles, the last one first
Averages = tuple[float, ...]  # in the order of a pattern's table


class Judged(NamedTuple):
    """What a rule is given.

    Ring (SLOTS, 12, n) of the fields of Candle, its length and its shadows; averages (AVERAGES, n); the number of
    candles there were, and whether the last row brought one to be judged, (n,).
    """

    ring: FloatArray
    averages: FloatArray
    clock: IntArray
    judged: npt.NDArray[np.bool_]


@kernel
def average(
    s: tuple[FloatArray, FloatArray, FloatArray], row: IntArray, scale: FloatArray, lo: int, hi: int, j: int, t: int
) -> None:
    """Average `j` before the candle `t`; s: ring, sums, averages; row: field, period, candles ago, first print.

    In the order of additions that TA-Lib has: prices in cents make ties, and a tie is decided by the last bit.
    """
    ring, sums, averages = s
    field, period, entering = row[0], row[1], t - 1 - row[2]
    if entering < row[3]:
        return
    new, old = ring[entering % SLOTS, field], ring[(entering - period + SLOTS) % SLOTS, field]
    if entering >= row[3] + period:
        for i in range(lo, hi):
            sums[j, i] += new[i] - old[i]
    else:
        for i in range(lo, hi):
            sums[j, i] += new[i]
    factor, divisor = scale[0], scale[1]
    for i in range(lo, hi):
        averages[j, i] = factor * (sums[j, i] / period)
    if divisor != 1.0:
        for i in range(lo, hi):
            averages[j, i] /= divisor


@kernel
def measure(
    s: tuple[FloatArray, FloatArray, FloatArray],
    table: IntArray,
    scale: FloatArray,
    bars: FloatArray,
    lo: int,
    hi: int,
    t: int,
) -> None:
    """Take one candle, the `t`-th, of each of the instruments `lo` to `hi`."""
    for j in range(table.shape[0]):
        average(s, table[j], scale[j], lo, hi, j, t)
    row = s[0][t % SLOTS]
    for i in range(lo, hi):
        o, h, l, c = bars[0, i], bars[1, i], bars[2, i], bars[3, i]  # noqa: E741 - a candle
        top = c if c >= o else o  # noqa: FURB136 - as in atr.py
        bottom = min(o, c)
        row[0, i], row[1, i], row[2, i], row[3, i] = o, h, l, c
        row[4, i], row[5, i], row[6, i] = abs(c - o), h - top, bottom - l
        row[7, i], row[8, i] = top, bottom
        row[9, i] = 1.0 if c >= o else -1.0
        row[10, i], row[11, i] = h - l, (h - top) + (bottom - l)


@kernel
def step(
    candles: Judged, sums: FloatArray, table: IntArray, scale: FloatArray, lookback: int, bars: FloatArray
) -> None:
    """Take one row of open, high, low and close (4, n); those whose clocks agree go side by side."""
    ring, averages, clock, judged = candles
    s = (ring, sums, averages)
    lo, n = 0, clock.shape[0]
    while lo < n:
        hi = lo
        t = clock[lo]
        while hi < n and clock[hi] == t and not np.isnan(bars[0, hi] + bars[1, hi] + bars[2, hi] + bars[3, hi]):
            clock[hi] += 1
            judged[hi] = t >= lookback
            hi += 1
        if hi > lo:
            measure(s, table, scale, bars, lo, hi, t)
        else:
            judged[lo] = False
            hi += 1
        lo = hi


def table_of(
    lookback: int, averages: tuple[tuple[Setting, int], ...], sums_from: int | None
) -> tuple[IntArray, FloatArray]:
    """`averages` are settings, each with the number of candles ago it is taken at, as `step` takes them.

    A sum begins as late as it can for the first candle that is judged, or with the print `sums_from`.
    """
    rows = [
        (*SETTINGS[setting][:2], ago, lookback - ago - SETTINGS[setting][1] if sums_from is None else sums_from)
        for setting, ago in averages
    ]
    scale = [SETTINGS[setting][2:] for setting, _ in averages]
    return np.array(rows, dtype=np.int64).reshape(-1, 4), np.array(scale, dtype=np.float64).reshape(-1, 2)
