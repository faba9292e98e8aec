"""What a report of the broker leads to: fills that were missed, discrepancies, locks, and whether we are reconciled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from daemon.engine import reconcile
from daemon.engine.book import Book
from daemon.engine.trader import Trader
from risk.trading_state import TradingState
from shared.commands import Command, Notify, SetTimer
from shared.events import BrokerReported
from shared.market import Universe
from shared.orders import Fill, Leg, OrderStatus

ASK_TIMER = "ask"
ASK_AGAIN_S = 2.0


class Truth:
    """Compares the book with what the broker says; `on_fill` books an execution that was missed."""

    def __init__(
        self, book: Book, universe: Universe, trader: Trader, on_fill: Callable[[Fill, datetime], list[Command]]
    ) -> None:
        self._book = book
        self._universe = universe
        self._trader = trader
        self._on_fill = on_fill

    def on_report(self, event: BrokerReported) -> list[Command]:
        book, now, was_reconciled = self._book, event.received_at, self._book.is_reconciled
        if event.account is not None:
            book.take_account(event.account)
        commands: list[Command] = []
        for fill in reconcile.missing_fills(book, event, self._universe):
            commands += self._on_fill(fill, now)
        commands += reconcile.notes(book, self._compare(event))
        if book.is_connected and event.is_complete and self._is_of_this_connection(event):
            book.is_reconciled = True
        if book.is_connected and (not event.is_complete or self._has_open_questions()):
            commands.append(SetTimer(timer_id=ASK_TIMER, after_s=ASK_AGAIN_S, clock="wall"))
        if book.is_reconciled and not was_reconciled:
            text = f"reconciled: {len(book.positions())} positions, {len(book.orders)} working orders"
            commands.append(Notify(level="info", code="reconciled", text=text))
        return commands + self._cancel_forbidden_entries() + self._trader.fulfil_wishes(now)

    def _compare(self, event: BrokerReported) -> list[reconcile.Discrepancy]:
        book, entries = self._book, [order for order in self._book.orders.values() if order.leg is Leg.ENTRY]
        found = reconcile.settle_orders(book, event, self._universe)
        for entry in entries:
            if entry.status.is_final:  # it ended unheard; that is no reason to send it again
                self._trader.settle_for_holding(book.plans[entry.plan], "the entry ended at the broker")
        breaks = reconcile.compare_positions(book, event, self._universe)
        doubles = [discrepancy for discrepancy in found if discrepancy.kind == "double_perm_id"]
        at_once = not book.is_reconciled
        found += reconcile.update_locks(book, breaks + doubles, event.received_at, event=event, at_once=at_once)
        return found + reconcile.incompleteness(book, event)

    def _is_of_this_connection(self, event: BrokerReported) -> bool:
        """An answer that was under way when the line broke says nothing of what happened since."""
        return self._book.connected_at is not None and event.asked_at >= self._book.connected_at

    def _has_open_questions(self) -> bool:
        orders = self._book.orders.values()
        return any(order.status is OrderStatus.UNKNOWN or order.missing_reports > 0 for order in orders)

    def _cancel_forbidden_entries(self) -> list[Command]:
        """What a person or a stop wanted cancelled while nobody answered is cancelled now."""
        if not self._book.is_connected:
            return []
        commands: list[Command] = []
        for working in [order for order in self._book.orders.values() if order.leg is Leg.ENTRY]:
            plan = self._book.plans[working.plan]
            state = self._trader.viewer.state_for(plan.strategy, plan.symbol)
            if state is not TradingState.ACTIVE:
                commands += self._trader.cancel(working, f"trading state is {state}")
        return commands
