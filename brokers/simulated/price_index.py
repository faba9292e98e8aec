"""The resting orders of one instrument, sorted by the price at which the market reaches them. PURE.

A quote or a trade finds whom it reaches by bisection; it does not visit the others. Orders that a price alone
cannot sort out (market orders, trailing stops, unusual trigger methods, all-or-none, IOC and FOK) are visited
each time: there are few of them.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from brokers.simulated.sim_order import IMMEDIATE, TRAILING, SimOrder
from brokers.simulated.triggers import fires_above, is_plain

Entry = tuple[float, int, SimOrder]
OLDEST_AGE, YOUNGEST_AGE = -1, 1 << 62


class PriceIndex:
    """Every live order once; `age` (rising) makes equal prices distinct and gives the priority among them."""

    def __init__(self) -> None:
        self._always: dict[int, tuple[int, SimOrder]] = {}
        self._bids: list[Entry] = []  # buy limits
        self._asks: list[Entry] = []  # sell limits
        self._above: list[Entry] = []  # trigger when the price has risen to them
        self._below: list[Entry] = []  # trigger when it has fallen to them
        self._places: dict[int, tuple[list[Entry], float, int]] = {}

    def put(self, order: SimOrder, age: int) -> None:
        """Take an order in, or sort it anew after its prices or its state changed."""
        self.drop(order.key)
        if order.auction is not None:
            return
        sorted_by = self._list_of(order)
        if sorted_by is None:
            self._always[order.key] = (age, order)
            return
        entries, price = sorted_by
        insort(entries, (price, age, order))
        self._places[order.key] = (entries, price, age)

    def drop(self, key: int) -> None:
        """Forget an order; one that is not here is no fault."""
        self._always.pop(key, None)
        place = self._places.pop(key, None)
        if place is not None:
            entries, price, age = place
            at = bisect_left(entries, (price, age))
            assert entries[at][2].key == key
            del entries[at]

    def reached_by_trade(self, price: float) -> list[SimOrder]:
        """Everything a trade at this price may fill or trigger, oldest first."""
        found = [
            *self._from(self._bids, price),
            *self._up_to(self._asks, price),
            *self._up_to(self._above, price),
            *self._from(self._below, price),
            *self._always.values(),
        ]
        return _by_age(found)

    def reached_by_quote(self, bid: float | None, ask: float | None) -> list[SimOrder]:
        """Everything that a quote may fill, oldest first; plain stops do not look at quotes."""
        found = list(self._always.values())
        if ask is not None:
            found += self._from(self._bids, ask)
        if bid is not None:
            found += self._up_to(self._asks, bid)
        return _by_age(found)

    def trailing(self) -> list[SimOrder]:
        """The trailing stops that still follow the market."""
        return [order for _, order in self._always.values() if order.order_type in TRAILING and not order.triggered]

    def _list_of(self, order: SimOrder) -> tuple[list[Entry], float] | None:
        if order.takes_any_price or order.order_type in TRAILING or order.needs_all or order.tif in IMMEDIATE:
            return None
        if order.waits_for_trigger:
            if not is_plain(order):
                return None
            assert order.stop_price is not None
            return (self._above if fires_above(order) else self._below), order.stop_price
        assert order.limit_price is not None
        return (self._bids if order.side == "BUY" else self._asks), order.limit_price

    @staticmethod
    def _from(entries: list[Entry], price: float) -> Iterator[tuple[int, SimOrder]]:
        if entries and entries[-1][0] >= price:
            for _, age, order in entries[bisect_left(entries, (price, OLDEST_AGE)) :]:
                yield age, order

    @staticmethod
    def _up_to(entries: list[Entry], price: float) -> Iterator[tuple[int, SimOrder]]:
        if entries and entries[0][0] <= price:
            for _, age, order in entries[: bisect_left(entries, (price, YOUNGEST_AGE))]:
                yield age, order


def _by_age(found: list[tuple[int, SimOrder]]) -> list[SimOrder]:
    found.sort(key=lambda one: one[0])
    return [order for _, order in found]
