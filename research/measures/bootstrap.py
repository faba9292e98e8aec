"""Bands around figures of daily returns, by the stationary block bootstrap.

D. N. Politis and J. P. Romano, "The Stationary Bootstrap", Journal of the American Statistical Association 89 (1994):
a draw strings blocks of neighbouring days together, their starts uniform, their lengths geometric, the series closed
to a circle, so that what depends on yesterday still does. The mean block length comes from D. N. Politis and H.
White, "Automatic Block-Length Selection for the Dependent Bootstrap", Econometric Reviews 23 (2004), as corrected by
Patton, Politis and White, ibid. 28 (2009).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from research.measures.series import DAYS_PER_YEAR, PERCENT, ROUNDING, Floats

Integers = npt.NDArray[np.int64]

DAYS_MIN = 20
"""Fewer days say nothing about their own spread."""
_CELLS_AT_ONCE = 400_000
_LAGS_IN_A_ROW_MIN = 5


class BandOptions(Struct, frozen=True, kw_only=True):
    """How to draw: the same seed gives the same bands. `block_days` is the mean block length, None = automatic."""

    draws: int = 1_000
    seed: int = 7
    confidence_pct: float = 90.0
    block_days: float | None = None


class Band(Struct, frozen=True, kw_only=True):
    """The middle `confidence_pct` of the draws and their median."""

    low: float
    median: float
    high: float


class Bands(Struct, frozen=True, kw_only=True):
    """Where the figures lie in the draws; a band is None where no draw has the figure.

    `probability_of_loss` is the share of draws whose total return is negative, from 0 to 1.
    """

    draws: int
    seed: int
    confidence_pct: float
    block_days: float
    total_return_pct: Band | None
    annual_return_pct: Band | None
    sharpe: Band | None
    drawdown_pct_max: Band | None
    probability_of_loss: float


def bands_of(returns: Floats, options: BandOptions) -> Bands | None:
    """Bands around the figures of known daily `returns`; None for fewer than 20 days."""
    if len(returns) < DAYS_MIN:
        return None
    block_days = block_length(returns) if options.block_days is None else options.block_days
    rng = np.random.default_rng(options.seed)
    figures = np.concatenate(
        [_figures(returns[days]) for days in resampled_days(len(returns), block_days, options.draws, rng)], axis=1
    )
    growth, annual, sharpe, depth = (_band(each, options.confidence_pct) for each in figures)
    return Bands(
        draws=options.draws,
        seed=options.seed,
        confidence_pct=options.confidence_pct,
        block_days=block_days,
        total_return_pct=growth,
        annual_return_pct=annual,
        sharpe=sharpe,
        drawdown_pct_max=depth,
        probability_of_loss=float(np.mean(figures[0] < 0)),
    )


def resampled_days(days: int, block_days: float, draws: int, rng: np.random.Generator) -> Iterator[Integers]:
    """Which day stands at each place of each draw, in batches of shape (some draws, days), `draws` in all."""
    places = np.arange(days)
    at_once = max(1, _CELLS_AT_ONCE // days)
    for first in range(0, draws, at_once):
        shape = (min(at_once, draws - first), days)
        begins = rng.random(shape) < 1.0 / block_days
        begins[:, 0] = True
        drawn = rng.integers(0, days, shape)
        last = np.maximum.accumulate(np.where(begins, places, 0), axis=1)
        yield (np.take_along_axis(drawn, last, axis=1) + places - last) % days


def block_length(returns: Floats) -> float:
    """Mean block length in days for `returns` (at least 20), at least 1, by the rule of Politis and White.

    Their m is read as in Patton's own code: the first lag from which on several in a row are insignificant.
    """
    days = len(returns)
    in_a_row = max(_LAGS_IN_A_ROW_MIN, int(math.log10(days)))
    lags_max = math.ceil(math.sqrt(days)) + in_a_row
    covariance = _autocovariances(returns, lags_max)
    if covariance[0] <= ROUNDING**2:
        return 1.0
    is_small = np.abs(covariance / covariance[0]) < 2.0 * math.sqrt(math.log10(days) / days)
    quiet = np.lib.stride_tricks.sliding_window_view(is_small[:-1], in_a_row).all(axis=1)
    first_quiet = int(np.argmax(quiet)) if quiet.any() else lags_max
    bandwidth = min(2 * first_quiet, lags_max)
    lag = np.arange(1, bandwidth + 1)
    weight = np.minimum(1.0, 2.0 * (1.0 - lag / bandwidth))  # the flat-top kernel of Politis and Romano (1995)
    slope = 2.0 * float(np.sum(weight * lag * covariance[1 : bandwidth + 1]))
    spectrum = covariance[0] + 2.0 * float(np.sum(weight * covariance[1 : bandwidth + 1]))
    longest = math.ceil(min(3.0 * math.sqrt(days), days / 3.0))
    if abs(spectrum) <= ROUNDING * covariance[0]:
        return float(longest)
    length = float(np.cbrt(slope**2 / spectrum**2 * days))
    return min(max(length, 1.0), longest)


def _autocovariances(returns: Floats, lags: int) -> Floats:
    """Of lags 0 to `lags`, each over the number of days; shape (lags + 1,)."""
    days = len(returns)
    centred = returns - np.mean(returns)
    return np.array([float(centred[lag:] @ centred[: days - lag]) / days for lag in range(lags + 1)])


def _figures(drawn: Floats) -> Floats:
    """Total and annual return, Sharpe ratio and drawdown of each draw, shape (4, draws); NaN where there is none."""
    with np.errstate(over="ignore", invalid="ignore"):  # what is beyond all numbers has no part in a band
        equity = np.cumprod(np.maximum(1.0 + drawn, 0.0), axis=1)  # a draw that is ruined stays ruined
        peak = np.maximum(np.maximum.accumulate(equity, axis=1), 1.0)
        spread = np.std(drawn, axis=1, ddof=1)
        sharpe = math.sqrt(DAYS_PER_YEAR) * np.mean(drawn, axis=1) / np.where(spread > ROUNDING, spread, np.nan)
        annual = equity[:, -1] ** (DAYS_PER_YEAR / drawn.shape[1]) - 1.0
        depth = np.max(1.0 - equity / peak, axis=1)
    return np.array([PERCENT * (equity[:, -1] - 1.0), PERCENT * annual, sharpe, PERCENT * depth])


def _band(values: Floats, confidence_pct: float) -> Band | None:
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return None
    outside = (PERCENT - confidence_pct) / 2.0
    low, median, high = np.percentile(known, [outside, PERCENT / 2.0, PERCENT - outside])
    return Band(low=float(low), median=float(median), high=float(high))
