"""EM for the noise of the local level, a whole panel at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from research.filters.em_passes import Passes, expectation
from research.filters.em_rule import EmRule, Fit, Series, climb, series_of
from shared.indicators.indicator import FloatArray, IntArray, kernel

_LANES = 16
"""Instruments side by side: what is kept of them for the way back then stays in the cache."""
_PRODUCT = 8
"""Variances multiplied up before a logarithm is taken of them."""


@kernel
def forward(
    parameters: FloatArray, first: IntArray, panel: FloatArray, kept: FloatArray, likelihood: FloatArray
) -> None:
    """Filter `panel` (T, lanes); what the way back needs into `kept` (T, 3 x lanes); adds to `likelihood` (lanes,).

    Parameters (4 x lanes,): variances of level and observation, mean and variance of the level at the row `first`
    (lanes,). The state holds mean and variance predicted for the row, squares, product and number of prints.
    """
    n, rows, last_begin = _LANES, len(panel), first.max()
    state = np.zeros(5 * n)
    state[3 * n : 4 * n] = 1.0
    for t in range(rows):
        if t <= last_begin:
            for i in range(n):
                if first[i] == t:
                    state[i], state[n + i] = parameters[2 * n + i], parameters[3 * n + i]
        observed, row = panel[t], kept[t]
        for i in range(n):
            mean, spread, noise = state[i], state[n + i], parameters[n + i]
            printed = not np.isnan(observed[i])
            expected = spread + noise
            share = 1.0 / expected if printed else 0.0
            error = observed[i] - mean if printed else 0.0
            gain = spread * share
            state[2 * n + i] += error * error * share
            state[3 * n + i] *= expected * (1.0 / noise) if printed else 1.0
            state[4 * n + i] += 1.0 if printed else 0.0
            row[i], row[n + i], row[2 * n + i] = error * share, share, gain
            state[i] = mean + gain * error
            state[n + i] = spread - gain * spread + parameters[i]
        if t % _PRODUCT == _PRODUCT - 1 or t == rows - 1:
            for i in range(n):
                likelihood[i] -= 0.5 * np.log(state[3 * n + i])
                state[3 * n + i] = 1.0
    for i in range(n):
        likelihood[i] -= 0.5 * (state[2 * n + i] + state[4 * n + i] * np.log(2.0 * np.pi * parameters[n + i]))


@kernel
def backward(first: IntArray, kept: FloatArray, sums: FloatArray) -> None:
    """The disturbance smoother; adds r r - N of the level and u u - D of the observation to `sums` (2 x lanes,).

    r and N tell what the later observations say of the level, u and D of the observation's noise. A row without a
    print has no gain and no error, so it says nothing by itself. The state holds r, N and the sums (2).
    """
    n, rows, last_begin = _LANES, len(kept), first.max()
    state = np.zeros(4 * n)
    for back in range(rows):
        t = rows - 1 - back
        row = kept[t]
        for i in range(n):
            later, certainty = state[i], state[n + i]
            share, gain = row[n + i], row[2 * n + i]
            u = row[i] - gain * later
            state[2 * n + i] += later * later - certainty
            state[3 * n + i] += u * u - (share + gain * gain * certainty)
            state[i] = later + u
            state[n + i] = certainty - 2.0 * gain * certainty + gain * gain * certainty + share
        if t <= last_begin:  # before the first print there is nothing to smooth
            for i in range(n):
                if first[i] == t:
                    state[i], state[n + i] = 0.0, 0.0
    for i in range(2 * n):
        sums[i] += state[2 * n + i]


PASSES = Passes(forward=forward, backward=backward, lanes=_LANES, kept=3, sums=2)


def step(series: Series, parameters: FloatArray, bounds: FloatArray) -> tuple[FloatArray, FloatArray]:
    """One step of EM: better parameters (4, n), and the log-likelihood (n,) of the given ones."""
    sums, likelihood = expectation(PASSES, series, parameters)
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
