"""The kernel behind `prices.py`: one row of bars against the last prices, and the same over many rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.indicators.indicator import FloatArray, kernel

CONFIRMATIONS = 3

_State = tuple[FloatArray, FloatArray, FloatArray, FloatArray]
_Bars = tuple[FloatArray, FloatArray, FloatArray]
_Flags = npt.NDArray[np.bool_]


@kernel
def step(state: _State, bars: _Bars, at: float, jump: float, good: _Flags) -> bool:
    """Take one row (n,) of highs, lows and closes that closed `at` (epoch seconds); fills `good`, what can be believed.

    State, each (n,): last prints, when they were printed, references, bars of agreement. Answers whether all that
    printed can be believed.
    """
    last, printed_at, reference, agreeing = state
    high, low, close = bars
    all_good = True
    for i in range(close.shape[0]):
        price = close[i]
        printed = np.isfinite(price) and low[i] > 0 and high[i] >= low[i] and price >= low[i] and price <= high[i]
        good[i] = False
        if printed:
            agrees = abs(price / last[i] - 1) <= jump
            count = agreeing[i] + 1.0 if agrees else 1.0
            first = np.isnan(reference[i])
            good[i] = first or abs(price / reference[i] - 1) <= jump or count >= CONFIRMATIONS
            agreeing[i] = count
            last[i] = price
            printed_at[i] = at
            if good[i]:
                reference[i] = price
        all_good = all_good and (good[i] or np.isnan(price))
    return all_good


@kernel
def run(state: _State, bars: _Bars, at: FloatArray, jump: float, good: _Flags) -> None:
    """`step` over every row of the panels (T, n); `at` is (T,), `good` (n,) is left as the last row found it."""
    highs, lows, closes = bars
    for t in range(closes.shape[0]):
        step(state, (highs[t], lows[t], closes[t]), at[t], jump, good)


@kernel
def survey(state: _State, bars: _Bars, jumps: tuple[float, float], out: tuple[_Flags, _Flags, _Flags]) -> None:
    """`step` over the panels; `out`: (T, n) what can be believed, (T,) rows in which all can, (T,) calm rows.

    `jumps` are the limit of a jump and one a little below it: in a calm row nothing that follows a believed price is
    further from it than the latter.
    """
    reference = state[2]
    highs, lows, closes = bars
    jump, wary = jumps
    believed, sound, calm = out
    for t in range(closes.shape[0]):
        calm[t] = True
        for i in range(closes.shape[1]):
            if not np.isnan(closes[t, i]) and not np.isnan(reference[i]):
                calm[t] = calm[t] and abs(closes[t, i] / reference[i] - 1) <= wary
        sound[t] = step(state, (highs[t], lows[t], closes[t]), 0.0, jump, believed[t])
