"""Our orders at this connection: orderRef, order id and permId side by side.

Lives as long as the connection: order ids are only good for that (they roll back when a gateway restarts), so
after each connect the register is filled anew from the broker's open orders. What was an id once is none for another
order all the same (order_ids.py).
"""

from __future__ import annotations

import enum

from msgspec import Struct

from brokers.ib.order_ids import OrderIds

Terms = tuple[int, float | None, float | None]
"""Quantity, limit price, stop price."""


class Ended(enum.StrEnum):
    """How an order ended, as far as this connection was told."""

    NOT = "not"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


class OrderRecord(Struct, kw_only=True, eq=False):
    """One of our orders, which is one permId.

    `trailed_to` is where TWS last said that it stands, if it is a trailing stop; `shown` what the last OrderAccepted
    said; `complaint` the last final error; `before` the order that was found by the same reference until this one came
    (TWS.md 4.37).
    """

    ref: str
    order_id: int
    client_id: int
    terms: Terms
    trailed_to: float | None = None
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
    before: OrderRecord | None = None

    @property
    def was_accepted(self) -> bool:
        return self.shown is not None

    def revive(self) -> None:
        """Its end did not take place: TWS was asked since, and shows it at work."""
        self.ended, self.status, self.complaint = Ended.NOT, "", None
        self.is_doubted = self.is_cancel_asked = False


class OrderRegister:
    """Finds an order by each of its names; of two permIds under one name the newest that has not ended."""

    def __init__(self, ids: OrderIds) -> None:
        self.client_id = ids.client_id
        self.ids = ids
        self._by_ref: dict[str, OrderRecord] = {}
        self._by_id: dict[int, OrderRecord] = {}
        self._by_perm: dict[int, OrderRecord] = {}

    def add(self, record: OrderRecord) -> OrderRecord:
        """Keep a record."""
        self.ids.note(record.client_id, record.order_id)
        record.before = self._by_ref.get(record.ref)
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
        self.ids.note(self.client_id, order_id)
        record.order_id, record.parent_id = order_id, parent_id
        self._by_id[order_id] = record

    def name_perm(self, record: OrderRecord, perm_id: int) -> None:
        """The broker has told the record's permId."""
        if perm_id and not record.perm_id:
            record.perm_id = perm_id
            self._by_perm[perm_id] = record

    def by_ref(self, ref: str) -> OrderRecord | None:
        return _living(self._by_ref.get(ref))

    def by_order_id(self, order_id: int) -> OrderRecord | None:
        """The order that this client sent under `order_id`."""
        newest = self._by_id.get(order_id)
        living = _living(newest)
        return living if living is not None and living.order_id == order_id else newest

    def has_twin(self, record: OrderRecord) -> bool:
        """Whether another permId has, or had, the record's reference."""
        return record.before is not None or self._by_ref.get(record.ref) is not record

    def is_any_alive(self, ref: str) -> bool:
        """Whether a permId under the reference has not ended."""
        living = self.by_ref(ref)
        return living is not None and living.ended is Ended.NOT

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


def _living(newest: OrderRecord | None) -> OrderRecord | None:
    record = newest
    while record is not None and record.ended is not Ended.NOT:
        record = record.before
    return record or newest
