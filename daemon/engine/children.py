"""The Knight rule: what is sent to close a plan never adds up to more than there is to close (RELIABILITY.md I3, I8).

Checked on every order of ours the moment it is commanded, before it can leave; these assertions stay on in production.
Exits and stops of a plan share an OCA group, of which at most one side fills, so each kind is counted by itself; so are
exits that close and those that give back what was closed too much.
"""

from __future__ import annotations

from datetime import datetime

from daemon.engine.book import PROTECTIVE, Book
from shared.errors import InvariantViolated
from shared.orders import Leg, Order, WorkingOrder

_KINDS: tuple[tuple[Leg, ...], ...] = ((Leg.ENTRY,), (Leg.EXIT,), (Leg.TAKE_PROFIT,), PROTECTIVE)
_KIND_OF = {leg: legs for legs in _KINDS for leg in legs}


def send(book: Book, order: Order, at: datetime) -> None:
    """Note in the book an order that is about to be commanded.

    Raises:
        InvariantViolated: its reference was used before, or it would close more than its plan can come to hold.
    """
    ref = book.ref_of(order.ref)
    plan = book.plans[ref.plan_id]
    if order.ref in plan.refs or order.ref in book.orders or order.ref in book.closed_orders:
        raise InvariantViolated(f"{order.ref}: this reference was sent before, one reference is one order")
    kind, working = _KIND_OF[ref.leg], 0
    entry: WorkingOrder | None = None
    for other in book.index.legs.get(ref.plan_id, ()):
        if other.leg is Leg.ENTRY:
            entry = entry or other
        if other.leg in kind and other.order.side is order.side:
            working += other.remaining
    if ref.leg is Leg.ENTRY:
        room = 0 if entry or plan.opened else order.quantity
    elif order.side is plan.side:  # buys back what exits overfilled
        room = max(-plan.open_quantity, 0)
    else:
        room = max(plan.open_quantity + (entry.remaining if entry else 0), 0)
    if order.quantity <= 0 or working + order.quantity > room:
        message = f"{order.ref}: {order.quantity} shares beside {working} that work, the plan has room for {room}"
        raise InvariantViolated(message)
    book.enter_order(order, at)
