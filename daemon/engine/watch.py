"""Automatic limits: losses, drawdown, losing streaks, refusals, slippage, orders in doubt. What trips stays latched.

Money is judged twice, by the broker's net liquidation and by our own prices and fills, and only after CONFIRMATIONS
samples in a row, each of them told anew: one bad tick or report halts nobody. A figure that is not known trips nothing
and ends no row of samples; the gate refuses entries then.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

import numpy as np
from msgspec import Struct

from daemon.engine.book import PROTECTIVE, Book
from daemon.engine.day_loss import DayLosses, Sum
from daemon.engine.high_water import highest_reached
from daemon.engine.plan import Plan
from daemon.engine.settings import EngineSettings
from daemon.engine.trader import Trader
from risk.breaches import is_known
from risk.trading_state import ACCOUNT, INSTRUMENT, STRATEGY, TradingState
from shared.commands import Command, Flatten, PlaceBracket
from shared.ids import exec_stem, parse_ref
from shared.market import Universe
from shared.orders import Fill, Leg, Order

CONFIRMATIONS = 3
LAST_EQUITIES = 3
_STREAKS = ("max_losses_in_a_row", "max_rejects_in_a_row")


class Reading(Struct, frozen=True, kw_only=True):
    """One figure against its limit; `by` tells two ways of measuring the same rule apart."""

    scope: str
    rule: str
    value: float | None
    limit: float | None
    confirmations: int = CONFIRMATIONS
    by: str = ""


class Watch:
    """Reads the book after rows and reports; trips breakers and pulls the entries they forbid."""

    def __init__(self, book: Book, settings: EngineSettings, universe: Universe, trader: Trader) -> None:
        self._book = book
        self._limits = limits = settings.limits
        self._tells = _is_any((limits.max_day_loss, limits.max_week_loss, limits.max_drawdown_pct))
        self._reckons = _is_any((limits.max_day_loss, limits.max_strategy_day_loss, limits.max_instrument_day_loss))
        self._owns = self._reckons or limits.max_day_slippage is not None
        self._counts_any = _is_any((limits.max_losses_in_a_row, limits.max_rejects_in_a_row, limits.max_unknown_orders))
        self._columns = {symbol: column for column, symbol in enumerate(universe.symbols)}
        self._trader = trader
        self._day_losses = DayLosses(book, self._profit)
        self._seen_epoch, self._seen_retired = -1, 0

    # --- what is noted ------------------------------------------------------------------------------------------

    def begin_session(self, session: str) -> None:
        """A new session: the day is measured from here, and the week from its first session."""
        book, state = self._book, self._book.watch
        state.base = {key: self._profit(plan) or 0.0 for key, plan in book.plans.items()}
        book.index.retired_epoch += 1  # what is over is measured from another base
        state.counted, state.slippage, state.samples = [], 0.0, {}
        state.excused = {key: value for key, value in state.excused.items() if "_day_" not in key}
        state.decided = {ref: price for ref, price in state.decided.items() if ref in book.orders}
        if session != state.week:
            state.week, state.week_start_equity = session, book.equity
            state.excused = {key: value for key, value in state.excused.items() if "/max_week_loss/" not in key}

    def note_decided(self, commands: list[Command]) -> None:
        """Keep the price at which each order was decided, to tell what its fills slipped."""
        for command in commands:
            match command:
                case PlaceBracket(bracket=bracket):
                    self._note_price(bracket.entry)
                case Flatten(order=order):
                    self._note_price(order)
                case _:
                    pass

    def _note_price(self, order: Order) -> None:
        price = self._book.prices.good_price(self._columns[order.symbol])
        if price is not None:
            self._book.watch.decided[order.ref] = price

    def note_fill(self, fill: Fill) -> None:
        """What a new execution cost against the price it was decided on; a stop's is its stop price."""
        ref = parse_ref(fill.ref)
        if ref is None or exec_stem(fill.exec_id) in self._book.fills:
            return
        decided = self._book.watch.decided.get(fill.ref)
        leg = ref.leg
        if leg in PROTECTIVE:
            decided = self._stop_price_then(fill)
        if decided is not None and leg is not Leg.TAKE_PROFIT:
            self._book.watch.slippage += fill.side.sign * (fill.price - decided) * fill.quantity

    def _stop_price_then(self, fill: Fill) -> float | None:
        """In prices of the execution: the plan's is in those of now."""
        stop_price = self._book.plan_for(fill).stop_price
        return None if stop_price is None else stop_price * self._book.shares_for(fill)

    def note_rejected(self) -> None:
        self._book.watch.rejects_in_a_row += 1

    def note_accepted(self) -> None:
        self._book.watch.rejects_in_a_row = 0

    def excuse(self, scope: str) -> None:
        """A person has reset the scope: its streaks begin anew, its losses count from what they are now."""
        state = self._book.watch
        state.losses_in_a_row.pop(scope, None)
        if scope == ACCOUNT:
            state.rejects_in_a_row = 0
        mine = [key for key in state.values if key.startswith(f"{scope}/") and key.split("/")[1] not in _STREAKS]
        state.excused |= {key: max(state.values[key], 0.0) for key in mine}
        state.samples |= dict.fromkeys(mine, 0)

    # --- what follows -------------------------------------------------------------------------------------------

    def look(self, now: datetime) -> list[Command]:
        """Take one sample of everything; the commands of what has tripped by it."""
        is_told = self._take_equity()
        self._count_losses()
        told = self._told() if is_told and self._tells else ()  # the same report seen again confirms nothing
        own, counts = self._own() if self._owns else (), self._counts() if self._counts_any else ()
        readings = [*told, *own, *counts]
        commands: list[Command] = []
        for reading in readings:
            if self._is_broken(reading):
                commands += self._trip(reading, now)
        return commands

    def _is_broken(self, reading: Reading) -> bool:
        if reading.limit is None or not is_known(reading.value):
            return False
        key, state, value = f"{reading.scope}/{reading.rule}/{reading.by}", self._book.watch, float(reading.value)
        state.values[key] = value
        if key in state.excused:  # what has been won back is excused no longer
            state.excused[key] = min(state.excused[key], max(value, 0.0))
        is_over = value - state.excused.get(key, 0.0) >= reading.limit
        state.samples[key] = state.samples.get(key, 0) + 1 if is_over else 0
        return state.samples[key] >= reading.confirmations

    def _trip(self, reading: Reading, now: datetime) -> list[Command]:
        text = f"{reading.rule}: {reading.value:.10g}, at most {reading.limit:.10g}"
        tripped = self._book.breakers.trip(reading.scope, reading.rule, TradingState.REDUCING, text, now)
        return [*tripped, *self._trader.cancel_entries(text, reading.scope)] if tripped else []

    # --- figures ------------------------------------------------------------------------------------------------

    def _told(self) -> Iterator[Reading]:
        """By the broker's net liquidation."""
        book, state, limits = self._book, self._book.watch, self._limits
        fallen = _loss(state.high_water, book.equity)
        drawdown = 100 * fallen / state.high_water if fallen is not None and state.high_water else None
        figures = (
            ("max_day_loss", _loss(book.day_start_equity, book.equity), limits.max_day_loss),
            ("max_week_loss", _loss(state.week_start_equity, book.equity), limits.max_week_loss),
            ("max_drawdown_pct", drawdown, limits.max_drawdown_pct),
        )
        for rule, value, limit in figures:
            yield Reading(scope=ACCOUNT, rule=rule, value=value, limit=limit, by="broker")

    def _own(self) -> Iterator[Reading]:
        """By our own fills and prices; losses that no limit asks for are not reckoned."""
        limits, slipped = self._limits, self._book.watch.slippage
        sums = self._day_losses.sums() if self._reckons else None
        if sums is not None:
            loss = sums.account.loss
            yield Reading(scope=ACCOUNT, rule="max_day_loss", value=loss, limit=limits.max_day_loss, by="own")
        if limits.max_day_slippage is not None:
            yield Reading(scope=ACCOUNT, rule="max_day_slippage", value=slipped, limit=limits.max_day_slippage)
        if sums is not None:
            strategy, instrument = limits.max_strategy_day_loss, limits.max_instrument_day_loss
            yield from _by_owner("max_strategy_day_loss", STRATEGY, sums.strategies, strategy)
            yield from _by_owner("max_instrument_day_loss", INSTRUMENT, sums.instruments, instrument)

    def _counts(self) -> Iterator[Reading]:
        state, limits = self._book.watch, self._limits
        rule, limit = "max_losses_in_a_row", limits.max_losses_in_a_row
        for scope, losses in state.losses_in_a_row.items() if limit is not None else ():
            yield Reading(scope=scope, rule=rule, value=losses, limit=limit, confirmations=1)
        rule, limit = "max_rejects_in_a_row", limits.max_rejects_in_a_row
        if limit is not None:
            yield Reading(scope=ACCOUNT, rule=rule, value=state.rejects_in_a_row, limit=limit, confirmations=1)
        rule, limit = "max_unknown_orders", limits.max_unknown_orders
        if limit is not None:
            unknown = len(self._book.unknown_orders())
            yield Reading(scope=ACCOUNT, rule=rule, value=unknown, limit=limit, confirmations=1)

    def _take_equity(self) -> bool:
        """Tell whether equity was told anew; the high water rises only to what LAST_EQUITIES in a row have reached."""
        book, state = self._book, self._book.watch
        equity = book.equity
        if book.account_at == state.told_at or not is_known(equity):
            return False
        state.told_at = book.account_at
        if state.week_start_equity is None:
            state.week_start_equity = equity
        state.equities = [*state.equities[-LAST_EQUITIES + 1 :], equity]
        if len(state.equities) == LAST_EQUITIES:
            state.high_water = max(state.high_water or 0.0, min(state.equities))
        return True

    def pass_over(self, equity: np.ndarray, at: datetime) -> None:
        """What `_take_equity` would have taken row after row (T,), the last one at `at`; nothing tripped."""
        state = self._book.watch
        if state.week_start_equity is None:
            state.week_start_equity = float(equity[0])
        before = state.equities
        state.told_at = at
        state.equities = [*before, *equity[-LAST_EQUITIES:].tolist()][-LAST_EQUITIES:]
        if len(state.equities) == LAST_EQUITIES:
            reached = highest_reached(np.array(before, dtype=np.float64), equity, LAST_EQUITIES)
            state.high_water = max(state.high_water or 0.0, float(reached))

    def _count_losses(self) -> None:
        book, state = self._book, self._book.watch
        seen = self._seen_retired if self._seen_epoch == book.index.retired_epoch else 0
        self._seen_epoch, self._seen_retired = book.index.retired_epoch, len(book.retired)
        if seen == len(book.retired):
            return
        counted = frozenset(state.counted)
        for key, plan in islice(book.retired.items(), seen, None):
            if key in counted or not plan.opened:
                continue
            state.counted.append(key)
            has_lost = plan.realized_profit - plan.commission < 0
            for scope in (ACCOUNT, f"{STRATEGY}:{plan.strategy}"):
                state.losses_in_a_row[scope] = state.losses_in_a_row.get(scope, 0) + 1 if has_lost else 0

    def _profit(self, plan: Plan) -> float | None:
        """Realised and open, after commission."""
        earned, left = plan.realized_profit - plan.commission, plan.opened - plan.closed
        if left == 0:
            return earned
        column = self._columns.get(plan.symbol)
        price = self._book.worth(plan.symbol, column) if column is not None else None
        return None if price is None else earned + plan.side.sign * left * (price - plan.average_price)


def _by_owner(rule: str, kind: str, sums: dict[str, Sum], limit: float | None) -> Iterator[Reading]:
    if limit is not None:
        for name, kept in sums.items():
            yield Reading(scope=f"{kind}:{name}", rule=rule, value=kept.loss, limit=limit)


def _is_any(limits: tuple[float | None, ...]) -> bool:
    """Whether one of them stands; what no limit asks for is not reckoned."""
    return any(limit is not None for limit in limits)


def _loss(before: float | None, now: float | None) -> float | None:
    return before - now if is_known(before) and is_known(now) else None
