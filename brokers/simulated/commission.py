"""What Interactive Brokers charges for US stocks, in dollars per order. PURE.

Source: Interactive Brokers, "Commissions Stocks, North America, United States" (interactivebrokers.com,
pricing/commissions-stocks.php), IBKR Pro Fixed and Tiered. The cap wins over the minimum: an order of one share at 5
dollars costs 5 cents, not a dollar. Tiered's rate falls with the shares traded in the calendar month, each tier for the
shares that lie in it (marginally). What exchanges, clearing and regulators take stands in third_party_fees.py:
Tiered passes it on, `cost_of_next_fill` adds it. Fixed is taken as all there is to pay at
the gateway; a replay adds the cents that regulators take of sales under Fixed too (costs/charging.py).
"""

import math
from itertools import pairwise
from typing import Literal, NamedTuple

from brokers.simulated.third_party_fees import FEES, FeeTable, fees_of

CommissionModel = Literal["ib_fixed", "ib_tiered"]

CAP = 0.01  # of the value of the order
FIXED_PER_SHARE, FIXED_MINIMUM = 0.005, 1.00
TIERED_MINIMUM = 0.35
TIERS = (
    (0, 0.0035),
    (300_000, 0.0020),
    (3_000_000, 0.0015),
    (20_000_000, 0.0010),
    (100_000_000, 0.0005),
    (math.inf, 0.0),
)
"""Shares of the month above which a rate per share holds, until the next one does."""


class Lot(NamedTuple):
    """Shares of one order (never negative) at their average price."""

    quantity: float
    price: float


def ib_fixed(quantity: float, price: float) -> float:
    """IBKR Pro Fixed, for an order of `quantity` shares (either sign) filled at `price`."""
    return _between(quantity, price, abs(quantity) * FIXED_PER_SHARE, FIXED_MINIMUM)


def ib_tiered(quantity: float, price: float, traded: float = 0.0) -> float:
    """IBKR Pro Tiered, for an order of `quantity` shares (either sign) after `traded` ones in the same month."""
    return _between(quantity, price, _by_tier(traded, abs(quantity)), TIERED_MINIMUM)


def commission(model: CommissionModel, quantity: float, price: float, traded: float = 0.0) -> float:
    """The commission by the model's name in the configuration."""
    return ib_fixed(quantity, price) if model == "ib_fixed" else ib_tiered(quantity, price, traded)


def commission_of_next_fill(
    model: CommissionModel, filled: float, filled_price: float, quantity: float, price: float, *, traded: float = 0.0
) -> float:
    """What one more execution adds to an order's commission: minimum and cap hold for the whole order.

    `filled` shares at the average `filled_price` went before. Zero while the minimum already paid covers it.
    `traded` are the shares of the month before the order.
    """
    if filled <= 0:
        return commission(model, quantity, price, traded)
    total = filled + quantity
    average = (filled * filled_price + quantity * price) / total
    before = commission(model, filled, filled_price, traded)
    return max(0.0, commission(model, total, average, traded) - before)


def cost_of_next_fill(
    model: CommissionModel, before: Lot, fill: Lot, *, sells: bool, traded: float = 0.0, fees: FeeTable = FEES
) -> float:
    """What commissionReport says of one more execution: the commission and, with Tiered, third parties' fees on it.

    `traded` are the shares of the month before this fill; those of its own order among them count by tier only once.
    """
    own = commission_of_next_fill(model, *before, *fill, traded=max(traded - before.quantity, 0.0))
    return own if model == "ib_fixed" else own + fees_of(*fill, own, sells=sells, fees=fees)


def _by_tier(traded: float, shares: float) -> float:
    """The rates of the tiers that the shares lie in, one after the other."""
    return sum(
        rate * max(0.0, min(traded + shares, end) - max(traded, start)) for (start, rate), (end, _) in pairwise(TIERS)
    )


def _between(quantity: float, price: float, charge: float, minimum: float) -> float:
    if not (math.isfinite(quantity) and math.isfinite(price) and price >= 0):
        raise ValueError(
            f"commission: quantity {quantity} at price {price}: both must be finite, the price not negative"
        )
    shares = abs(quantity)
    if shares == 0:
        return 0.0
    return min(max(charge, minimum), shares * price * CAP)
