"""What a report of the broker leads to, in this order: executions, orders, positions, money, and are we reconciled."""

from __future__ import annotations

from datetime import datetime

from daemon.engine import reconcile
from daemon.engine.book import Book
from daemon.engine.discrepancy import Discrepancy, incompleteness, notes
from daemon.engine.executions import Executions
from daemon.engine.money import MoneyCheck
from daemon.engine.position_breaks import compare_positions, explain_legs_gone, update_locks
from daemon.engine.protection import Protector
from daemon.engine.questions import ask_again_after_s
from daemon.engine.settlement import expect_of_others
from daemon.engine.settler import Settler
from daemon.engine.trader import Trader
from risk.trading_state import TradingState
from shared.commands import Command, Notify, SetTimer
from shared.events import BrokerReported
from shared.market import Universe
from shared.orders import Leg, OrderStatus

ASK_TIMER = "ask"
_CANCELLABLE = (OrderStatus.PENDING, OrderStatus.WORKING, OrderStatus.UNKNOWN)


class Truth:
    """Compares the book with what the broker says; its only memory is the book."""

    def __init__(  # noqa: PLR0913 - what it consults, by keyword
        self,
        *,
        book: Book,
        universe: Universe,
        trader: Trader,
        executions: Executions,
        protector: Protector,
        settler: Settler,
        money: MoneyCheck,
    ) -> None:
        self._book = book
        self._universe = universe
        self._trader = trader
        self._executions = executions
        self._protector = protector
        self._settler = settler
        self._money = money

    def on_report(self, event: BrokerReported) -> list[Command]:
        book, now, was_reconciled = self._book, event.received_at, self._book.is_reconciled
        knew_holdings, gone = book.knows_holdings, len(book.legs_gone)
        book.clock_ahead_s = event.clock_ahead_s
        if event.account is not None:
            book.take_account(event.account, now)
        commands: list[Command] = []
        expect_of_others(book, event)
        for fill in reconcile.missing_fills(book, event, self._universe):
            commands += self._executions.on_fill(fill, now, recovered=True)
        commands += self._compare(event)
        if book.is_connected and self._is_of_this_connection(event):
            book.is_reconciled |= event.is_complete
            if event.tells_holdings:
                book.take_holdings(event.asked_at, now)
            else:
                explain_legs_gone(book, event)
        settled = self._settler.settle(event) if book.knows_holdings and event.tells_holdings else []
        if book.is_reconciled and event.is_complete:
            commands += self._money.check(event)
        commands += self._ask_again(event)
        if book.is_reconciled and not was_reconciled:
            text = f"reconciled: {len(book.positions())} positions, {len(book.orders)} working orders"
            commands.append(Notify(level="info", code="reconciled", text=text))
        commands += settled
        if settled:  # before an exit that has waited joins the legs' group: it takes off them what it fills, no more
            commands += self._protector.look_after(now, tidy=True)
        commands += [*self._cancel_forbidden_entries(), *self._trader.fulfil_wishes(now)]
        if book.knows_holdings and (not knew_holdings or len(book.legs_gone) < gone):  # before it nothing was closed
            commands += self._trader.reduce_what_waited(now)
        return commands

    def _ask_again(self, event: BrokerReported) -> list[Command]:
        after_s = ask_again_after_s(self._book, event)
        return [] if after_s is None else [SetTimer(timer_id=ASK_TIMER, after_s=after_s, clock="wall")]

    def _compare(self, event: BrokerReported) -> list[Command]:
        book, entries = self._book, list(self._book.index.entries.values())
        found = reconcile.settle_orders(book, event, self._universe)
        for entry in entries:
            if entry.status.is_final:  # it ended unheard; that is no reason to send it again
                self._trader.settle_for_holding(book.plans[entry.plan], "the entry ended at the broker")
        self._aim_for_what_is_there()
        doubles = [discrepancy for discrepancy in found if discrepancy.kind == "double_perm_id"]
        held = [discrepancy.ref for discrepancy in found if discrepancy.kind == "held_order"]
        breaks = compare_positions(book, event, self._universe)
        found += update_locks(book, doubles + breaks, event, at_once=not book.knows_holdings)
        told = notes(book, found + incompleteness(book, event))
        return told + self._cancel_doubles(doubles) + self._cancel_held(held, event.received_at)

    def _aim_for_what_is_there(self) -> None:
        """A plan known only from the broker keeps what it holds and works for, until its strategy has a view again."""
        for plan in self._book.plans.values():
            if plan.symbol in self._book.targets.get(plan.strategy, {}):
                continue
            wanted = self._book.committed(plan.strategy, plan.symbol)
            self._book.set_target(plan.strategy, plan.symbol, wanted, "rebuilt from the broker's word")

    def _cancel_doubles(self, doubles: list[Discrepancy]) -> list[Command]:
        """Neither of two orders under one reference can be trusted to be the one: both go, protection comes anew."""
        refs = list(dict.fromkeys(discrepancy.ref for discrepancy in doubles))
        live = [self._book.orders[ref] for ref in refs if ref in self._book.orders]
        reason = "it lives twice at the broker"
        return [
            command
            for working in live
            if working.status in _CANCELLABLE
            for command in self._trader.cancel(working, reason)
        ]

    def _cancel_held(self, refs: list[str], now: datetime) -> list[Command]:
        """What TWS holds back protects and closes nothing: it goes, and counts once like a leg that was refused."""
        commands: list[Command] = []
        for working in [self._book.orders[ref] for ref in refs]:
            plan = self._book.plans[working.plan]
            is_counted = working.order.ref in plan.cancels_asked
            commands += self._protector.leave_waiting(working)
            commands += self._trader.cancel(working, "TWS holds it back")
            if not is_counted:
                commands += self._protector.on_leg_lost(working, now)
            elif working.leg is Leg.EXIT and plan.open_quantity:
                commands += self._trader.closer.pause(plan, now)
        return commands

    def _is_of_this_connection(self, event: BrokerReported) -> bool:
        """An answer that was under way when the line broke says nothing of what happened since."""
        return self._book.connected_at is not None and event.asked_at >= self._book.connected_at

    def _cancel_forbidden_entries(self) -> list[Command]:
        """What a person or a stop wanted cancelled while nobody answered is cancelled now."""
        if not self._book.is_connected:
            return []
        commands: list[Command] = []
        for working in list(self._book.index.entries.values()):
            plan = self._book.plans[working.plan]
            state = self._trader.viewer.state_for(plan.strategy, plan.symbol)
            if state is not TradingState.ACTIVE:
                commands += self._trader.cancel(working, f"trading state is {state}")
        return commands
