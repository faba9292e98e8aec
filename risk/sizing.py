"""From a conviction to shares: signed like it, rounded toward zero, 0 where anything is not known."""

from __future__ import annotations

import math

from risk.allocation import capital_behind

_DUST = 1e-9  # of a share: what binary fractions may lose when the money fits exactly


def fixed_fraction(
    *, equity: float | None, allocation: float, fraction: float, conviction: float, price: float | None
) -> int:
    """Shares worth `fraction` of the strategy's capital: floor(capital * fraction / price).

    Source: fixed fractional position sizing, R. Vince, The Mathematics of Money Management (1992).
    """
    capital = capital_behind(equity, allocation, conviction)
    return _signed(_whole(capital * fraction, price), conviction)


def atr_sized(  # noqa: PLR0913 - the seven quantities of the formula
    *,
    equity: float | None,
    allocation: float,
    risk_fraction: float,
    atr: float | None,
    atr_multiple: float,
    conviction: float,
    price: float | None,
) -> int:
    """Shares that lose `risk_fraction` of the capital on a move of `atr_multiple` ATRs, never on credit.

    floor(capital * risk_fraction / (atr * atr_multiple)), at most floor(capital / price); `atr` in currency
    per share. Source: the unit of the Turtles (1 % of the account per N), C. Faith, Way of the Turtle (2007).
    """
    capital = capital_behind(equity, allocation, conviction)
    at_risk = _whole(capital * risk_fraction, None if atr is None else atr * atr_multiple)
    return _signed(min(at_risk, _whole(capital, price)), conviction)


def _whole(money: float, each: float | None) -> int:
    """How many times `each` goes into `money`; 0 unless both are positive numbers."""
    if each is None or not 0 < each < math.inf or not 0 < money < math.inf:
        return 0
    times = money / each
    return math.floor(times + _DUST) if math.isfinite(times) else 0


def _signed(quantity: int, conviction: float) -> int:
    return -quantity if conviction < 0 else quantity
