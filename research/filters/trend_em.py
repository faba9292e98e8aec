"""EM for the noise of the local linear trend, a whole panel at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from research.filters.em_rule import EmRule, Fit, Series, climb, series_of
from shared.errors import ConfigError
from shared.indicators.indicator import FloatArray, IntArray, kernel

_LANES = 32
_PRODUCT = 8
_PRIOR = 5


@kernel
def forward(
    parameters: FloatArray, first: IntArray, panel: FloatArray, kept: FloatArray, likelihood: FloatArray
) -> None:
    """Filter `panel` (T, m); what the way back needs into `kept` (T, 4, m); adds to `likelihood` (m,), zero before.

    Parameters (9, m): noise of level, slope, both and observation; level, slope and their variances (level, both,
    slope) at the row `first` (m,).
    """
    rows, lanes = panel.shape
    q00, q11, q01, noise = parameters[0], parameters[1], parameters[2], parameters[3]
    level0, slope0, a0, b0, c0 = parameters[4], parameters[5], parameters[6], parameters[7], parameters[8]
    level, slope, p, r, s = np.zeros(lanes), np.zeros(lanes), np.zeros(lanes), np.zeros(lanes), np.zeros(lanes)
    squares, product, prints, per_noise = np.zeros(lanes), np.ones(lanes), np.zeros(lanes), 1.0 / noise
    for t in range(rows):
        observed, scaled, shares, gains, slope_gains = panel[t], kept[t, 0], kept[t, 1], kept[t, 2], kept[t, 3]
        for i in range(lanes):
            printed = not np.isnan(observed[i])
            begins = first[i] == t
            reach = r[i] + s[i]
            ahead = level0[i] if begins else level[i] + slope[i]
            on = slope0[i] if begins else slope[i]
            a = a0[i] if begins else p[i] + r[i] + reach + q00[i]
            b = b0[i] if begins else reach + q01[i]
            c = c0[i] if begins else s[i] + q11[i]
            expected = a + noise[i]
            share = 1.0 / expected if printed else 0.0
            error = observed[i] - ahead if printed else 0.0
            gain, slope_gain = a * share, b * share
            level[i] = ahead + gain * error
            slope[i] = on + slope_gain * error
            p[i] = a - gain * a
            r[i] = b - gain * b
            s[i] = c - slope_gain * b
            squares[i] += error * error * share
            product[i] *= expected * per_noise[i] if printed else 1.0
            prints[i] += 1.0 if printed else 0.0
            scaled[i], shares[i], gains[i], slope_gains[i] = error * share, share, gain, slope_gain
        if t % _PRODUCT == _PRODUCT - 1 or t == rows - 1:
            for i in range(lanes):
                likelihood[i] -= 0.5 * np.log(product[i])
                product[i] = 1.0
    for i in range(lanes):
        likelihood[i] -= 0.5 * (squares[i] + prints[i] * np.log(2.0 * np.pi * noise[i]))


@kernel
def backward(first: IntArray, kept: FloatArray, sums: FloatArray) -> None:
    """The disturbance smoother; adds r r' - N (level, slope, both) and u u - D to `sums` (4, m).

    r and N tell what the later observations say of the state, u and D of the observation's noise. A row without a
    print has no gain and no error, so it says nothing by itself.
    """
    rows, _, lanes = kept.shape
    r0, r1 = np.zeros(lanes), np.zeros(lanes)
    n00, n01, n11 = np.zeros(lanes), np.zeros(lanes), np.zeros(lanes)
    s0, s1, s2, s3 = sums[0], sums[1], sums[2], sums[3]
    for t in range(rows - 1, -1, -1):
        scaled, shares, gains, slope_gains = kept[t, 0], kept[t, 1], kept[t, 2], kept[t, 3]
        for i in range(lanes):
            a, b = r0[i], r1[i]
            x, y, z = n00[i], n01[i], n11[i]
            counts = 1.0 if first[i] <= t else 0.0
            s0[i] += counts * (a * a - x)
            s1[i] += counts * (b * b - z)
            s2[i] += counts * (a * b - y)
            k1 = slope_gains[i]
            k0 = gains[i] + k1
            h0, h1 = x * k0 + y * k1, y * k0 + z * k1
            u = scaled[i] - (k0 * a + k1 * b)
            d = shares[i] + k0 * h0 + k1 * h1
            printed = 1.0 if shares[i] > 0 else 0.0
            s3[i] += printed * (u * u - d)
            r0[i], r1[i] = a + u, a + b
            n00[i] = x - 2.0 * h0 + d
            n01[i] = x + y - (h0 + h1)
            n11[i] = x + 2.0 * y + z


@kernel
def iterate(
    parameters: FloatArray, first: IntArray, panel: FloatArray, sums: FloatArray, likelihood: FloatArray
) -> None:
    """Expectation for every instrument of `panel` (T, n): `sums` (4, n) and `likelihood` (n,), both zero before."""
    rows, n = panel.shape
    kept = np.empty((rows, 4, _LANES))
    for low in range(0, n, _LANES):
        high = min(low + _LANES, n)
        if high - low < _LANES:
            kept = np.empty((rows, 4, high - low))
        part = np.ascontiguousarray(panel[:, low:high])
        forward(np.ascontiguousarray(parameters[:, low:high]), first[low:high], part, kept, likelihood[low:high])
        added = np.zeros((4, high - low))
        backward(first[low:high], kept, added)
        sums[:, low:high] = added


def step(series: Series, parameters: FloatArray, bounds: FloatArray) -> tuple[FloatArray, FloatArray]:
    """One step of EM, level and slope noise uncorrelated: better parameters (9, n), likelihood (n,) of the given."""
    better, likelihood = correlated_step(series, parameters, bounds)
    better[2] = 0.0
    return better, likelihood


def correlated_step(series: Series, parameters: FloatArray, bounds: FloatArray) -> tuple[FloatArray, FloatArray]:
    """One step of EM for the full covariance of the noise, as pykalman does it."""
    n = parameters.shape[1]
    sums, likelihood = np.zeros((4, n)), np.zeros(n)
    iterate(parameters, series.first, series.panel, sums, likelihood)
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
