"""The same figures over the last so many days, for curves: shape of the input, NaN where a figure does not exist."""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from research.measures.series import DAYS_PER_YEAR, ROUNDING, Floats


def rolling_sharpe(returns: Floats, days: int) -> Floats:
    """Annualised Sharpe ratio of the last `days` daily returns; NaN before, beside a NaN, and where nothing differs."""
    if days < 2 or len(returns) < days:  # noqa: PLR2004 - a sample deviation needs two
        return np.full(len(returns), np.nan)
    windows = sliding_window_view(returns, days)
    spread = np.std(windows, axis=1, ddof=1)
    ratio = math.sqrt(DAYS_PER_YEAR) * np.mean(windows, axis=1) / np.where(spread > ROUNDING, spread, np.nan)
    return _padded(ratio, days)


def rolling_beta(returns: Floats, benchmark: Floats, days: int) -> Floats:
    """Slope of `returns` on `benchmark` over the last `days` days; NaN as in `rolling_sharpe`."""
    if days < 2 or len(returns) < days:  # noqa: PLR2004 - as above
        return np.full(len(returns), np.nan)
    ours, theirs = sliding_window_view(returns, days), sliding_window_view(benchmark, days)
    moved = theirs - np.mean(theirs, axis=1, keepdims=True)
    spread = np.mean(moved**2, axis=1)
    slope = np.mean(moved * ours, axis=1) / np.where(spread > ROUNDING**2, spread, np.nan)
    return _padded(slope, days)


def _padded(values: Floats, days: int) -> Floats:
    return np.concatenate((np.full(days - 1, np.nan), values))
