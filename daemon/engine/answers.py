"""What was asked of the broker and has no answer yet: a timer for each, doubt when it runs out, cancels asked again.

Silence is never a rejection. An order without an answer becomes *unknown* and the broker is asked; a cancel without an
answer is asked again, further and further apart, and a person is told (TWS.md 4.28, 4.32, RELIABILITY.md F7).
"""

from __future__ import annotations

from msgspec.structs import replace

from daemon.engine.book import PROTECTIVE, Book
from daemon.engine.order_life import Happening
from daemon.engine.settings import EngineSettings
from shared.commands import AskBroker, CancelOrder, Command, Notify, SetTimer
from shared.orders import BracketOrder, Leg, Order, OrderStatus, WorkingOrder

ACKNOWLEDGE_TIMER = "acknowledge:"
CANCEL_TIMER = "cancel:"
CANCELS_BEFORE_ALARM = 3
CANCEL_RETRY_S_MAX = 60.0
_CANCELLABLE = (OrderStatus.PENDING, OrderStatus.WORKING)


class Answers:
    """Waits for the broker's answers; what has been asked stands in the book."""

    def __init__(self, book: Book, settings: EngineSettings) -> None:
        self._book = book
        self._settings = settings

    # --- orders -------------------------------------------------------------------------------------------------

    def await_order(self, order: Order) -> SetTimer:
        """A protective stop must be confirmed sooner: there has to be time left to put another one."""
        is_stop = self._book.ref_of(order.ref).leg in PROTECTIVE
        after_s = self._settings.stop_acknowledge_within_s if is_stop else self._settings.acknowledge_within_s
        return SetTimer(timer_id=ACKNOWLEDGE_TIMER + order.ref, after_s=after_s, clock="wall")

    def await_bracket(self, bracket: BracketOrder) -> list[Command]:
        """The entry's timer is also the target's: they left together."""
        return [self.await_order(bracket.stop_loss), self.await_order(bracket.entry)]

    def await_change(self, working: WorkingOrder) -> SetTimer:
        """A change has no state of its own: the order works under its old terms until the broker shows the new."""
        changes = self._book.plans[working.plan].unconfirmed_changes
        if working.order.ref not in changes:
            changes.append(working.order.ref)
        return self.await_order(working.order)

    def on_accepted(self, working: WorkingOrder, shown: int | None = None) -> None:
        """The broker has shown the order, perhaps of how many shares: only what rests there counts.

        A change of it is confirmed, but by other shares than ours: those were told before the change came there.
        """
        plan = self._book.plans[working.plan]
        if shown is not None and shown != working.order.quantity and working.leg is not Leg.ENTRY:
            working.order = replace(working.order, quantity=shown)
            self._book.touch(plan)
        elif working.order.ref in plan.unconfirmed_changes:
            plan.unconfirmed_changes.remove(working.order.ref)

    def note_refused_change(self, ref: str) -> None:
        """The broker has answered a change with something else than the order: it may refuse it for ever."""
        working = self._book.orders.get(ref)
        if working is not None and ref in self._book.plans[working.plan].unconfirmed_changes:
            self.on_accepted(working)
            self._book.plans[working.plan].refused_changes.append(ref)

    def on_silence(self, ref: str) -> list[Command]:
        """No answer in time: the leg is in doubt, and with an entry every leg that left with it."""
        working = self._book.orders.get(ref)
        parts = self._book.ref_of(ref)
        waiting = [order for order in self._book.orders_of(parts.plan_id) if order.status is OrderStatus.PENDING]
        if parts.leg is not Leg.ENTRY:
            waiting = [order for order in waiting if order.order.ref == ref]
        commands: list[Command] = []
        for order in waiting:
            self._book.move(order.order.ref, Happening.SILENCE)
            commands += self.doubt(order.order.ref, "no answer in time")[:1]
        if waiting:
            return [*commands, AskBroker(reasons=(f"{parts.plan_id}: no answer in time",))]
        if working is not None and ref in self._book.plans[working.plan].unconfirmed_changes:
            self.on_accepted(working)
            return [AskBroker(reasons=(f"{ref}: was its change taken?",))]
        return []

    def doubt(self, ref: str, reason: str) -> list[Command]:
        """Say that an order's fate is not known, and ask."""
        text = f"{ref}: state unknown ({reason}), counted as live, asking the broker"
        return [Notify(level="warning", code="order_unknown", text=text), AskBroker(reasons=(text,))]

    def doubt_what_is_in_flight(self) -> None:
        """What was asked of a line that is dead, or of a process that is gone, may or may not have left."""
        for ref, working in list(self._book.orders.items()):
            if working.status in (OrderStatus.PENDING, OrderStatus.CANCELLING):
                self._book.move(ref, Happening.SILENCE)
        for plan in self._book.plans.values():
            plan.cancels_awaited.clear()  # their timers say nothing of the new line
            self._book.touch(plan)

    # --- cancels ------------------------------------------------------------------------------------------------

    def cancel(self, working: WorkingOrder, reason: str) -> list[Command]:
        """Ask for the cancel of an order that can still be cancelled; one that was asked for is its timer's to repeat.

        Whoever wants it gone looks at it with every row and report: without the pause a broker that answers "cannot be
        cancelled, state: PendingCancel" (10148) would be asked as often as it answers.
        """
        plan, ref = self._book.plans[working.plan], working.order.ref
        if working.status not in _CANCELLABLE or ref in plan.cancels_awaited:
            return []
        plan.cancels_awaited.append(ref)
        self._book.move(ref, Happening.CANCEL_ASKED)
        asked = plan.cancels_asked
        asked[ref] = asked.get(ref, 0) + 1
        after_s = min(self._settings.acknowledge_within_s * 2 ** (asked[ref] - 1), CANCEL_RETRY_S_MAX)
        timer = SetTimer(timer_id=CANCEL_TIMER + ref, after_s=after_s, clock="wall")
        return [CancelOrder(ref=ref, reasons=(reason,)), timer]

    def on_cancel_silence(self, ref: str) -> list[Command]:
        """Neither cancelled nor filled in time: ask what it is, ask for the cancel again, and in the end a person."""
        working = self._book.orders.get(ref)
        if working is None or not self._book.is_connected:  # after a reconnect everything is asked anew
            return []
        plan = self._book.plans[working.plan]
        plan.take_off_awaited(ref)
        self._book.touch(plan)
        asked = plan.cancels_asked.get(ref, 0)
        commands: list[Command] = [AskBroker(reasons=(f"{ref}: its cancel has no answer",))]
        if asked >= CANCELS_BEFORE_ALARM:
            text = f"{ref}: its cancel was asked for {asked} times and never answered, it may still fill"
            commands.append(Notify(level="critical", code="cancel_unanswered", text=text))
        if working.status is OrderStatus.CANCELLING:
            working.status = OrderStatus.WORKING  # for all that is known it still works
        again = self.cancel(working, "its cancel has no answer")
        return commands + (again or [SetTimer(timer_id=CANCEL_TIMER + ref, after_s=CANCEL_RETRY_S_MAX, clock="wall")])
