"""When a break is settled: by itself where that can only shrink, by policy what is foreign, else by a person."""

from __future__ import annotations

from datetime import datetime

from daemon.engine import settlement
from daemon.engine.adopted_stops import stop_behind
from daemon.engine.book import Book
from daemon.engine.corporate_action import apply_split, shows_split, split_taken
from daemon.engine.locks import Break
from daemon.engine.order_life import Happening
from daemon.engine.plan import Plan
from daemon.engine.position_breaks import REPORTS_TO_SETTLE
from daemon.engine.settings import EngineSettings
from daemon.engine.trader import Trader
from shared.commands import Command, Notify
from shared.events import BrokerReported
from shared.ids import plan_id
from shared.market import Universe
from shared.orders import Fill, OrderStatus, Side


class Settler:
    """Makes the book's quantities the broker's; its only memory is the book."""

    def __init__(self, book: Book, settings: EngineSettings, universe: Universe, trader: Trader) -> None:
        self._book = book
        self._settings = settings
        self._universe = universe
        self._trader = trader

    def settle(self, report: BrokerReported) -> list[Command]:
        """What a report that tells all holdings settles, each told; both then agree about these instruments."""
        commands = self._refuse_outdated()
        for symbol, seen in list(self._book.breaks.items()):
            if self._book.accepts.pop(symbol, None) is not None:
                late = self._refuse_late(symbol, seen, report)
                commands += late or self._settle(symbol, seen, report, by_person=True)
            elif seen.same >= REPORTS_TO_SETTLE and seen.kind == "quantity_break" and not self._is_busy(symbol):
                commands += self._settle_by_itself(symbol, seen, report)
        return commands

    def _refuse_outdated(self) -> list[Command]:
        """A person has accepted a quantity, not whatever comes."""
        commands: list[Command] = []
        for symbol, accepted in list(self._book.accepts.items()):
            seen = self._book.breaks.get(symbol)
            if seen is not None and seen.broker_quantity == accepted:
                continue
            del self._book.accepts[symbol]
            now_is = "is gone" if seen is None else f"is now {seen.broker_quantity:g}"
            text = f"{symbol}: {accepted:g} was accepted, but the break {now_is}; nothing was settled"
            commands.append(Notify(level="warning", code="accept_refused", text=text))
        return commands

    def _refuse_late(self, symbol: str, seen: Break, report: BrokerReported) -> list[Command]:
        """What was held before the last executions: what is gone would get a stop, what has come would lose its own.

        That what exits sold too many is back, though, is a person's word that stops us from giving it back again.
        """
        theirs, ours = seen.broker_quantity, self._book.position(symbol).quantity
        is_less = abs(theirs) <= abs(ours) and theirs * ours >= 0
        is_given_back = is_less and any(plan.open_quantity < 0 for plan in self._book.plans_in(symbol))
        until = settlement.lags_until(self._book, symbol, seen, report)
        if until is None or is_given_back or shows_split(self._book, symbol, seen):
            return []
        text = (
            f"{symbol}: {seen.broker_quantity:g} was held before the last executions, the broker may show it late; "
            f"nothing was settled, from {until:%H:%M:%S} UTC on it is believed"
        )
        return [Notify(level="warning", code="accept_refused", text=text)]

    def _is_busy(self, symbol: str) -> bool:
        """An order whose fate or fill may explain the break."""
        lock = self._book.locks.get(symbol)
        return self._book.is_in_doubt(symbol) or (lock is not None and lock.kind != "quantity_break")

    def _settle_by_itself(self, symbol: str, seen: Break, report: BrokerReported) -> list[Command]:
        policy = self._settings.truth
        is_sure = policy.foreign != "report" and settlement.is_foreign(self._book, symbol, seen.broker_quantity)
        is_sure = is_sure and not settlement.may_come_back(self._book, symbol, seen, report)
        is_sure = is_sure and settlement.lags_until(self._book, symbol, seen, report) is None
        if not is_sure and settlement.is_shortfall(self._book, symbol, seen.broker_quantity):
            midnight = settlement.midnight_before(report.asked_at, policy.gateway_zone)
            is_sure = settlement.is_out_of_reach(self._book, symbol, midnight)
        return self._settle(symbol, seen, report) if is_sure else []

    def _settle(self, symbol: str, seen: Break, report: BrokerReported, *, by_person: bool = False) -> list[Command]:
        book, column, now = self._book, self._universe.index(symbol), report.received_at
        cause = "accepted by a person" if by_person else "executed before the broker's memory begins, or foreign"
        held = [plan for plan in book.plans_in(symbol) if plan.open_quantity > 0]
        let_go = {plan.strategy for plan in held if book.target(plan.strategy, symbol) == 0}
        if by_person:
            self._end_unknown(symbol, report)
        touched, told = list[Plan](), list[str]()
        if shows_split(book, symbol, seen) and self._take_split(symbol, seen, now):
            touched, told = [*held], [f"split taken over, {seen.broker_quantity:g} shares"]
        if not told or abs(seen.broker_quantity - book.position(symbol).quantity) >= 1:
            is_of_others = settlement.others_account_for(book, symbol, seen, report)
            fills = settlement.settle_shortfall(book, seen, symbol, book.worth(symbol, column), now)
            fills += settlement.claim(book, seen, symbol, now)
            fills += self._adopt(symbol, seen, now)
            if is_of_others:
                settlement.keep(book, fills)
            touched += [book.plan_for(fill) for fill in fills]
            told += [self._told(fill) for fill in fills]
        if not told:
            text = (
                f"{symbol}: nobody knows a price for what the broker holds, it cannot be protected; nothing was settled"
            )
            return [Notify(level="warning", code="accept_refused", text=text)] if by_person else []
        for plan in touched:
            if plan.strategy not in let_go:  # its exit is gone, the wish is not
                self._aim(plan)
        if not any(plan.open_quantity > 0 for plan in held):
            book.unsplit.pop(symbol, None)  # no shares of before are left
        settlement.end_break(book, symbol, seen)
        settlement.agree(book, (symbol,), report)
        return [
            Notify(
                level="critical",
                code=settlement.SETTLED,
                text=f"{symbol}: book set to the broker's, {cause}: {', '.join(told)}",
            )
        ]

    def _take_split(self, symbol: str, seen: Break, now: datetime) -> bool:
        taken = split_taken(self._book, symbol, self._settings.truth.gateway_zone, now)
        return apply_split(self._book, self._universe, symbol, seen.broker_quantity, taken)

    def _end_unknown(self, symbol: str, report: BrokerReported) -> None:
        """A person's word ends the doubt about orders that the broker does not show."""
        shown = {order.ref for order in report.open_orders}
        for ref, working in list(self._book.orders.items()):
            is_doubtful = working.order.symbol == symbol and working.status is OrderStatus.UNKNOWN
            if is_doubtful and ref not in shown:
                self._book.move(ref, Happening.LOST)

    def _adopt(self, symbol: str, seen: Break, now: datetime) -> list[Fill]:
        """What no plan of ours explains becomes a plan of its own, with a stop of its own.

        A last price far from what the shares have cost may be of before a split that no row has shown yet.
        """
        left, prices = settlement.surplus(self._book, symbol, seen.broker_quantity), self._book.prices
        column, jump_pct_max = self._universe.index(symbol), self._settings.limits.price_jump_pct_max
        if seen.average_cost > 0:
            prices.confirm(column, seen.average_cost, jump_pct_max)
        market = prices.good_price(column)
        cost = seen.average_cost if seen.average_cost > 0 else market
        if not left or cost is None:
            return []
        plan = Plan(
            plan_id=self._next_plan_id(symbol, now),
            strategy=settlement.ADOPTED,
            symbol=symbol,
            side=Side.BUY if left > 0 else Side.SELL,
            stop_price=None,
            take_profit_price=None,
        )
        reference = [cost] if market is None else [market]
        if market is None or not prices.is_near(column, cost, jump_pct_max):
            reference, plan.unpriced_since = [*reference, cost], self._book.in_broker_time(now)
            prices.forget(column)
        plan.stop_price = stop_behind(plan, reference, self._settings, self._universe.instruments[column])
        return [settlement.open_adopted(self._book, plan, abs(left), cost, seen=seen, now=now)]

    def _told(self, fill: Fill) -> str:
        plan = self._book.plan_for(fill)
        text = f"{fill.ref} {fill.side} {fill.quantity} at about {fill.price:g}"
        if plan.unpriced_since is None:
            return text
        return f"{text}, no price of now is known: stop at {plan.stop_price:g} until {plan.symbol} has traded"

    def _next_plan_id(self, symbol: str, now: datetime) -> str:
        session = self._book.hours.session if self._book.hours else now.date()
        key = f"{session:%Y%m%d}:{settlement.ADOPTED}:{symbol}"
        self._book.plan_numbers[key] = self._book.plan_numbers.get(key, 0) + 1
        return plan_id(settlement.ADOPTED, session, symbol, self._book.plan_numbers[key])

    def _aim(self, plan: Plan) -> None:
        """What is held now is what should be held; a foreign position that is to be reduced should not."""
        self._trader.settle_for_holding(plan, "settled to the broker's position")
        if plan.strategy == settlement.ADOPTED and self._settings.truth.foreign == "reduce":
            self._book.set_target(plan.strategy, plan.symbol, 0, "a foreign position is closed")
