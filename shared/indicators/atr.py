"""Average true range."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.errors import InvariantViolated
from shared.indicators.indicator import FloatArray, Indicator, IntArray, kernel, width_of

_State = tuple[int, FloatArray, FloatArray, IntArray, FloatArray]
_Bars = tuple[FloatArray, FloatArray, FloatArray]


@kernel
def step(state: _State, bars: _Bars) -> None:
    """Take one row of high, low and close, each (n,).

    State: period, then last close, sum of the seed, number of true ranges up to the period and value, each
    (n,).
    """
    period, last_close, total, count, value = state
    high, low, close = bars
    for i in range(close.shape[0]):
        before, last = value[i], last_close[i]
        # A sum is NaN if any part of it is, and costs the SIMD lanes less than three questions.
        printed = not np.isnan(high[i] + low[i] + close[i])
        ranged = not np.isnan(high[i] + low[i] + close[i] + last)
        seeding = ranged and count[i] < period
        top = high[i] if high[i] > last else last  # noqa: FURB136 - max() minds NaN, which stops SIMD
        bottom = low[i] if low[i] < last else last  # noqa: FURB136 - max() and min() mind NaN, which stops SIMD
        true_range = top - bottom
        # Selections instead of branches, for SIMD, as in ema.step.
        seed = total[i] + true_range if seeding else total[i]
        ranges = count[i] + 1 if seeding else count[i]
        after = (before * (period - 1) + true_range) / period if ranged and not seeding else before
        last_close[i] = close[i] if printed else last
        total[i] = seed
        count[i] = ranges
        value[i] = seed / period if seeding and ranges == period else after


@kernel
def run(state: _State, bars: _Bars, out: FloatArray) -> None:
    """`step` over every row of the three panels (T, n) into `out` (T, n)."""
    highs, lows, closes = bars
    for t in range(closes.shape[0]):
        step(state, (highs[t], lows[t], closes[t]))
        out[t] = state[4]


class Atr(Indicator):
    """Wilder's average true range over `period` bars, in the price's unit; warm after `period` + 1 prints.

    J. Welles Wilder, New Concepts in Technical Trading Systems (1978), in the convention of TA-Lib's ATR: the
    first bar has no true range because nothing closed before it, the first value is the mean of the next
    `period` true ranges, and then value = (value * (period - 1) + true range) / period. A bar with a NaN
    among high, low and close counts as nothing printed; the true range after a gap spans the gap.
    """

    def __init__(self, n: int, period: int) -> None:
        super().__init__(n, period)
        self._last_close: FloatArray = np.full(n, np.nan)
        self._total: FloatArray = np.zeros(n)
        self._count: IntArray = np.zeros(n, dtype=np.int64)

    def update(self, high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike) -> FloatArray:
        """Values (n,) after one more row of high, low and close, each (n,)."""
        step(self._state(), (self._row(high), self._row(low), self._row(close)))
        return self.value

    def update_many(self, highs: npt.ArrayLike, lows: npt.ArrayLike, closes: npt.ArrayLike) -> FloatArray:
        """Values (T, n) after each of T more rows of high, low and close, each (T, n)."""
        high, low, close = self._panel(highs), self._panel(lows), self._panel(closes)
        if not len(high) == len(low) == len(close):
            raise InvariantViolated(
                f"Atr: panels of {len(high)}, {len(low)} and {len(close)} rows, allowed: equally many"
            )
        out = np.empty_like(close)
        run(self._state(), (high, low, close), out)
        return out

    def follow_jumps(self, closes: npt.ArrayLike, jump: float) -> None:
        """Before `update`: where a close (n,) is further than `jump` from the last, ranges keep their share of it.

        `jump` is a fraction of the last close. The prices of a split have another scale, and no bar went the way there.
        """
        factor = self._row(closes) / self._last_close
        scale = np.where(np.abs(factor - 1) > jump, factor, 1.0)
        if not (scale == 1.0).all():
            self._last_close, self._total = self._last_close * scale, self._total * scale
            self._value = self._value * scale

    def _state(self) -> _State:
        return self.period, self._last_close, self._total, self._count, self._value


def atr(highs: npt.ArrayLike, lows: npt.ArrayLike, closes: npt.ArrayLike, period: int) -> FloatArray:
    """`Atr` over whole time-major panels: three (T, n) -> (T, n)."""
    return Atr(width_of(closes), period).update_many(highs, lows, closes)
