"""What the Kalman filters share: which variances they take, which fields they hand out, the log-likelihood.

The rule for what is missing: a NaN is pykalman's masked observation. Time passes, so the state is predicted and its
variance grows, but nothing is corrected. This is why a filter, unlike a moving average, counts rows and not prints.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from shared.errors import ConfigError, InvariantViolated
from shared.indicators.indicator import FloatArray, Indicator, IntArray


class KalmanFilter(Indicator):
    """A linear Gaussian filter of `n` instruments at once, each with its own noise and its own history.

    `FIELDS` names the rows of the state (len(FIELDS), n); means and variances are those *after* the row's observation,
    `innovation` is the observation less its prediction (NaN where nothing was observed) and `innovation_variance` the
    variance of that prediction error. Units: those of the observation, squared for variances, per row for a slope.
    """

    FIELDS: ClassVar[tuple[str, ...]]

    def __init__(self, n: int) -> None:
        super().__init__(n, period=1)  # no window: everything seen is in the state
        self._fields: FloatArray = np.full((len(self.FIELDS), n), np.nan)

    @classmethod
    def rows_of(cls, fields: tuple[str, ...]) -> IntArray:
        """The rows of the state that `fields` name; InvariantViolated on an unknown one."""
        if unknown := [field for field in fields if field not in cls.FIELDS]:
            raise InvariantViolated(f"{cls.__name__}: fields {unknown}, allowed: {', '.join(cls.FIELDS)}")
        return np.array([cls.FIELDS.index(field) for field in fields], dtype=np.int64)

    def field(self, name: str) -> FloatArray:
        """A copy of one row of the state, (n,)."""
        return np.array(self._fields[self.rows_of((name,))[0]])

    def _variances(self, name: str, values: npt.ArrayLike, *, zero: bool = True) -> FloatArray:
        """`values`, one number or (n,), as (n,); ConfigError on what is no variance. `zero`: nothing is allowed too."""
        variances = np.array(values, dtype=np.float64)
        least = "0" if zero else "above 0"
        if variances.ndim > 1 or variances.size not in {1, len(self._value)}:
            raise ConfigError(
                f"{type(self).__name__}: {name} of shape {variances.shape}, allowed: a number or ({len(self._value)},)"
            )
        wrong = ~(np.isfinite(variances) & ((variances >= 0) if zero else (variances > 0)))
        if wrong.any():
            value = float(variances.flat[int(np.argmax(wrong))])
            raise ConfigError(f"{type(self).__name__}: {name} {value}, allowed: finite numbers from {least}")
        return np.array(np.broadcast_to(variances, self._value.shape))

    def _course_of(self, noise: tuple[FloatArray, ...]) -> IntArray:
        """What `step` counts (2,): the instruments that have not begun; 1 while all are alike in noise and gaps."""
        begun = ~np.isnan(self._fields[0])
        told = (*noise, *self._fields[1:])
        alike = len(begun) > 0 and all(bool((row == row[0]).all() or np.isnan(row).all()) for row in told)
        return np.array([(~begun).sum(), alike and (begun.all() or not begun.any())], dtype=np.int64)

    def _numbers(self, name: str, values: npt.ArrayLike) -> FloatArray:
        """`values`, one finite number or (n,), as (n,)."""
        starts = np.array(values, dtype=np.float64)
        if starts.ndim > 1 or starts.size not in {1, len(self._value)} or not np.isfinite(starts).all():
            raise ConfigError(
                f"{type(self).__name__}: {name} {values!r}, allowed: one finite number or ({len(self._value)},)"
            )
        return np.array(np.broadcast_to(starts, self._value.shape))


def log_likelihood(innovation: npt.ArrayLike, innovation_variance: npt.ArrayLike) -> FloatArray:
    """Log density of each observation given those before it; 0 where there was none or nothing predicted it.

    Summed over time this is the log-likelihood of the series given its first print (or the prior), by the prediction
    error decomposition: Andrew Harvey, Forecasting, Structural Time Series Models and the Kalman Filter (1989), 3.4.
    """
    error, variance = np.asarray(innovation, dtype=np.float64), np.asarray(innovation_variance, dtype=np.float64)
    densities = -0.5 * (np.log(2 * np.pi * variance) + error * error / variance)
    return np.where(np.isnan(densities), 0.0, densities)
