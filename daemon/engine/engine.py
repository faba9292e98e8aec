"""The engine: one event in, a list of commands out. The match statement is the table of contents of the system."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, assert_never

from daemon.engine import snapshot
from daemon.engine.book import PROTECTIVE, Book, Hours
from daemon.engine.desk import Desk
from daemon.engine.operator import Operator
from daemon.engine.order_life import Happening
from daemon.engine.protection import PROTECT_TIMER, Protector
from daemon.engine.settings import EngineSettings
from daemon.engine.trader import ACKNOWLEDGE_TIMER, ENTRY_TIMER, Trader
from daemon.engine.truth import ASK_TIMER, Truth
from shared.commands import AskBroker, Command, Notify, SetTimer
from shared.errors import DataError
from shared.events import (
    AccountReported,
    BarsClosed,
    BrokerReported,
    CommissionReported,
    ConnectionLost,
    ConnectionRestored,
    DataQualityReported,
    Event,
    FillCorrected,
    OperatorCommanded,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
    RunStarted,
    SessionScheduled,
    StopRequested,
    TimerFired,
    TradingHalted,
)
from shared.market import Universe
from shared.orders import Fill, Leg, OrderStatus

FLATTEN_TIMER = "flatten"


class Engine:
    """Pure and deterministic: the same events give the same commands. `book` may be read, never written, outside."""

    def __init__(self, *, settings: EngineSettings, universe: Universe, desks: Sequence[Desk]) -> None:
        self._settings = settings
        self._universe = universe
        self._desks = {desk.name: desk for desk in desks}
        self._take(Book.empty(universe))

    def _take(self, book: Book) -> None:
        self.book = book
        self._trader = Trader(book, self._settings, self._universe, self._desks)
        self._protector = Protector(book, self._settings, self._desks)
        self._truth = Truth(book, self._universe, self._trader, partial(self._on_fill, recovered=True))
        self._operator = Operator(book, self._trader)

    @property
    def universe(self) -> Universe:
        return self._universe

    def snapshot(self) -> bytes:
        """Everything the engine remembers; `restore` of it gives the same next commands."""
        desks = {name: desk.snapshot() for name, desk in self._desks.items()}
        return snapshot.to_bytes(snapshot.EngineState(symbols=self._universe.symbols, book=self.book, desks=desks))

    def restore(self, data: bytes) -> None:
        """Take over what `snapshot` gave; DataError if it does not fit this engine."""
        state = snapshot.from_bytes(data)
        if state.symbols != self._universe.symbols:
            were, are = ", ".join(state.symbols), ", ".join(self._universe.symbols)
            raise DataError(f"snapshot of the engine: universe is {were}, allowed: {are}")
        for name, desk in self._desks.items():
            if name in state.desks:
                desk.restore(state.desks[name])
        self._take(state.book)

    def handle(self, event: Event) -> list[Command]:
        """What must be done because of `event`, in this order."""
        match event:
            case BarsClosed():
                return self._on_bars(event)
            case OrderAccepted():
                return self._on_accepted(event)
            case OrderFilled() | FillCorrected():
                return self._on_fill(event.fill, event.received_at)
            case CommissionReported():
                self.book.book_commission(event.exec_id, event.commission)
                return []
            case OrderCancelled():
                return self._on_cancelled(event)
            case OrderRejected():
                return self._on_rejected(event)
            case OrderUnknown():
                return self._on_unknown(event)
            case AccountReported():
                self.book.take_account(event.account)
                return []
            case BrokerReported():
                return self._truth.on_report(event) + self._protector.look_after(event.received_at)
            case TradingHalted():
                self.book.market.take_halt(event)
                return []
            case DataQualityReported():
                return self.book.market.take_quality(event)
            case TimerFired():
                return self._on_timer(event)
            case ConnectionLost():
                return self._on_connection_lost(event)
            case ConnectionRestored():
                return self._on_connection_restored(event)
            case SessionScheduled():
                return self._on_session(event)
            case RunStarted():
                return self._on_run_started(event)
            case OperatorCommanded():
                return self._operator.on_command(event)
            case StopRequested():
                return self._on_stop(event)
            case _:
                assert_never(event)

    # --- market -------------------------------------------------------------------------------------------------

    def _on_bars(self, event: BarsClosed) -> list[Command]:
        if self.book.last_row_at is not None and event.closed_at <= self.book.last_row_at:
            return []  # a row is decided on once
        self.book.last_row_at = event.closed_at
        row = self.book.prices.update(event.row, event.closed_at, self._settings.limits.price_jump_pct_max)
        for desk in self._desks.values():
            self._trader.take_signals(desk, desk.on_row(row, event.closed_at), warm_up=event.warm_up)
        if event.warm_up:
            return []
        now = event.received_at
        commands = self._trader.reduce(now)
        commands += self._protector.look_after(now, tidy=True)
        commands += self._trader.enter(now)
        self.book.retire_plans()
        return commands

    def _on_session(self, event: SessionScheduled) -> list[Command]:
        before, self.book.hours = (
            self.book.hours,
            Hours(session=event.session, opens_at=event.opens_at, closes_at=event.closes_at),
        )
        if before is None or before.session != event.session:
            self.book.forget_before(event.session)
            self.book.day_start_equity = self.book.equity
        lead_s = self._settings.flatten_before_close_s
        wait = event.closes_at - timedelta(seconds=lead_s) - event.received_at
        if lead_s <= 0 or self._settings.is_daily or wait < timedelta(0):
            return []
        return [SetTimer(timer_id=FLATTEN_TIMER, after_s=wait.total_seconds(), clock="market")]

    # --- orders -------------------------------------------------------------------------------------------------

    def _on_accepted(self, event: OrderAccepted) -> list[Command]:
        working = self.book.move(event.ref, Happening.ACCEPTED)
        if working is not None:
            working.perm_id = event.perm_id or working.perm_id
            working.missing_reports = 0
        return []

    def _on_fill(self, fill: Fill, now: datetime, *, recovered: bool = False) -> list[Command]:
        plan = self.book.book_fill(fill)
        if plan is None:
            return []
        leg = self.book.ref_of(fill.ref).leg
        if leg in (*PROTECTIVE, Leg.TAKE_PROFIT):
            self._trader.settle_for_holding(plan, f"{leg.name.lower()} filled")
        text = f"{fill.ref}: {fill.side} {fill.quantity} {fill.symbol} at {fill.price}"
        code = "fill_recovered" if recovered else "filled"
        return [Notify(level="info", code=code, text=text), *self._protector.look_after(now)]

    def _on_cancelled(self, event: OrderCancelled) -> list[Command]:
        asked = self._status_of(event.ref) is OrderStatus.CANCELLING
        working = self.book.move(event.ref, Happening.CANCELLED)
        if working is None:
            return []
        commands: list[Command] = []
        if working.leg is Leg.ENTRY:
            self._trader.settle_for_holding(self.book.plans[working.plan], "the entry was cancelled")
            if not asked:
                text = f"{event.ref}: cancelled by the broker: {event.reason}"
                commands.append(Notify(level="warning", code="entry_cancelled", text=text))
        return commands + self._protector.look_after(event.received_at)

    def _on_rejected(self, event: OrderRejected) -> list[Command]:
        working = self.book.move(event.ref, Happening.REJECTED)
        if working is None:
            return []
        plan = self.book.plans[working.plan]
        text = f"{event.ref}: rejected by the broker, code {event.code}: {event.text}"
        level: Literal["warning", "critical"] = "warning" if working.leg is Leg.ENTRY else "critical"
        commands: list[Command] = [Notify(level=level, code="rejected", text=text)]
        if working.leg is Leg.ENTRY:
            self._trader.settle_for_holding(plan, "the entry was rejected")
        elif working.leg is Leg.EXIT:
            plan.refused_exits += 1
        elif working.leg in PROTECTIVE:
            plan.refused_protections += 1
            entry = self.book.entry_of(plan)
            if entry is not None:
                commands += self._trader.cancel(entry, "its stop loss was rejected")
        return commands + self._protector.look_after(event.received_at)

    def _on_unknown(self, event: OrderUnknown) -> list[Command]:
        if self.book.move(event.ref, Happening.SILENCE) is None:
            return []
        return self._doubt(event.ref, event.reason)

    def _doubt(self, ref: str, reason: str) -> list[Command]:
        text = f"{ref}: state unknown ({reason}), counted as live, asking the broker"
        return [Notify(level="warning", code="order_unknown", text=text), AskBroker(reasons=(text,))]

    def _status_of(self, ref: str) -> OrderStatus | None:
        working = self.book.orders.get(ref)
        return working.status if working else None

    # --- time ---------------------------------------------------------------------------------------------------

    def _on_timer(self, event: TimerFired) -> list[Command]:
        now, timer_id = event.received_at, event.timer_id
        if timer_id == FLATTEN_TIMER:
            return self._trader.reduce(now) + self._protector.look_after(now)
        if timer_id == PROTECT_TIMER:
            return self._protector.look_after(now, grace_is_over=True)
        if timer_id == ASK_TIMER:
            return [AskBroker(reasons=("something is still open",))] if self.book.is_connected else []
        if timer_id.startswith(ENTRY_TIMER):
            return self._on_entry_overdue(timer_id.removeprefix(ENTRY_TIMER))
        if timer_id.startswith(ACKNOWLEDGE_TIMER):
            return self._on_silence(timer_id.removeprefix(ACKNOWLEDGE_TIMER))
        return []

    def _on_entry_overdue(self, ref: str) -> list[Command]:
        working = self.book.orders.get(ref)
        if working is None or not self.book.is_connected:  # the first row after the reconnect cancels it
            return []
        return self._trader.cancel(working, "its time is up")

    def _on_silence(self, ref: str) -> list[Command]:
        """No answer in time to one leg: every leg of its plan that still waits is in doubt."""
        plan_id = self.book.ref_of(ref).plan_id
        waiting = [order for order in self.book.orders_of(plan_id) if order.status is OrderStatus.PENDING]
        commands: list[Command] = []
        for order in waiting:
            self.book.move(order.order.ref, Happening.SILENCE)
            commands += self._doubt(order.order.ref, "no answer in time")[:1]
        return [*commands, AskBroker(reasons=(f"{plan_id}: no answer in time",))] if waiting else []

    # --- connection ---------------------------------------------------------------------------------------------

    def _on_run_started(self, event: RunStarted) -> list[Command]:
        self.book.is_connected = self.book.is_reconciled = self.book.is_stopping = False
        self._doubt_what_is_in_flight()
        timers: list[Command] = []
        for working in self.book.orders.values():
            if working.leg is Leg.ENTRY and working.order.limit_price is not None and not self._settings.is_daily:
                left_s = self._settings.entry_timeout_s - (event.received_at - working.sent_at).total_seconds()
                timer_id = ENTRY_TIMER + working.order.ref
                timers.append(SetTimer(timer_id=timer_id, after_s=max(left_s, 0.0), clock="market"))
        return timers

    def _on_connection_restored(self, event: ConnectionRestored) -> list[Command]:
        self.book.is_connected, self.book.is_reconciled = True, False
        self.book.connected_at = event.received_at
        self._doubt_what_is_in_flight()  # what was asked of a dead line went nowhere
        return [AskBroker(reasons=("the connection is back",))]

    def _on_connection_lost(self, event: ConnectionLost) -> list[Command]:
        if not self.book.is_connected:
            return []
        self.book.is_connected = self.book.is_reconciled = False
        self._doubt_what_is_in_flight()
        return [Notify(level="warning", code="connection_lost", text=f"connection lost: {event.reason}")]

    def _doubt_what_is_in_flight(self) -> None:
        for ref, working in list(self.book.orders.items()):
            if working.status in (OrderStatus.PENDING, OrderStatus.CANCELLING):
                self.book.move(ref, Happening.SILENCE)

    # --- people -------------------------------------------------------------------------------------------------

    def _on_stop(self, event: StopRequested) -> list[Command]:
        self.book.is_stopping = True
        commands = self._trader.cancel_entries(f"stopping: {event.reason}")
        return commands + self._protector.look_after(event.received_at)
