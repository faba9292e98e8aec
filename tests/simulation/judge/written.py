"""What the daemon has made durable, sent and been told: by reference and by execution."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from tests.simulation.history import Broker, Fault, Journalled, Ordered, Sent, Told
from tests.simulation.judge.ref import ref_of, stem_of

_UNREADABLE = frozenset({10, 25})
"""Faults that make the message in hand unreadable (TWS.md 4)."""


class SentOrder(Struct, kw_only=True):
    """A reference as it left the daemon: first when, under which ids, at most for how much."""

    first_at: float
    order: Ordered
    order_ids: list[int]
    quantity_max: float


class Written:
    """`untold` are executions of which the daemon has heard nothing readable yet, with the broker's time of them."""

    def __init__(self) -> None:
        self.orders: dict[str, Ordered] = {}
        """Every order that became durable before it could be sent, as it was last written."""
        self.journalled_at: dict[str, float] = {}
        self.quantity_max: dict[str, float] = {}
        self.sent: dict[str, SentOrder] = {}
        self.entries: dict[str, list[SentOrder]] = defaultdict(list)
        """Entries sent, by symbol."""
        self.last_closing_at: dict[str, float] = {}
        """When an order that protects or closes was last sent, by symbol."""
        self.cancels: dict[str, float] = {}
        """When its cancel was last sent, by reference."""
        self.untold: dict[str, tuple[str, str, float]] = {}
        """The whole id, symbol and time by stem: who hears of an older version knows nothing of its correction."""
        self.told_at: dict[str, float] = {}
        """When the daemon last heard of an execution, by symbol."""
        self.decided_early: set[str] = set()
        """Orders that were decided on while word of an execution in their symbol was waiting its turn in the daemon."""
        self._waiting: dict[str, str] = {}
        """The symbols of executions that were told and that the daemon has not taken yet, by stem."""
        self._taken: set[str] = set()
        self.row: dict[str, Any] = {}
        self.row_at = float("-inf")
        self._unreadable_at = float("-inf")

    def journalled(self, record: Journalled) -> None:
        """One event and its orders are durable."""
        for fill in fills_in(record):
            self._waiting.pop(stem_of(str(fill.get("exec_id", ""))), None)
            self._taken.add(stem_of(str(fill.get("exec_id", ""))))
        for order in record.orders:
            if order.ref not in self.journalled_at and order.symbol in self._waiting.values():
                self.decided_early.add(order.ref)
            self.orders[order.ref] = order
            self.journalled_at.setdefault(order.ref, record.at)
            self.quantity_max[order.ref] = max(order.quantity, self.quantity_max.get(order.ref, 0.0))
        for fill in fills_in(record):
            self._heard(str(fill.get("exec_id", "")), record.at)
        if record.name == "BarsClosed" and not record.event.get("warm_up"):
            self.row, self.row_at = record.event, record.at

    def left(self, record: Sent) -> bool:
        """An order has left as bytes; whether its reference left for the first time."""
        order, at = record.order, record.at
        ref, known = ref_of(order.ref), self.sent.get(order.ref)
        if ref is not None and ref.leg != "E":
            self.last_closing_at[order.symbol] = at
        if known is not None:
            known.quantity_max = max(known.quantity_max, order.quantity)
            if record.order_id not in known.order_ids:
                known.order_ids.append(record.order_id)
            return False
        new = SentOrder(first_at=at, order=order, order_ids=[record.order_id], quantity_max=order.quantity)
        self.sent[order.ref] = new
        if ref is not None and ref.leg == "E":
            self.entries[order.symbol].append(new)
        return True

    def happened(self, record: Broker) -> None:
        """The broker has executed or corrected something of which the daemon has to hear."""
        if record.what in {"execution", "correction"}:
            done = record.record["execution"] if record.what == "correction" else record.record
            exec_id = str(done["exec_id"])
            self.untold[stem_of(exec_id)] = (exec_id, str(done["symbol"]), record.at)

    def told(self, record: Told) -> None:
        """A message reached the daemon."""
        if record.name == "execDetails" and record.at > self._unreadable_at:
            exec_id = str(record.fields.get("execId", ""))
            self._heard(exec_id, record.at)
            is_news = record.fields.get("reqId") == "-1" or stem_of(exec_id) not in self._taken
            if is_news and record.fields.get("orderId", "0") != "0":  # ours
                self._waiting[stem_of(exec_id)] = str(record.fields.get("symbol", ""))

    def fault(self, record: Fault) -> None:
        """The message that is under way cannot be read."""
        if record.number in _UNREADABLE and record.phase != "ended":
            self._unreadable_at = record.at + 1.0

    def untold_since(self, symbol: str) -> float | None:
        """Since when an execution in the symbol is not known to the daemon; None if it knows all."""
        return min((at for _, its, at in self.untold.values() if its == symbol), default=None)

    def unknown(self, symbol: str) -> list[str]:
        """Stems of executions in the symbol that the daemon has not been told, or has not taken yet."""
        untold = [stem for stem, (_, its, _) in self.untold.items() if its == symbol]
        return untold + [stem for stem, its in self._waiting.items() if its == symbol and stem not in untold]

    def row_value(self, name: str, index: int) -> float | None:
        """A figure of the last row (close, bid, ask) of the symbol at that place; None where there is none."""
        values = self.row.get(name)
        return values[index] if values and index < len(values) else None

    def _heard(self, exec_id: str, at: float) -> None:
        newest, symbol, _ = self.untold.get(stem_of(exec_id), ("", "", 0.0))
        if newest == exec_id:
            del self.untold[stem_of(exec_id)]
            self.told_at[symbol] = at


def fills_in(record: Journalled) -> Iterator[dict[str, Any]]:
    """The executions that an event carries: one of its own, or those of a report."""
    if record.name in {"OrderFilled", "FillCorrected"}:
        yield record.event["fill"]
    elif record.name == "BrokerReported":
        yield from record.event.get("fills") or ()
