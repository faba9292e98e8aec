"""An average whose period comes with every bar: MAVP."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.errors import ConfigError, InvariantViolated
from shared.indicators.indicator import FloatArray, Indicator, IntArray
from shared.indicators.moving_average import TYPES, average_of, prints_until
from shared.indicators.spec import IndicatorSpec, Params, whole

PERIODS_MAX = 200  # an average of every period is kept: their windows alone are 160 kB an instrument


class AverageOfPeriods(Indicator):
    """The average over as many prints as the bar says, cut off to whole numbers between `minimum` and `maximum`.

    Every period has its average from the first print on, begun so late that all are there with the same print, as in
    TA-Lib; the bar says which of them is told. A NaN in either input counts as nothing printed.
    """

    def __init__(self, n: int, params: Params) -> None:
        low, high, kind = int(params["minimum"]), int(params["maximum"]), params["type"]
        if low > high:
            raise ConfigError(f"mavp: minimum {low}, allowed: whole numbers up to maximum, {high}")
        super().__init__(n, high)
        until = [prints_until(kind, period) for period in range(low, high + 1)]
        self._low = low
        self._waits = [max(until) - own for own in until]
        self._averages = [average_of(n, kind, period) for period in range(low, high + 1)]
        self._prints: IntArray = np.zeros(n, dtype=np.int64)

    def update(self, close: npt.ArrayLike, periods: npt.ArrayLike) -> FloatArray:
        """Values (n,) after one more row of closes and of periods, each (n,)."""
        self.update_many(self._row(close)[np.newaxis], self._row(periods)[np.newaxis])
        return self.value

    def update_many(self, closes: npt.ArrayLike, periods: npt.ArrayLike) -> FloatArray:
        """Values (T, n) after each of T more rows of closes and of periods, each (T, n)."""
        close, wanted = self._panel(closes), self._panel(periods)
        if len(close) != len(wanted):
            raise InvariantViolated(f"mavp: panels of {len(close)} and {len(wanted)} rows, allowed: equally many")
        if not len(close):
            return np.empty_like(close)
        silent = np.isnan(close) | np.isnan(wanted)
        printed = self._prints + np.cumsum(~silent, axis=0)
        told = np.clip(np.trunc(wanted), self._low, self.period)
        out = np.full_like(close, np.nan)
        for number, (average, wait) in enumerate(zip(self._averages, self._waits, strict=True)):
            values = average.update_many(np.where(silent | (printed <= wait), np.nan, close))
            np.copyto(out, values, where=told == self._low + number)
        self._carry(out, silent)
        self._prints, self._value = printed[-1].copy(), out[-1].copy()
        return out

    def _carry(self, out: FloatArray, silent: npt.NDArray[np.bool_]) -> None:
        """The value of the last print where nothing was printed: no bar says which average that would be."""
        before = self._value
        for row, quiet in zip(out, silent, strict=True):
            np.copyto(row, before, where=quiet)
            before = row


def _warm(p: Params) -> int:
    return max(prints_until(p["type"], period) for period in range(int(p["minimum"]), int(p["maximum"]) + 1))


SPECS = (
    IndicatorSpec(
        name="mavp",
        group="overlap",
        inputs=("close", "periods"),
        outputs=("mavp",),
        parameters=(
            whole("minimum", 2, 2, PERIODS_MAX),
            whole("maximum", 30, 2, PERIODS_MAX),
            whole("type", 0, 0, len(TYPES) - 1),
        ),
        warm_up=_warm,
        formula="the average of that number, see ma, over as many prints as the bar's `periods` says",
        source="TA-Lib MAVP",
        build=lambda _, n, params: AverageOfPeriods(n, params),
    ),
)
