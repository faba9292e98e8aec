"""The register of orders: by permId, and by client and order id.

Every client has its own series of order ids; reuse or a lower one is refused with 103 (TWS.md 3.14). Only the
permId is login-wide.
"""

from __future__ import annotations

from collections.abc import Iterator

from brokers.simulated.gateway.orders.order import GatewayOrder

FIRST_PERM_ID = 1_700_000_001


class OrderBook:
    """Every order, refused ones included, in the order in which they came."""

    def __init__(self) -> None:
        self.orders: dict[int, GatewayOrder] = {}
        self.last_ids: dict[int, int] = {}
        """The highest order id that each client has used."""
        self.next_perm_id = FIRST_PERM_ID
        self.next_bound_id = -1
        self._perm_ids: dict[tuple[int, int], list[int]] = {}

    def __iter__(self) -> Iterator[GatewayOrder]:
        """The orders as they are now; the book may change while they are visited."""
        return iter(tuple(self.orders.values()))

    def new_perm_id(self) -> int:
        self.next_perm_id += 1
        return self.next_perm_id - 1

    def new_bound_id(self) -> int:
        """The order id that binding gives to a manual order: negative, as TWS does by default (TWS.md 3.15)."""
        self.next_bound_id -= 1
        return self.next_bound_id + 1

    def add(self, order: GatewayOrder) -> None:
        self.orders[order.perm_id] = order
        self._perm_ids.setdefault((order.client_id, order.order_id), []).append(order.perm_id)
        if not order.is_manual:
            self.last_ids[order.client_id] = max(order.order_id, self.last_ids.get(order.client_id, 0))

    def remove(self, order: GatewayOrder) -> None:
        """As if it had never been sent."""
        del self.orders[order.perm_id]
        self._perm_ids[order.client_id, order.order_id].remove(order.perm_id)

    def forget_ended(self, before: float) -> None:
        """Orders that were over by then, as a TWS forgets them; a parent is known as long as a child of it works."""
        parents = {order.parent_perm_id for order in self.orders.values() if not order.done}
        for order in self:
            if order.completed_at is not None and order.completed_at < before and order.perm_id not in parents:
                self.remove(order)
                if not self._perm_ids[order.client_id, order.order_id]:
                    del self._perm_ids[order.client_id, order.order_id]

    def find(self, client_id: int, order_id: int) -> GatewayOrder | None:
        """The client's order of this id: the live one, otherwise the last."""
        found = self.all_of(client_id, order_id)
        return next((order for order in found if not order.done), found[-1] if found else None)

    def all_of(self, client_id: int, order_id: int) -> list[GatewayOrder]:
        """More than one only after a change that left two orders live (TWS.md 3.7)."""
        return [self.orders[perm_id] for perm_id in self._perm_ids.get((client_id, order_id), ())]

    def next_valid_id(self, client_id: int) -> int:
        return self.last_ids.get(client_id, 0) + 1

    def roll_back_ids(self, count: int) -> None:
        """Every client's next id falls by `count`; ids of finished orders are given out again (TWS.md 3.14)."""
        for client_id, last in self.last_ids.items():
            self.last_ids[client_id] = max(last - count, 0)
        for (client_id, order_id), perm_ids in self._perm_ids.items():
            if order_id > self.last_ids.get(client_id, 0):
                perm_ids[:] = [perm_id for perm_id in perm_ids if not self.orders[perm_id].done]
