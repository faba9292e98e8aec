"""EM for the noise of the local level, a whole panel at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from research.filters.em_rule import EmRule, Fit, Series, climb, series_of
from shared.indicators.indicator import FloatArray, IntArray, kernel

_LANES = 64
"""Instruments side by side: their filtered means and variances then stay in the cache for the way back."""
_PRODUCT = 8
"""Variances multiplied up before a logarithm is taken of them."""


@kernel
def forward(
    parameters: FloatArray, first: IntArray, panel: FloatArray, kept: FloatArray, likelihood: FloatArray
) -> None:
    """Filter `panel` (T, m); what the way back needs into `kept` (T, 3, m); adds to `likelihood` (m,), zero before.

    Parameters (4, m): variances of level and observation, mean and variance of the level at the row `first` (m,).
    """
    rows, lanes = panel.shape
    level_q, noise, mean0, variance0 = parameters[0], parameters[1], parameters[2], parameters[3]
    level, variance = np.zeros(lanes), np.zeros(lanes)
    squares, product, prints, per_noise = np.zeros(lanes), np.ones(lanes), np.zeros(lanes), 1.0 / noise
    for t in range(rows):
        observed, scaled, shares, gains = panel[t], kept[t, 0], kept[t, 1], kept[t, 2]
        for i in range(lanes):
            printed = not np.isnan(observed[i])
            begins = first[i] == t
            mean = mean0[i] if begins else level[i]
            spread = variance0[i] if begins else variance[i] + level_q[i]
            expected = spread + noise[i]
            share = 1.0 / expected if printed else 0.0
            error = observed[i] - mean if printed else 0.0
            gain = spread * share
            level[i] = mean + gain * error
            variance[i] = spread - gain * spread
            squares[i] += error * error * share
            product[i] *= expected * per_noise[i] if printed else 1.0
            prints[i] += 1.0 if printed else 0.0
            scaled[i], shares[i], gains[i] = error * share, share, gain
        if t % _PRODUCT == _PRODUCT - 1 or t == rows - 1:
            for i in range(lanes):
                likelihood[i] -= 0.5 * np.log(product[i])
                product[i] = 1.0
    for i in range(lanes):
        likelihood[i] -= 0.5 * (squares[i] + prints[i] * np.log(2.0 * np.pi * noise[i]))


@kernel
def backward(first: IntArray, kept: FloatArray, sums: FloatArray) -> None:
    """The disturbance smoother; adds r r - N of the level and u u - D of the observation to `sums` (2, m).

    r and N tell what the later observations say of the level, u and D of the observation's noise. A row without a
    print has no gain and no error, so it says nothing by itself.
    """
    rows, _, lanes = kept.shape
    later, certainty = np.zeros(lanes), np.zeros(lanes)
    moves, noises = sums[0], sums[1]
    for t in range(rows - 1, -1, -1):
        scaled, shares, gains = kept[t, 0], kept[t, 1], kept[t, 2]
        for i in range(lanes):
            r, n, gain, share = later[i], certainty[i], gains[i], shares[i]
            moves[i] += r * r - n if first[i] <= t else 0.0
            u = scaled[i] - gain * r
            noises[i] += u * u - (share + gain * gain * n) if share > 0 else 0.0
            later[i] = r + u
            certainty[i] = n - 2.0 * gain * n + gain * gain * n + share


@kernel
def iterate(
    parameters: FloatArray, first: IntArray, panel: FloatArray, sums: FloatArray, likelihood: FloatArray
) -> None:
    """Expectation for every instrument of `panel` (T, n): `sums` (2, n) and `likelihood` (n,), both zero before."""
    rows, n = panel.shape
    kept = np.empty((rows, 3, _LANES))
    for low in range(0, n, _LANES):
        high = min(low + _LANES, n)
        if high - low < _LANES:
            kept = np.empty((rows, 3, high - low))
        part = np.ascontiguousarray(panel[:, low:high])
        forward(np.ascontiguousarray(parameters[:, low:high]), first[low:high], part, kept, likelihood[low:high])
        added = np.zeros((2, high - low))
        backward(first[low:high], kept, added)
        sums[:, low:high] = added


def step(series: Series, parameters: FloatArray, bounds: FloatArray) -> tuple[FloatArray, FloatArray]:
    """One step of EM: better parameters (4, n), and the log-likelihood (n,) of the given ones."""
    n = parameters.shape[1]
    sums, likelihood = np.zeros((2, n)), np.zeros(n)
    iterate(parameters, series.first, series.panel, sums, likelihood)
    better = parameters.copy()
    level, noise = parameters[:2]
    better[0] = np.maximum(level + level * level * sums[0] / np.maximum(series.last - series.first, 1), bounds)
    better[1] = np.maximum(noise + noise * noise * sums[1] / np.maximum(series.prints, 1), bounds)
    return better, likelihood


def fit_level(
    panel: npt.ArrayLike,
    *,
    start: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    prior: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    rule: EmRule | None = None,
) -> Fit:
    """Variances of level and observation for every instrument of `panel` (T, n): rows 0 and 1 of the parameters.

    `start` are the variances to begin with (else half the variance of the changes for the level, a quarter for the
    observation), `prior` mean and variance of the level at the first print (else that print, and a hundred times the
    variance of the changes); both one number or (n,) each. The prior is kept. Rows before the first and after the
    last print are left out, a NaN between them is a missing observation. Source: R. H. Shumway and D. S. Stoffer, An
    Approach to Time Series Smoothing and Forecasting Using the EM Algorithm (1982), in pykalman's convention;
    the expectations by S. J. Koopman, Disturbance Smoother for State Space Models (1993).
    """
    series = series_of(panel)
    changes = series.changes
    n = len(changes)
    opening = series.panel[series.first, np.arange(n)]
    level, noise = start or (changes / 2, changes / 4)
    mean, variance = prior or (opening, 100 * changes)
    parameters = np.array(
        [np.broadcast_to(np.asarray(row, np.float64), (n,)) for row in (level, noise, mean, variance)]
    )
    return climb(series, parameters, step, rule or EmRule())
