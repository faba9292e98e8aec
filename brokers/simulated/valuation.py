"""What positions are worth, row after row, and which row an order can be touched on: kernels over arrays. PURE.

One row and many go through the same sums in the same order, so that an account valued over a stretch of rows at once
has the same bits as one that was valued at every row. Arrays: quantities, prices and levels float64 (n_instruments,),
panels time-major (T, n_instruments), NaN where nothing was printed.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from shared.indicators.indicator import FloatArray, kernel

Account = tuple[float, FloatArray, FloatArray]
"""Cash, signed shares, last prices."""


class Alarm(Struct, frozen=True, kw_only=True):
    """When a stretch of rows must not be passed over: the first row that rings is one to be looked at.

    Net liquidation at or below `floor`, or at or below `keep` of the highest so far (`peak` before the stretch); or
    all prices of what is held, together, further than `room` (currency) from where the stretch began.
    """

    floor: float = -np.inf
    peak: float = -np.inf
    keep: float = -np.inf
    room: float = np.inf


@kernel
def mark(last: FloatArray, close: FloatArray) -> None:
    """Take one row of closes into the last prices; NaN leaves the last price standing."""
    for i in range(close.shape[0]):
        if not np.isnan(close[i]):
            last[i] = close[i]


@kernel
def worth(quantity: FloatArray, last: FloatArray) -> tuple[float, float]:
    """Market value of all positions, shorts negative, and the same with every position positive."""
    net = 0.0
    gross = 0.0
    for i in range(quantity.shape[0]):
        if quantity[i] != 0.0:
            value = quantity[i] * last[i]
            net += value
            gross += abs(value)
    return net, gross


def pass_rows(account: Account, closes: FloatArray, alarm: Alarm, out: tuple[FloatArray, FloatArray]) -> int:
    """Value cash, quantities and last prices over the rows (T, n) until one rings; how many rows were passed.

    The last prices follow them; `out` are net liquidation and gross value, (T,) each.
    """
    return int(_pass_rows(account, closes, (alarm.floor, alarm.peak, alarm.keep, alarm.room), out))


def first_reached(levels: tuple[FloatArray, FloatArray], lows: FloatArray, highs: FloatArray) -> int:
    """The first row (T if none) with a low at or below, or a high at or above, its instrument's level (n,)."""
    return int(_first_reached(levels, lows, highs))


@kernel
def _pass_rows(
    account: Account, closes: FloatArray, alarm: tuple[float, float, float, float], out: tuple[FloatArray, FloatArray]
) -> int:
    net_out, gross_out = out
    cash, quantity, last = account
    floor, peak, keep, room = alarm
    rows: int = closes.shape[0]
    start = last.copy()
    now = last.copy()
    for t in range(rows):
        mark(now, closes[t])
        net, gross = worth(quantity, now)
        equity = cash + net
        peak = max(peak, equity)
        moved = 0.0
        for i in range(quantity.shape[0]):
            if quantity[i] != 0.0:
                moved += abs(quantity[i]) * abs(now[i] - start[i])
        if equity <= floor or equity <= keep * peak or moved >= room:
            return t
        last[:] = now
        net_out[t] = equity
        gross_out[t] = gross
    return rows


@kernel
def _first_reached(levels: tuple[FloatArray, FloatArray], lows: FloatArray, highs: FloatArray) -> int:
    below, above = levels
    rows: int = lows.shape[0]
    for t in range(rows):
        for i in range(below.shape[0]):
            if lows[t, i] <= below[i] or highs[t, i] >= above[i]:
                return t
    return rows
