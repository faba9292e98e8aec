"""A holding: shares, average cost and profit, made of fills and splits one after the other. PURE.

Average cost includes commissions, as IB's does (TWS.md 3.27). A fill that crosses zero closes the old position first
and opens the rest, its commission shared by quantity.
"""

from __future__ import annotations

import math

from msgspec import Struct

CENT_DUST = 1e-9


class Position(Struct):
    """`quantity` is negative when short, `average_cost` is per share and positive."""

    con_id: int
    symbol: str
    quantity: float = 0.0
    average_cost: float = 0.0
    realized_pnl: float = 0.0
    market_price: float = math.nan
    value_at_start: float = 0.0
    """Market value when the day began; what was bought for cash since is in `spent`."""
    spent: float = 0.0
    realized_at_start: float = 0.0

    @property
    def price(self) -> float:
        """The price it is valued at: the market's, until there is one the average cost."""
        return self.average_cost if math.isnan(self.market_price) else self.market_price

    @property
    def market_value(self) -> float:
        return self.quantity * self.price

    @property
    def unrealized_pnl(self) -> float:
        return self.quantity * (self.price - self.average_cost)

    @property
    def daily_pnl(self) -> float:
        """What the holding has brought since the day began, commissions and trades included."""
        return self.market_value - self.value_at_start - self.spent

    @property
    def realized_today(self) -> float:
        return self.realized_pnl - self.realized_at_start

    def start_day(self) -> None:
        """From here on daily figures count anew."""
        self.value_at_start, self.spent, self.realized_at_start = self.market_value, 0.0, self.realized_pnl

    def take(self, signed: float, price: float, commission: float) -> float | None:
        """Change the position by `signed` shares; what the closing part realised, None if none closed."""
        closing = min(abs(signed), abs(self.quantity)) if signed * self.quantity < 0 else 0.0
        opening = abs(signed) - closing
        direction = math.copysign(1.0, signed)
        self.spent += signed * price + commission
        realized = None
        if closing > 0:
            fee = commission * closing / abs(signed)
            realized = -direction * closing * (price - self.average_cost) - fee
            self.realized_pnl += realized
            self.quantity += direction * closing
        if opening > 0:
            fee = commission * opening / abs(signed)
            cost = abs(self.quantity) * self.average_cost + opening * price + direction * fee
            self.quantity += direction * opening
            self.average_cost = cost / abs(self.quantity)
        if abs(self.quantity) < CENT_DUST:
            self.quantity = self.average_cost = 0.0
        self.market_price = price if math.isnan(self.market_price) else self.market_price
        return realized

    def split(self, ratio: float) -> None:
        """`ratio` new shares for an old one."""
        self.quantity *= ratio
        self.average_cost /= ratio
        self.market_price /= ratio
