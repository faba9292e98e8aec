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
from shared.orders import Leg, Side, WorkingOrder


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

    def work(self, entry: WorkingOrder) -> None:
        """Add what a live entry may still take."""
        if entry.order.side is Side.BUY:
            self.buying += entry.remaining
        else:
            self.selling += entry.remaining

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

    def figures(self) -> tuple[float, float, float, float]:
        """Gross, net long, net short and working, at once."""
        up, down, price = self.long + self.buying, self.short + self.selling, self.price
        held = self.long - self.short
        worst, works = max(up, down), self.buying + self.selling
        return (
            abs(worst * price) if worst else 0.0,
            (held + self.buying) * price if held + self.buying else 0.0,
            (self.selling - held) * price if self.selling - held else 0.0,
            works * price if works else 0.0,
        )

    def _money(self, shares: float) -> float:
        return shares * self.price if shares else 0.0


class Exposures:
    """The stakes of one moment and their totals in currency, kept up while the entries of a row are decided.

    Totals are sums over the stakes in their order, so that they are the same numbers however they came about.
    """

    def __init__(self, stakes: dict[str, Stake]) -> None:
        self.stakes = stakes
        self._places = {symbol: place for place, symbol in enumerate(stakes)}
        rows = [stake.figures() for stake in stakes.values()]
        self._columns = [[row[column] for row in rows] for column in range(4)]

    def renew(self, symbol: str, stake: Stake) -> None:
        """The stake of an instrument after an entry in it was sent; a new one stands last."""
        place = self._places.setdefault(symbol, len(self._places))
        self.stakes[symbol] = stake
        for column, figure in zip(self._columns, stake.figures(), strict=True):
            column[place : place + 1] = [figure]

    def totals(self) -> tuple[float, float, float, float]:
        """Gross, net long, net short and working of all."""
        gross, net_long, net_short, working = self._columns
        return sum(gross), sum(net_long), sum(net_short), sum(working)


def stake_of(book: Book, symbol: str, columns: dict[str, int]) -> Stake:
    """One instrument's."""
    stake = Stake()
    for plan in book.plans_in(symbol):
        stake.hold(plan.signed_quantity)
    stake.hold(book.foreign_positions.get(symbol, 0.0))
    for order in book.orders_in(symbol):
        if order.leg is Leg.ENTRY:
            stake.work(order)
    stake.price = _worth(book, symbol, columns)
    return stake


def stakes_of(book: Book, columns: dict[str, int]) -> dict[str, Stake]:
    """Every instrument with a position or a live entry; `columns` says where an instrument stands in the rows."""
    stakes: dict[str, Stake] = {}
    for plan in book.plans.values():
        stake = stakes.get(plan.symbol)
        if stake is None:
            stake = stakes[plan.symbol] = Stake()
        shares = plan.side.sign * (plan.opened - plan.closed)
        if shares > 0:
            stake.long += shares
        else:
            stake.short -= shares
    for symbol, quantity in book.foreign_positions.items():
        stakes.setdefault(symbol, Stake()).hold(quantity)
    for order in book.index.entries.values():
        stakes.setdefault(order.order.symbol, Stake()).work(order)
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
