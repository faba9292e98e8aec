"""From signals to orders: targets, exits and entries, each through the risk gate."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from daemon.engine import planning
from daemon.engine.book import Book
from daemon.engine.desk import Desk
from daemon.engine.order_life import Happening
from daemon.engine.plan import Plan
from daemon.engine.settings import EngineSettings
from daemon.engine.view import Viewer
from risk.gate import judge
from shared.commands import CancelOrder, Command, Flatten, Notify, PlaceBracket, SetTimer
from shared.market import Universe
from shared.orders import BracketOrder, Leg, Order, OrderIntent, OrderStatus, RiskVerdict, WorkingOrder
from shared.signals import Signal

ACKNOWLEDGE_TIMER = "acknowledge:"
ENTRY_TIMER = "entry:"
_CANCELLABLE = (OrderStatus.PENDING, OrderStatus.WORKING)


class Trader:
    """Turns convictions into commands; its only memory is the book."""

    def __init__(self, book: Book, settings: EngineSettings, universe: Universe, desks: dict[str, Desk]) -> None:
        self._book = book
        self._settings = settings
        self._columns = {symbol: column for column, symbol in enumerate(universe.symbols)}
        self._desks = desks
        self.viewer = Viewer(book, settings, universe)

    # --- targets ------------------------------------------------------------------------------------------------

    def take_signals(self, desk: Desk, signals: Iterable[Signal], *, warm_up: bool) -> None:
        """Note changed convictions and the targets they lead to; the same conviction again changes nothing.

        A warm-up row may end a holding but never opens one: a view to be in the market that was formed in history is
        news to the first live row that repeats it.
        """
        convictions = self._book.convictions.setdefault(desk.name, {})
        for signal in signals:
            if convictions.get(signal.symbol) == signal.conviction:
                continue
            if warm_up:
                self._take_warm_up(convictions, desk.name, signal)
            elif signal.conviction == 0 or self._can_be_sized(signal.symbol):  # else it stays news
                convictions[signal.symbol] = signal.conviction
                quantity = self._quantity_for(desk, signal)
                self._book.set_target(desk.name, signal.symbol, quantity, signal.reason)

    def _can_be_sized(self, symbol: str) -> bool:
        return self._book.equity is not None and not self._book.prices.is_suspect(self._columns[symbol])

    def _take_warm_up(self, convictions: dict[str, float], strategy: str, signal: Signal) -> None:
        held = self._book.holding(strategy, signal.symbol)
        if signal.conviction == 0 or held * signal.conviction < 0:
            convictions[signal.symbol] = 0.0
            self._book.set_target(strategy, signal.symbol, 0, signal.reason)

    def _quantity_for(self, desk: Desk, signal: Signal) -> int:
        if signal.conviction == 0:
            return 0
        price = self._book.prices.price(self._columns[signal.symbol])
        return desk.target(signal.symbol, signal.conviction, self._book.equity, price)

    def settle_for_holding(self, plan: Plan, reason: str) -> None:
        """The signal behind the plan is used up: what is held now is what should be held.

        What exits have sold beyond a position is on its way back and no holding that anybody wants.
        """
        plans = planning.plans_of(self._book, plan.strategy, plan.symbol)
        held = sum(each.side.sign * max(each.open_quantity, 0) for each in plans)
        self._book.set_target(plan.strategy, plan.symbol, held, reason)

    # --- what a row leads to ------------------------------------------------------------------------------------

    def reduce(self, now: datetime) -> list[Command]:
        """Cancels and exits: everything that lowers exposure."""
        if not self._book.is_connected:
            return []
        if self._is_closing_time(now):
            self._aim_flat("the session ends")
        commands = self._cancel_stale_entries(now)
        for strategy, symbol in self._held():
            for plan, quantity in planning.exit_quantities(self._book, strategy, symbol):
                commands += self._exit(plan, quantity, now)
        return commands

    def enter(self, now: datetime) -> list[Command]:
        """Entries towards the targets, as far as the gate allows."""
        if not self._book.is_connected:
            return []
        commands: list[Command] = []
        for desk in self._desks.values():
            for symbol, target in list(self._book.targets.get(desk.name, {}).items()):
                if target.quantity == 0:
                    continue
                intent = planning.entry_intent(self._book, desk.name, symbol, target.reason)
                if intent is not None:
                    commands += self._enter(desk, intent, now)
        return commands

    def _held(self) -> list[tuple[str, str]]:
        return list(dict.fromkeys((p.strategy, p.symbol) for p in self._book.plans.values() if p.open_quantity > 0))

    def _is_closing_time(self, now: datetime) -> bool:
        hours, before = self._book.hours, self._settings.flatten_before_close_s
        if hours is None or before <= 0 or self._settings.is_daily:
            return False
        return hours.closes_at - timedelta(seconds=before) <= now < hours.closes_at

    def _aim_flat(self, reason: str) -> None:
        for strategy, targets in self._book.targets.items():
            for symbol, target in targets.items():
                if target.quantity:
                    self._book.set_target(strategy, symbol, 0, reason)

    def _cancel_stale_entries(self, now: datetime) -> list[Command]:
        commands: list[Command] = []
        for working in self._live_entries():
            plan = self._book.plans[working.plan]
            target = self._book.target(plan.strategy, plan.symbol)
            if target * plan.side.sign <= 0:
                commands += self.cancel(working, "no longer wanted")
            elif planning.entry_is_overdue(self._settings, working.sent_at, now):
                commands += self.cancel(working, "its time is up")
        return commands

    def _live_entries(self) -> list[WorkingOrder]:
        return [order for order in self._book.orders.values() if order.leg is Leg.ENTRY]

    def cancel(self, working: WorkingOrder, reason: str) -> list[Command]:
        """Ask for the cancel of an order that can still be cancelled."""
        if working.status not in _CANCELLABLE:
            return []
        self._book.move(working.order.ref, Happening.CANCEL_ASKED)
        return [CancelOrder(ref=working.order.ref, reasons=(reason,))]

    def cancel_entries(self, reason: str, scope: str = "account") -> list[Command]:
        """Ask for the cancel of every live entry in the scope."""
        commands: list[Command] = []
        for working in self._live_entries():
            if in_scope(scope, self._book.plans[working.plan]):
                commands += self.cancel(working, reason)
        return commands

    def flatten(self, now: datetime, reason: str, scope: str = "account") -> list[Command]:
        """Close every open plan in the scope, past the trading state (a person said so).

        While the broker cannot be reached the wish is kept and carried out after the next reconciliation.
        """
        if not (self._book.is_connected and self._book.is_reconciled):
            self._book.flatten_wishes[scope] = reason
            return []
        commands = self.cancel_entries(reason, scope)
        for plan in list(self._book.plans.values()):
            if not in_scope(scope, plan):
                continue
            self._book.set_target(plan.strategy, plan.symbol, 0, reason)
            quantity = plan.open_quantity - self._book.exits_working(plan)
            if quantity > 0:
                commands += self._exit(plan, quantity, now, by_operator=True)
        return commands

    def fulfil_wishes(self, now: datetime) -> list[Command]:
        """Flatten what a person wanted flat while nobody answered."""
        if not (self._book.is_connected and self._book.is_reconciled):
            return []
        wishes, self._book.flatten_wishes = self._book.flatten_wishes, {}
        return [command for scope, reason in wishes.items() for command in self.flatten(now, reason, scope)]

    # --- orders -------------------------------------------------------------------------------------------------

    def _exit(self, plan: Plan, quantity: int, now: datetime, *, by_operator: bool = False) -> list[Command]:
        quantity = min(quantity, self._book.believable(plan) - self._book.exits_working(plan))
        if quantity <= 0:
            return []  # the broker denies these shares: selling them would open a position
        reason = self._book.targets.get(plan.strategy, {}).get(plan.symbol)
        why = reason.reason if reason else "no target"
        intent = OrderIntent(
            strategy=plan.strategy,
            symbol=plan.symbol,
            side=plan.side.opposite,
            quantity=quantity,
            reduces=True,
            reason=why,
        )
        price = self._book.prices.price(self._columns[plan.symbol])
        view = self.viewer.of(intent, price, now, plan=plan, by_operator=by_operator)
        verdict = judge(intent, view, self._settings.limits)
        if verdict.approved_quantity == 0:
            return self._note_refusal(intent, verdict)
        order = planning.exit_order(plan, verdict.approved_quantity)
        self._book.enter_order(order, now)
        return [Flatten(order=order, reasons=(why, *_texts(verdict))), self._await_answer(order)]

    def _enter(self, desk: Desk, intent: OrderIntent, now: datetime) -> list[Command]:
        price = self._book.prices.price(self._columns[intent.symbol])
        instrument = desk.instrument(intent.symbol)
        expected = None if price is None else planning.entry_price(self._settings, instrument, intent.side, price)
        verdict = judge(intent, self.viewer.of(intent, expected, now), self._settings.limits)
        if verdict.approved_quantity == 0 or price is None or expected is None:
            return self._note_refusal(intent, verdict)
        plan = planning.new_plan(self._book, desk, intent, price)
        if plan is None:
            self._book.set_target(intent.strategy, intent.symbol, 0, "no valid stop")
            text = f"{intent.strategy} {intent.symbol}: no valid stop loss at {price}, entry denied"
            return [Notify(level="warning", code="entry_denied", text=text)]
        self._book.refusals.pop(f"{intent.strategy}:{intent.symbol}", None)
        limit_price = expected if self._settings.entry == "limit" else None
        bracket = planning.bracket_of(plan, verdict.approved_quantity, limit_price)
        commands = self._place(plan, bracket, now, (intent.reason, *_texts(verdict)))
        if verdict.breaches:
            self._settle_for_approved(intent)
        return commands

    def _settle_for_approved(self, intent: OrderIntent) -> None:
        """What the gate reduced stays reduced: the missing shares are not asked for again row after row."""
        buys, sells = self._book.working_entries(intent.strategy, intent.symbol)
        wanted = self._book.holding(intent.strategy, intent.symbol) + buys - sells
        self._book.set_target(intent.strategy, intent.symbol, wanted, intent.reason)

    def _place(self, plan: Plan, bracket: BracketOrder, now: datetime, reasons: tuple[str, ...]) -> list[Command]:
        self._book.plans[plan.plan_id] = plan
        for order in (bracket.entry, bracket.stop_loss, bracket.take_profit):
            if order is not None:
                self._book.enter_order(order, now)
        commands: list[Command] = [PlaceBracket(bracket=bracket, reasons=reasons), self._await_answer(bracket.entry)]
        if bracket.entry.limit_price is not None and not self._settings.is_daily:
            timer_id, after_s = ENTRY_TIMER + bracket.entry.ref, self._settings.entry_timeout_s
            commands.append(SetTimer(timer_id=timer_id, after_s=after_s, clock="market"))
        return commands

    def _await_answer(self, order: Order) -> SetTimer:
        after_s = self._settings.acknowledge_within_s
        return SetTimer(timer_id=ACKNOWLEDGE_TIMER + order.ref, after_s=after_s, clock="wall")

    def _note_refusal(self, intent: OrderIntent, verdict: RiskVerdict) -> list[Command]:
        """Say it once, and again only when other rules object."""
        key = f"{intent.strategy}:{intent.symbol}"
        rules = ",".join(breach.rule for breach in verdict.breaches)
        if self._book.refusals.get(key) == rules:
            return []
        self._book.refusals[key] = rules
        what = "exit" if intent.reduces else "entry"
        text = f"{intent.strategy} {intent.side} {intent.quantity} {intent.symbol}: {'; '.join(_texts(verdict))}"
        return [Notify(level="info", code=f"{what}_denied", text=text)]


def in_scope(scope: str, plan: Plan) -> bool:
    """Whether 'account', 'strategy:x' or 'instrument:x' covers the plan."""
    return scope in ("account", f"strategy:{plan.strategy}", f"instrument:{plan.symbol}")


def _texts(verdict: RiskVerdict) -> tuple[str, ...]:
    return tuple(breach.text for breach in verdict.breaches)
