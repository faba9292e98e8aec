"""Our orders at this connection: orderRef, order id and permId side by side.

Lives as long as the connection: order ids are only good for that (they roll back when a gateway restarts), so
after each connect the register is filled anew from the broker's open orders.
"""

from __future__ import annotations

import enum

from msgspec import Struct

Terms = tuple[int, float | None, float | None]
"""Quantity, limit price, stop price."""


class Ended(enum.StrEnum):
    """How an order ended, as far as this connection was told."""

    NOT = "not"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


class OrderRecord(Struct, kw_only=True, eq=False):
    """One of our orders. `shown` is what the last OrderAccepted said; `complaint` the last final error."""

    ref: str
    order_id: int
    client_id: int
    terms: Terms
    perm_id: int = 0
    parent_id: int = 0
    oca_group: str = ""
    oca_type: int = 0
    status: str = ""
    why_held: str = ""
    shown: tuple[int, str, Terms] | None = None
    complaint: tuple[int, str] | None = None
    ended: Ended = Ended.NOT
    is_doubted: bool = False
    is_cancel_asked: bool = False

    @property
    def was_accepted(self) -> bool:
        return self.shown is not None


class OrderRegister:
    """Finds an order by each of its names."""

    def __init__(self, client_id: int) -> None:
        self.client_id = client_id
        self._by_ref: dict[str, OrderRecord] = {}
        self._by_id: dict[int, OrderRecord] = {}
        self._by_perm: dict[int, OrderRecord] = {}

    def add(self, record: OrderRecord) -> OrderRecord:
        """Keep a record; the newest order with a reference or an id is the one found by it."""
        self._by_ref[record.ref] = record
        if record.client_id == self.client_id:
            self._by_id[record.order_id] = record
        if record.perm_id:
            self._by_perm[record.perm_id] = record
        return record

    def renumber(self, ref: str, order_id: int, parent_id: int) -> None:
        """An order that has not left yet goes out under another id."""
        record = self._by_ref[ref]
        if self._by_id.get(record.order_id) is record:
            del self._by_id[record.order_id]
        record.order_id, record.parent_id = order_id, parent_id
        self._by_id[order_id] = record

    def name_perm(self, record: OrderRecord, perm_id: int) -> None:
        """The broker has told the record's permId."""
        if perm_id and not record.perm_id:
            record.perm_id = perm_id
            self._by_perm[perm_id] = record

    def by_ref(self, ref: str) -> OrderRecord | None:
        return self._by_ref.get(ref)

    def by_order_id(self, order_id: int) -> OrderRecord | None:
        """The order that this client sent under `order_id`."""
        return self._by_id.get(order_id)

    def find(self, *, ref: str = "", perm_id: int, client_id: int, order_id: int) -> OrderRecord | None:
        """The order of a callback: by permId, else by our order id unless that means another order."""
        record = self._by_perm.get(perm_id) if perm_id else None
        if record is None and client_id == self.client_id:
            record = self._by_id.get(order_id)
        if record is None:
            return None
        means_another = bool(ref and record.ref != ref) or bool(
            perm_id and record.perm_id and perm_id != record.perm_id
        )
        return None if means_another else record

    def highest_order_id(self) -> int:
        """The highest order id seen at this client id; 0 if none."""
        return max(self._by_id, default=0)
