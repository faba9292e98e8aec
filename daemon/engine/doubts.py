"""How long shares may go without a stop that somebody confirms: the timers of that, and what a person is told.

A wait begins with `unprotected_since` of its plan and has a timer from then on, since the stamps of events are slow
while the clock makes up for a step back. It runs on while the broker cannot be reached: nothing is sent then, told it
is all the same.
"""

from __future__ import annotations

from datetime import datetime

from daemon.engine.book import Book
from daemon.engine.legs import Legs
from daemon.engine.plan import Plan
from daemon.engine.settings import EngineSettings
from shared.commands import AskBroker, Command, Notify, SetTimer
from shared.orders import Leg, OrderStatus

PROTECT_TIMER = "protect:"
AT_LAST = "last:"
"""Between the timer's name and its plan: an explanation is not waited for any longer."""
IN_DOUBT = "doubt:"
"""Between the timer's name and its plan: nobody has confirmed a whole stop in time."""


class Doubts:
    """Waits for the word of stops and exits; holds no state of its own.

    `grace_over_of` is what follows PROTECT_TIMER in the name of the timer that has fired, empty if none has.
    """

    def __init__(self, book: Book, settings: EngineSettings) -> None:
        self._book = book
        self._settings = settings

    # --- waiting ------------------------------------------------------------------------------------------------

    def begin_grace(self, plan: Plan, now: datetime) -> SetTimer:
        plan.unprotected_since = now
        grace = self._settings.protect_after_s
        return SetTimer(timer_id=PROTECT_TIMER + plan.plan_id, after_s=grace, clock="wall")

    def last_timer(self, plan: Plan, waited_s: float, *, of: str = AT_LAST) -> SetTimer:
        left_s = max(self._settings.protect_at_last_s - waited_s, 0.0)
        return SetTimer(timer_id=PROTECT_TIMER + of + plan.plan_id, after_s=left_s, clock="wall")

    @staticmethod
    def waited_s(plan: Plan, now: datetime) -> float:
        """Since the grace has begun."""
        return 0.0 if plan.unprotected_since is None else (now - plan.unprotected_since).total_seconds()

    # --- telling ------------------------------------------------------------------------------------------------

    def watch_exit(self, plan: Plan, now: datetime, *, grace_over_of: str) -> list[Command]:
        """Behind shares that cannot have a stop there is their exit alone: nobody confirms it, a person is told."""
        exits = [order for order in self._book.orders_of(plan.plan_id) if order.leg is Leg.EXIT]
        doubtful = [order for order in exits if order.status in (OrderStatus.PENDING, OrderStatus.UNKNOWN)]
        if not doubtful or plan.unprotected_since is None:
            return []
        working = doubtful[-1]
        if plan.unprotected_since < working.sent_at or grace_over_of == plan.plan_id:
            plan.unprotected_since, plan.is_doubt_told = max(plan.unprotected_since, working.sent_at), False
            return [self.last_timer(plan, self.waited_s(plan, now))]
        is_over = self.waited_s(plan, now) >= self._settings.protect_at_last_s
        if plan.is_doubt_told or not (is_over or grace_over_of == AT_LAST + plan.plan_id):
            return []
        plan.is_doubt_told = True
        text = f"{working.order.ref}: nobody confirms it, {plan.open_quantity} shares of {plan.symbol} have no stop"
        return [Notify(level="critical", code="stop_unconfirmed", text=text), AskBroker(reasons=(text,))]

    def watch_stop(self, plan: Plan, legs: Legs, now: datetime, *, grace_over_of: str) -> list[Command]:
        """A stop of unknown fate counts, so that none is doubled; shares that the broker denies get none.

        But not in silence for longer than is allowed.
        """
        doubt = self._doubt(plan, legs)
        if not doubt:
            plan.unprotected_since, plan.is_doubt_told = None, False
            return []
        if plan.unprotected_since is None:
            plan.unprotected_since = now
            return [self.last_timer(plan, 0.0, of=IN_DOUBT)]
        has_fired = self._is_last_of(plan, grace_over_of)
        is_over = has_fired or self.waited_s(plan, now) >= self._settings.protect_at_last_s
        if plan.is_doubt_told:
            return []
        if not is_over:  # the grace of a missing stop may have begun before the doubt
            has_had_grace, grace_s = grace_over_of == plan.plan_id, self._settings.protect_after_s
            return [self.last_timer(plan, grace_s, of=IN_DOUBT)] if has_had_grace else []
        plan.is_doubt_told = True
        return [Notify(level="critical", code="stop_unconfirmed", text=f"{plan.plan_id}: {doubt}")]

    def watch_unreached(self, plan: Plan, now: datetime, *, grace_over_of: str) -> list[Command]:
        """While nothing can be done: the line is down, or the broker has not said on it what it holds."""
        if plan.open_quantity <= 0:
            return []
        bare = self._book.protectable(plan) - self._book.confirmed_quantity(plan)
        if bare <= 0:
            plan.unprotected_since, plan.is_doubt_told = None, False
            return []
        if plan.unprotected_since is None:
            return [self.begin_grace(plan, now)]
        if grace_over_of == plan.plan_id:
            return [self.last_timer(plan, self._settings.protect_after_s)]
        if plan.is_doubt_told or not self._is_last_of(plan, grace_over_of):
            return []
        plan.is_doubt_told = True
        why = "does not say what it holds" if self._book.is_connected else "cannot be reached"
        text = f"{plan.plan_id}: nobody confirms a stop of {bare} shares of {plan.symbol}, and the broker {why}"
        return [Notify(level="critical", code="stop_unconfirmed", text=text)]

    def _is_last_of(self, plan: Plan, grace_over_of: str) -> bool:
        return grace_over_of in (IN_DOUBT + plan.plan_id, AT_LAST + plan.plan_id)

    def _doubt(self, plan: Plan, legs: Legs) -> str:
        open_quantity = plan.open_quantity
        if legs.doubtful:
            return f"nobody confirms the stop of {open_quantity} shares of {plan.symbol}"
        if legs.given_up:
            return f"of {open_quantity} shares of {plan.symbol} {legs.stops} have a stop, TWS holds back that of others"
        if legs.stops + legs.exits >= open_quantity or self._book.has_split(plan.symbol):
            return ""  # a split's own alarm says so, and what a person may do
        return f"{open_quantity} shares of {plan.symbol} have no whole stop, and the account holds no more of them"
