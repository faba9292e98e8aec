"""Which instruments a row can touch at all: two comparisons of arrays, not a visit to every order. PURE.

Per instrument the highest price at or below which something waits (sell stops, buy limits) and the lowest at
or above which something waits (buy stops, sell limits); a market order waits at any price. On most rows most
resting orders are not reached, and a replay of many instruments spends its time elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

import numpy as np

from brokers.simulated.sim_order import STOPS, TRAILING, TRIGGERED, SimOrder
from brokers.simulated.valuation import first_reached
from shared.indicators.indicator import FloatArray
from shared.market import BarRow


class TouchLevels:
    """Float64 arrays of shape (n_instruments,): -inf and inf where nothing waits."""

    def __init__(self, instruments: int) -> None:
        self._below = np.full(instruments, -np.inf)
        self._above = np.full(instruments, np.inf)

    def refresh(self, changed: Collection[int], working: Iterable[SimOrder]) -> None:
        """Take the levels of the `changed` instruments anew from all working orders."""
        for instrument in changed:
            self._below[instrument], self._above[instrument] = -math.inf, math.inf
        for order in working:
            if order.instrument in changed:
                self._add(order)

    def _add(self, order: SimOrder) -> None:
        kind, instrument = order.order_type, order.instrument
        waits = not order.triggered and kind in TRIGGERED
        price = order.stop_price if waits else order.limit_price
        takes_any = not waits and order.takes_any_price
        if price is None or takes_any or kind in TRAILING or order.auction:
            self._below[instrument] = math.inf
        elif (order.side == "SELL") == (waits and kind in STOPS):  # sell stops, buy limits, buys that wait for a touch
            self._below[instrument] = max(self._below[instrument], price)
        else:
            self._above[instrument] = min(self._above[instrument], price)

    def touched(self, row: BarRow) -> list[int]:
        """The instruments whose bar may fill something, in index order; never fewer than there are."""
        reached = (row.low <= self._below) | (row.high >= self._above)
        touched: list[int] = reached.nonzero()[0].tolist()
        return touched

    def rows_until_touch(self, lows: FloatArray, highs: FloatArray) -> int:
        """How many of the rows (T, n) go by before the first that `touched` would not answer with nothing."""
        return first_reached((self._below, self._above), lows, highs)
