"""Margin of US stock positions, simple: no portfolio margin, no concentration, no house requirements. PURE.

Initial: Regulation T, 50 % of the position's value, long or short (12 CFR 220.12). Maintenance: FINRA Rule 4210(c),
25 % of a long position, of a short one 30 % but at least 5.00 dollars a share, below 5 dollars a share 100 % but at
least 2.50 dollars a share. Initial is never below maintenance. Interest is a replay's
business (costs/financing.py).
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

INITIAL = 0.50
MAINTENANCE_LONG, MAINTENANCE_SHORT = 0.25, 0.30
CHEAP = 5.00
SHORT_FLOOR, CHEAP_SHORT_FLOOR = 5.00, 2.50
BUYING_POWER_TIMES = 4.0
"""IB reports four times the available funds of a margin account as its intraday buying power."""


class Margin(Struct, frozen=True):
    """Dollars that positions tie up."""

    initial: float
    maintenance: float


def margin_of(holdings: Iterable[tuple[float, float]]) -> Margin:
    """The margin of (signed shares, price) pairs; a holding without a price above zero ties up nothing."""
    initial = maintenance = 0.0
    for quantity, price in holdings:
        if quantity and price > 0:
            kept = _maintenance(quantity, price)
            maintenance += kept
            initial += max(abs(quantity) * price * INITIAL, kept)
    return Margin(initial, maintenance)


def _maintenance(quantity: float, price: float) -> float:
    shares, value = abs(quantity), abs(quantity) * price
    if quantity > 0:
        return value * MAINTENANCE_LONG
    if price < CHEAP:
        return max(value, shares * CHEAP_SHORT_FLOOR)
    return max(value * MAINTENANCE_SHORT, shares * SHORT_FLOOR)
