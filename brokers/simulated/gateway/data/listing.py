"""What is listed on this gateway's market, and how clients may name it."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from brokers.simulated.gateway.protocol.answers import VENUES
from brokers.simulated.gateway.protocol.request_shapes import ContractFields
from brokers.simulated.market_rules import US_STOCK, MarketRule, is_on_tick

ALIASES = {"ISLAND": "NASDAQ"}


class Listed(Struct, frozen=True, kw_only=True):
    """One stock; `index` is its place in the market's arrays, `exchange` its primary exchange."""

    index: int
    con_id: int
    symbol: str
    long_name: str
    exchange: str
    min_tick: float
    rule: MarketRule = US_STOCK

    def on_tick(self, price: float) -> bool:
        """Whether `price` is a multiple of the minimum price variation in force there."""
        return is_on_tick(self.rule, price)


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
        if stock is None or wanted.exchange not in {"", "SMART", *VENUES}:
            return None
        primary = ALIASES.get(wanted.primary_exchange, wanted.primary_exchange)
        return stock if primary in {"", stock.exchange} else None

    def matching(self, pattern: str, count: int) -> list[Listed]:
        """At most `count` stocks whose ticker begins with the pattern or whose name holds it, the ticker first."""
        wanted = pattern.strip().upper()
        if not wanted:
            return []
        found = [stock for stock in self.all if stock.symbol.startswith(wanted) or wanted in stock.long_name.upper()]
        found.sort(key=lambda stock: (stock.symbol != wanted, not stock.symbol.startswith(wanted), stock.symbol))
        return found[:count]
