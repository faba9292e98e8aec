"""The account of a bar replay: cash, positions, values. PURE.

Kept apart from the gateway's ledger because a replay values the whole universe on every row: here that is two
dot products over arrays of shape (n_instruments,), there a walk over positions. Both count alike (average
cost includes commission, a fill through zero shares its commission by quantity); a test holds them against
each other.
"""

from __future__ import annotations

import numpy as np

from brokers.simulated.margin import BUYING_POWER_TIMES, INITIAL
from shared.account import Account, BrokerPosition
from shared.market import BarRow, Universe
from shared.orders import Fill, Side


class BarLedger:
    """Signed shares, average cost and last close of every instrument of the universe, and the cash."""

    def __init__(self, universe: Universe, account_id: str, starting_cash: float) -> None:
        self._symbols = universe.symbols
        self._index = {symbol: at for at, symbol in enumerate(universe.symbols)}
        self._account_id = account_id
        self.cash = starting_cash
        self._quantity = np.zeros(len(universe))
        self._average_cost = np.zeros(len(universe))
        self._last = np.zeros(len(universe))

    def book(self, fill: Fill, commission: float) -> None:
        """Take one execution into cash and position."""
        at = self._index[fill.symbol]
        signed = fill.quantity if fill.side is Side.BUY else -fill.quantity
        held = float(self._quantity[at])
        opening = signed if held * signed >= 0 else (abs(signed) > abs(held)) * (signed + held)
        self.cash -= signed * fill.price + commission
        if opening:
            basis = abs(held) * self._average_cost[at] if held * signed > 0 else 0.0
            fee = commission * abs(opening) / abs(signed)
            cost = basis + abs(opening) * fill.price + (fee if signed > 0 else -fee)
            self._average_cost[at] = cost / abs(held + signed)
        elif held + signed == 0:
            self._average_cost[at] = 0.0
        self._quantity[at] = held + signed
        if self._last[at] == 0.0:
            self._last[at] = fill.price

    def mark(self, row: BarRow) -> None:
        """Value positions at the row's closes; NaN leaves the last price standing."""
        np.copyto(self._last, row.close, where=~np.isnan(row.close))

    @property
    def net_liquidation(self) -> float:
        return self.cash + float(self._quantity @ self._last)

    @property
    def gross_value(self) -> float:
        """Market value of longs plus that of shorts, both positive."""
        return float(np.abs(self._quantity) @ self._last)

    def account(self) -> Account:
        available = self.net_liquidation - INITIAL * self.gross_value
        return Account(
            account_id=self._account_id,
            net_liquidation=self.net_liquidation,
            cash=self.cash,
            buying_power=max(available, 0.0) * BUYING_POWER_TIMES,
        )

    def positions(self) -> tuple[BrokerPosition, ...]:
        """What is held, in the order of the universe."""
        return tuple(
            BrokerPosition(
                symbol=self._symbols[at],
                quantity=float(self._quantity[at]),
                average_cost=float(self._average_cost[at]),
            )
            for at in np.flatnonzero(self._quantity)
        )
