"""Time-varying regression: an intercept and a slope (a hedge ratio) that wander."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from shared.errors import InvariantViolated
from shared.indicators.indicator import FloatArray, IntArray, kernel
from shared.indicators.kalman import KalmanFilter

_Noise = tuple[FloatArray, FloatArray, FloatArray]


@kernel
def step(noise: _Noise, state: FloatArray, explained: FloatArray, explaining: FloatArray) -> None:
    """Take one row of y and one of x, each (n,). Noise: intercept, slope and observation variance, each (n,).

    State (7, n): see `KalmanRegression.FIELDS`. A NaN in either is a missing observation.
    """
    intercept_q, slope_q, observation = noise
    intercept, slope, innovation, expected = state[0], state[1], state[5], state[6]
    p00, p01, p11 = state[2], state[3], state[4]
    for i in range(explained.shape[0]):
        x = explaining[i]
        printed = np.isfinite(explained[i] + x)
        a = p00[i] + intercept_q[i]
        b = p01[i]
        c = p11[i] + slope_q[i]
        error = explained[i] - (intercept[i] + slope[i] * x)
        toward, along = a + b * x, b + c * x
        spread = toward + along * x + observation[i]
        share = 1.0 / spread if printed else 0.0
        seen = error if printed else 0.0
        # A missing x is NaN: it may not reach the covariance, not even times 0.
        gain = toward * share if printed else 0.0
        slope_gain = along * share if printed else 0.0
        intercept[i] += gain * seen
        slope[i] += slope_gain * seen
        p00[i] = a - gain * (toward if printed else 0.0)
        p01[i] = b - gain * (along if printed else 0.0)
        p11[i] = c - slope_gain * (along if printed else 0.0)
        innovation[i] = error
        expected[i] = spread


@kernel
def run(  # noqa: PLR0917 - a numba function takes no keywords
    noise: _Noise, state: FloatArray, ys: FloatArray, xs: FloatArray, fields: IntArray, out: FloatArray
) -> None:
    """`step` over every row of both panels (T, n); the rows `fields` of the state into `out` (len(fields), T, n)."""
    for t in range(ys.shape[0]):
        step(noise, state, ys[t], xs[t])
        for f in range(fields.shape[0]):
            out[f, t] = state[fields[f]]


class KalmanRegression(KalmanFilter):
    """y = intercept + slope * x + noise, where intercept and slope are random walks; the value is the slope.

    With y and x the prices of a pair the slope is its hedge ratio (shares of x against one of y) and the innovation
    the spread's surprise. Variances are one number or (n,): `intercept_variance` in the squared unit of y per row,
    `slope_variance` in that of y / x. Before the first row both are 0 with `prior_variances` (of intercept and slope):
    choose them well above what is believable, not as large as can be, since a prior a billion times the observation's
    variance costs as many digits. Source: Harvey (1989), 3.2.5; Ernest Chan, Algorithmic Trading (2013), chapter 3.
    """

    FIELDS: ClassVar[tuple[str, ...]] = (
        "intercept",
        "slope",
        "intercept_variance",
        "intercept_slope_covariance",
        "slope_variance",
        "innovation",
        "innovation_variance",
    )

    def __init__(
        self,
        n: int,
        *,
        intercept_variance: npt.ArrayLike,
        slope_variance: npt.ArrayLike,
        observation_variance: npt.ArrayLike,
        prior_variances: tuple[npt.ArrayLike, npt.ArrayLike],
    ) -> None:
        super().__init__(n)
        self._intercept_variance = self._variances("intercept_variance", intercept_variance)
        self._slope_variance = self._variances("slope_variance", slope_variance)
        self._observation_variance = self._variances("observation_variance", observation_variance, zero=False)
        self._fields[:2] = 0.0
        self._fields[2] = self._variances("prior intercept variance", prior_variances[0])
        self._fields[3] = 0.0
        self._fields[4] = self._variances("prior slope variance", prior_variances[1])
        self._value = self._fields[1].copy()

    def update(self, explained: npt.ArrayLike, explaining: npt.ArrayLike) -> FloatArray:
        """Slopes (n,) after one more row of y and x, each (n,)."""
        step(self._noise(), self._fields, self._row(explained), self._row(explaining))
        self._value = self._fields[1].copy()
        return self.value

    def update_many(self, explained: npt.ArrayLike, explaining: npt.ArrayLike) -> FloatArray:
        """Slopes (T, n) after each of T more rows of y and x, each (T, n)."""
        slopes: FloatArray = self.update_fields(explained, explaining, ("slope",))[0]
        return slopes

    def update_fields(self, explained: npt.ArrayLike, explaining: npt.ArrayLike, fields: tuple[str, ...]) -> FloatArray:
        """`fields` after each of T more rows: (len(fields), T, n)."""
        ys, xs = self._panel(explained), self._panel(explaining)
        if len(ys) != len(xs):
            raise InvariantViolated(f"KalmanRegression: panels of {len(ys)} and {len(xs)} rows, allowed: equally many")
        out = np.empty((len(fields), *ys.shape))
        run(self._noise(), self._fields, ys, xs, self.rows_of(fields), out)
        self._value = self._fields[1].copy()
        return out

    def _noise(self) -> _Noise:
        return self._intercept_variance, self._slope_variance, self._observation_variance
