"""What a portfolio may lose in a day: value at risk and the expected loss beyond it, two ways, the worse counts.

Historical: the returns of the window, each applied to today's holdings; VaR is the loss that at most 1 % of them exceed
(the empirical quantile, no interpolation), CVaR the mean of the losses at or beyond it. Parametric: profit and loss is
normal with the window's mean m and covariance S, for holdings v: VaR = z s - v'm, CVaR = s phi(z) / (1 - c) - v'm, with
s = sqrt(v'S v). Sources: Jorion, Value at Risk (2006), chapters 5 and 10; McNeil, Frey and Embrechts, Quantitative Risk
Management (2015), 2.2. Returns of bars shorter than a day are scaled by the square root of time.
"""

from __future__ import annotations

import math
from functools import cached_property
from statistics import NormalDist

import numpy as np
from msgspec import Struct

CONFIDENCE = 0.99
OBSERVATIONS_MIN = 30
_NORMAL = NormalDist()
_Z = _NORMAL.inv_cdf(CONFIDENCE)


class Holdings(Struct, frozen=True, kw_only=True, eq=False, dict=True):
    """What is (or may come to be) held, and how it has moved.

    `values`: signed currency, shape (n_instruments,). `returns`: shape (n_observations, n_instruments), NaN where an
    instrument did not trade; `per_day`: how many such returns make a day. `column`: the intent's instrument.
    """

    values: np.ndarray
    returns: np.ndarray
    per_day: float
    column: int

    @cached_property
    def tails(self) -> dict[float, Tail | None]:
        """What `tail_of` has told: two rules ask the same."""
        return {}


class Tail(Struct, frozen=True, kw_only=True):
    """Losses in currency, not negative: what a day exceeds once in a hundred, and the mean of those days."""

    var: float
    cvar: float


def tail_of(holdings: Holdings | None, added: float) -> Tail | None:
    """The tail with `added` (signed currency) more of the intent's instrument; None if it cannot be told."""
    if holdings is None:
        return None
    known = holdings.tails
    if added not in known:
        known[added] = _tail(holdings, added)
    return known[added]


def _tail(holdings: Holdings, added: float) -> Tail | None:
    values = holdings.values.copy()
    values[holdings.column] += added
    held = np.flatnonzero(values)
    if held.size == 0:
        return Tail(var=0.0, cvar=0.0)
    returns = holdings.returns[:, held]
    returns = returns[~np.isnan(returns).any(axis=1)]
    if len(returns) < OBSERVATIONS_MIN or not np.isfinite(values).all():
        return None
    tails = (historical(returns, values[held]), parametric(returns, values[held]))
    scale = math.sqrt(holdings.per_day)
    return Tail(var=scale * max(tail.var for tail in tails), cvar=scale * max(tail.cvar for tail in tails))


def historical(returns: np.ndarray, values: np.ndarray) -> Tail:
    """From the window's own outcomes; arrays as in Holdings, without NaN."""
    losses = np.sort(-(returns @ values))
    var = losses[math.ceil(CONFIDENCE * len(losses)) - 1]
    return Tail(var=max(float(var), 0.0), cvar=max(float(losses[losses >= var].mean()), 0.0))


def parametric(returns: np.ndarray, values: np.ndarray) -> Tail:
    """From mean and (sample) covariance, as if profit and loss were normal."""
    profit = returns @ values
    mean, deviation = float(profit.mean()), float(profit.std(ddof=1))
    beyond = deviation * _NORMAL.pdf(_Z) / (1 - CONFIDENCE) - mean
    return Tail(var=max(_Z * deviation - mean, 0.0), cvar=max(beyond, 0.0))
