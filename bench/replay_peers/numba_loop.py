"""The bare loop over the arrays: what the machine can do if nothing but prices and shares exists.

The rules are those of plain backtrader; no order objects, no events, no gate, no log.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from bench.replay_peers.contest import Given, take_part
from shared.indicators.sma import two_sum

Floats = np.ndarray


@njit(cache=True)
def on_tick(price: float) -> float:
    return round(math.floor(price / 0.01 + 0.5 + 1e-9) * 0.01, 8)


@njit(cache=True)
def left_at(bar: tuple[float, float, float], stop: float, target: float) -> float:
    """Where a bracket ends a long position on a bar (open, high, low), the stop first; 0 where it does not."""
    opened, high, low = bar
    if low <= stop:
        return min(opened, stop)
    return max(opened, target) if high >= target else 0.0


@njit(cache=True)
def crosses(opened: Floats, high: Floats, low: Floats, close: Floats, knobs: Floats) -> tuple[int, float]:
    """SMA cross of all columns; `knobs`: fast, slow, share, stop %, target % (0: no bracket), cash."""
    rows, n = close.shape
    fast, slow, share, stop_pct, target_pct, cash = knobs
    bracketed = target_pct > 0
    periods = (int(fast), int(slow))
    sums, lost = np.zeros((2, n)), np.zeros((2, n))
    held, wanted, view = np.zeros(n), np.zeros(n), np.full(n, -1)
    stop, target = np.zeros(n), np.zeros(n)
    fills = 0
    for t in range(rows):
        for i in range(n):
            entered = False
            if wanted[i] != 0.0:
                cash -= wanted[i] * opened[t, i]
                entered = held[i] == 0.0
                held[i] += wanted[i]
                wanted[i] = 0.0
                fills += 1
            if bracketed and held[i] > 0.0 and not entered:
                out = left_at((opened[t, i], high[t, i], low[t, i]), stop[i], target[i])
                if out > 0.0:
                    cash += held[i] * out
                    held[i] = 0.0
                    fills += 1
        value = cash
        for i in range(n):
            value += held[i] * close[t, i]
        for i in range(n):
            for k in range(2):
                # A plain running sum drifts, and equal averages would then cross on binary dust.
                gone = close[t - periods[k], i] if t >= periods[k] else 0.0
                gained, error = two_sum(sums[k, i], close[t, i])
                sums[k, i], more = two_sum(gained, -gone)
                lost[k, i] += error + more
            if t + 1 < slow:
                continue
            above = (sums[0, i] + lost[0, i]) / fast - (sums[1, i] + lost[1, i]) / slow
            if above == 0 or view[i] == (above > 0):
                continue
            view[i] = above > 0
            if above > 0:
                wanted[i] = math.floor(share * value / close[t, i])
                stop[i] = on_tick(close[t, i] * (1 - stop_pct / 100))
                target[i] = on_tick(close[t, i] * (1 + target_pct / 100))
            elif held[i] > 0.0:
                wanted[i] = -held[i]
    for i in range(n):
        cash += held[i] * close[rows - 1, i]
    return fills, cash


@njit(cache=True)
def momentum(opened: Floats, close: Floats, knobs: Floats) -> tuple[int, float]:
    """The best of all columns by rate of change; `knobs`: lookback, every, top, share, cash."""
    rows, n = close.shape
    lookback, every, top, share, cash = int(knobs[0]), int(knobs[1]), int(knobs[2]), knobs[3], knobs[4]
    held, wanted = np.zeros(n), np.zeros(n)
    chosen = np.zeros(n, dtype=np.bool_)
    fills = 0
    for t in range(rows):
        for i in range(n):
            if wanted[i] != 0.0:
                cash -= wanted[i] * opened[t, i]
                held[i] += wanted[i]
                wanted[i] = 0.0
                fills += 1
        if (t + 1) % every or t < lookback:
            continue
        change = np.zeros(n)
        value = cash
        for i in range(n):
            change[i] = -(close[t, i] - close[t - lookback, i]) / close[t - lookback, i]
            value += held[i] * close[t, i]
        best = np.argsort(change, kind="mergesort")[:top]
        now = np.zeros(n, dtype=np.bool_)
        for i in best:
            now[i] = True
            if not chosen[i]:
                wanted[i] = math.floor(share * value / close[t, i])
        for i in range(n):
            if chosen[i] and not now[i]:
                wanted[i] = -held[i]
        chosen = now
    for i in range(n):
        cash += held[i] * close[rows - 1, i]
    return fills, cash


def run(given: Given) -> tuple[int, float]:
    """One run; compiled code comes from numba's cache from the second process on."""
    params = given.params
    if "lookback" in params:
        knobs = np.array([params["lookback"], params["rebalance_every"], params["top"], given.share, given.cash])
        return momentum(given.open, given.close, knobs)
    knobs = np.array([params["fast"], params["slow"], given.share, given.stop_pct, given.target_pct, given.cash])
    return crosses(given.open, given.high, given.low, given.close, knobs)


if __name__ == "__main__":
    take_part(run)
