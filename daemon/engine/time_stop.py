"""Plans that have been open for too long are closed: exits.max_holding_s, in seconds of the market's clock.

Told on every row and by a timer; only while the session runs, so that no market order waits for the next open.
"""

from __future__ import annotations

from datetime import datetime

from daemon.engine.book import Book
from daemon.engine.desk import Desk
from daemon.engine.plan import Plan
from shared.commands import Command, SetTimer

TIME_STOP_TIMER = "time_stop:"
REASON = "time stop"


class TimeStops:
    """Reads ages from the book; holds no state of its own."""

    def __init__(self, book: Book, desks: dict[str, Desk]) -> None:
        self._book = book
        self._desks = desks
        self.has_any = any(desk.max_holding_s for desk in desks.values())

    def timer(self, plan: Plan, now: datetime) -> list[Command]:
        """The timer of an open plan whose strategy has a time stop; set anew after a restart."""
        limit_s = self._limit_s(plan)
        if not limit_s or plan.opened_at is None or plan.open_quantity <= 0:
            return []
        left_s = max(limit_s - self._held_s(plan.opened_at, now), 0.0)
        return [SetTimer(timer_id=TIME_STOP_TIMER + plan.plan_id, after_s=left_s, clock="market")]

    def timers(self, now: datetime) -> list[Command]:
        return [command for plan in self._book.plans.values() for command in self.timer(plan, now)]

    def overdue(self, now: datetime) -> list[Plan]:
        """Open plans whose time is up, oldest first."""
        if not self.has_any:
            return []
        return [plan for plan in self._book.plans.values() if self._is_overdue(plan, now)]

    def _is_overdue(self, plan: Plan, now: datetime) -> bool:
        limit_s = self._limit_s(plan)
        if not limit_s or plan.opened_at is None or plan.open_quantity <= 0:
            return False
        return self._held_s(plan.opened_at, now) >= limit_s

    def _held_s(self, opened_at: datetime, now: datetime) -> float:
        return (self._book.in_broker_time(now) - opened_at).total_seconds()

    def _limit_s(self, plan: Plan) -> int:
        desk = self._desks.get(plan.strategy)
        return desk.max_holding_s if desk else 0

    def take_from_targets(self, now: datetime) -> None:
        """What an overdue plan holds is no longer wanted; the rest of the strategy's holding stays as it is."""
        overdue = self.overdue(now)
        for strategy, symbol in dict.fromkeys((plan.strategy, plan.symbol) for plan in overdue):
            mine = [plan for plan in overdue if (plan.strategy, plan.symbol) == (strategy, symbol)]
            kept = self._book.holding(strategy, symbol) - sum(plan.signed_quantity for plan in mine)
            wanted = self._book.target(strategy, symbol)
            if wanted * mine[0].side.sign > 0 and abs(wanted) > abs(kept):  # a turned view closes it anyway
                self._book.set_target(strategy, symbol, kept, REASON)
