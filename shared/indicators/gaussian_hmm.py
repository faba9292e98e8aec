"""Gaussian hidden Markov model, forward only: what the rows so far say of the state now.

Nothing here smooths: a state's probability, once given, is never corrected by later rows. The parameters come from
research/filters/hmm_em.py.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from shared.errors import ConfigError, InvariantViolated
from shared.indicators.indicator import FloatArray, Indicator, kernel

_Model = tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]
_SUM_TOLERANCE = 1e-6


class HmmParameters(Struct, frozen=True, eq=False, kw_only=True):
    """A model of `k` states over `d` inputs.

    `start` (k,), `transition` (k, k) from row to column, `means` (k, d) and `covariances` (k, d, d). Probabilities sum
    to 1; covariances are positive definite.
    """

    start: FloatArray
    transition: FloatArray
    means: FloatArray
    covariances: FloatArray

    def __post_init__(self) -> None:
        """Refuse what is no such model with one line."""
        k = len(self.start)
        d = self.means.shape[-1]
        shapes = (self.start.shape, self.transition.shape, self.means.shape, self.covariances.shape)
        if shapes != ((k,), (k, k), (k, d), (k, d, d)):
            raise ConfigError(f"hidden Markov model: shapes {shapes}, allowed: (k,), (k, k), (k, d), (k, d, d)")
        for name, sums in (("start", self.start.sum()), ("transition", self.transition.sum(axis=1))):
            if not (np.abs(sums - 1) <= _SUM_TOLERANCE).all():
                raise ConfigError(f"hidden Markov model: {name} sums to {sums}, allowed: 1")
        if (self.start < 0).any() or (self.transition < 0).any():
            raise ConfigError("hidden Markov model: a probability below 0, allowed: from 0")

    def whitening(self) -> tuple[FloatArray, FloatArray]:
        """Matrices W (k, d, d), lower triangular, with W (x - mean) standard normal; constants of the log density."""
        try:
            roots = np.linalg.cholesky(self.covariances)
        except np.linalg.LinAlgError as error:
            raise ConfigError("hidden Markov model: a covariance is not positive definite") from error
        white = np.linalg.inv(roots)
        diagonals = np.diagonal(white, axis1=1, axis2=2)
        constants = np.log(diagonals).sum(axis=1) - 0.5 * self.means.shape[1] * np.log(2 * np.pi)
        return np.ascontiguousarray(white), constants


@kernel
def step(model: _Model, state: FloatArray, rows: FloatArray) -> None:
    """Take one row of every input, (d, n). State (k + 1, n): the probabilities and the row's log density."""
    start, transition, means, white, constants = model
    k, d = means.shape
    ahead, likely = np.empty(k), np.empty(k)
    for i in range(rows.shape[1]):
        missing = False
        for j in range(d):
            missing = missing or not np.isfinite(rows[j, i])
        begun = not np.isnan(state[0, i])
        state[k, i] = 0.0
        if missing and not begun:
            continue
        for to in range(k):
            ahead[to] = 0.0 if begun else start[to]
            if begun:
                for was in range(k):
                    ahead[to] += state[was, i] * transition[was, to]
        most = -np.inf
        for s in range(k):
            likely[s] = 0.0 if missing else constants[s]
            for a in range(0 if missing else d):
                z = 0.0
                for b in range(a + 1):
                    z += white[s, a, b] * (rows[b, i] - means[s, b])
                likely[s] -= 0.5 * z * z
            most = max(most, likely[s])
        total = 0.0
        for s in range(k):
            likely[s] = ahead[s] * np.exp(likely[s] - most)
            total += likely[s]
        # Nothing that is possible explains the row: it says nothing, the prediction stands.
        told = total > 0 and not missing
        state[k, i] = np.log(total) + most if told else 0.0
        for s in range(k):
            state[s, i] = likely[s] / total if told else ahead[s]


@kernel
def run(model: _Model, state: FloatArray, panels: FloatArray, out: FloatArray) -> None:
    """`step` over every row of `panels` (d, T, n) into `out` (k + 1, T, n)."""
    for t in range(panels.shape[1]):
        step(model, state, panels[:, t])
        out[:, t] = state


class GaussianHmm(Indicator):
    """Probability of each of k states for each of n instruments, given its rows so far; all share one model.

    The value is (k, n), NaN before an instrument's first complete row, which starts it. A row with a NaN (or an
    infinite number) among its d inputs is a missing observation: time passes, the probabilities move by the transition
    alone. Source: Lawrence Rabiner, A Tutorial on Hidden Markov Models (1989), scaled as in its section V.A; James
    Hamilton, A New Approach to the Economic Analysis of Nonstationary Time Series (1989).
    """

    def __init__(self, n: int, parameters: HmmParameters) -> None:
        super().__init__(n, period=1)
        self._start, self._transition = parameters.start.copy(), np.ascontiguousarray(parameters.transition).copy()
        self._means = np.ascontiguousarray(parameters.means).copy()
        self._white, self._constants = parameters.whitening()
        self._state: FloatArray = np.full((len(parameters.start) + 1, n), np.nan)

    @property
    def value(self) -> FloatArray:
        """A copy of the current probabilities, (k, n)."""
        return self._state[:-1].copy()

    def update(self, *rows: npt.ArrayLike) -> FloatArray:
        """Probabilities (k, n) after one more row of each input, d times (n,)."""
        step(self._model(), self._state, self._inputs([self._row(row)[None, :] for row in rows])[:, 0])
        return self.value

    def update_many(self, *panels: npt.ArrayLike) -> FloatArray:
        """Probabilities (k, T, n) after each of T more rows of each input, d times (T, n)."""
        return self.update_with_density(*panels)[:-1]

    def update_with_density(self, *panels: npt.ArrayLike) -> FloatArray:
        """As `update_many`, and the log density of each row given those before it as the last: (k + 1, T, n)."""
        inputs = self._inputs([self._panel(panel) for panel in panels])
        out = np.empty((len(self._state), *inputs.shape[1:]))
        run(self._model(), self._state, inputs, out)
        return out

    def _inputs(self, panels: list[FloatArray]) -> FloatArray:
        if len(panels) != self._means.shape[1] or len({len(panel) for panel in panels}) != 1:
            raise InvariantViolated(
                f"GaussianHmm: {len(panels)} inputs of {[len(panel) for panel in panels]} rows, "
                f"allowed: {self._means.shape[1]} of equally many"
            )
        return np.stack(panels)

    def _model(self) -> _Model:
        return self._start, self._transition, self._means, self._white, self._constants
