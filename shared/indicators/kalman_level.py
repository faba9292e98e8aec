"""Local level: a random walk seen through noise."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from shared.indicators.indicator import FloatArray, IntArray, kernel, width_of
from shared.indicators.kalman import KalmanFilter

_Noise = tuple[FloatArray, FloatArray]


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
    level, variance, innovation, innovation_variance = state[0], state[1], state[2], state[3]
    predicted = variance[0] + noise[0][0]
    expected = predicted + noise[1][0]
    gain = predicted / expected
    left = predicted - gain * predicted
    for i in range(observed.shape[0]):
        error = observed[i] - level[i]
        level[i] += gain * error
        innovation[i] = error
    variance[:] = left
    innovation_variance[:] = expected


@kernel
def step(noise: _Noise, state: FloatArray, course: IntArray, observed: FloatArray) -> None:
    """Take one row (n,). Noise: level and observation variance, each (n,); state: (4, n), see `KalmanLevel.FIELDS`.

    `course` (2,): how many instruments have not begun, and whether all have had the same noise and the same gaps.
    """
    silent = silent_in(observed)
    if 0 < silent < observed.shape[0]:
        course[1] = 0
    if course[1] and course[0] + silent == 0:
        step_alike(noise, state, observed)
        return
    level_variance, observation_variance = noise
    level, variance, innovation, innovation_variance = state[0], state[1], state[2], state[3]
    for i in range(observed.shape[0]):
        # Selections instead of branches, for SIMD: without a print the gain and the error are nothing.
        printed = np.isfinite(observed[i])
        error = observed[i] - level[i]
        predicted = variance[i] + level_variance[i]
        expected = predicted + observation_variance[i]
        gain = predicted / expected if printed else 0.0
        level[i] += gain * (error if printed else 0.0)
        variance[i] = predicted - gain * predicted
        innovation[i] = error
        innovation_variance[i] = expected
    if course[0] > 0:
        for i in range(observed.shape[0]):
            if np.isnan(level[i]) and np.isfinite(observed[i]):
                level[i], variance[i] = observed[i], observation_variance[i]
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


class KalmanLevel(KalmanFilter):
    """Level of a random walk of `level_variance` per row, seen with `observation_variance`; warm at the first print.

    Variances are one number or (n,), in the squared unit of what is observed. An instrument begins at its first print
    with that print as level and the observation's variance as its variance: the limit of a prior that knows nothing.
    `prior` = (mean, variance) instead holds before the first row. Source: Harvey (1989), 4.1; R. E. Kalman, A New
    Approach to Linear Filtering and Prediction Problems (1960).
    """

    FIELDS: ClassVar[tuple[str, ...]] = ("level", "variance", "innovation", "innovation_variance")

    def __init__(
        self,
        n: int,
        *,
        level_variance: npt.ArrayLike,
        observation_variance: npt.ArrayLike,
        prior: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    ) -> None:
        super().__init__(n)
        self._level_variance = self._variances("level_variance", level_variance)
        self._observation_variance = self._variances("observation_variance", observation_variance, zero=False)
        if prior is not None:
            self._fields[0] = self._numbers("prior mean", prior[0])
            self._fields[1] = self._variances("prior variance", prior[1])
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
        return self._level_variance, self._observation_variance


def kalman_level(observed: npt.ArrayLike, level_variance: float, observation_variance: float) -> FloatArray:
    """`KalmanLevel` over a whole time-major panel: (T, n) -> (T, n)."""
    filter_ = KalmanLevel(width_of(observed), level_variance=level_variance, observation_variance=observation_variance)
    return filter_.update_many(observed)
