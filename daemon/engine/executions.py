"""What an execution leads to: into the book once, into the money ledger, told to a person, and its plan looked after.

Live, recovered, corrected, busted (a correction to 0 shares) or a liquidation by the broker: all go this one way.
"""

from __future__ import annotations

from datetime import datetime

from daemon.engine import liquidations, settlement
from daemon.engine.book import PROTECTIVE, Book
from daemon.engine.protection import Protector
from daemon.engine.trader import Trader
from risk.trading_state import ACCOUNT, TradingState
from shared.commands import AskBroker, Command, Notify
from shared.events import CommissionReported
from shared.ids import exec_correction, exec_stem, parse_ref
from shared.orders import Fill, Leg

LIQUIDATION = "liquidation"


class Executions:
    """Books executions and what they cost; its only memory is the book."""

    def __init__(self, book: Book, trader: Trader, protector: Protector) -> None:
        self._book = book
        self._trader = trader
        self._protector = protector

    def on_fill(self, fill: Fill, now: datetime, *, recovered: bool = False) -> list[Command]:
        """One execution from the broker; nothing if it is booked already, or neither ours nor a liquidation of ours."""
        if parse_ref(fill.ref) is None:
            return self._on_liquidation(fill, now) if fill.is_liquidation else []
        known = self._book.fills.get(exec_stem(fill.exec_id))
        if known is not None and not _is_older(known.exec_id, fill.exec_id):
            return []
        twins = self._ask_about_twin(fill)
        given_way = settlement.give_way(self._book, fill)
        self._book.book_fill(fill)
        commands: list[Command] = [_gave_way(correction) for correction in given_way]
        if given_way:  # it may have stood for another: nothing leaves before the broker has said what he holds
            self._book.legs_gone[fill.symbol] = now
            commands.append(AskBroker(reasons=(f"{fill.ref}: is it what the settlement stood for?",)))
        if not recovered:
            news = (fill.quantity - (known.quantity if known else 0)) * self._book.shares_for(fill)
            commands += twins + self._follow_broker(fill, round(news))
            commands += self._ask_what_is_covered(fill, known)
        commands += self._follow(fill, known, now, recovered=recovered)
        return commands + (self._halt(fill, now) if fill.is_liquidation else [])

    def _ask_about_twin(self, fill: Fill) -> list[Command]:
        """An execution of another permId than that of the order at work: which of the two lives?"""
        working = self._book.orders.get(fill.ref)
        if working is None or working.is_mine(fill):
            return []
        return [AskBroker(reasons=(f"{fill.ref}: permId {fill.perm_id} has filled, was {working.perm_id}; lives it?",))]

    def _ask_what_is_covered(self, fill: Fill, known: Fill | None) -> list[Command]:
        """What a closing order fills its OCA group cuts off each stop, and does not give back with the shares."""
        ref = self._book.ref_of(fill.ref)
        if ref.leg is Leg.ENTRY:
            return []
        is_less = exec_correction(fill.exec_id) > 1 if known is None else fill.quantity < known.quantity
        if is_less:
            return [AskBroker(reasons=(f"{fill.ref}: shares were taken back, what does the stop still cover?",))]
        stops = [order for order in self._book.orders_of(ref.plan_id) if order.leg in PROTECTIVE]
        before = abs(self._book.plan_for(fill).open_quantity) + fill.quantity - (known.quantity if known else 0)
        is_whole = len(stops) == 1 and stops[0].remaining >= before  # what is left of it covers what is left
        if not stops or is_whole:
            return []
        return [AskBroker(reasons=(f"{fill.ref}: each stop of the plan is cut by it, what do they still cover?",))]

    def _follow_broker(self, fill: Fill, quantity: int) -> list[Command]:
        """Where book and broker disagree, what he said of before this execution is no longer what he holds."""
        book, symbol = self._book, fill.symbol
        if symbol not in book.locks and symbol not in book.breaks:
            return []
        book.follow_execution(symbol, fill.side.sign * quantity)
        return [AskBroker(reasons=(f"{fill.ref}: an execution where book and broker disagree",))]

    def _on_liquidation(self, fill: Fill, now: datetime) -> list[Command]:
        """The broker's own order: it closed shares of our plans, or foreign ones; margin is wanting either way."""
        name = f"liquidation {exec_stem(fill.exec_id)}"
        if name in self._book.noted or fill.quantity == 0:
            less = liquidations.liquidated_less(self._book, fill)
            return [command for known, share in less for command in self._follow(share, known, now)]
        self._book.noted[name] = LIQUIDATION
        shares = liquidations.liquidated(self._book, fill)
        commands = [command for share in shares for command in self._follow(share, None, now)]
        return commands + self._halt(fill, now)

    def _follow(self, fill: Fill, known: Fill | None, now: datetime, *, recovered: bool = False) -> list[Command]:
        ref = self._book.ref_of(fill.ref)
        plan, leg = self._book.plans.get(ref.plan_id) or self._book.plan_for(fill), ref.leg
        self._count_money(fill, known, now)
        commands: list[Command] = [_notice(fill, known, recovered=recovered)]
        if leg is Leg.ENTRY and known is not None and fill.quantity < known.quantity:  # that signal is used up too
            plan.has_lost_shares = True
            wanted = self._book.committed(plan.strategy, plan.symbol)
            self._book.set_target(plan.strategy, plan.symbol, wanted, "the broker took shares of the entry back")
        elif leg is Leg.ENTRY and fill.quantity > 0:
            commands += self._trader.on_entry_filled(plan, fill.filled_at, now)
        elif leg in (*PROTECTIVE, Leg.TAKE_PROFIT) or fill.is_liquidation:
            self._trader.settle_for_holding(plan, f"{leg.name.lower()} filled")
        return [*commands, *self._protector.look_again(now)]

    def _count_money(self, fill: Fill, known: Fill | None, now: datetime) -> None:
        stem, book = exec_stem(fill.exec_id), self._book
        value = fill.quantity * fill.price
        paid = fill.side.sign * (value - (known.quantity * known.price if known else 0.0))
        early = book.commissions.get(stem)
        if known is None and early is not None:
            paid += early
        uncharged = value if early is None else 0.0
        book.ledger.trade(stem, paid=paid, uncharged=uncharged, filled_at=fill.filled_at, now=now)
        if known is not None and fill.quantity == 0 and early:
            self._charge(fill.exec_id, 0.0)  # a bust takes its commission back

    def on_commission(self, event: CommissionReported) -> list[Command]:
        """What an execution cost; one of an execution that has been busted since counts no more."""
        fill = self._book.fills.get(exec_stem(event.exec_id))
        is_late = fill is not None and fill.quantity == 0 and _is_older(event.exec_id, fill.exec_id)
        if not is_late:
            self._charge(event.exec_id, event.commission)
        return []

    def _charge(self, exec_id: str, commission: float) -> None:
        book, stem = self._book, exec_stem(exec_id)
        before, fill = book.commissions.get(stem, 0.0), book.fills.get(stem)
        book.book_commission(exec_id, commission)
        if fill is not None:
            book.ledger.charge(stem, commission - before, fill.filled_at)

    def _halt(self, fill: Fill, now: datetime) -> list[Command]:
        text = f"{fill.symbol}: the broker closed {fill.quantity} shares by itself for want of margin"
        tripped = self._book.breakers.trip(ACCOUNT, LIQUIDATION, TradingState.HALTED, text, now)
        alarm = Notify(level="critical", code=LIQUIDATION, text=text)
        return [alarm, *tripped, *self._trader.cancel_entries("the broker liquidates")]


def _is_older(exec_id: str, than: str) -> bool:
    return exec_correction(exec_id) < exec_correction(than)


def _notice(fill: Fill, known: Fill | None, *, recovered: bool) -> Notify:
    text = f"{fill.ref}: {fill.side} {fill.quantity} {fill.symbol} at {fill.price}"
    if known is None:
        return Notify(level="info", code="fill_recovered" if recovered else "filled", text=text)
    was = f"{known.quantity} at {known.price}"
    if fill.quantity == 0:
        return Notify(level="critical", code="fill_busted", text=f"{text}: the broker took back {was}")
    return Notify(level="warning", code="fill_corrected", text=f"{text}, was {was}")


def _gave_way(correction: Fill) -> Notify:
    text = f"{correction.ref}: the execution turned up, its settlement now counts {correction.quantity} shares"
    return Notify(level="warning", code="settlement_corrected", text=text)
