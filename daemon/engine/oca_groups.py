"""When the orders that close a plan move into another OCA group: all together, once the last has done its work.

An order of it has filled and none of it lives: the broker takes nothing more in it, also where the execution is busted.
Where one was refused, the group may be why; not as long as an order lives in it, and beside that in another both could
fill.
"""

from __future__ import annotations

from daemon.engine.book import Book
from daemon.engine.plan import Plan
from shared.events import OrderRejected


def move_on(book: Book, plan: Plan) -> None:
    """Before an order that closes the plan is made."""
    live = book.orders_of(plan.plan_id)
    is_spent = plan.has_group_filled or plan.has_group_refused
    if is_spent and all(order.order.oca_group != plan.oca_group for order in live):
        plan.leave_group()


def is_over(book: Book, refusal: OrderRejected) -> bool:
    """Whether the group explains the refusal: nothing can have filled in one whose first order this was."""
    working = book.orders.get(refusal.ref)
    return (
        working is not None and refusal.is_group_filled and not book.plans[working.plan].is_first_of_group(refusal.ref)
    )
