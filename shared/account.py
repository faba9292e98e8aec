"""What the broker says we own."""

from __future__ import annotations

from msgspec import Struct


class Account(Struct, frozen=True, kw_only=True):
    """Account values in the account's base currency. `day_start_equity` is our own note at the session's open."""

    account_id: str
    net_liquidation: float
    cash: float
    buying_power: float
    currency: str = "USD"
    maintenance_margin: float | None = None
    excess_liquidity: float | None = None


class BrokerPosition(Struct, frozen=True, kw_only=True):
    """One line of the broker's position list: signed quantity, average cost incl. commission per share."""

    symbol: str
    quantity: float
    average_cost: float
