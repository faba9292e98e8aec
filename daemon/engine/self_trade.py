"""Two strategies of ours never stand against each other in one instrument.

An entry is refused while another strategy's entry or exit works on the other side, or another strategy holds the other
direction: the two would trade with each other at the exchange, or cancel out in the account while each keeps a stop.
"""

from __future__ import annotations

from daemon.engine.book import Book
from shared.orders import Leg, OrderIntent

_TAKING = (Leg.ENTRY, Leg.EXIT)


def is_self_trade(book: Book, intent: OrderIntent) -> bool:
    """Whether the entry meets another strategy's order or position on the other side."""
    if intent.reduces:
        return False
    for working in book.orders_in(intent.symbol):
        is_other = book.plans[working.plan].strategy != intent.strategy
        if is_other and working.order.side is intent.side.opposite and working.leg in _TAKING:
            return True
    others = [plan for plan in book.plans_in(intent.symbol) if plan.strategy != intent.strategy]
    return any(plan.signed_quantity * intent.side.sign < 0 for plan in others)
