"""The account of a bar replay: cash, positions, values. PURE.

Kept apart from the gateway's ledger because a replay values the whole universe on every row: here that is a
kernel over arrays of shape (n_instruments,), there a walk over positions. Both count alike (average
cost includes commission, a fill through zero shares its commission by quantity); a test holds them against
each other.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from brokers.simulated.margin import BUYING_POWER_TIMES, INITIAL
from brokers.simulated.valuation import Alarm, mark, pass_rows, worth
from shared.account import Account, BrokerPosition
from shared.indicators.indicator import FloatArray
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

    def pay(self, amount: float) -> None:
        """Take in (positive) or pay money that no execution moves: dividends, interest, fees."""
        self.cash += amount

    def held(self, symbol: str) -> float:
        """Signed shares."""
        return float(self._quantity[self._index[symbol]])

    def split(self, symbol: str, ratio: Fraction) -> float:
        """New shares for old, whole ones only; what the left over part of a share is worth, to be paid in cash.

        The last price is divided by the ratio and so is the average cost: the account is worth the same afterwards.
        """
        at = self._index[symbol]
        exact = Fraction(float(self._quantity[at])) * ratio
        whole = math.trunc(exact)
        self._last[at] /= float(ratio)
        self._average_cost[at] = self._average_cost[at] / float(ratio) if whole else 0.0
        self._quantity[at] = whole
        return float(exact - whole) * float(self._last[at])

    def short_values(self) -> dict[str, float]:
        """Symbol -> market value (> 0) of every short position at the last prices."""
        shorts = (self._quantity < 0).nonzero()[0].tolist()
        return {self._symbols[at]: float(-self._quantity[at] * self._last[at]) for at in shorts}

    def mark(self, row: BarRow) -> None:
        """Value positions at the row's closes; NaN leaves the last price standing."""
        mark(self._last, row.close)

    def pass_over(self, closes: FloatArray, alarm: Alarm, out: tuple[FloatArray, FloatArray]) -> int:
        """`mark` row after row (T, n) until one of them rings; how many were passed, their values in `out`."""
        return pass_rows((self.cash, self._quantity, self._last), closes, alarm, out)

    @property
    def net_liquidation(self) -> float:
        return self.cash + float(worth(self._quantity, self._last)[0])

    def valued(self) -> tuple[Account, float]:
        """The account's values, and what longs and shorts are worth together, both positive."""
        net, gross = worth(self._quantity, self._last)
        net_liquidation = self.cash + float(net)
        available = net_liquidation - INITIAL * float(gross)
        account = Account(
            account_id=self._account_id,
            net_liquidation=net_liquidation,
            cash=self.cash,
            buying_power=max(available, 0.0) * BUYING_POWER_TIMES,
        )
        return account, float(gross)

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
