"""The door to any other linear Gaussian model: one series at a time, through pykalman.

pykalman takes what the kernels do not: several observations, offsets, matrices that change, EM for every part. It is
slower by four orders of magnitude, so it is the reference and the workbench, not what runs over a universe.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from shared.errors import ConfigError, DataError

if TYPE_CHECKING:
    from pykalman import KalmanFilter as PykalmanFilter

ESTIMABLE = (
    "transition_matrices",
    "observation_matrices",
    "transition_offsets",
    "observation_offsets",
    "transition_covariance",
    "observation_covariance",
    "initial_state_mean",
    "initial_state_covariance",
)


class GeneralFit(Struct, frozen=True, eq=False, kw_only=True):
    """`matrices` by pykalman's names, all of `ESTIMABLE`; `converged` says whether the tolerance ended the steps."""

    matrices: dict[str, npt.NDArray[np.float64]]
    log_likelihood: float
    iterations: int
    converged: bool

    def filter(self) -> PykalmanFilter:
        """A pykalman filter with these matrices: `filter`, `smooth`, `filter_update`, `loglikelihood`."""
        return _filter(self.matrices)


def fit_general(
    observations: npt.ArrayLike,
    model: Mapping[str, npt.ArrayLike],
    *,
    estimate: tuple[str, ...] = ("transition_covariance", "observation_covariance"),
    iterations_max: int = 50,
    tolerance: float = 1e-6,
) -> GeneralFit:
    """EM of the `estimate` parts of a `model`, both named as pykalman does, for `observations` (T,) or (T, m).

    A row with a NaN is a missing observation. Ends when a step gains less than `tolerance` per row, or falls (rounding
    near the top), and keeps the better parameters. ConfigError on unknown names, DataError on unusable observations.
    """
    for name in (*model, *estimate):
        if name not in ESTIMABLE:
            raise ConfigError(f"general model: {name}, allowed: {', '.join(ESTIMABLE)}")
    rows = np.asarray(observations, dtype=np.float64)
    if rows.ndim not in {1, 2} or not len(rows) or np.isinf(rows).any() or np.isnan(rows).all():
        raise DataError(f"general model: observations of shape {rows.shape}, allowed: finite numbers or NaN, some told")
    masked = _masked(rows)
    best = _filter(model)
    reached, converged, done = float(best.loglikelihood(masked)), False, 0
    for _ in range(iterations_max):
        better = _filter(_matrices(best)).em(masked, n_iter=1, em_vars=list(estimate))
        now = float(better.loglikelihood(masked))
        converged = not now - reached >= tolerance * len(rows)
        if now >= reached:
            best, reached, done = better, now, done + 1
        if converged:
            break
    return GeneralFit(matrices=_matrices(best), log_likelihood=reached, iterations=done, converged=converged)


def _masked(rows: npt.NDArray[np.float64]) -> Any:  # noqa: ANN401 - a masked array, for pykalman alone
    table = rows[:, None] if rows.ndim == 1 else rows
    missing = np.repeat(np.isnan(table).any(axis=1, keepdims=True), table.shape[1], axis=1)
    return np.ma.masked_array(np.where(missing, 0.0, table), mask=missing)


def _filter(model: Mapping[str, npt.ArrayLike]) -> PykalmanFilter:
    from pykalman import KalmanFilter

    return KalmanFilter(**{name: np.array(value, dtype=np.float64) for name, value in model.items()})


def _matrices(model: PykalmanFilter) -> dict[str, npt.NDArray[np.float64]]:
    found = model._initialize_parameters()  # noqa: SLF001 - the only place where pykalman tells its defaults
    names = (
        "transition_matrices",
        "transition_offsets",
        "transition_covariance",
        "observation_matrices",
        "observation_offsets",
        "observation_covariance",
        "initial_state_mean",
        "initial_state_covariance",
    )
    return {name: np.array(value, dtype=np.float64) for name, value in zip(names, found, strict=True)}
