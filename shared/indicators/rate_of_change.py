"""Rate of change."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.indicators.indicator import FloatArray, Indicator, IntArray, kernel, width_of

_State = tuple[FloatArray, IntArray, FloatArray]


@kernel
def step(state: _State, close: FloatArray) -> None:
    """Take one row (n,). State: ring (period, n) of the last prints, then count and value, each (n,).

    `count` goes round as in `sma.step`.
    """
    ring, count, value = state
    period = ring.shape[0]
    for i in range(close.shape[0]):
        x = close[i]
        if np.isnan(x):
            continue
        slot = count[i]
        if slot >= period:
            slot -= period
            value[i] = (x - ring[slot, i]) / ring[slot, i]
        ring[slot, i] = x
        count[i] = count[i] + 1 if count[i] + 1 < 2 * period else period


@kernel
def run(state: _State, closes: FloatArray, out: FloatArray) -> None:
    """`step` over every row of `closes` (T, n) into `out` (T, n)."""
    for t in range(closes.shape[0]):
        step(state, closes[t])
        out[t] = state[2]


class RateOfChange(Indicator):
    """Change against the print `period` prints ago, a fraction (0.01 = 1 %); warm after `period` + 1 prints.

    Convention of TA-Lib's ROCP, its ROC divided by 100: not annualised, not logarithmic. Prices are
    positive; a price of zero gives infinity, where TA-Lib gives 0.
    """

    def __init__(self, n: int, period: int) -> None:
        super().__init__(n, period)
        self._ring: FloatArray = np.zeros((period, n))
        self._count: IntArray = np.zeros(n, dtype=np.int64)

    def update(self, close: npt.ArrayLike) -> FloatArray:
        """Values (n,) after one more row (n,)."""
        step(self._state(), self._row(close))
        return self.value

    def update_many(self, closes: npt.ArrayLike) -> FloatArray:
        """Values (T, n) after each of T more rows (T, n)."""
        panel = self._panel(closes)
        out = np.empty_like(panel)
        run(self._state(), panel, out)
        return out

    def _state(self) -> _State:
        return self._ring, self._count, self._value


def rate_of_change(closes: npt.ArrayLike, period: int) -> FloatArray:
    """`RateOfChange` over a whole time-major panel: (T, n) -> (T, n)."""
    return RateOfChange(width_of(closes), period).update_many(closes)
