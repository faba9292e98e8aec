"""What is listed on this gateway's market, and how clients may name it."""

from __future__ import annotations

import math
from collections.abc import Iterable

from msgspec import Struct

from brokers.simulated.gateway.protocol.request_shapes import ContractFields


class Listed(Struct, frozen=True, kw_only=True):
    """One stock; `index` is its place in the market's arrays, `exchange` its primary exchange."""

    index: int
    con_id: int
    symbol: str
    long_name: str
    exchange: str
    min_tick: float

    def on_tick(self, price: float) -> bool:
        """Whether `price` is a multiple of the minimum price variation."""
        steps = price / self.min_tick
        return math.isclose(steps, round(steps), rel_tol=1e-9, abs_tol=1e-6)


class Listings:
    """Finds the stock that a request means; None where TWS would answer 200."""

    def __init__(self, listed: Iterable[Listed]) -> None:
        self.all = tuple(listed)
        self.by_con_id = {stock.con_id: stock for stock in self.all}
        self.by_symbol = {stock.symbol: stock for stock in self.all}

    def find(self, wanted: ContractFields) -> Listed | None:
        """By conId if given, otherwise by symbol or local symbol of a USD stock."""
        if wanted.con_id:
            return self.by_con_id.get(wanted.con_id)
        if wanted.sec_type != "STK" or wanted.currency not in {"", "USD"}:
            return None
        stock = self.by_symbol.get(wanted.symbol or wanted.local_symbol)
        if stock is None or wanted.exchange not in {"", "SMART", stock.exchange}:
            return None
        return stock if wanted.primary_exchange in {"", stock.exchange} else None
