"""Minimum price variations by price band, as reqMarketRule tells them. PURE.

Rule 26, a flat cent, is what IB reports for US stocks (recorded contract details of 2022 and 2025); orders below
a dollar may be priced in hundredths of a cent (Regulation NMS, rule 612), for which IB has rules of their own.
Their number here, 32, is a choice: no capture of one was at hand.
"""

import math

import msgspec


class MarketRule(msgspec.Struct, frozen=True):
    """`bands` are (low edge, increment) pairs, rising; the first low edge is 0."""

    id: int
    bands: tuple[tuple[float, float], ...]


US_STOCK = MarketRule(26, ((0.0, 0.01),))
US_STOCK_SUB_DOLLAR = MarketRule(32, ((0.0, 0.0001), (1.0, 0.01)))
MARKET_RULES = {rule.id: rule for rule in (US_STOCK, US_STOCK_SUB_DOLLAR)}


def increment_at(rule: MarketRule, price: float) -> float:
    """The variation in force at a price (dollars, not negative)."""
    return next(increment for low_edge, increment in reversed(rule.bands) if price >= low_edge)


def is_on_tick(rule: MarketRule, price: float) -> bool:
    """Whether an order may be priced so; a price that is no number is on no tick."""
    if not math.isfinite(price) or price < 0:
        return False
    steps = price / increment_at(rule, price)
    return math.isclose(steps, round(steps), rel_tol=1e-9, abs_tol=1e-6)
