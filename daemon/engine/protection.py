"""Filled exposure has a resting stop at the broker, right side, not larger than the position.

Called after every event that can change an order or a position. A stop that vanished may be the other half of an OCA
fill whose execution is still under way, so a missing stop is put back after a short grace (`protect_after_s`), a
refused one at once; after REFUSALS_MAX refusals the position is closed instead.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from daemon.engine import planning
from daemon.engine.book import PROTECTIVE, Book
from daemon.engine.desk import Desk
from daemon.engine.order_life import Happening
from daemon.engine.plan import Plan
from daemon.engine.settings import EngineSettings
from shared.commands import CancelOrder, Command, Flatten, Notify, ReplaceStop, SetTimer
from shared.ids import leg_ref
from shared.orders import Leg, OrderStatus, WorkingOrder

REFUSALS_MAX = 3
PROTECT_TIMER = "protect"


class Protector:
    """Looks after every open plan; holds no state of its own."""

    def __init__(self, book: Book, settings: EngineSettings, desks: dict[str, Desk]) -> None:
        self._book = book
        self._settings = settings
        self._desks = desks

    def look_after(self, now: datetime, *, grace_is_over: bool = False, tidy: bool = False) -> list[Command]:
        """What must be done now so that every open share is protected; nothing while the broker cannot be reached.

        `tidy` (once per row) also shrinks and removes legs that are larger than the position: the broker's OCA group
        does the same by itself, and its word is only a moment away.
        """
        if not (self._book.is_connected and self._book.is_reconciled):
            return []
        commands: list[Command] = []
        for plan in list(self._book.plans.values()):
            if plan.open_quantity > 0:
                commands += self._cover(plan, now, grace_is_over=grace_is_over)
                commands += self._shrink(plan) if tidy else []
            elif plan.open_quantity < 0:
                commands += self._give_back(plan, now)
            elif tidy:
                commands += self._clear(plan)
        return commands

    def _cover(self, plan: Plan, now: datetime, *, grace_is_over: bool) -> list[Command]:
        missing = self._book.believable(plan) - self._book.protected_quantity(plan)
        if missing <= 0:
            plan.unprotected_since = None
            return []
        if plan.unprotected_since is None:
            plan.unprotected_since = now
            if not plan.refused_protections:
                grace = self._settings.protect_after_s
                return [SetTimer(timer_id=PROTECT_TIMER, after_s=grace, clock="wall", reasons=(plan.plan_id,))]
        waited = (now - plan.unprotected_since).total_seconds() >= self._settings.protect_after_s
        if not (grace_is_over or waited or plan.refused_protections):
            return []
        return self._protect(plan, missing, now)

    def _protect(self, plan: Plan, missing: int, now: datetime) -> list[Command]:
        if plan.stop_price is None:
            self._find_stop_price(plan)
        if plan.stop_price is None or self._is_through(plan) or plan.refused_protections >= REFUSALS_MAX:
            return self._close(plan, now)
        ref = leg_ref(plan.plan_id, Leg.PROTECTION, plan.next_number(Leg.PROTECTION))
        order = planning.stop_order(plan, ref, missing)
        self._book.enter_order(order, now)
        text = f"{plan.plan_id}: {missing} shares of {plan.symbol} had no stop, placed one at {plan.stop_price}"
        return [
            ReplaceStop(order=order, reasons=(f"{missing} of {plan.open_quantity} shares without a stop",)),
            Notify(level="warning", code="reprotected", text=text),
        ]

    def _find_stop_price(self, plan: Plan) -> None:
        """A plan rebuilt from the broker's word alone gets the stop its strategy would set at the average price."""
        desk = self._desks.get(plan.strategy)
        if desk is None or plan.symbol not in desk.symbols:
            return
        prices = desk.exit_prices(plan.symbol, plan.side, plan.average_price)
        plan.stop_price = prices[0] if prices else None

    def _is_through(self, plan: Plan) -> bool:
        desk = self._desks.get(plan.strategy)
        if desk is None or plan.stop_price is None:
            return False
        price = self._book.prices.good_price(desk.column(plan.symbol))
        return price is not None and plan.side.sign * (price - plan.stop_price) <= 0

    def _close(self, plan: Plan, now: datetime) -> list[Command]:
        quantity = self._book.believable(plan) - self._book.exits_working(plan)
        if quantity <= 0:
            return []
        order = planning.exit_order(plan, quantity)
        self._book.enter_order(order, now)
        text = f"{plan.plan_id}: {quantity} shares of {plan.symbol} cannot be protected, closing them"
        return [
            Flatten(order=order, reasons=("no protective stop possible",)),
            Notify(level="critical", code="unprotectable", text=text),
        ]

    def _shrink(self, plan: Plan) -> list[Command]:
        """Once the entry is over, no protective leg may be larger than the position."""
        if self._book.entry_of(plan) is not None or self._book.exits_working(plan):
            return []
        commands: list[Command] = []
        for working in list(self._book.orders_of(plan.plan_id)):
            is_stop, is_target = working.leg in PROTECTIVE, working.leg is Leg.TAKE_PROFIT
            if (is_stop or is_target) and working.status is OrderStatus.WORKING:
                commands += self._resize(plan, working)
        return commands

    def _resize(self, plan: Plan, working: WorkingOrder) -> list[Command]:
        if working.remaining <= plan.open_quantity:
            return []
        working.order = replace(working.order, quantity=working.filled + plan.open_quantity)
        reason = f"{plan.open_quantity} shares are open, the leg covered more"
        return [ReplaceStop(order=working.order, reasons=(reason,))]

    def _give_back(self, plan: Plan, now: datetime) -> list[Command]:
        if plan.opened == 0 or self._book.entry_of(plan) is not None or self._book.exits_working(plan):
            return []  # the entry's executions are still to come, or the shares are on their way back
        order = planning.overfill_order(plan)
        self._book.enter_order(order, now)
        text = f"{plan.plan_id}: exits filled {order.quantity} shares of {plan.symbol} too many, giving them back"
        return [
            Flatten(order=order, reasons=("exits overfilled the position",)),
            Notify(level="critical", code="overfilled", text=text),
        ]

    def _clear(self, plan: Plan) -> list[Command]:
        """A plan whose entry has filled (or was busted afterwards) and that is flat needs no legs any more."""
        entry_ref = leg_ref(plan.plan_id, Leg.ENTRY)
        has_filled = plan.opened > 0 or self._book.closed_orders.get(entry_ref) is OrderStatus.FILLED
        if not has_filled or self._book.entry_of(plan) is not None:
            return []
        commands: list[Command] = []
        for working in list(self._book.orders_of(plan.plan_id)):
            if working.status is OrderStatus.WORKING:
                self._book.move(working.order.ref, Happening.CANCEL_ASKED)
                commands.append(CancelOrder(ref=working.order.ref, reasons=("the plan is flat",)))
        return commands
