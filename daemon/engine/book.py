"""What we believe: plans, orders, fills, prices, the account and how far all of it can be trusted.

The book keeps accounts and answers questions; it decides nothing. Its fields stand in beliefs.py: a snapshot is their
bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from daemon.engine.order_life import Happening, next_status
from daemon.engine.plan import Plan, rebuilt, round_trip
from daemon.engine.plan_shares import NOTHING, PlanShares
from daemon.engine.prices import Prices
from daemon.engine.split_shares import shares_of_now
from risk.breaches import is_known
from shared.account import Account
from shared.ids import OrderRef, exec_correction, exec_stem, own_ref
from shared.market import Universe
from shared.orders import Fill, Leg, Order, OrderStatus, Position, RoundTrip, Side, WorkingOrder
from shared.signals import TargetPosition

_CONFIRMED = (OrderStatus.WORKING, OrderStatus.CANCELLING)
PROTECTIVE = (Leg.STOP_LOSS, Leg.PROTECTION)
MEMORY = timedelta(days=8)


class Book(PlanShares):
    """Beliefs and their verbs. Plans, orders, targets and fills change through these alone, which keep `index`."""

    @classmethod
    def empty(cls, universe: Universe) -> Book:
        return cls(prices=Prices.empty(len(universe)))

    def add_plan(self, plan: Plan) -> None:
        """Take in a plan that is new, or back."""
        index = self.index
        self.plans[plan.plan_id] = plan
        index.add_plan(plan)

    def touch(self, plan: Plan) -> None:
        """Say that the plan, or an order of it, was changed in place."""
        self.index.touch(plan)

    # --- orders -------------------------------------------------------------------------------------------------

    def enter_order(self, order: Order, at: datetime) -> None:
        """Note an order of a plan in the book the moment it is commanded; from here on it counts for every limit."""
        ref, index = self.ref_of(order.ref), self.index
        plan = self.plans[ref.plan_id]
        if order.ref not in plan.refs:  # an order taken as gone may turn out to live
            plan.refs.append(order.ref)
        working = WorkingOrder(order=order, plan=ref.plan_id, leg=ref.leg, status=OrderStatus.PENDING, sent_at=at)
        self.orders[order.ref] = working
        index.add_order(working, plan)

    def move(self, ref: str, happening: Happening) -> WorkingOrder | None:
        """Apply `happening` to the order; returns it, or None if it is not live in the book (any more)."""
        working = self.orders.get(ref)
        if working is None:
            return None
        index, status = self.index, next_status(working.status, happening)
        working.status = status
        if status.is_final:
            self.closed_orders[ref] = status
            index.note_closed(ref)
            del self.orders[ref]
            index.drop_order(working)
        index.touch(self.plans[working.plan])
        return working

    ref_of = staticmethod(own_ref)

    def orders_of(self, plan_id: str) -> Sequence[WorkingOrder]:
        """Live orders of a plan, oldest first."""
        return self.index.legs.get(plan_id, ())

    def orders_in(self, symbol: str) -> Collection[WorkingOrder]:
        """Live orders in an instrument, oldest first."""
        return self.index.orders_in.get(symbol, NOTHING).values()

    def entry_of(self, plan: Plan) -> WorkingOrder | None:
        """The plan's entry while it is live."""
        for order in self.orders_of(plan.plan_id):
            if order.leg is Leg.ENTRY:
                return order
        return None

    def exits_working(self, plan: Plan) -> int:
        """Shares that live market exits of the plan will still close."""
        shares = 0
        for order in self.index.legs.get(plan.plan_id, ()):
            if order.leg is Leg.EXIT:
                shares += order.remaining
        return shares

    def protected_quantity(self, plan: Plan) -> int:
        """Shares of the plan that live stops at the broker (or of unknown fate) cover."""
        stops = [order for order in self.orders_of(plan.plan_id) if order.leg in PROTECTIVE]
        return sum([order.remaining for order in stops if not order.is_given_up])

    def unknown_orders(self) -> list[WorkingOrder]:
        return [order for order in self.orders.values() if order.status is OrderStatus.UNKNOWN]

    def is_in_doubt(self, symbol: str) -> bool:
        """Whether the fate of an order of the instrument is open: what it does may change what is held."""
        doubtful = (OrderStatus.PENDING, OrderStatus.UNKNOWN, OrderStatus.CANCELLING)
        return any(order.status in doubtful for order in self.orders_in(symbol))

    # --- fills --------------------------------------------------------------------------------------------------

    def book_fill(self, fill: Fill) -> Plan | None:
        """Book one execution exactly once, keyed by its execId stem.

        A corrected execution (same stem, other suffix) replaces the first. Returns the plan it belongs to, or None
        if there was nothing to book.
        """
        stem = exec_stem(fill.exec_id)
        known = self.fills.get(stem)
        if known is not None and exec_correction(known.exec_id) >= exec_correction(fill.exec_id):
            return None
        plan = self.plan_for(fill)
        profit_before = plan.realized_profit
        if known is None:
            plan.commission += self.commissions.get(stem, 0.0)  # it may have come before its execution
            if (ratio := self.shares_for(fill)) != 1.0:
                self.split_since[stem] = ratio
        else:
            self._apply(plan, known, -1, self.fills)
        self.fills[stem] = fill
        self.index.note_fill(stem, fill)
        self._apply(plan, fill, 1, self.fills)
        self.realized_profit += plan.realized_profit - profit_before
        if not self._fill_order(fill, fill.quantity - (known.quantity if known else 0)):
            self.touch(plan)
        return plan

    def plan_for(self, fill: Fill) -> Plan:
        """The fill's plan; rebuilt from the reference alone if the journal never held it."""
        return self.plan_of(self.ref_of(fill.ref), symbol=fill.symbol, side=fill.side)

    def plan_of(self, ref: OrderRef, *, symbol: str, side: Side) -> Plan:
        """The plan of a reference whose order has `side`; a retired one comes back, an unknown one is rebuilt."""
        plan = self.plans.get(ref.plan_id)
        if plan is None:
            self.index.retired_epoch += 1
            plan = self.retired.pop(ref.plan_id, None) or self._rebuilt(ref, symbol, side)
            self.add_plan(plan)
        plan.note_number(ref)
        self.note_number(ref)
        return plan

    def _rebuilt(self, ref: OrderRef, symbol: str, side: Side) -> Plan:
        """With all that is still known of it: what closes it now has a reference that was never used."""
        plan, counted = rebuilt(ref, symbol, side), dict[str, Fill]()
        plan.refs += [used for used in self.closed_orders if used.startswith(f"{ref.plan_id}:")]
        for stem, fill in self.fills.items():
            if fill.ref.startswith(f"{ref.plan_id}:"):
                self._apply(plan, fill, 1, counted)
                counted[stem] = fill
                plan.commission += self.commissions.get(stem, 0.0)
        for used in [*plan.refs, *(fill.ref for fill in counted.values())]:
            plan.note_number(self.ref_of(used))
        return plan

    def note_number(self, ref: OrderRef) -> None:
        """A plan's number is given once, even when the plan is known only from the broker."""
        key, number = ref.plan_number
        if number > self.plan_numbers.get(key, 0):
            self.plan_numbers[key] = number

    def _apply(self, plan: Plan, fill: Fill, sign: int, counted: Mapping[str, Fill]) -> None:
        """Count the execution beside those that are `counted`, or with `sign` -1 no longer."""
        shares, ratio = fill.quantity, self.shares_for(fill) if self.split_since else 1.0
        if ratio != 1.0:
            shares = shares_of_now(plan, fill, counted, self.split_since)
        plan.take(fill, self.ref_of(fill.ref).leg, sign * shares, fill.price / ratio)

    def count(self, fills: Iterable[Fill], sign: int) -> None:
        """Count these executions, which are booked, in their plans; with `sign` -1 no longer."""
        for fill in fills:
            plan = self.plan_for(fill)
            profit_before = plan.realized_profit
            self._apply(plan, fill, sign, self.fills)
            self.realized_profit += plan.realized_profit - profit_before
            self.touch(plan)

    def _fill_order(self, fill: Fill, quantity: int) -> bool:
        """Whether a live order took the fill; it touches the plan then.

        A correction to fewer shares moves the position; to its order the broker gives nothing back. Nor does an order
        become smaller by what its twin under the same reference fills.
        """
        working = self.orders.get(fill.ref)
        if working is None or not working.is_mine(fill):
            return False
        working.filled += max(quantity, 0)
        working.perm_id = working.perm_id or fill.perm_id
        done = working.spent >= working.order.quantity
        self.move(fill.ref, Happening.ALL_FILLED if done else Happening.PART_FILLED)
        return True

    def book_commission(self, exec_id: str, commission: float) -> None:
        """Note what an execution cost; a repeat replaces, an unknown execution is kept for later."""
        stem = exec_stem(exec_id)
        before = self.commissions.get(stem, 0.0)
        self.commissions[stem] = commission
        self.realized_profit -= commission - before
        fill = self.fills.get(stem)
        key = self.ref_of(fill.ref).plan_id if fill else ""
        plan = self.plans.get(key) or self.retired.get(key)
        if plan is not None:
            plan.commission += commission - before
            self.index.retired_epoch += key in self.retired

    def take_line(self, *, is_up: bool) -> None:
        """The connection came or went: what the broker said before has to be asked again."""
        self.is_connected, self.is_reconciled, self.holdings_asked_at = is_up, False, None

    def take_account(self, account: Account, at: datetime) -> None:
        """The broker's latest account values; the first of a session is what the day is measured from."""
        self.account, self.account_at = account, at
        if not is_known(self.day_start_equity):
            self.day_start_equity = account.net_liquidation

    def set_target(self, strategy: str, symbol: str, quantity: int, reason: str) -> None:
        """What the strategy should hold from now on (signed shares)."""
        target = TargetPosition(strategy=strategy, symbol=symbol, quantity=quantity, reason=reason)
        index = self.index
        self.targets.setdefault(strategy, {})[symbol] = target
        index.aim((strategy, symbol))

    def target(self, strategy: str, symbol: str) -> int:
        """Signed shares the strategy should hold; 0 if it never said."""
        target = self.targets.get(strategy, {}).get(symbol)
        return target.quantity if target else 0

    # --- answers ------------------------------------------------------------------------------------------------

    def holding(self, strategy: str, symbol: str) -> int:
        """Signed shares a strategy holds in an instrument."""
        shares = 0
        for plan in self.index.plans_of.get((strategy, symbol), NOTHING).values():
            shares += plan.side.sign * (plan.opened - plan.closed)
        return shares

    def plans_of(self, strategy: str, symbol: str) -> Collection[Plan]:
        """The strategy's plans in the instrument, oldest first."""
        return self.index.plans_of.get((strategy, symbol), NOTHING).values()

    def committed(self, strategy: str, symbol: str) -> int:
        """Signed shares a strategy holds, and those that its live entries may still add."""
        buys, sells = self.working_entries(strategy, symbol)
        return self.holding(strategy, symbol) + buys - sells

    def working_entries(self, strategy: str | None, symbol: str) -> tuple[int, int]:
        """Remaining shares of live (working or unknown) entries: (buys, sells); strategy None = all of them."""
        buys = sells = 0
        for order in self.orders_in(symbol):
            if order.leg is not Leg.ENTRY:
                continue
            if strategy is not None and self.plans[order.plan].strategy != strategy:
                continue
            if order.order.side is Side.BUY:
                buys += order.remaining
            else:
                sells += order.remaining
        return buys, sells

    def position(self, symbol: str) -> Position:
        """Our whole position in an instrument over all strategies; average price of the open plans."""
        quantity, value = 0, 0.0
        for plan in self.plans_in(symbol):
            quantity += plan.signed_quantity
            value += plan.signed_quantity * plan.open_price
        return Position(quantity=quantity, average_price=value / quantity if quantity else 0.0)

    def worth(self, symbol: str, column: int) -> float | None:
        """What a share, as plans count them, is worth by the last believable price; None before the first."""
        price = self.prices.good_price(column)
        return None if price is None else price * self.shares_in(symbol, price)

    def positions(self) -> dict[str, Position]:
        """Every non-flat position by symbol."""
        symbols = dict.fromkeys(plan.symbol for plan in self.plans.values() if plan.open_quantity)
        held = {symbol: self.position(symbol) for symbol in symbols}
        return {symbol: position for symbol, position in held.items() if position.quantity}

    def unprotected_plans(self) -> list[Plan]:
        """Plans whose open shares are not wholly covered by live stops."""
        held = (plan for plan in self.plans.values() if plan.open_quantity > 0)
        return [plan for plan in held if self.protected_quantity(plan) < plan.open_quantity]

    def is_protection_doubtful(self) -> bool:
        """Whether shares that may have a stop have none that the broker has confirmed."""
        return any(self.confirmed_quantity(plan) < self.protectable(plan) for plan in self.plans.values())

    def confirmed_quantity(self, plan: Plan) -> int:
        """Shares of the plan that stops and exits cover of which the broker has said that it holds them."""
        legs = (order for order in self.orders_of(plan.plan_id) if order.leg in (*PROTECTIVE, Leg.EXIT))
        return sum(order.remaining for order in legs if order.status in _CONFIRMED and not order.is_given_up)

    @property
    def equity(self) -> float | None:
        return self.account.net_liquidation if self.account else None

    @property
    def round_trips(self) -> list[RoundTrip]:
        """What the plans that ended in this session earned, in the order in which they ended."""
        return [
            round_trip(plan, plan.opened_at, plan.closed_at)
            for plan in self.retired.values()
            if plan.opened and plan.opened_at and plan.closed_at
        ]

    def retire_plans(self) -> None:
        """Put away the plans that are flat and have no live order."""
        index = self.index
        if not index.maybe_over:
            return
        for key in index.in_order(index.maybe_over):
            plan = self.plans[key]
            if plan.opened == plan.closed and key not in index.legs:
                self.retired[key] = self.plans.pop(key)
                index.drop_plan(plan)
        index.maybe_over.clear()

    def forget_before(self, session: date) -> None:
        """A new session begins: drop what no broker will report again (TWS repeats executions for up to 7 days)."""
        self.retire_plans()
        since = session - MEMORY
        for ref in self.index.closed_before(f"{since:%Y%m%d}"):
            self.closed_orders.pop(ref, None)
        since_at = datetime(since.year, since.month, since.day, tzinfo=UTC)
        for stem in self.index.filled_before(since):
            if stem in self.fills and self.fills[stem].filled_at < since_at:
                del self.fills[stem]
        self.index.keep_fills(self.fills)
        self.forget_splits(since_at)
        self.sent_before = {stem: refs for stem, refs in self.sent_before.items() if stem in self.fills}
        if not self.commissions.keys() <= self.fills.keys():
            self.commissions = {stem: paid for stem, paid in self.commissions.items() if stem in self.fills}
        self.nonces = {nonce: came for nonce, came in self.nonces.items() if came >= since.isoformat()}
        day = f"{session:%Y%m%d}"
        self.plan_numbers = {key: number for key, number in self.plan_numbers.items() if key.startswith(day)}
        self.retired = {}
        self.index.retired_epoch += 1
        self.noted = {text: kind for text, kind in self.noted.items() if kind == "liquidation"}
