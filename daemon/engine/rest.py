"""Whether the next rows can lead to nothing, and taking in rows that did.

A replay passes over the rows on which nothing can happen. That they lead to nothing is shown here from the book, rule
by rule in the order of `Engine._on_bars`: the engine is *at rest* when every target is what is held, every order is a
confirmed stop or target of the right size, no question is open, no limit has begun to trip, and nothing trails. Then
only four things can still make a row count: a price that touches an order (the broker knows), a changed conviction
(the strategy knows), an instant (`due_at`), and money: how far equity and prices may move before an automatic limit
could be reached. All bounds are on the safe side: a row that is woken for nothing changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import numpy as np
from msgspec import Struct

from daemon.engine.book import PROTECTIVE, Book
from daemon.engine.desk import Desk
from daemon.engine.entries import ENTRY_TIMER
from daemon.engine.plan import Plan
from daemon.engine.settings import EngineSettings
from daemon.engine.time_stop import TIME_STOP_TIMER
from daemon.engine.watch import Watch
from risk.trading_state import ACCOUNT, INSTRUMENT, STRATEGY
from shared.market import BarRow
from shared.orders import Leg, OrderStatus

_DUST = 1e-9  # of a sum of money: what two ways of adding it up may differ by


class Rest(Struct, frozen=True, kw_only=True):
    """How long the engine sleeps at most.

    It must see the first row with equity at or below `floor`, or at or below `keep` of the highest equity so far (from
    `peak` on); or with the prices of all it holds, together, moved by `room` (currency) since the last row; or that
    closes at `due_at` or later.
    """

    floor: float = -math.inf
    peak: float = -math.inf
    keep: float = -math.inf
    room: float = math.inf
    due_at: datetime | None = None


class PassedRows(Struct, frozen=True, kw_only=True, eq=False):
    """Rows that led to nothing: panels (T, n), epoch seconds of their closes (T,), equity at each of them (T,)."""

    rows: BarRow
    closed_s: np.ndarray
    closed_at: datetime
    equity: np.ndarray


class Resting:
    """Reads the book between two events; what it takes in is what these rows would have left there."""

    def __init__(self, book: Book, settings: EngineSettings, desks: Mapping[str, Desk], watch: Watch) -> None:
        self._book = book
        self._settings = settings
        self._desks = desks
        self._watch = watch

    def rest(self) -> Rest | None:
        """Bounds of the sleep, or None: then the next row must be seen."""
        if not (self._has_no_questions() and self._has_what_it_wants() and self._has_counted_all()):
            return None
        room = self._room()
        levels = self._levels()
        if room is None or levels is None:
            return None
        floor, peak, keep = levels
        return Rest(floor=floor, peak=peak, keep=keep, room=room, due_at=min(self._due(), default=None))

    def is_idle(self, timer_id: str) -> bool:
        """Whether the timer asks after an entry or a plan that is over: whenever it fires, it does nothing."""
        if timer_id.startswith(ENTRY_TIMER):
            return timer_id.removeprefix(ENTRY_TIMER) not in self._book.orders
        return timer_id.startswith(TIME_STOP_TIMER) and timer_id.removeprefix(TIME_STOP_TIMER) not in self._book.plans

    def pass_over(self, passed: PassedRows) -> None:
        """Take in rows that lay within the bounds: prices, indicators, returns and the high water follow them."""
        book = self._book
        book.prices.pass_over(passed.rows, passed.closed_s, self._settings.limits.price_jump_pct_max)
        for desk in self._desks.values():
            desk.pass_over(passed.rows)
        if book.returns is not None:
            for close in passed.rows.close:
                book.returns.update(close)
        self._watch.pass_over(passed.equity, passed.closed_at)
        book.last_row_at, book.quotes = passed.closed_at, None

    # --- at rest ------------------------------------------------------------------------------------------------

    def _has_no_questions(self) -> bool:
        book = self._book
        if not (book.is_connected and book.is_reconciled) or book.is_stopping or book.day_plan is not None:
            return False
        if book.locks or book.breaks or book.suspicions or book.accepts or book.foreign_positions:
            return False
        if book.flatten_wishes or book.watch.excused or book.index.entries:
            return False
        for order in book.orders.values():
            if order.status is not OrderStatus.WORKING or order.leg is Leg.EXIT:
                return False
        return True

    def _has_what_it_wants(self) -> bool:
        """Every open share protected as it should be, and every target held exactly: no exit, no entry is due."""
        held: dict[tuple[str, str], int] = {}
        for plan in self._book.plans.values():
            if not self._is_settled(plan):
                return False
            key = (plan.strategy, plan.symbol)
            held[key] = held.get(key, 0) + plan.signed_quantity
        for strategy, targets in self._book.targets.items():
            for symbol, target in targets.items():
                if target.quantity != held.pop((strategy, symbol), 0):
                    return False
        return not any(held.values())

    def _is_settled(self, plan: Plan) -> bool:
        open_quantity = plan.open_quantity
        if open_quantity <= 0 or plan.is_trailing or plan.flatten_reason or plan.retry_at is not None:
            return False
        if plan.unprotected_since is not None or plan.is_past_its_group or plan.has_group_refused:
            return False
        desk = self._desks.get(plan.strategy)
        if desk is None or self._book.prices.is_suspect(desk.column(plan.symbol)):
            return False
        stops = targets = 0
        for order in self._book.orders_of(plan.plan_id):
            if order.leg in PROTECTIVE:
                stops += order.remaining
            else:
                targets += order.remaining
        return stops == open_quantity and targets <= open_quantity

    def _has_counted_all(self) -> bool:
        """Whether no losing streak waits to be counted and no limit has begun to trip."""
        book, state, limits = self._book, self._book.watch, self._settings.limits
        if limits.max_losses_in_a_row is not None and len(state.counted) < sum(
            plan.opened > 0 for plan in book.retired.values()
        ):
            return False
        if limits.max_rejects_in_a_row is not None and state.rejects_in_a_row:
            return False
        slipped = limits.max_day_slippage
        if slipped is not None and state.slippage >= slipped and not self._is_latched(ACCOUNT, "max_day_slippage"):
            return False
        begun = [key.split("/")[:2] for key, count in state.samples.items() if count > 0]
        return not begun or all(self._is_latched(scope, rule) for scope, rule in begun)

    def _is_latched(self, scope: str, rule: str) -> bool:
        return any(latch.rule == rule for latch in self._book.breakers.latched.get(scope, ()))

    # --- bounds -------------------------------------------------------------------------------------------------

    def _levels(self) -> tuple[float, float, float] | None:
        """(floor, peak, keep) of the broker's equity; None while a base is not known."""
        book, state, limits = self._book, self._book.watch, self._settings.limits
        floor, keep = -math.inf, -math.inf
        bases = (
            ("max_day_loss", book.day_start_equity, limits.max_day_loss),
            ("max_week_loss", state.week_start_equity, limits.max_week_loss),
        )
        for rule, base, limit in bases:
            if base is None or not math.isfinite(base):
                return None
            if limit is not None and not self._is_latched(ACCOUNT, rule):
                floor = max(floor, base - limit + _DUST * (abs(base) + limit))
        drawdown = limits.max_drawdown_pct
        if drawdown is not None and not self._is_latched(ACCOUNT, "max_drawdown_pct"):
            keep = 1 - drawdown / 100 + _DUST
        peak = max((state.high_water or -math.inf, *state.equities))
        return floor, peak, keep

    def _room(self) -> float | None:
        """How far what is held may move together before a loss by our own prices could reach its limit."""
        room = math.inf
        for scope, rule, by, limit in self._own_losses():
            if limit is None or self._is_latched(scope, rule):
                continue
            value = self._book.watch.values.get(f"{scope}/{rule}/{by}")
            if value is None:
                return None
            room = min(room, limit - value - _DUST * (abs(limit) + abs(value)))
        return room

    def _own_losses(self) -> Iterator[tuple[str, str, str, float | None]]:
        limits, plans = self._settings.limits, self._book.plans.values()
        if limits.max_day_loss is limits.max_strategy_day_loss is limits.max_instrument_day_loss is None:
            return
        if plans:
            yield ACCOUNT, "max_day_loss", "own", limits.max_day_loss
        for strategy in dict.fromkeys(plan.strategy for plan in plans):
            yield f"{STRATEGY}:{strategy}", "max_strategy_day_loss", "", limits.max_strategy_day_loss
        for symbol in dict.fromkeys(plan.symbol for plan in plans):
            yield f"{INSTRUMENT}:{symbol}", "max_instrument_day_loss", "", limits.max_instrument_day_loss

    def _due(self) -> Iterator[datetime]:
        """Instants at which a plan grows too old, or the session's end asks for flat."""
        now, hours, lead_s = self._book.last_row_at, self._book.hours, self._settings.flatten_before_close_s
        if hours is not None and lead_s > 0:
            yield from self._later(hours.closes_at - timedelta(seconds=lead_s), now)
        for plan in self._book.plans.values():
            desk = self._desks.get(plan.strategy)
            if desk is not None and desk.max_holding_s and plan.opened_at is not None:
                yield from self._later(plan.opened_at + timedelta(seconds=desk.max_holding_s), now)

    @staticmethod
    def _later(at: datetime, now: datetime | None) -> Iterator[datetime]:
        if now is None or at > now:
            yield at
