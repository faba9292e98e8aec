"""Figures of a series of daily returns: simple returns, shape (days,), NaN where a day has none.

Risk-free rate 0, 252 days a year. A NaN day is left out of every figure and counted. A figure that does not exist is
None. Percentages are per hundred; a loss is a positive VaR. docs/measures.md has the formulas with their sources.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from msgspec import Struct

Floats = npt.NDArray[np.float64]

DAYS_PER_YEAR = 252
PERCENT = 100.0
TAIL_PCT = 5.0
ROUNDING = 1e-12
"""Returns whose deviation is below this do not differ: what is left is the rounding of equity to float64."""


class ReturnFigures(Struct, frozen=True, kw_only=True):
    """What one series of daily returns says. `kurtosis` is the excess over the normal distribution's 3.

    `var_95_pct` is the loss that 95 % of the days stay below, `cvar_95_pct` the mean loss of the others.
    """

    days: int
    days_missing: int
    total_return_pct: float
    annual_return_pct: float | None
    volatility_pct: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    var_95_pct: float | None
    cvar_95_pct: float | None
    tail_ratio: float | None
    skew: float | None
    kurtosis: float | None
    best_day_pct: float | None
    worst_day_pct: float | None
    days_up_pct: float | None


def return_figures(returns: Floats, *, drawdown_pct_max: float | None = None) -> ReturnFigures:
    """Every figure of `returns`; Calmar against `drawdown_pct_max`, else against the drawdown of the series itself."""
    known = known_days(returns)
    deepest = daily_drawdown_pct_max(known) if drawdown_pct_max is None else drawdown_pct_max
    is_empty = len(known) == 0
    return ReturnFigures(
        days=len(known),
        days_missing=len(returns) - len(known),
        total_return_pct=total_return_pct(known),
        annual_return_pct=annual_return_pct(known),
        volatility_pct=volatility_pct(known),
        sharpe=sharpe(known),
        sortino=sortino(known),
        calmar=calmar(known, deepest),
        var_95_pct=value_at_risk_pct(known),
        cvar_95_pct=conditional_value_at_risk_pct(known),
        tail_ratio=tail_ratio(known),
        skew=skew(known),
        kurtosis=kurtosis(known),
        best_day_pct=None if is_empty else PERCENT * float(known.max()),
        worst_day_pct=None if is_empty else PERCENT * float(known.min()),
        days_up_pct=None if is_empty else PERCENT * float(np.mean(known > 0)),
    )


def known_days(returns: Floats) -> Floats:
    """The returns that are numbers."""
    return returns[np.isfinite(returns)]


def total_return_pct(returns: Floats) -> float:
    """Compounded; 0 without a day."""
    return PERCENT * (float(np.prod(1.0 + returns)) - 1.0)


def annual_return_pct(returns: Floats) -> float | None:
    """Compound annual growth; None without a day, and after a loss of more than everything."""
    growth = float(np.prod(1.0 + returns))
    if len(returns) == 0 or growth < 0:
        return None
    exponent = DAYS_PER_YEAR / len(returns)
    if growth > 0 and exponent * math.log(growth) > math.log(1e300):
        return None  # a day that doubles the money, for a year, is no number
    return PERCENT * (float(growth**exponent) - 1.0)


def volatility_pct(returns: Floats) -> float | None:
    """Annualised sample deviation; None for fewer than two days."""
    if len(returns) < 2:  # noqa: PLR2004 - a sample deviation needs two
        return None
    return PERCENT * math.sqrt(DAYS_PER_YEAR) * float(np.std(returns, ddof=1))


def sharpe(returns: Floats) -> float | None:
    """Annualised Sharpe ratio: sqrt(252) * mean(r) / std(r, ddof=1), risk-free rate 0.

    W. F. Sharpe, "The Sharpe Ratio", Journal of Portfolio Management 21 (1994), the ex post form. None for
    fewer than two returns or for returns that never differ.
    """
    daily = daily_sharpe(returns)
    return None if daily is None else math.sqrt(DAYS_PER_YEAR) * daily


def daily_sharpe(returns: Floats) -> float | None:
    """The same per day, as the formulas about its uncertainty want it."""
    if len(returns) < 2:  # noqa: PLR2004 - as above
        return None
    deviation = float(np.std(returns, ddof=1))
    return float(np.mean(returns)) / deviation if deviation > ROUNDING else None


def sortino(returns: Floats) -> float | None:
    """sqrt(252) * mean(r) / sqrt(mean(min(r, 0)^2)), target 0; None without a losing day.

    Sortino and Price, "Performance Measurement in a Downside Risk Framework", Journal of Investing 3 (1994).
    """
    if len(returns) == 0:
        return None
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)))
    return math.sqrt(DAYS_PER_YEAR) * float(np.mean(returns)) / downside if downside > ROUNDING else None


def calmar(returns: Floats, drawdown_pct_max: float) -> float | None:
    """Annual return over the deepest drawdown; None without a drawdown (T. W. Young, Futures, October 1991)."""
    annual = annual_return_pct(returns)
    if annual is None or drawdown_pct_max <= PERCENT * ROUNDING:
        return None
    return annual / drawdown_pct_max


def daily_drawdown_pct_max(returns: Floats) -> float:
    """The deepest fall of compounded `returns` from the highest point so far, the start included."""
    if len(returns) == 0:
        return 0.0
    equity = np.cumprod(1.0 + returns)
    peak = np.maximum(np.maximum.accumulate(equity), 1.0)
    return PERCENT * float(np.max(1.0 - equity / peak))


def value_at_risk_pct(returns: Floats) -> float | None:
    """Historical: minus the 5th percentile (linear between the two nearest days); None without a day."""
    return None if len(returns) == 0 else -PERCENT * float(np.percentile(returns, TAIL_PCT))


def conditional_value_at_risk_pct(returns: Floats) -> float | None:
    """Historical expected shortfall: minus the mean of the worst floor((days - 1) * 5 %) + 1 days."""
    if len(returns) == 0:
        return None
    count = int((len(returns) - 1) * TAIL_PCT / PERCENT) + 1
    return -PERCENT * float(np.mean(np.sort(returns)[:count]))


def tail_ratio(returns: Floats) -> float | None:
    """|95th percentile| / |5th percentile|: above 1 the good tail is the longer one; None where the 5th is 0."""
    if len(returns) == 0:
        return None
    low, high = np.abs(np.percentile(returns, [TAIL_PCT, PERCENT - TAIL_PCT]))
    return float(high / low) if low > ROUNDING else None


def skew(returns: Floats) -> float | None:
    """Fisher's g1, the third standardised moment of the sample; None for returns that never differ."""
    return _standardised_moment(returns, 3)


def kurtosis(returns: Floats) -> float | None:
    """Fisher's g2, the fourth standardised moment minus 3; None for returns that never differ."""
    fourth = _standardised_moment(returns, 4)
    return None if fourth is None else fourth - 3.0


def _standardised_moment(returns: Floats, power: int) -> float | None:
    if len(returns) < 2 or float(np.std(returns)) <= ROUNDING:  # noqa: PLR2004 - one day has no spread
        return None
    centred = returns - np.mean(returns)
    return float(np.mean(centred**power) / np.mean(centred**2) ** (power / 2))
