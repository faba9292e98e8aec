"""The bid-ask spread from daily bars, where nobody has kept quotes. PURE.

Corwin and Schultz, "A Simple Way to Estimate Bid-Ask Spreads from Daily High and Low Prices", Journal of Finance 67
(2012), 719-760: equations 14 and 18, with their adjustment for the overnight move and negative two-day estimates set to
zero. Abdi and Ranaldo, "A Simple Estimation of Bid-Ask Spreads from Daily Close, High, and Low Prices", Review of
Financial Studies 30 (2017), 4437-4480: equation 11 with two-day estimates, negative ones set to zero.

Both give the whole spread, as a fraction of the price, of every pair of days; the caller averages them. Both are
noisy: in liquid stocks they overstate, for what they see is volatility that two days do not share.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_K = 3.0 - 2.0 * math.sqrt(2.0)


def corwin_schultz(high: Floats, low: Floats, close: Floats) -> Floats:
    """Spread of the days t-1 and t as a fraction, (T, n) -> (T, n); NaN in row 0 and where a price is missing."""
    spread = np.full(high.shape, np.nan)
    if len(high) < 2:  # noqa: PLR2004 - a pair of days
        return spread
    with np.errstate(invalid="ignore", divide="ignore"):
        # What lies between yesterday's close and today's range was no trading: today's range is moved back to it.
        gap = np.maximum(low[1:] - close[:-1], 0.0) + np.minimum(high[1:] - close[:-1], 0.0)
        top, bottom = high[1:] - gap, low[1:] - gap
        beta = np.log(high[:-1] / low[:-1]) ** 2 + np.log(top / bottom) ** 2
        gamma = np.log(np.maximum(high[:-1], top) / np.minimum(low[:-1], bottom)) ** 2
        alpha = (np.sqrt(2.0 * beta) - np.sqrt(beta)) / _K - np.sqrt(gamma / _K)
        estimate = 2.0 * (np.exp(alpha) - 1.0) / (1.0 + np.exp(alpha))
    spread[1:] = np.maximum(estimate, 0.0)
    return spread


def abdi_ranaldo(high: Floats, low: Floats, close: Floats) -> Floats:
    """Spread of the days t-1 and t as a fraction, (T, n) -> (T, n); NaN in row 0 and where a price is missing."""
    spread = np.full(high.shape, np.nan)
    if len(high) < 2:  # noqa: PLR2004 - a pair of days
        return spread
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = (np.log(high) + np.log(low)) / 2.0
        last = np.log(close[:-1])
        squared = 4.0 * (last - middle[:-1]) * (last - middle[1:])
    spread[1:] = np.sqrt(np.maximum(squared, 0.0))
    return spread


ESTIMATES = {"corwin_schultz": corwin_schultz, "abdi_ranaldo": abdi_ranaldo}
