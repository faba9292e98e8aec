"""When EM stops, what bounds the variances, and what a fit is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from shared.errors import ConfigError, DataError
from shared.indicators.indicator import FloatArray, IntArray

PRINTS_MIN = 5
"""Below that neither variance is told by the series."""


class EmRule(Struct, frozen=True, kw_only=True):
    """`iterations_max` steps at most; done when a step gains less than `tolerance` of log-likelihood per print.

    Variances stay at or above `floor` times the variance of the series' changes. Where a step would go below, the
    bound is the best allowed value, as the expected log-likelihood has one maximum in each variance.
    """

    iterations_max: int = 200
    tolerance: float = 1e-6
    floor: float = 1e-10

    def __post_init__(self) -> None:
        if self.iterations_max < 1 or not self.tolerance >= 0 or not 0 < self.floor < 1:
            raise ConfigError(
                f"EM: iterations_max {self.iterations_max}, tolerance {self.tolerance} and floor {self.floor}, "
                "allowed: from 1, from 0, and between 0 and 1"
            )


class Fit(Struct, frozen=True, eq=False, kw_only=True):
    """`parameters` (k, n) with their `log_likelihood` (n,), NaN where the series tells nothing (see `told`).

    `iterations` (n,) counts the steps taken, `converged` (n,) says whether the tolerance ended them.
    """

    parameters: FloatArray
    log_likelihood: FloatArray
    iterations: IntArray
    converged: npt.NDArray[np.bool_]


class Series(Struct, frozen=True, eq=False, kw_only=True):
    """A time-major panel (T, n) with the row of the `first` and `last` print and the number of `prints`, each (n,).

    `changes` (n,) is the variance of the changes from print to print.
    """

    panel: FloatArray
    first: IntArray
    last: IntArray
    prints: IntArray
    changes: FloatArray

    def told(self) -> npt.NDArray[np.bool_]:
        """Which instruments have enough prints, and changes at all, to say something of two variances."""
        return (self.prints >= PRINTS_MIN) & (self.changes > 0)

    def only(self, columns: IntArray) -> Series:
        """Some of the instruments."""
        return Series(
            panel=np.ascontiguousarray(self.panel[:, columns]),
            first=self.first[columns],
            last=self.last[columns],
            prints=self.prints[columns],
            changes=self.changes[columns],
        )


Step = Callable[[Series, FloatArray, FloatArray], tuple[FloatArray, FloatArray]]
"""From a series, parameters (k, n) and bounds from below (n,): better ones, and the log-likelihood of the given."""


def series_of(panel: npt.ArrayLike) -> Series:
    """What EM needs to know of `panel` (T, n); DataError on what is no panel or holds an infinite number."""
    values = np.require(panel, dtype=np.float64, requirements=["C"])
    if values.ndim != 2 or not len(values):  # noqa: PLR2004 - time and instrument
        raise DataError(f"EM: panel of shape {values.shape}, allowed: (T, n) with T from 1")
    if np.isinf(values).any():
        row, column = np.argwhere(np.isinf(values))[0].tolist()
        raise DataError(f"EM: {values[row, column]} in row {row}, column {column}, allowed: finite numbers or NaN")
    printed = ~np.isnan(values)
    changes = [np.diff(values[printed[:, i], i]) for i in range(values.shape[1])]
    return Series(
        panel=values,
        first=np.argmax(printed, axis=0),
        last=len(values) - 1 - np.argmax(printed[::-1], axis=0),
        prints=printed.sum(axis=0),
        changes=np.array([float(np.mean(change**2)) if len(change) else 0.0 for change in changes]),
    )


def climb(series: Series, start: FloatArray, step: Step, rule: EmRule) -> Fit:
    """EM from `start` (k, n) for every instrument that tells something, each until it is done by `rule`."""
    n = start.shape[1]
    found = np.full(start.shape, np.nan)
    reached, iterations, converged = np.full(n, np.nan), np.zeros(n, np.int64), np.zeros(n, np.bool_)
    columns = np.flatnonzero(series.told())
    part, parameters = series.only(columns), np.ascontiguousarray(start[:, columns])
    before = np.full(len(columns), -np.inf)
    for done in range(rule.iterations_max + 1):
        if not len(columns):
            break
        better, now = step(part, parameters, rule.floor * part.changes)
        still = now - before < rule.tolerance * part.prints
        ends = still | (done == rule.iterations_max)
        left = columns[ends]
        found[:, left], reached[left] = parameters[:, ends], now[ends]
        iterations[left], converged[left] = done, still[ends]
        stay = ~ends
        parameters, before = better, now
        if not stay.all():
            columns, part = columns[stay], part.only(np.flatnonzero(stay))
            parameters, before = np.ascontiguousarray(better[:, stay]), now[stay]
    return Fit(parameters=found, log_likelihood=reached, iterations=iterations, converged=converged)
