"""A run against a benchmark."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from msgspec import Struct

from research.measures.series import DAYS_PER_YEAR, PERCENT, ROUNDING, Floats, total_return_pct


class BenchmarkReturns(Protocol):
    """Daily returns of what a run is held against; research/tear_sheet/benchmark.py reads them from a file."""

    @property
    def name(self) -> str: ...
    @property
    def returns(self) -> Floats:
        """Simple returns per session of the run, shape (sessions,), NaN where there is none."""


class BenchmarkFigures(Struct, frozen=True, kw_only=True):
    """The run against a benchmark, over the `days` on which both have a return.

    `alpha_pct` is annualised. `tracking_error_pct` is the annualised deviation of the difference of the returns,
    `information_ratio` its mean over that.
    """

    name: str
    days: int
    total_return_pct: float
    alpha_pct: float | None
    beta: float | None
    correlation: float | None
    tracking_error_pct: float | None
    information_ratio: float | None


def benchmark_figures(name: str, returns: Floats, benchmark: Floats) -> BenchmarkFigures:
    """The figures of two aligned series of daily returns, both of shape (days,).

    Alpha and beta are intercept and slope of the least squares line of `returns` on `benchmark` (M. C. Jensen, "The
    Performance of Mutual Funds in the Period 1945-1964", Journal of Finance 23 (1968), risk-free rate 0).
    """
    both = np.isfinite(returns) & np.isfinite(benchmark)
    ours, theirs = returns[both], benchmark[both]
    slope = beta(ours, theirs)
    difference = ours - theirs
    spread = float(np.std(difference, ddof=1)) if len(ours) > 1 else 0.0
    daily = float(np.mean(difference)) if len(ours) else 0.0
    return BenchmarkFigures(
        name=name,
        days=len(ours),
        total_return_pct=total_return_pct(theirs),
        alpha_pct=None if slope is None else PERCENT * DAYS_PER_YEAR * float(np.mean(ours) - slope * np.mean(theirs)),
        beta=slope,
        correlation=_correlation(ours, theirs),
        tracking_error_pct=PERCENT * math.sqrt(DAYS_PER_YEAR) * spread if len(ours) > 1 else None,
        information_ratio=math.sqrt(DAYS_PER_YEAR) * daily / spread if spread > ROUNDING else None,
    )


def beta(returns: Floats, benchmark: Floats) -> float | None:
    """Covariance over the benchmark's variance; None for a benchmark that never moves."""
    if len(returns) < 2 or float(np.std(benchmark)) <= ROUNDING:  # noqa: PLR2004 - a slope needs two days
        return None
    moved = benchmark - np.mean(benchmark)
    return float(np.mean(moved * returns) / np.mean(moved**2))


def _correlation(returns: Floats, benchmark: Floats) -> float | None:
    if len(returns) < 2 or min(float(np.std(returns)), float(np.std(benchmark))) <= ROUNDING:  # noqa: PLR2004 - as above
        return None
    return float(np.corrcoef(returns, benchmark)[0, 1])
