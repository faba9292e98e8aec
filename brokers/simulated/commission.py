"""What Interactive Brokers charges for US stocks, in dollars per order. PURE.

Source: Interactive Brokers, "Commissions Stocks, North America, United States" (interactivebrokers.com,
pricing, commissions-stocks.php), Fixed and the first volume tier (up to 300,000 shares a month) of Tiered.
Exchange, clearing and regulatory fees, which Tiered adds and Fixed partly includes, are left out. The cap
wins over the minimum: an order of one share at 5 dollars costs 5 cents, not a dollar.
"""

import math
from typing import Literal

CommissionModel = Literal["ib_fixed", "ib_tiered"]

CAP = 0.01  # of the value of the order
FIXED_PER_SHARE, FIXED_MINIMUM = 0.005, 1.00
TIERED_PER_SHARE, TIERED_MINIMUM = 0.0035, 0.35


def ib_fixed(quantity: float, price: float) -> float:
    """IBKR Pro Fixed, for an order of `quantity` shares (either sign) filled at `price`."""
    return _per_share(quantity, price, FIXED_PER_SHARE, FIXED_MINIMUM)


def ib_tiered(quantity: float, price: float) -> float:
    """IBKR Pro Tiered, first tier, for an order of `quantity` shares (either sign) filled at `price`."""
    return _per_share(quantity, price, TIERED_PER_SHARE, TIERED_MINIMUM)


def commission(model: CommissionModel, quantity: float, price: float) -> float:
    """The commission by the model's name in the configuration."""
    return ib_fixed(quantity, price) if model == "ib_fixed" else ib_tiered(quantity, price)


def commission_of_next_fill(
    model: CommissionModel, filled: float, filled_price: float, quantity: float, price: float
) -> float:
    """What one more execution adds to an order's commission: minimum and cap hold for the whole order.

    `filled` shares at the average `filled_price` went before. Zero while the minimum already paid covers it.
    """
    if filled <= 0:
        return commission(model, quantity, price)
    total = filled + quantity
    average = (filled * filled_price + quantity * price) / total
    return max(0.0, commission(model, total, average) - commission(model, filled, filled_price))


def _per_share(quantity: float, price: float, rate: float, minimum: float) -> float:
    if not (math.isfinite(quantity) and math.isfinite(price) and price >= 0):
        raise ValueError(
            f"commission: quantity {quantity} at price {price}: both must be finite, the price not negative"
        )
    shares = abs(quantity)
    if shares == 0:
        return 0.0
    return min(max(shares * rate, minimum), shares * price * CAP)
