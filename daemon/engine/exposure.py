"""What the account may come to hold at worst, in shares and in currency: positions, live entries, and what is foreign.

Counted as if every live (working or unknown) entry of one side filled and every stop of the other side had ended what
it protects: a short makes no room for a long. A price that nobody knows is infinite, so that limits fail closed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from msgspec import Struct

from daemon.engine.book import Book
from shared.orders import Leg, Side


class Stake(Struct, kw_only=True):
    """One instrument: shares that plans hold long and short, that entries may still buy and sell, and their worth."""

    long: float = 0.0
    short: float = 0.0
    buying: int = 0
    selling: int = 0
    price: float = math.inf

    def hold(self, quantity: float) -> None:
        """Add signed shares that are held."""
        if quantity > 0:
            self.long += quantity
        else:
            self.short -= quantity

    @property
    def held(self) -> float:
        """Signed shares."""
        return self.long - self.short

    @property
    def gross(self) -> float:
        """The larger of both worst cases in currency."""
        return abs(self.worst)

    @property
    def net_long(self) -> float:
        """Signed currency if every buy fills."""
        return self._money(self.held + self.buying)

    @property
    def net_short(self) -> float:
        """The same the other way round: what is sold beyond what is held if every sell fills."""
        return self._money(self.selling - self.held)

    @property
    def worst(self) -> float:
        """Signed currency of the larger worst case."""
        up, down = self.long + self.buying, self.short + self.selling
        return self._money(up if up >= down else -down)

    @property
    def working(self) -> float:
        """Currency that entries may still take."""
        return self._money(self.buying + self.selling)

    def _money(self, shares: float) -> float:
        return shares * self.price if shares else 0.0


def stakes_of(book: Book, columns: dict[str, int]) -> dict[str, Stake]:
    """Every instrument with a position or a live entry; `columns` says where an instrument stands in the rows."""
    stakes: dict[str, Stake] = {}
    for plan in book.plans.values():
        stakes.setdefault(plan.symbol, Stake()).hold(plan.signed_quantity)
    for symbol, quantity in book.foreign_positions.items():
        stakes.setdefault(symbol, Stake()).hold(quantity)
    for order in book.orders.values():
        if order.leg is Leg.ENTRY:
            stake = stakes.setdefault(order.order.symbol, Stake())
            if order.order.side is Side.BUY:
                stake.buying += order.remaining
            else:
                stake.selling += order.remaining
    for symbol, stake in stakes.items():
        stake.price = _worth(book, symbol, columns)
    return stakes


def gross_exposure(book: Book, columns: dict[str, int]) -> float:
    """Worst case over every instrument in currency."""
    return sum(stake.gross for stake in stakes_of(book, columns).values())


def weighted(stakes: dict[str, Stake], betas: dict[str, float]) -> tuple[float, float] | None:
    """Net exposure times beta, long and short; None if an instrument that is held or worked has no beta."""
    up = down = 0.0
    for symbol, stake in stakes.items():
        if not (stake.held or stake.buying or stake.selling):
            continue
        beta = betas.get(symbol)
        if beta is None:
            return None
        up += beta * (stake.net_long if beta >= 0 else -stake.net_short)
        down += beta * (stake.net_short if beta >= 0 else -stake.net_long)
    return up, down


def gross_of(stakes: dict[str, Stake], symbols: Iterable[str]) -> float:
    """Gross worst case of these instruments."""
    return sum(stakes[symbol].gross for symbol in symbols if symbol in stakes)


def values_of(stakes: dict[str, Stake], columns: dict[str, int]) -> np.ndarray:
    """Signed worst case in currency by column; NaN where one of no column (foreign) is held."""
    values = np.zeros(len(columns))
    for symbol, stake in stakes.items():
        if symbol in columns:
            values[columns[symbol]] = stake.worst
        elif stake.long or stake.short:
            values[:] = np.nan
    return values


def _worth(book: Book, symbol: str, columns: dict[str, int]) -> float:
    """Per share: the last print, else what was paid; infinite if nobody knows."""
    column = columns.get(symbol)
    printed = book.prices.price(column) if column is not None else None
    return printed or book.position(symbol).average_price or book.foreign_costs.get(symbol, 0.0) or math.inf
