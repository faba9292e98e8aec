"""EM for the noise of the local linear trend, a whole panel at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from research.filters.em_passes import Passes, expectation
from research.filters.em_rule import EmRule, Fit, Series, climb, series_of
from shared.errors import ConfigError
from shared.indicators.indicator import FloatArray, IntArray, kernel

_LANES = 16
"""Instruments side by side: what is kept of them for the way back then stays in the cache."""
_PRODUCT = 8
"""Variances multiplied up before a logarithm is taken of them."""
_PRIOR = 5


@kernel
def forward(
    parameters: FloatArray, first: IntArray, panel: FloatArray, kept: FloatArray, likelihood: FloatArray
) -> None:
    """Filter `panel` (T, lanes); what the way back needs into `kept` (T, 4 x lanes); adds to `likelihood` (lanes,).

    Parameters (9 x lanes,): noise of level, slope, both and observation; level, slope and their variances (level, both,
    slope) at the row `first` (lanes,). The state holds what is predicted for the row (level, slope, three variances),
    squares, product and number of prints.
    """
    n, rows, last_begin = _LANES, len(panel), first.max()
    state = np.zeros(8 * n)
    state[6 * n : 7 * n] = 1.0
    for t in range(rows):
        if t <= last_begin:
            for i in range(n):
                if first[i] == t:
                    for k in range(_PRIOR):
                        state[k * n + i] = parameters[(4 + k) * n + i]
        observed, row = panel[t], kept[t]
        for i in range(n):
            noise = parameters[3 * n + i]
            ahead, on, a, b, c = state[i], state[n + i], state[2 * n + i], state[3 * n + i], state[4 * n + i]
            printed = not np.isnan(observed[i])
            expected = a + noise
            share = 1.0 / expected if printed else 0.0
            error = observed[i] - ahead if printed else 0.0
            gain, slope_gain = a * share, b * share
            p, r, s = a - gain * a, b - gain * b, c - slope_gain * b
            state[5 * n + i] += error * error * share
            state[6 * n + i] *= expected * (1.0 / noise) if printed else 1.0
            state[7 * n + i] += 1.0 if printed else 0.0
            row[i], row[n + i], row[2 * n + i], row[3 * n + i] = error * share, share, gain, slope_gain
            slope, reach = on + slope_gain * error, r + s
            state[i], state[n + i] = ahead + gain * error + slope, slope
            state[2 * n + i] = p + r + reach + parameters[i]
            state[3 * n + i] = reach + parameters[2 * n + i]
            state[4 * n + i] = s + parameters[n + i]
        if t % _PRODUCT == _PRODUCT - 1 or t == rows - 1:
            for i in range(n):
                likelihood[i] -= 0.5 * np.log(state[6 * n + i])
                state[6 * n + i] = 1.0
    for i in range(n):
        of_noise = state[7 * n + i] * np.log(2.0 * np.pi * parameters[3 * n + i])
        likelihood[i] -= 0.5 * (state[5 * n + i] + of_noise)


@kernel
def backward(first: IntArray, kept: FloatArray, sums: FloatArray) -> None:
    """The disturbance smoother; adds r r' - N (level, slope, both) and u u - D to `sums` (4 x lanes,).

    r and N tell what the later observations say of the state, u and D of the observation's noise. A row without a
    print has no gain and no error, so it says nothing by itself. The state holds r (2), N (3) and the sums (4).
    """
    n, rows, last_begin = _LANES, len(kept), first.max()
    state = np.zeros(9 * n)
    for back in range(rows):
        t = rows - 1 - back
        row = kept[t]
        for i in range(n):
            a, b = state[i], state[n + i]
            x, y, z = state[2 * n + i], state[3 * n + i], state[4 * n + i]
            k1 = row[3 * n + i]
            k0 = row[2 * n + i] + k1
            h0, h1 = x * k0 + y * k1, y * k0 + z * k1
            u = row[i] - (k0 * a + k1 * b)
            d = row[n + i] + k0 * h0 + k1 * h1
            state[5 * n + i] += a * a - x
            state[6 * n + i] += b * b - z
            state[7 * n + i] += a * b - y
            state[8 * n + i] += u * u - d
            state[i], state[n + i] = a + u, a + b
            state[2 * n + i] = x - 2.0 * h0 + d
            state[3 * n + i] = x + y - (h0 + h1)
            state[4 * n + i] = x + 2.0 * y + z
        if t <= last_begin:  # before the first print there is nothing to smooth
            for i in range(n):
                if first[i] == t:
                    for k in range(5):
                        state[k * n + i] = 0.0
    for i in range(4 * n):
        sums[i] += state[5 * n + i]


PASSES = Passes(forward=forward, backward=backward, lanes=_LANES, kept=4, sums=4)


def step(series: Series, parameters: FloatArray, bounds: FloatArray) -> tuple[FloatArray, FloatArray]:
    """One step of EM, level and slope noise uncorrelated: better parameters (9, n), likelihood (n,) of the given."""
    better, likelihood = correlated_step(series, parameters, bounds)
    better[2] = 0.0
    return better, likelihood


def correlated_step(series: Series, parameters: FloatArray, bounds: FloatArray) -> tuple[FloatArray, FloatArray]:
    """One step of EM for the full covariance of the noise, as pykalman does it."""
    sums, likelihood = expectation(PASSES, series, parameters)
    steps = np.maximum(series.last - series.first, 1)
    better = parameters.copy()
    level, slope, both, noise = parameters[:4]
    # Q + Q S Q / steps, and the same for the one variance of the observation.
    x, y, z = level * sums[0] + both * sums[2], level * sums[2] + both * sums[1], both * sums[2] + slope * sums[1]
    w = both * sums[0] + slope * sums[2]
    better[0] = np.maximum(level + (x * level + y * both) / steps, bounds)
    better[1] = np.maximum(slope + (w * both + z * slope) / steps, bounds)
    better[2] = both + (x * both + y * slope) / steps
    better[3] = np.maximum(noise + noise * noise * sums[3] / np.maximum(series.prints, 1), bounds)
    return better, likelihood


def fit_trend(
    panel: npt.ArrayLike,
    *,
    start: tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike] | None = None,
    prior: tuple[npt.ArrayLike, ...] | None = None,
    correlated: bool = False,
    rule: EmRule | None = None,
) -> Fit:
    """Variances of level, slope, (2) their covariance, and of the observation for every instrument of `panel` (T, n).

    Parameters' rows 0 to 3. `start` are the three variances to begin with (else a half, a thousandth and a quarter of
    the variance of the changes), `prior` level, slope and the variances of level, both and slope at the first print
    (else that print, 0, and a hundred, 0 and one times the variance of the changes). `correlated`: level and slope
    noise may be, as in pykalman. What is missing is treated, and the source is, as in `level_em.fit_level`.
    """
    series = series_of(panel)
    changes, n = series.changes, len(series.changes)
    level, slope, noise = start or (changes / 2, changes / 1000, changes / 4)
    opening = series.panel[series.first, np.arange(n)]
    before = prior or (opening, 0.0, 100 * changes, 0.0, changes)
    if len(before) != _PRIOR:
        raise ConfigError(f"fit_trend: prior of {len(before)} numbers, allowed: {_PRIOR}")
    rows = (level, slope, 0.0, noise, *before)
    parameters = np.array([np.broadcast_to(np.asarray(row, np.float64), (n,)) for row in rows])
    return climb(series, parameters, correlated_step if correlated else step, rule or EmRule())
