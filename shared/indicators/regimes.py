"""Regimes as features: is this instrument calm or wild, and do the instruments move together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.errors import ConfigError
from shared.indicators.indicator import FloatArray, Indicator, IntArray, kernel, width_of
from shared.indicators.lockstep import spec
from shared.indicators.spec import real, whole


@kernel
def volatility_regime(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, _: int) -> None:
    """Told: calm, wild, stay, memory, warm. State after the outputs: last log price, variance, number of returns."""
    calm, wild, stay, memory, warm = p[0], p[1], p[2], p[3], p[4]
    for i in range(lo, hi):
        if not x[0, i] > 0:
            continue
        y, count = np.log(x[0, i]), s[5, i]
        s[5, i] = count + 1.0
        change, variance = y - s[3, i], s[4, i]
        s[3, i] = y
        if count == 0.0:
            s[2, i] = 0.5
            continue
        s[4, i] += (change * change - variance) / min(count, memory)
        if variance > 0:
            ahead = stay * s[2, i] + (1.0 - stay) * (1.0 - s[2, i])
            # Odds of the calm density against the wild one, in logarithms: neither of the two then underflows.
            half = 0.5 * change * change / variance
            calmer = np.log(wild / calm) - half / (calm * calm) + half / (wild * wild)
            s[2, i] = ahead / (ahead + (1.0 - ahead) * np.exp(min(calmer, 700.0)))
        if count + 1.0 >= warm:
            s[0, i] = s[2, i]
            s[1, i] = np.sqrt(s[4, i] * (s[2, i] * wild * wild + (1.0 - s[2, i]) * calm * calm))


@kernel
def correlate(ring: FloatArray, standard: FloatArray, whole_columns: IntArray) -> float:
    """Mean correlation of all pairs of columns of `ring` (w, n) without a NaN; NaN with fewer than two that vary.

    `standard` (w, n) is room to work in, `whole_columns` (n,) too.
    """
    w, n = ring.shape
    m = 0
    for i in range(n):
        mean = 0.0
        for t in range(w):
            mean += ring[t, i]
        mean /= w
        square = 0.0
        for t in range(w):
            square += (ring[t, i] - mean) ** 2
        if square > 0:  # a NaN among them is not above anything
            whole_columns[m] = i
            for t in range(w):
                standard[t, m] = (ring[t, i] - mean) / np.sqrt(square)
            m += 1
    if m < 2:  # noqa: PLR2004 - a pair
        return np.nan
    # The sum of all correlations is the squared length of the sum of the standardised columns.
    length = 0.0
    for t in range(w):
        total = 0.0
        for j in range(m):
            total += standard[t, j]
        length += total * total
    return (length - m) / (m * (m - 1.0))


@kernel
def step(ring: FloatArray, clock: IntArray, last: FloatArray, close: FloatArray) -> float:
    """Take one row (n,): log returns into `ring` (w, n) at `clock` (1,), a row counter; `last` (n,) log prices."""
    w, n = ring.shape
    place = clock[0] % w
    for i in range(n):
        y = np.log(close[i]) if close[i] > 0 else np.nan
        ring[place, i] = y - last[i]
        last[i] = y
    clock[0] += 1
    if clock[0] <= w:
        return np.nan
    return correlate(ring, np.empty((w, n)), np.empty(n, dtype=np.int64))


@kernel
def run(ring: FloatArray, clock: IntArray, last: FloatArray, panel: FloatArray, out: FloatArray) -> None:
    """`step` over every row of `panel` (T, n) into `out` (T,)."""
    for t in range(panel.shape[0]):
        out[t] = step(ring, clock, last, panel[t])


class AverageCorrelation(Indicator):
    """Mean correlation of the log returns of all pairs of instruments over the last `period` rows; one number a row.

    It is taken over the instruments that printed on all those rows and the one before, and whose price moved: rows
    count here, since returns of different days have no correlation. Summed anew on every row, so nothing drifts. NaN
    before `period` + 1 rows, and with fewer than two such instruments. High values are the regime in which nothing
    diversifies. Source: Pollet and Wilson, Average Correlation and Stock Market Returns (2010).
    """

    def __init__(self, n: int, period: int) -> None:
        super().__init__(n, period)
        if period < 3:  # noqa: PLR2004 - two points always lie on a line
            raise ConfigError(f"AverageCorrelation: period {period}, allowed: whole numbers from 3")
        self._ring: FloatArray = np.full((period, n), np.nan)
        self._last: FloatArray = np.full(n, np.nan)
        self._clock: IntArray = np.zeros(1, dtype=np.int64)
        self._now = float("nan")

    @property
    def value(self) -> FloatArray:
        """The current value, the same for each of the n instruments: (n,)."""
        return np.full(len(self._value), self._now)

    def update(self, close: npt.ArrayLike) -> FloatArray:
        """Value, repeated (n,), after one more row of closes (n,)."""
        self._now = float(step(self._ring, self._clock, self._last, self._row(close)))
        return self.value

    def update_many(self, closes: npt.ArrayLike) -> FloatArray:
        """Values, repeated (T, n), after each of T more rows (T, n)."""
        panel = self._panel(closes)
        out = np.full(len(panel), self._now)
        run(self._ring, self._clock, self._last, panel, out)
        self._now = float(out[-1]) if len(out) else self._now
        return np.repeat(out[:, None], panel.shape[1], axis=1)


def average_correlation(closes: npt.ArrayLike, period: int) -> FloatArray:
    """`AverageCorrelation` over a whole time-major panel: (T, n) -> (T, n)."""
    return AverageCorrelation(width_of(closes), period).update_many(closes)


SPECS = (
    spec(
        volatility_regime,
        "regime",
        "close -> wild volatility",
        (
            real("calm", 0.7, 0.01, 1.0),
            real("wild", 1.8, 1.0001, 100.0),
            real("stay", 0.98, 0.5, 0.9999),
            whole("memory", 250, 2),
            whole("warm", 20, 3),
        ),
        rows=lambda _: 6,
        warm_up=lambda p: int(p["warm"]),
        formula="filtered probability of the wild of two states: deviations calm and wild times the long-run one",
        source="Hamilton, A New Approach to the Economic Analysis of Nonstationary Time Series, 1989",
    ),
)
