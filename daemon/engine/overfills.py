"""Shares that exits of a plan closed beyond what it held: its entry is pulled if it still works, then they go back."""

from __future__ import annotations

from datetime import datetime

from daemon.engine import planning
from daemon.engine.answers import Answers
from daemon.engine.book import Book
from daemon.engine.children import send
from daemon.engine.closing import Closer
from daemon.engine.plan import Plan
from shared.commands import Command, Flatten, Notify
from shared.orders import Leg, OrderStatus, WorkingOrder


class Overfills:
    """Sends what gives back; holds no state of its own."""

    def __init__(self, book: Book, answers: Answers, closer: Closer) -> None:
        self._book = book
        self._answers = answers
        self._closer = closer

    def owed(self, plan: Plan) -> int:
        """Shares to give back; none while the entry's executions are still to come, or they are on their way back."""
        return 0 if _awaits_entry(plan) or self._given_back_by(plan) else self._book.to_give_back(plan)

    def on_their_way(self, plan: Plan) -> list[WorkingOrder]:
        """What gives shares back; none while the entry's executions are still to come: how many is not known then."""
        return [] if _awaits_entry(plan) else self._given_back_by(plan)

    def pull_entry(self, plan: Plan, entry: WorkingOrder, quantity: int) -> list[Command]:
        """What still fills of the entry would come on top of what is given back, or rests while shares are bare."""
        commands = self._answers.cancel(entry, "the plan is overfilled")
        if not plan.is_doubt_told:
            plan.is_doubt_told = True
            text = f"{plan.plan_id}: exits filled {quantity} shares of {plan.symbol} too many while its entry works"
            commands.append(Notify(level="critical", code="overfilled", text=f"{text}, pulling it"))
        return commands

    def give_back(self, plan: Plan, quantity: int, now: datetime) -> list[Command]:
        """So many shares, and no leg is left that could sell them again."""
        if self._closer.is_pausing(plan, now):
            return []
        plan.unprotected_since, plan.is_doubt_told = None, False
        selling = [order for order in self._book.orders_of(plan.plan_id) if order.status is OrderStatus.WORKING]
        order = planning.overfill_order(plan, quantity)
        send(self._book, order, now)
        text = f"{plan.plan_id}: exits filled {order.quantity} shares of {plan.symbol} too many, giving them back"
        return [
            *(command for leg in selling for command in self._answers.cancel(leg, "the plan is overfilled")),
            Flatten(order=order, reasons=("exits overfilled the position",)),
            self._answers.await_order(order),
            Notify(level="critical", code="overfilled", text=text),
        ]

    def _given_back_by(self, plan: Plan) -> list[WorkingOrder]:
        """Exits that trade as the entry did; one that still closes, or may, gives nothing back."""
        orders = self._book.orders_of(plan.plan_id)
        return [order for order in orders if order.leg is Leg.EXIT and order.order.side is plan.side]


def _awaits_entry(plan: Plan) -> bool:
    """Whether the book has heard of its exits alone: what they closed is still to come."""
    return plan.opened == 0 and not plan.is_busted
