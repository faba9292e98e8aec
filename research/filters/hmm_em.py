"""EM of a Gaussian hidden Markov model (Baum and Welch) from several starts; states in the order of volatility."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from research.filters.hmm_kernels import BoolArray, log_densities, smooth, sweep, weigh
from shared.errors import ConfigError, DataError
from shared.indicators.gaussian_hmm import HmmParameters
from shared.indicators.indicator import FloatArray

Covariance = Literal["diag", "full"]
STATES_MAX = 12
_STAY = 0.9
"""Probability to stay, in every start."""


class HmmRule(Struct, frozen=True, kw_only=True):
    """`starts` runs of at most `iterations_max` steps, each done when a step gains less than `tolerance` in all.

    The first start is the same for every `seed`: rows grouped by their distance from the median. Variances stay at or
    above `floor` times those of all rows, so that no state shrinks onto a single row.
    """

    starts: int = 5
    iterations_max: int = 300
    tolerance: float = 1e-4
    floor: float = 1e-6
    seed: int = 1

    def __post_init__(self) -> None:
        if self.starts < 1 or self.iterations_max < 1 or not 0 < self.floor < 1:
            raise ConfigError(
                f"hidden Markov model: starts {self.starts}, iterations_max {self.iterations_max} and floor "
                f"{self.floor}, allowed: from 1, from 1, and between 0 and 1"
            )


class HmmFit(Struct, frozen=True, eq=False, kw_only=True):
    """The best of the starts. State 0 has the smallest volatility (trace of its covariance)."""

    parameters: HmmParameters
    log_likelihood: float
    iterations: int
    converged: bool


def fit_gaussian_hmm(
    rows: npt.ArrayLike,
    states: int,
    *,
    covariance: Covariance = "diag",
    start: HmmParameters | None = None,
    rule: HmmRule | None = None,
) -> HmmFit:
    """The likeliest model of `states` states for `rows` (T, d) or (T,), NaN where missing; `start` instead of ours.

    DataError where the rows cannot tell that many states apart: too few, or an input that never changes. Source:
    Lawrence Rabiner, A Tutorial on Hidden Markov Models (1989); no priors, as in hmmlearn with `covars_prior=0`.
    """
    series = _series(rows, states)
    rule = rule or HmmRule()
    starts = [start] if start is not None else list(_starts(series, states, rule))
    best = max((_climb(series, one, covariance, rule) for one in starts), key=lambda fit: fit.log_likelihood)
    if not np.isfinite(best.log_likelihood):
        raise DataError(f"hidden Markov model: no start explains the rows, allowed: fewer than {states} states")
    return _in_order(best)


def expectation(
    rows: FloatArray, present: BoolArray, parameters: HmmParameters
) -> tuple[FloatArray, FloatArray, float]:
    """Smoothed probabilities (k, T), expected moves (k, k) and log-likelihood of `rows` (d, T).

    A row that is not `present` (T,) is missing.
    """
    likely, past, later, smoothed = np.empty((4, len(parameters.start), len(present)))
    taken = log_densities((parameters.means, *parameters.whitening()), rows, present, likely)
    np.exp(likely, out=likely)
    told = sweep((parameters.start, parameters.transition), likely, past, later)
    smooth(parameters.transition, past, later, smoothed)
    moves: FloatArray = parameters.transition * (past[:, :-1] @ later[:, 1:].T)
    return smoothed, moves, taken + told


def maximisation(
    moments: tuple[FloatArray, FloatArray],
    smoothed: FloatArray,
    moves: FloatArray,
    covariance: Covariance,
    floor: FloatArray,
) -> HmmParameters:
    """The parameters that those probabilities make likeliest; `floor` (d,) bounds the variances from below.

    `moments` are the means (k, d) and covariances (k, d, d) of the rows, weighted by `smoothed` (k, T).
    """
    means, covariances = moments
    k = len(means)
    leaves = moves.sum(axis=1, keepdims=True)
    transition = np.where(leaves > 0, moves / np.where(leaves > 0, leaves, 1.0), np.eye(k))
    return HmmParameters(
        start=smoothed[:, 0] / smoothed[:, 0].sum(),
        transition=transition / transition.sum(axis=1, keepdims=True),
        means=means,
        covariances=_bounded(covariances, covariance, floor),
    )


def _moments(rows: FloatArray, present: BoolArray, smoothed: FloatArray) -> tuple[FloatArray, FloatArray]:
    k, d = len(smoothed), len(rows)
    means, covariances = np.zeros((k, d)), np.zeros((k, d, d))
    weigh(rows, present, smoothed, means, covariances)
    return means, covariances


def _bounded(covariances: FloatArray, covariance: Covariance, floor: FloatArray) -> FloatArray:
    if covariance == "diag":
        variances = np.maximum(np.diagonal(covariances, axis1=1, axis2=2), floor)
        return variances[:, :, None] * np.eye(len(floor))
    unit = np.sqrt(floor)
    scaled = covariances / np.outer(unit, unit)
    values, vectors = np.linalg.eigh(scaled)
    if values.min() >= 1:
        return covariances
    raised: FloatArray = np.einsum("kab,kb,kcb->kac", vectors, np.maximum(values, 1.0), vectors)
    bounded: FloatArray = raised * np.outer(unit, unit)
    return bounded


def _climb(series: FloatArray, start: HmmParameters, covariance: Covariance, rule: HmmRule) -> HmmFit:
    floor = rule.floor * np.nanvar(series, axis=0)
    rows = np.ascontiguousarray(series.T)
    present: BoolArray = np.isfinite(rows.sum(axis=0))
    parameters, before = start, -np.inf
    for done in range(rule.iterations_max + 1):
        smoothed, moves, now = expectation(rows, present, parameters)
        still = now - before < rule.tolerance
        if still or done == rule.iterations_max or not np.isfinite(now):
            break
        moments = _moments(rows, present, smoothed)
        if np.isnan(moments[0]).any():  # a state that explains no row any more
            break
        parameters, before = maximisation(moments, smoothed, moves, covariance, floor), now
    reached = now if np.isfinite(now) else -np.inf
    return HmmFit(parameters=parameters, log_likelihood=reached, iterations=done, converged=bool(still))


def _in_order(fit: HmmFit) -> HmmFit:
    found = fit.parameters
    order = np.argsort(np.trace(found.covariances, axis1=1, axis2=2), kind="stable")
    ordered = HmmParameters(
        start=found.start[order],
        transition=np.ascontiguousarray(found.transition[np.ix_(order, order)]),
        means=found.means[order],
        covariances=found.covariances[order],
    )
    return HmmFit(
        parameters=ordered, log_likelihood=fit.log_likelihood, iterations=fit.iterations, converged=fit.converged
    )


def _series(rows: npt.ArrayLike, states: int) -> FloatArray:
    values = np.array(rows, dtype=np.float64, order="C")
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2:  # noqa: PLR2004 - time and input
        raise DataError(f"hidden Markov model: rows of shape {values.shape}, allowed: (T,) or (T, d)")
    if not 1 <= states <= STATES_MAX:
        raise ConfigError(f"hidden Markov model: {states} states, allowed: 1 to {STATES_MAX}")
    values[np.isnan(values).any(axis=1)] = np.nan
    whole = values[~np.isnan(values).any(axis=1)]
    if np.isinf(whole).any():
        raise DataError("hidden Markov model: an infinite number, allowed: finite numbers or NaN")
    needed = 2 * states * (values.shape[1] + 1)
    if len(whole) < needed:
        raise DataError(f"hidden Markov model: {len(whole)} complete rows, allowed: from {needed} for {states} states")
    if not (whole.var(axis=0) > 0).all():
        raise DataError("hidden Markov model: an input never changes, allowed: inputs that vary")
    return values


def _starts(rows: FloatArray, states: int, rule: HmmRule) -> Iterator[HmmParameters]:
    """First by distance from the median (calm to wild), then around random rows."""
    whole = rows[~np.isnan(rows).any(axis=1)]
    spread = whole.std(axis=0)
    distance = np.abs((whole - np.median(whole, axis=0)) / spread).sum(axis=1)
    groups = np.array_split(np.argsort(distance, kind="stable"), states)
    told = [whole[group] for group in groups]
    yield _start_of([one.mean(axis=0) for one in told], [_variances(one) for one in told], spread)
    rng = np.random.default_rng(rule.seed)
    for _ in range(rule.starts - 1):
        centres = whole[rng.choice(len(whole), states, replace=False)]
        widths = spread**2 * rng.uniform(0.1, 2.0, (states, 1))
        yield _start_of(list(centres), list(widths), spread)


def _variances(group: FloatArray) -> FloatArray:
    variances: FloatArray = group.var(axis=0)
    return variances


def _start_of(means: list[FloatArray], variances: list[FloatArray], spread: FloatArray) -> HmmParameters:
    k = len(means)
    away = (1 - _STAY) / max(k - 1, 1)
    transition = np.full((k, k), away) + np.eye(k) * (_STAY - away)
    least = 1e-3 * spread**2
    return HmmParameters(
        start=np.full(k, 1 / k),
        transition=transition / transition.sum(axis=1, keepdims=True),
        means=np.array(means),
        covariances=np.array([np.diag(np.maximum(one, least)) for one in variances]),
    )
