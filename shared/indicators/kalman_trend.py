"""Local linear trend: a level that moves by a slope, and a slope that itself wanders."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from shared.indicators.indicator import FloatArray, IntArray, kernel
from shared.indicators.kalman import KalmanFilter

_Noise = tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]


@kernel
def silent_in(observed: FloatArray) -> int:
    """How many instruments printed nothing."""
    silent = 0
    for i in range(observed.shape[0]):
        silent += not np.isfinite(observed[i])
    return silent


@kernel
def step_alike(noise: _Noise, state: FloatArray, observed: FloatArray) -> None:
    """`step` where all print and have the same noise and past: the same arithmetic, the variances once for all."""
    level, slope, innovation = state[0], state[1], state[5]
    p00, p01, p11 = state[2, 0], state[3, 0], state[4, 0]
    reach = p01 + p11
    a = p00 + p01 + reach + noise[0][0]
    b = reach + noise[2][0]
    c = p11 + noise[1][0]
    spread = a + noise[3][0]
    share = 1.0 / spread
    gain, slope_gain = a * share, b * share
    for i in range(observed.shape[0]):
        ahead = level[i] + slope[i]
        error = observed[i] - ahead
        level[i] = ahead + gain * error
        slope[i] += slope_gain * error
        innovation[i] = error
    state[2, :] = a - gain * a
    state[3, :] = b - gain * b
    state[4, :] = c - slope_gain * b
    state[6, :] = spread


@kernel
def step(noise: _Noise, state: FloatArray, course: IntArray, observed: FloatArray) -> None:
    """Take one row (n,). Noise: level, slope, their covariance, observation, first slope, each (n,).

    State (7, n): see `KalmanTrend.FIELDS`. `course` (2,): how many have not begun, and whether all have had the same
    noise and the same gaps.
    """
    silent = silent_in(observed)
    if 0 < silent < observed.shape[0]:
        course[1] = 0
    if course[1] and course[0] + silent == 0:
        step_alike(noise, state, observed)
        return
    level_q, slope_q, both_q, observation, first_slope = noise
    level, slope, innovation, expected = state[0], state[1], state[5], state[6]
    p00, p01, p11 = state[2], state[3], state[4]
    for i in range(observed.shape[0]):
        # Selections instead of branches, for SIMD: without a print the gain and the error are nothing.
        printed = np.isfinite(observed[i])
        reach = p01[i] + p11[i]
        a = p00[i] + p01[i] + reach + level_q[i]
        b = reach + both_q[i]
        c = p11[i] + slope_q[i]
        ahead = level[i] + slope[i]
        error = observed[i] - ahead
        spread = a + observation[i]
        share = 1.0 / spread if printed else 0.0
        seen = error if printed else 0.0
        gain, slope_gain = a * share, b * share
        level[i] = ahead + gain * seen
        slope[i] += slope_gain * seen
        p00[i] = a - gain * a
        p01[i] = b - gain * b
        p11[i] = c - slope_gain * b
        innovation[i] = error
        expected[i] = spread
    if course[0] > 0:
        for i in range(observed.shape[0]):
            if np.isnan(level[i]) and np.isfinite(observed[i]):
                level[i], slope[i] = observed[i], 0.0
                p00[i], p01[i], p11[i] = observation[i], 0.0, first_slope[i]
                course[0] -= 1


@kernel
def run(  # noqa: PLR0917 - a numba function takes no keywords
    noise: _Noise, state: FloatArray, course: IntArray, panel: FloatArray, fields: IntArray, out: FloatArray
) -> None:
    """`step` over every row of `panel` (T, n); the rows `fields` of the state into `out` (len(fields), T, n)."""
    for t in range(panel.shape[0]):
        step(noise, state, course, panel[t])
        for f in range(fields.shape[0]):
            out[f, t] = state[fields[f]]


class KalmanTrend(KalmanFilter):
    """Level and slope (per row) of a local linear trend; warm at the first print.

    level' = level + slope + noise of `level_variance`, slope' = slope + noise of `slope_variance` (their covariance is
    `noise_covariance`), seen with `observation_variance`: one number or (n,) each, in the squared unit of what is
    observed. An instrument begins at its first print: that print as level, with the observation's variance, and a slope
    of 0 with `first_slope_variance` (None: the observation's). `prior` = (level, slope, and the variances of level,
    both and slope) instead holds before the first row. Source: Andrew Harvey, Forecasting, Structural Time Series
    Models and the Kalman Filter (1989), 2.3.
    """

    FIELDS: ClassVar[tuple[str, ...]] = (
        "level",
        "slope",
        "level_variance",
        "level_slope_covariance",
        "slope_variance",
        "innovation",
        "innovation_variance",
    )

    def __init__(  # noqa: PLR0913 - the model has that many numbers, all by keyword
        self,
        n: int,
        *,
        level_variance: npt.ArrayLike,
        slope_variance: npt.ArrayLike,
        observation_variance: npt.ArrayLike,
        noise_covariance: npt.ArrayLike = 0.0,
        first_slope_variance: npt.ArrayLike | None = None,
        prior: tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike, npt.ArrayLike, npt.ArrayLike] | None = None,
    ) -> None:
        super().__init__(n)
        first = observation_variance if first_slope_variance is None else first_slope_variance
        self._level_variance = self._variances("level_variance", level_variance)
        self._slope_variance = self._variances("slope_variance", slope_variance)
        self._noise_covariance = self._numbers("noise_covariance", noise_covariance)
        self._observation_variance = self._variances("observation_variance", observation_variance, zero=False)
        self._first_slope_variance = self._variances("first_slope_variance", first)
        if prior is not None:
            self._fields[0] = self._numbers("prior level", prior[0])
            self._fields[1] = self._numbers("prior slope", prior[1])
            self._fields[2] = self._variances("prior level variance", prior[2])
            self._fields[3] = self._numbers("prior covariance", prior[3])
            self._fields[4] = self._variances("prior slope variance", prior[4])
        self._value = self._fields[0].copy()
        self._course = self._course_of(self._noise())

    def update(self, observed: npt.ArrayLike) -> FloatArray:
        """Levels (n,) after one more row (n,)."""
        step(self._noise(), self._fields, self._course, self._row(observed))
        self._value = self._fields[0].copy()
        return self.value

    def update_many(self, observed: npt.ArrayLike) -> FloatArray:
        """Levels (T, n) after each of T more rows (T, n)."""
        levels: FloatArray = self.update_fields(observed, ("level",))[0]
        return levels

    def update_fields(self, observed: npt.ArrayLike, fields: tuple[str, ...]) -> FloatArray:
        """`fields` after each of T more rows (T, n): (len(fields), T, n)."""
        panel = self._panel(observed)
        out = np.empty((len(fields), *panel.shape))
        run(self._noise(), self._fields, self._course, panel, self.rows_of(fields), out)
        self._value = self._fields[0].copy()
        return out

    def _noise(self) -> _Noise:
        return (
            self._level_variance,
            self._slope_variance,
            self._noise_covariance,
            self._observation_variance,
            self._first_slope_variance,
        )
