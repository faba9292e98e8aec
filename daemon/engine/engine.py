"""The engine: one event in, a list of commands out. The match statement is the table of contents of the system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, assert_never

from msgspec.structs import replace

from daemon.engine import oca_groups, snapshot, warm_start
from daemon.engine.answers import ACKNOWLEDGE_TIMER, CANCEL_TIMER
from daemon.engine.beliefs import Hours
from daemon.engine.book import PROTECTIVE, Book
from daemon.engine.closing import CLOSE_TIMER
from daemon.engine.corporate_action import rescale
from daemon.engine.day_plan import PLAN_RULE, differences, plan_in_force, taken_notice, tightened
from daemon.engine.desk import Desk
from daemon.engine.doubts import PROTECT_TIMER
from daemon.engine.entries import ENTRY_TIMER
from daemon.engine.executions import Executions
from daemon.engine.money import MoneyCheck
from daemon.engine.operator import Operator
from daemon.engine.order_life import Happening
from daemon.engine.protection import Protector
from daemon.engine.reconcile import is_sought
from daemon.engine.rest import Resting
from daemon.engine.returns import Returns
from daemon.engine.settings import EngineSettings
from daemon.engine.settlement import SETTLED
from daemon.engine.settler import Settler
from daemon.engine.time_stop import TIME_STOP_TIMER
from daemon.engine.trader import Trader
from daemon.engine.truth import ASK_TIMER, Truth
from daemon.engine.watch import Watch
from risk.trading_state import ACCOUNT, TradingState
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
    DayPlanChecked,
    Event,
    FillCorrected,
    OperatorCommanded,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
    PricesRescaled,
    RunStarted,
    SessionScheduled,
    StopRequested,
    StrategiesWarmed,
    TimerFired,
    TradingHalted,
)
from shared.market import Universe
from shared.orders import Leg, OrderStatus

FLATTEN_TIMER = "flatten"


class Engine:
    """Pure and deterministic: the same events give the same commands. `book` may be read, never written, outside."""

    def __init__(self, *, settings: EngineSettings, universe: Universe, desks: Sequence[Desk]) -> None:
        self._configured = self._settings = settings
        self._universe = universe
        self._desks = {desk.name: desk for desk in desks}
        self._take(Book.empty(universe))

    def _take(self, book: Book) -> None:
        self.book, self._settings = book, self._configured
        if book.day_plan is not None:
            limits = tightened(self._configured.limits, book.day_plan.limits)
            self._settings = replace(self._configured, limits=limits)
        if self._settings.needs_returns and book.returns is None:
            book.returns = Returns.empty(len(self._universe))
        self._trader = Trader(book, self._settings, self._universe, self._desks)
        self._answers = self._trader.answers
        self._protector = Protector(book, self._settings, self._desks, self._answers, self._trader.closer)
        self._executions = Executions(book, self._trader, self._protector)
        self._truth = Truth(
            book=book,
            universe=self._universe,
            trader=self._trader,
            executions=self._executions,
            protector=self._protector,
            settler=Settler(book, self._settings, self._universe, self._trader),
            money=MoneyCheck(book, self._settings, self._universe),
        )
        self._watch = Watch(book, self._settings, self._universe, self._trader)
        self._operator = Operator(book, self._trader, self._watch)
        self.resting = Resting(book, self._settings, self._desks, self._watch)

    @property
    def universe(self) -> Universe:
        return self._universe

    @property
    def desks(self) -> Mapping[str, Desk]:
        return self._desks

    def snapshot(self) -> bytes:
        """Everything the engine remembers; `restore` of it gives the same next commands."""
        desks = {name: desk.snapshot() for name, desk in self._desks.items()}
        return snapshot.to_bytes(snapshot.EngineState(symbols=self._universe.symbols, book=self.book, desks=desks))

    def restore(self, data: bytes) -> None:
        """Take over what `snapshot` gave; DataError if it does not fit this engine."""
        for why in self.restore_what_fits(data).values():
            raise DataError(why)

    def restore_what_fits(self, data: bytes) -> dict[str, str]:
        """As `restore`, but a strategy whose memory is of other code or parameters begins anew; why, by strategy."""
        state = snapshot.of_universe(data, self._universe.symbols)
        misfits = snapshot.remember(state, self._desks)
        self._take(state.book)
        return misfits

    def handle(self, event: Event) -> list[Command]:
        """What must be done because of `event`, in this order."""
        commands = self._decide(event)
        if commands:
            self._watch.note_decided(commands)
        return commands

    def _decide(self, event: Event) -> list[Command]:
        match event:
            case BarsClosed():
                return self._on_bars(event)
            case OrderAccepted():
                return self._on_accepted(event)
            case OrderFilled() | FillCorrected():
                self._watch.note_fill(event.fill)
                return self._executions.on_fill(event.fill, event.received_at)
            case CommissionReported():
                return self._executions.on_commission(event)
            case OrderCancelled():
                return self._on_cancelled(event)
            case OrderRejected():
                return self._on_rejected(event)
            case OrderUnknown():
                return self._on_unknown(event)
            case AccountReported():
                self.book.take_account(event.account, event.received_at)
                return []
            case BrokerReported():
                return self._on_report(event)
            case TradingHalted():
                self.book.market.take_halt(event)
                return []
            case PricesRescaled():
                return rescale(event, self.book, self._universe, self._desks.values())
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
            case DayPlanChecked():
                return self._on_day_plan(event)
            case StrategiesWarmed():
                return warm_start.take(event, self.book, self._desks)
            case StopRequested():
                return self._on_stop(event)
            case _:
                assert_never(event)

    # --- market -------------------------------------------------------------------------------------------------

    def _on_bars(self, event: BarsClosed) -> list[Command]:
        if self.book.last_row_at is not None and event.closed_at <= self.book.last_row_at:
            return []  # a row is decided on once
        self.book.last_row_at = event.closed_at
        self.book.first_row_came_at = self.book.first_row_came_at or event.received_at
        row = self.book.prices.update(event.row, event.closed_at, self._settings.limits.price_jump_pct_max)
        plan = None if event.warm_up else self.book.day_plan
        before = plan.views_before_first_row(self.book.convictions) if plan is not None else None
        for desk in self._desks.values():
            self._trader.take_signals(desk, desk.on_row(row, event.closed_at), warm_up=event.warm_up)
        self._protector.stop_prices.follow(row, event.closed_at)
        if self.book.returns is not None:
            self.book.returns.update(row.close)
        if event.warm_up:
            return []
        now, self.book.quotes = event.received_at, event.quotes
        commands = self._watch.look(now) + self._trader.reduce(now)
        commands += self._protector.look_again(now, tidy=True)
        commands += self._trader.enter(now)
        if plan is not None and before is not None:
            commands += differences(plan, before, self.book.convictions)
        self.book.retire_plans()
        return commands

    def _on_session(self, event: SessionScheduled) -> list[Command]:
        before, self.book.hours = (
            self.book.hours,
            Hours(session=event.session, opens_at=event.opens_at, closes_at=event.closes_at, quiet=event.quiet),
        )
        if before is None or before.session != event.session:
            self.book.forget_before(event.session)
            self.book.ledger.end()
            self.book.pace.begin_session(event.received_at)
            self.book.day_start_equity = self.book.equity
            self._watch.begin_session(f"{event.session:%G-W%V}")
            if self.book.day_plan is not None and self.book.day_plan.session != event.session:
                self.book.day_plan = None
                self._take(self.book)
        return self._wait_for_flatten(event.received_at)

    def _wait_for_flatten(self, now: datetime) -> list[Command]:
        """Nothing, if positions stay overnight or the time has come."""
        lead_s, hours = self._settings.flatten_before_close_s, self.book.hours
        if lead_s <= 0 or self._settings.is_daily or hours is None:
            return []
        wait_s = (hours.closes_at - timedelta(seconds=lead_s) - now).total_seconds()
        return [SetTimer(timer_id=FLATTEN_TIMER, after_s=wait_s, clock="market")] if wait_s > 0 else []

    # --- orders -------------------------------------------------------------------------------------------------

    def _on_accepted(self, event: OrderAccepted) -> list[Command]:
        if is_sought(self.book, self.book.orders.get(event.ref), event.broker_status):
            reason = f"TWS holds it back, {event.broker_status}"
            return self._on_unknown(OrderUnknown(received_at=event.received_at, ref=event.ref, reason=reason))
        working = self.book.move(event.ref, Happening.ACCEPTED)
        if working is None:
            return self._ask_whether_it_lives(event.ref)
        is_twin = bool(event.perm_id) and working.perm_id not in (0, event.perm_id)
        working.perm_id = working.perm_id or event.perm_id
        working.missing_reports = 0
        self._protector.stop_prices.hear(working, event.stop_price)
        self._watch.note_accepted()
        self._answers.on_accepted(working, None if is_twin else event.quantity)
        if not is_twin:
            return []
        return [AskBroker(reasons=(f"{event.ref}: permId {event.perm_id}, was {working.perm_id}; do both live?",))]

    def _on_cancelled(self, event: OrderCancelled) -> list[Command]:
        before = self.book.orders.get(event.ref)
        asked = before is not None and before.status is OrderStatus.CANCELLING
        working = self.book.move(event.ref, Happening.CANCELLED)
        if working is None:
            return []
        commands: list[Command] = []
        if working.leg is Leg.ENTRY:
            self._trader.settle_for_holding(self.book.plans[working.plan], "the entry was cancelled")
            if not asked:
                text = f"{event.ref}: cancelled by the broker: {event.reason}"
                commands.append(Notify(level="warning", code="entry_cancelled", text=text))
        else:
            commands += self._protector.on_leg_over(working, event.received_at, was_asked=asked)
        return commands + self._protector.look_again(event.received_at, tidy=working.leg is Leg.ENTRY)

    def _on_rejected(self, event: OrderRejected) -> list[Command]:
        is_group_over = oca_groups.is_over(self.book, event)
        working = self.book.move(event.ref, Happening.CANCELLED if is_group_over else Happening.REJECTED)
        if working is None:
            return []
        plan = self.book.plans[working.plan]
        text = f"{event.ref}: rejected by the broker, code {event.code}: {event.text}"
        level: Literal["warning", "critical"] = "warning" if working.leg is Leg.ENTRY else "critical"
        self._watch.note_rejected()
        commands: list[Command] = [Notify(level=level, code="rejected", text=text)]
        if working.leg is Leg.ENTRY:
            self._trader.settle_for_holding(plan, "the entry was rejected")
        elif working.leg is not Leg.TAKE_PROFIT:
            commands += self._protector.on_refused(working, event.received_at, is_group_over=is_group_over)
        return commands + self._protector.look_after(event.received_at)

    def _on_unknown(self, event: OrderUnknown) -> list[Command]:
        if self.book.move(event.ref, Happening.SILENCE) is None:
            return self._ask_whether_it_lives(event.ref)
        self._answers.note_refused_change(event.ref)
        return self._answers.doubt(event.ref, event.reason) + self._protector.look_after(event.received_at)

    def _ask_whether_it_lives(self, ref: str) -> list[Command]:
        """News of an order that is over in the book: late for a filled one; another may be lost here alone."""
        is_doubtful = self.book.closed_orders.get(ref) in (OrderStatus.CANCELLED, OrderStatus.REJECTED)
        return [AskBroker(reasons=(f"{ref}: over in the book, does it live?",))] if is_doubtful else []

    def _on_report(self, event: BrokerReported) -> list[Command]:
        legs = [order for order in self.book.orders.values() if order.leg in (*PROTECTIVE, Leg.EXIT)]
        asked = [order.order.ref for order in legs if order.status is OrderStatus.CANCELLING]
        knew_holdings = self.book.knows_holdings
        commands = self._truth.on_report(event)
        commands += self._watch.look(event.received_at)
        self._protector.stop_prices.learn(event.open_orders)
        for order in legs:
            if order.status in (OrderStatus.CANCELLED, OrderStatus.REJECTED):
                was_asked = order.order.ref in asked
                commands += self._protector.on_leg_over(order, event.received_at, was_asked=was_asked)
        commands += self._trader.cancel_older_than_connection()
        has_settled = any(isinstance(command, Notify) and command.code == SETTLED for command in commands)
        is_first = self.book.knows_holdings and not knew_holdings  # on this line: rows have passed without a broker
        cannot_wait = self._protector.cannot_wait_for_a_row(event.received_at)
        tidy = has_settled or is_first or (event.tells_holdings and cannot_wait)
        return commands + self._protector.look_after(event.received_at, tidy=tidy)

    # --- time ---------------------------------------------------------------------------------------------------

    def _on_timer(self, event: TimerFired) -> list[Command]:
        now, timer_id = event.received_at, event.timer_id
        if timer_id == FLATTEN_TIMER:
            too_early = self._wait_for_flatten(now)  # the wall's clock was set back since
            return too_early + self._trader.reduce(now) + self._protector.look_after(now)
        if timer_id.startswith(PROTECT_TIMER):
            return self._protector.look_after(now, grace_over_of=timer_id.removeprefix(PROTECT_TIMER))
        if timer_id == ASK_TIMER:
            return [AskBroker(reasons=("something is still open",))] if self.book.is_connected else []
        if timer_id.startswith(ENTRY_TIMER):
            return self._on_entry_overdue(timer_id.removeprefix(ENTRY_TIMER))
        if timer_id.startswith(ACKNOWLEDGE_TIMER):
            silent = self._answers.on_silence(timer_id.removeprefix(ACKNOWLEDGE_TIMER))
            return silent + self._protector.look_after(now)
        if timer_id.startswith(CANCEL_TIMER):
            return self._answers.on_cancel_silence(timer_id.removeprefix(CANCEL_TIMER))
        if timer_id.startswith(TIME_STOP_TIMER):
            return self._trader.reduce_in_session(now) + self._protector.look_again(now)
        if timer_id.startswith(CLOSE_TIMER):
            retried = self._trader.closer.retry(timer_id.removeprefix(CLOSE_TIMER), now)
            return retried + self._protector.look_after(now)
        return []

    def _on_entry_overdue(self, ref: str) -> list[Command]:
        working = self.book.orders.get(ref)
        if working is None or not self.book.is_connected:  # the first row after the reconnect cancels it
            return []
        return self._trader.cancel(working, "its time is up")

    # --- connection ---------------------------------------------------------------------------------------------

    def _on_run_started(self, event: RunStarted) -> list[Command]:
        self.book.is_stopping = False
        self.book.take_line(is_up=False)
        self.book.ledger.end()
        self._answers.doubt_what_is_in_flight()
        for plan in self.book.plans.values():
            plan.unprotected_since = None  # the timer of its grace died with the process
        timers: list[Command] = []
        for working in self.book.orders.values():
            if working.leg is Leg.ENTRY:
                left_s = self._settings.entry_timeout_s - (event.received_at - working.sent_at).total_seconds()
                timers += self._trader.entries.timer(working.order.ref, left_s)
        timers += self._trader.time_stops.timers(event.received_at) + self._trader.closer.timers(event.received_at)
        return timers + self._protector.look_after(event.received_at)

    def _on_connection_restored(self, event: ConnectionRestored) -> list[Command]:
        """Who has connected asks the broker at once, unbidden: a second question would only follow the first."""
        self.book.take_line(is_up=True)
        self.book.connected_at, self.book.questions = event.received_at, {}
        self._answers.doubt_what_is_in_flight()  # what was asked of a dead line went nowhere
        return []

    def _on_connection_lost(self, event: ConnectionLost) -> list[Command]:
        if not self.book.is_connected:
            return []
        self.book.take_line(is_up=False)
        self._answers.doubt_what_is_in_flight()
        lost = Notify(level="warning", code="connection_lost", text=f"connection lost: {event.reason}")
        return [lost, *self._protector.look_after(event.received_at)]

    # --- the plan of the session --------------------------------------------------------------------------------

    def _on_day_plan(self, event: DayPlanChecked) -> list[Command]:
        if event.fault:
            state = TradingState.REDUCING
            tripped = self.book.breakers.trip(ACCOUNT, PLAN_RULE, state, event.fault, event.received_at)
            return [*tripped, *self._trader.cancel_entries(event.fault)] if tripped else []
        self.book.breakers.end(ACCOUNT, PLAN_RULE)
        self.book.day_plan = plan_in_force(event)
        self._take(self.book)
        return [taken_notice(event, self._configured.limits, self._settings, len(self._universe))]

    # --- people -------------------------------------------------------------------------------------------------

    def _on_stop(self, event: StopRequested) -> list[Command]:
        self.book.is_stopping = True
        commands = self._trader.cancel_entries(f"stopping: {event.reason}")
        return commands + self._protector.look_after(event.received_at)
