"""Simple moving average."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.indicators.indicator import FloatArray, Indicator, IntArray, kernel, width_of

_State = tuple[FloatArray, FloatArray, FloatArray, IntArray, FloatArray]


@kernel
def two_sum(a: float, b: float) -> tuple[float, float]:
    """The rounded sum of a and b, and its exact rounding error (Knuth, TAOCP volume 2, 4.2.2, theorem B)."""
    total = a + b
    shadow = total - a
    return total, (a - (total - shadow)) + (b - shadow)


@kernel
def step(state: _State, close: FloatArray) -> None:
    """Take one row (n,). State: ring (period, n), then total, lost, count and value, each (n,).

    `total + lost` is the sum of the ring. `count` is the number of prints up to the period, then it goes
    round between one period and two: it is both the warm-up counter and the place in the ring.
    """
    ring, total, lost, count, value = state
    period = ring.shape[0]
    for i in range(close.shape[0]):
        x = close[i]
        if np.isnan(x):
            continue
        slot = count[i] if count[i] < period else count[i] - period
        gained, error_gained = two_sum(total[i], x)
        total[i], error_left = two_sum(gained, -ring[slot, i])
        lost[i] += error_gained + error_left
        ring[slot, i] = x
        count[i] = count[i] + 1 if count[i] + 1 < 2 * period else period
        if count[i] >= period:
            value[i] = (total[i] + lost[i]) / period


@kernel
def run(state: _State, closes: FloatArray, out: FloatArray) -> None:
    """`step` over every row of `closes` (T, n) into `out` (T, n)."""
    for t in range(closes.shape[0]):
        step(state, closes[t])
        out[t] = state[4]


class Sma(Indicator):
    """Mean of the last `period` prints, in the unit of its input; warm after `period` prints.

    Convention of TA-Lib's SMA. A plain running sum drifts: every bar leaves two rounding errors behind for
    ever. Here the errors are kept in a second sum (Neumaier, ZAMM 54, 1974), so that the value stays within
    one unit in the last place of the exact mean, at the same cost for every bar (summing anew every
    `period` bars would make one bar in `period` slow).
    """

    def __init__(self, n: int, period: int) -> None:
        super().__init__(n, period)
        self._ring: FloatArray = np.zeros((period, n))
        self._total: FloatArray = np.zeros(n)
        self._lost: FloatArray = np.zeros(n)
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
        return self._ring, self._total, self._lost, self._count, self._value


def sma(closes: npt.ArrayLike, period: int) -> FloatArray:
    """`Sma` over a whole time-major panel: (T, n) -> (T, n)."""
    return Sma(width_of(closes), period).update_many(closes)
