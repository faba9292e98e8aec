"""Orders that close what a plan holds: through the gate, or, where no stop is possible, past it.

An exit that fails is told, and goes again after a pause that doubles up to RETRY_S_MAX: never twice within one event,
however often the broker says no.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from daemon.engine import oca_groups, planning
from daemon.engine.answers import Answers
from daemon.engine.book import Book
from daemon.engine.children import send
from daemon.engine.denials import forget_denial, note_denial, texts_of
from daemon.engine.plan import Plan
from daemon.engine.settings import EngineSettings
from daemon.engine.view import Viewer
from risk.gate import judge
from shared.commands import Command, Flatten, Notify, SetTimer
from shared.orders import OrderIntent

CLOSE_TIMER = "close:"
RETRY_S_MAX = 60.0
GO_ON_S = 1.0


class Closer:
    """Sends exits; what failed, and when to try again, stands in the plan."""

    def __init__(self, book: Book, settings: EngineSettings, viewer: Viewer, answers: Answers) -> None:
        self._book = book
        self._settings = settings
        self._viewer = viewer
        self._answers = answers

    def exit(self, plan: Plan, quantity: int, now: datetime) -> list[Command]:
        """Close so many shares as far as the gate allows; a plan that a person wants flat goes past the state."""
        quantity = min(quantity, self._closable(plan))
        if quantity <= 0 or self.is_pausing(plan, now):
            return []
        if plan.symbol in self._book.legs_gone:
            return []  # a split takes the stops before it shows: the next word of what is held lets it go
        if self._book.has_split(plan.symbol) and not plan.flatten_reason:
            return []  # its signals come from prices of two scales, its quantity is a person's to accept
        target = self._book.targets.get(plan.strategy, {}).get(plan.symbol)
        reason = plan.flatten_reason or (target.reason if target else "no target")
        intent = OrderIntent(
            strategy=plan.strategy,
            symbol=plan.symbol,
            side=plan.side.opposite,
            quantity=quantity,
            reduces=True,
            reason=reason,
        )
        view = self._viewer.of_exit(plan, now, by_operator=bool(plan.flatten_reason))
        verdict = judge(intent, view, self._settings.limits)
        if verdict.approved_quantity == 0:
            return note_denial(self._book, intent, verdict)
        forget_denial(self._book, intent)
        return self._send(plan, verdict.approved_quantity, now, (reason, *texts_of(verdict)))

    def close_unprotectable(self, plan: Plan, now: datetime) -> list[Command]:
        """Close what cannot be protected; no limit and no state stands against that, but what it is must be known."""
        quantity = self._closable(plan)
        if quantity <= 0 or self.is_pausing(plan, now):
            return []
        if plan.symbol in self._book.legs_gone:
            return _tell_wait(plan)
        commands = self._send(plan, quantity, now, ("no protective stop possible",))
        text = f"{plan.plan_id}: {quantity} shares of {plan.symbol} cannot be protected, closing them"
        return [*commands, Notify(level="critical", code="unprotectable", text=text)]

    def on_failed(self, plan: Plan, now: datetime) -> list[Command]:
        """An exit was refused, or cancelled by others, while shares are open: again, after a pause."""
        plan.failed_exits += 1
        return self.pause(plan, now)

    def pause(self, plan: Plan, now: datetime) -> list[Command]:
        """No exit of the plan for so long as those that failed make it wait, and then one."""
        wait_s = min(2.0 ** max(plan.failed_exits - 1, 0), RETRY_S_MAX)
        plan.retry_at = now + timedelta(seconds=wait_s)
        return [_pause(plan, wait_s)]

    def timers(self, now: datetime) -> list[Command]:
        """The pauses that a new process finds: their timers died with the one before."""
        waiting = [(plan, plan.retry_at) for plan in self._book.plans.values() if plan.retry_at is not None]
        left = [(plan, (retry_at - now).total_seconds()) for plan, retry_at in waiting]
        return [_pause(plan, min(max(left_s, 0.0), RETRY_S_MAX)) for plan, left_s in left]

    def go_on(self, plan: Plan, now: datetime) -> list[Command]:
        """A cancelled exit is over at last: rows may have ceased. While a pause runs its timer sees to it."""
        if self.is_pausing(plan, now):
            return []
        return [SetTimer(timer_id=CLOSE_TIMER + plan.plan_id, after_s=GO_ON_S, clock="wall")]

    def retry(self, plan_id: str, now: datetime) -> list[Command]:
        """The pause is over: what a person wanted flat, and what strategies do not want any more, goes again."""
        plan = self._book.plans.get(plan_id)
        if plan is None:
            return []
        plan.retry_at = None
        if not (self._book.is_connected and self._book.knows_holdings):
            return []
        if plan.flatten_reason:
            return self.exit(plan, plan.open_quantity, now)
        quantities = planning.exit_quantities(self._book, plan.strategy, plan.symbol)
        wanted = {each.plan_id: quantity for each, quantity in quantities}
        return self.exit(plan, wanted.get(plan_id, 0), now)

    def _closable(self, plan: Plan) -> int:
        """Shares that the broker does not deny and no exit closes yet: more would open a position."""
        return self._book.believable(plan) - self._book.exits_working(plan)

    def is_pausing(self, plan: Plan, now: datetime) -> bool:
        """Whether the last exit failed so shortly ago that the next one waits."""
        return plan.retry_at is not None and now < plan.retry_at

    def _send(self, plan: Plan, quantity: int, now: datetime, reasons: tuple[str, ...]) -> list[Command]:
        oca_groups.move_on(self._book, plan)
        order = planning.exit_order(plan, quantity)
        send(self._book, order, now)
        return [Flatten(order=order, reasons=reasons), self._answers.await_order(order)]


def _pause(plan: Plan, left_s: float) -> SetTimer:
    return SetTimer(timer_id=CLOSE_TIMER + plan.plan_id, after_s=left_s, clock="wall")


def _tell_wait(plan: Plan) -> list[Command]:
    if plan.is_doubt_told:
        return []
    plan.is_doubt_told = True
    text = f"{plan.plan_id}: {plan.open_quantity} shares of {plan.symbol} cannot be protected"
    text += "; closed as soon as the broker has told what is held, by then it may be other shares"
    return [Notify(level="critical", code="unprotectable", text=text)]
