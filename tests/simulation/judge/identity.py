"""I3 one intent, one order; I4 nothing leaves that is not durable, nothing foreign is touched; I15 rows stay."""

from __future__ import annotations

from tests.simulation.history import Broker, CancelSent, Journalled, ProcessEnded, Record, Sent
from tests.simulation.judge.breach import DUST, Invariant
from tests.simulation.judge.ref import Ref, ref_of
from tests.simulation.judge.scene import Scene

TWIN_S = 60.0
"""A second permId that the broker itself made (TWS.md 4.37) is to be gone by then."""


class OneOrder(Invariant):
    """I3, by reference and permId, never by order id alone.

    Two living orders of one reference, sent under two ids, are a breach at once. If the broker made the second one,
    both have to be pulled (F3) within TWIN_S of the time in which the daemon can act, unless it swallows the cancel
    too, and what the twin fills meanwhile is not counted.
    """

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._twins: dict[str, float] = {}
        self._entered: set[str] = set()

    def before(self, at: float) -> None:
        for ref, since in self._twins.items():
            due = self.scene.reach.due_at(since, TWIN_S)
            if due is not None and at > due and not self.scene.is_cancel_ignored(ref):
                self.breach("I3", ref, f"{ref}: two orders of it live at the broker since {since:.3f}")

    def take(self, record: Record) -> None:
        match record:
            case Broker():
                self._take_broker(record)
            case Journalled():
                for entry in [order.ref for order in record.orders if order.ref.endswith(":E")]:
                    if entry in self._entered:
                        self.breach("I3", entry, f"{entry}: this entry is decided twice")
                    self._entered.add(entry)
            case Sent(order=order, order_id=order_id):
                sent, ref = self.scene.written.sent[order.ref], ref_of(order.ref)
                if ref is not None and ref.leg == "E" and len(sent.order_ids) > 1:
                    text = f"{order.ref}: sent again as order {order_id}, before as {sent.order_ids[0]}"
                    self.breach("I3", order.ref, text)
            case _:
                pass

    def _take_broker(self, record: Broker) -> None:
        ref = str(record.record.get("order_ref") or record.record.get("execution", {}).get("order_ref", ""))
        if ref_of(ref) is None:
            return
        living = [order for order in self.scene.ledger.resting.values() if order.ref == ref]
        sent = self.scene.written.sent.get(ref)
        if len(living) <= 1:
            self._twins.pop(ref, None)
        elif sent is not None and len({order.order_id for order in living}) > 1:
            ids = ", ".join(str(order.order_id) for order in living)
            self.breach("I3", ref, f"{ref}: lives {len(living)} times at the broker, sent as orders {ids}")
        else:
            self._twins.setdefault(ref, record.at)
        if record.what == "execution" and sent is not None:
            self._count(ref, sent.quantity_max)

    def _count(self, ref: str, ordered: float) -> None:
        filled: dict[int, float] = {}
        for done in self.scene.ledger.of_ref(ref):
            filled[done.perm_id] = filled.get(done.perm_id, 0.0) + abs(done.signed)
        is_twinned = ref.rpartition(":")[0] in self.scene.ledger.twinned
        total = max(filled.values()) if is_twinned else sum(filled.values())
        if total > ordered + DUST:
            self.breach("I3", f"{ref} filled", f"{ref}: {total:g} shares filled of {ordered:g} ordered")


class Written(Invariant):
    """I4, and of I15 what the history shows: a row that was acknowledged keeps its number."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._last = 0

    def take(self, record: Record) -> None:
        match record:
            case Sent(order=order):
                ref = ref_of(order.ref)
                if ref is None:
                    self.breach("I4", order.ref, f"order {record.order_id} left without a reference: {order.ref!r}")
                else:
                    self._compare(record, ref)
            case Broker(what="order", record=plain) if plain["client_id"] == self.scene.settings.client_id:
                name = str(plain["order_ref"])
                if name not in self.scene.written.orders and plain["change"] == "new":
                    self.breach("I4", f"{name} held", f"{name!r}: the broker has it, the journal does not")
            case CancelSent(ref=name, order_id=order_id):
                if not name:
                    self.breach(
                        "I4", "global cancel", f"a global cancel was sent, it takes orders of others (id {order_id})"
                    )
                elif ref_of(name) is None and name != "?":
                    self.breach("I4", name, f"{name!r}: the cancel of a foreign order was sent")
            case Journalled(sequence=sequence):
                if sequence <= self._last:
                    self.breach(
                        "I15", "sequence", f"row {sequence} is written again, row {self._last} was acknowledged"
                    )
                self._last = max(sequence, self._last)
            case ProcessEnded(how="died", text=text) if "recovery" in text:
                self.breach("I15", text, f"the journal cannot be recovered: {text}")
            case _:
                pass

    def _compare(self, record: Sent, ref: Ref) -> None:
        order, written = record.order, self.scene.written.orders.get(record.order.ref)
        if written is None:
            self.breach("I4", order.ref, f"{order.ref}: sent before it was durable")
            return
        if (written.symbol, written.side) != (order.symbol, order.side):
            text = f"{order.ref}: sent to {order.side} {order.symbol}, written to {written.side} {written.symbol}"
            self.breach("I4", f"{ref.plan} side", text)
        quantity = self.scene.written.quantity_max[order.ref]
        if order.quantity > quantity + DUST:
            text = f"{order.ref}: sent for {order.quantity:g} shares, written for {quantity:g}"
            self.breach("I4", f"{order.ref} quantity", text)
