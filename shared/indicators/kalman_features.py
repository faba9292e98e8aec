"""Kalman filters of log prices as features: without a unit, so that one set of numbers serves every instrument.

The observation's variance is 1 inside, the other variances are ratios to it (signal to noise); what the variance really
is, `scale`, is learnt from the innovations: their mean squared standardised error, over all prints at first and with
weight 1 / memory later (Mike West and Jeff Harrison, Bayesian Forecasting and Dynamic Models, 1997, 10.8; the mean is
Harvey's concentrated likelihood, 1989, 3.4). As with every indicator of the registry a period counts prints; the
filters of kalman_level.py and its neighbours count rows and let time pass where nothing was printed.
"""

from __future__ import annotations

import numpy as np

from shared.indicators.indicator import FloatArray, kernel
from shared.indicators.lockstep import spec
from shared.indicators.spec import Parameter, Params, real, whole


@kernel
def kalman_level(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, _: int) -> None:
    """Told: ratio, memory, warm. State after the outputs: level, variance, scale, number of prints."""
    ratio, memory, warm = p[0], p[1], p[2]
    for i in range(lo, hi):
        if not x[0, i] > 0:
            continue
        y, count = np.log(x[0, i]), s[7, i] + 1.0
        s[7, i] = count
        if count == 1.0:
            s[4, i], s[5, i] = y, 1.0
            continue
        predicted = s[5, i] + ratio
        expected = predicted + 1.0
        error, gain, scale = y - s[4, i], predicted / expected, s[6, i]
        s[4, i] += gain * error
        s[5, i] = predicted - gain * predicted
        s[6, i] += (error * error / expected - scale) / min(count - 1.0, memory)
        if count < warm:
            continue
        spread = scale * expected
        zscore = error / np.sqrt(spread) if spread > 0 else 0.0
        s[0, i] = np.exp(s[4, i])
        s[1, i] = zscore
        s[2, i] = np.sqrt(s[6, i] * (s[5, i] + ratio + 1.0))
        s[3, i] = -0.5 * (np.log(2.0 * np.pi * spread) + zscore * zscore) if spread > 0 else 0.0


@kernel
def kalman_trend(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, _: int) -> None:
    """Told: level ratio, slope ratio, memory, warm.

    State after the outputs: level, slope, variances of level, both and slope, scale, number of prints.
    """
    level_ratio, slope_ratio, memory, warm = p[0], p[1], p[2], p[3]
    for i in range(lo, hi):
        if not x[0, i] > 0:
            continue
        y, count = np.log(x[0, i]), s[12, i] + 1.0
        s[12, i] = count
        if count == 1.0:
            s[6, i], s[7, i], s[8, i], s[9, i], s[10, i] = y, 0.0, 1.0, 0.0, 1.0
            continue
        reach = s[9, i] + s[10, i]
        a, b, c = s[8, i] + s[9, i] + reach + level_ratio, reach, s[10, i] + slope_ratio
        ahead, expected, scale = s[6, i] + s[7, i], a + 1.0, s[11, i]
        error, gain, slope_gain = y - ahead, a / expected, b / expected
        s[6, i] = ahead + gain * error
        s[7, i] += slope_gain * error
        s[8, i], s[9, i], s[10, i] = a - gain * a, b - gain * b, c - slope_gain * b
        s[11, i] += (error * error / expected - scale) / min(count - 1.0, memory)
        if count < warm:
            continue
        spread = scale * expected
        zscore = error / np.sqrt(spread) if spread > 0 else 0.0
        doubt = np.sqrt(s[11, i] * s[10, i])
        s[0, i], s[1, i] = np.exp(s[6, i]), s[7, i]
        s[2, i] = s[7, i] / doubt if doubt > 0 else 0.0
        s[3, i] = zscore
        s[4, i] = np.sqrt(s[11, i] * (s[8, i] + s[9, i] + s[9, i] + s[10, i] + level_ratio + 1.0))
        s[5, i] = -0.5 * (np.log(2.0 * np.pi * spread) + zscore * zscore) if spread > 0 else 0.0


@kernel
def kalman_autoregression(p: FloatArray, s: FloatArray, x: FloatArray, lo: int, hi: int, _: int) -> None:
    """Told: ratio, prior, memory, warm.

    State after the outputs: last log price, last standardised return, variance of returns, number of returns,
    intercept, slope, their variances (intercept, both, slope).
    """
    ratio, prior, memory, warm = p[0], p[1], p[2], p[3]
    for i in range(lo, hi):
        if not x[0, i] > 0:
            continue
        y, count = np.log(x[0, i]), s[6, i]
        s[6, i] = count + 1.0
        if count == 0.0:
            s[3, i], s[9, i], s[11, i] = y, prior, prior
            continue
        change, variance = y - s[3, i], s[5, i]
        s[3, i] = y
        s[5, i] += (change * change - variance) / min(count, memory)
        unit = np.sqrt(variance)
        before, s[4, i] = s[4, i], change / np.sqrt(s[5, i]) if s[5, i] > 0 else 0.0
        if count > 2.0 and unit > 0:  # noqa: PLR2004 - a return to explain and one that explains it, with a unit each
            a, b, c = s[9, i] + ratio, s[10, i], s[11, i] + ratio
            toward, along = a + b * before, b + c * before
            expected = toward + along * before + 1.0
            error = change / unit - (s[7, i] + s[8, i] * before)
            gain, slope_gain = toward / expected, along / expected
            s[7, i] += gain * error
            s[8, i] += slope_gain * error
            s[9, i], s[10, i], s[11, i] = a - gain * toward, b - gain * along, c - slope_gain * along
            if count + 1.0 >= warm:
                s[2, i] = error / np.sqrt(expected)
        if count + 1.0 >= warm:
            s[0, i] = s[8, i]
            s[1, i] = s[8, i] / np.sqrt(s[11, i])
            if np.isnan(s[2, i]):
                s[2, i] = 0.0


def _warm(params: Params) -> int:
    return int(params["warm"])


_MEMORY: tuple[Parameter, Parameter] = (whole("memory", 250, 2), whole("warm", 20, 3))
_SOURCE = "Harvey, Forecasting, Structural Time Series Models and the Kalman Filter, 1989"

SPECS = (
    spec(
        kalman_level,
        "kalman",
        "close -> level innovation_zscore volatility log_likelihood",
        (real("ratio", 0.1, 0.0, 1e6), *_MEMORY),
        rows=lambda _: 8,
        warm_up=_warm,
        formula="local level of log close; level as a price, volatility = deviation of the next print's prediction",
        source=f"{_SOURCE}, 4.1",
    ),
    spec(
        kalman_trend,
        "kalman",
        "close -> level slope slope_zscore innovation_zscore volatility log_likelihood",
        (real("level_ratio", 0.1, 0.0, 1e6), real("slope_ratio", 1e-4, 0.0, 1e6), *_MEMORY),
        rows=lambda _: 13,
        warm_up=_warm,
        formula="local linear trend of log close; slope = log return per print, slope_zscore = slope / its deviation",
        source=f"{_SOURCE}, 2.3",
    ),
    spec(
        kalman_autoregression,
        "kalman",
        "close -> slope slope_zscore innovation_zscore",
        (real("ratio", 1e-4, 0.0, 1e6), real("prior", 0.25, 1e-6, 1e6), *_MEMORY),
        rows=lambda _: 12,
        warm_up=_warm,
        formula="slope of the standardised return on the one before; intercept and slope are random walks",
        source=f"{_SOURCE}, 3.2.5",
    ),
)
