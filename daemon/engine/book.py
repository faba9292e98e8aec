"""What we believe: plans, orders, fills, prices, the account and how far all of it can be trusted.

The book keeps accounts and answers questions; it decides nothing. Everything in it is encodable, so that a snapshot
is the book's bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from msgspec import Struct, field

from daemon.engine.account_ledger import AccountLedger
from daemon.engine.breakers import Breakers
from daemon.engine.locks import Break, Lock
from daemon.engine.market_state import MarketState
from daemon.engine.order_life import Happening, next_status
from daemon.engine.pace import Pace
from daemon.engine.plan import Plan, round_trip
from daemon.engine.prices import Prices
from daemon.engine.returns import Returns
from daemon.engine.watch_state import WatchState
from risk.breaches import is_known
from risk.trading_state import TradingStates
from shared.account import Account
from shared.events import QuietWindow
from shared.ids import OrderRef, exec_correction, exec_stem, parse_ref
from shared.market import QuoteRow, Universe
from shared.orders import Fill, Leg, Order, OrderStatus, Position, RoundTrip, Side, WorkingOrder
from shared.signals import TargetPosition

_CONFIRMED = (OrderStatus.WORKING, OrderStatus.CANCELLING)
PROTECTIVE = (Leg.STOP_LOSS, Leg.PROTECTION)
MEMORY = timedelta(days=8)


class Hours(Struct, frozen=True, kw_only=True):
    """The session that runs or comes next."""

    session: date
    opens_at: datetime
    closes_at: datetime
    quiet: tuple[QuietWindow, ...] = ()

    def quiet_reason(self, now: datetime) -> str | None:
        """Why silence is expected at `now`; None if it is not."""
        return next((window.reason for window in self.quiet if window.begins_at <= now < window.ends_at), None)


class Book(Struct, kw_only=True):
    """The whole belief. Dictionaries keep insertion order, which is the order in which things were decided."""

    prices: Prices
    plans: dict[str, Plan] = field(default_factory=dict)
    retired: dict[str, Plan] = field(default_factory=dict)  # over, but late news may still concern them
    orders: dict[str, WorkingOrder] = field(default_factory=dict)
    closed_orders: dict[str, OrderStatus] = field(default_factory=dict)
    fills: dict[str, Fill] = field(default_factory=dict)
    commissions: dict[str, float] = field(default_factory=dict)
    plan_numbers: dict[str, int] = field(default_factory=dict)
    convictions: dict[str, dict[str, float]] = field(default_factory=dict)
    targets: dict[str, dict[str, TargetPosition]] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    flatten_wishes: dict[str, str] = field(default_factory=dict)  # scope to reason, kept until the broker answers
    locks: dict[str, Lock] = field(default_factory=dict)
    breaks: dict[str, Break] = field(default_factory=dict)
    agreed: dict[str, datetime] = field(default_factory=dict)  # held instruments: when broker and book last agreed
    nonces: dict[str, str] = field(default_factory=dict)  # of signed commands, to the instant they came
    accepts: dict[str, float] = field(default_factory=dict)  # broker's quantity that a person has called true
    foreign_positions: dict[str, float] = field(default_factory=dict)  # signed shares the broker holds beyond ours
    foreign_costs: dict[str, float] = field(default_factory=dict)  # and their average cost per share
    ledger: AccountLedger = field(default_factory=AccountLedger)
    suspicions: dict[str, str] = field(default_factory=dict)
    questions_since: datetime | None = None  # when the oldest question that reports leave open came up
    noted: dict[str, str] = field(default_factory=dict)
    trading_states: TradingStates = field(default_factory=TradingStates)
    market: MarketState = field(default_factory=MarketState)
    breakers: Breakers = field(default_factory=Breakers)
    watch: WatchState = field(default_factory=WatchState)
    pace: Pace = field(default_factory=Pace)
    account: Account | None = None
    account_at: datetime | None = None
    quotes: QuoteRow | None = None
    returns: Returns | None = None
    hours: Hours | None = None
    last_row_at: datetime | None = None
    connected_at: datetime | None = None
    is_connected: bool = False
    is_reconciled: bool = False
    knows_holdings: bool = False  # reconciled, but perhaps for the account's figures
    is_stopping: bool = False
    day_start_equity: float | None = None
    realized_profit: float = 0.0

    @classmethod
    def empty(cls, universe: Universe) -> Book:
        return cls(prices=Prices.empty(len(universe)))

    # --- orders -------------------------------------------------------------------------------------------------

    def enter_order(self, order: Order, at: datetime) -> None:
        """Note an order of a plan in the book the moment it is commanded; from here on it counts for every limit."""
        ref = self.ref_of(order.ref)
        refs = self.plans[ref.plan_id].refs
        if order.ref not in refs:  # an order taken as gone may turn out to live
            refs.append(order.ref)
        self.orders[order.ref] = WorkingOrder(
            order=order, plan=ref.plan_id, leg=ref.leg, status=OrderStatus.PENDING, sent_at=at
        )

    def move(self, ref: str, happening: Happening) -> WorkingOrder | None:
        """Apply `happening` to the order; returns it, or None if it is not live in the book (any more)."""
        working = self.orders.get(ref)
        if working is None:
            return None
        working.status = next_status(working.status, happening)
        if working.status.is_final:
            self.closed_orders[ref] = working.status
            del self.orders[ref]
        return working

    def ref_of(self, text: str) -> OrderRef:
        """The parts of a reference that is known to be ours."""
        ref = parse_ref(text)
        if ref is None:
            message = f"order reference {text!r}: not one of ours, expected OB1:<strategy>:<session>:<plan>:<leg>"
            raise ValueError(message)
        return ref

    def orders_of(self, plan_id: str) -> Iterator[WorkingOrder]:
        """Live orders of a plan, oldest first."""
        plan = self.plans.get(plan_id)
        return (self.orders[ref] for ref in (plan.refs if plan else ()) if ref in self.orders)

    def entry_of(self, plan: Plan) -> WorkingOrder | None:
        """The plan's entry while it is live."""
        return next((order for order in self.orders_of(plan.plan_id) if order.leg is Leg.ENTRY), None)

    def exits_working(self, plan: Plan) -> int:
        """Shares that live market exits of the plan will still close."""
        return sum(order.remaining for order in self.orders_of(plan.plan_id) if order.leg is Leg.EXIT)

    def protected_quantity(self, plan: Plan) -> int:
        """Shares of the plan that live stops at the broker (or of unknown fate) cover."""
        return sum(order.remaining for order in self.orders_of(plan.plan_id) if order.leg in PROTECTIVE)

    def believable(self, plan: Plan) -> int:
        """Open shares of the plan that the broker does not deny; what it does not hold must not be sold for it.

        In an instrument whose quantity is broken the broker's shares count for the oldest plans first.
        """
        theirs = self._told_quantity(plan.symbol)
        if theirs is None:
            return plan.open_quantity
        left = max(int(plan.side.sign * theirs), 0)
        for other in self.plans.values():
            if (other.symbol, other.side) == (plan.symbol, plan.side) and other.open_quantity > 0:
                mine = min(left, other.open_quantity)
                if other.plan_id == plan.plan_id:
                    return mine
                left -= mine
        return 0

    def _told_quantity(self, symbol: str) -> float | None:
        """What the broker says it holds of an instrument where that is not the book's; None if it says nothing else."""
        lock, seen = self.locks.get(symbol), self.breaks.get(symbol)
        if lock is not None:
            return lock.broker_quantity
        return None if seen is None or seen.may_be_late else seen.broker_quantity

    def follow_execution(self, symbol: str, signed: int) -> None:
        """An execution told just now moves what the broker last said it holds where that is not the book's."""
        lock, seen = self.locks.get(symbol), self.breaks.get(symbol)
        if lock is not None and lock.broker_quantity is not None:
            lock.broker_quantity += signed
        if seen is not None:
            seen.broker_quantity += signed

    def protectable(self, plan: Plan) -> int:
        """Open shares for which a stop may be placed: none while a split waits for a person."""
        return 0 if self.has_split(plan.symbol) else self.believable(plan)

    def has_split(self, symbol: str) -> bool:
        """Whether what looks like a split waits for a person."""
        lock = self.locks.get(symbol)
        return lock is not None and lock.kind == "corporate_action"

    def unknown_orders(self) -> list[WorkingOrder]:
        return [order for order in self.orders.values() if order.status is OrderStatus.UNKNOWN]

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
        else:
            self._apply(plan, known, -1)
        self.fills[stem] = fill
        self._apply(plan, fill, 1)
        self.realized_profit += plan.realized_profit - profit_before
        self._fill_order(fill, fill.quantity - (known.quantity if known else 0))
        return plan

    def plan_for(self, fill: Fill) -> Plan:
        """The fill's plan; rebuilt from the reference alone if the journal never held it."""
        return self.plan_of(self.ref_of(fill.ref), symbol=fill.symbol, side=fill.side)

    def plan_of(self, ref: OrderRef, *, symbol: str, side: Side) -> Plan:
        """The plan of a reference whose order has `side`; a retired one comes back, an unknown one is rebuilt."""
        plan = self.plans.get(ref.plan_id)
        if plan is None:
            plan = self.retired.pop(ref.plan_id, None) or self._rebuilt(ref, symbol, side)
            self.plans[ref.plan_id] = plan
        if ref.number > plan.numbers.get(ref.leg.value, 0):
            plan.numbers[ref.leg.value] = ref.number
        self.note_number(ref)
        return plan

    def _rebuilt(self, ref: OrderRef, symbol: str, side: Side) -> Plan:
        plan = Plan(
            plan_id=ref.plan_id,
            strategy=ref.strategy,
            symbol=symbol,
            side=side if ref.leg is Leg.ENTRY else side.opposite,
            stop_price=None,
            take_profit_price=None,
            is_rebuilt=True,
        )
        for stem, fill in self.fills.items():
            if fill.ref.startswith(f"{ref.plan_id}:"):
                self._apply(plan, fill, 1)
                plan.commission += self.commissions.get(stem, 0.0)
        return plan

    def note_number(self, ref: OrderRef) -> None:
        """A plan's number is given once, even when the plan is known only from the broker."""
        symbol, _, number = ref.plan.rpartition("-")
        key = f"{ref.session}:{ref.strategy}:{symbol}"
        if number.isdecimal() and int(number) > self.plan_numbers.get(key, 0):
            self.plan_numbers[key] = int(number)

    def _apply(self, plan: Plan, fill: Fill, sign: int) -> None:
        quantity, value = sign * fill.quantity, sign * fill.quantity * fill.price
        was_over = max(-plan.open_quantity, 0)
        if self.ref_of(fill.ref).leg is Leg.ENTRY:
            plan.opened += quantity
            plan.opened_value += value
            plan.opened_at = plan.opened_at or fill.filled_at
        else:
            if fill.side is plan.side:  # buys back what exits overfilled
                quantity, value = -quantity, -value
            plan.closed += quantity
            plan.closed_value += value
            plan.closed_at, plan.exit_leg = fill.filled_at, self.ref_of(fill.ref).leg
        plan.follow_overfill(was_over, fill.price)

    def _fill_order(self, fill: Fill, quantity: int) -> None:
        working = self.orders.get(fill.ref)
        if working is None:
            return
        working.filled += quantity
        working.perm_id = working.perm_id or fill.perm_id
        done = working.filled >= working.order.quantity
        self.move(fill.ref, Happening.ALL_FILLED if done else Happening.PART_FILLED)

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

    def take_line(self, *, is_up: bool) -> None:
        """The connection came or went: what the broker said before has to be asked again."""
        self.is_connected, self.is_reconciled, self.knows_holdings = is_up, False, False

    def take_account(self, account: Account, at: datetime) -> None:
        """The broker's latest account values; the first of a session is what the day is measured from."""
        self.account, self.account_at = account, at
        if not is_known(self.day_start_equity):
            self.day_start_equity = account.net_liquidation

    def set_target(self, strategy: str, symbol: str, quantity: int, reason: str) -> None:
        """What the strategy should hold from now on (signed shares)."""
        target = TargetPosition(strategy=strategy, symbol=symbol, quantity=quantity, reason=reason)
        self.targets.setdefault(strategy, {})[symbol] = target

    def target(self, strategy: str, symbol: str) -> int:
        """Signed shares the strategy should hold; 0 if it never said."""
        target = self.targets.get(strategy, {}).get(symbol)
        return target.quantity if target else 0

    # --- answers ------------------------------------------------------------------------------------------------

    def holding(self, strategy: str, symbol: str) -> int:
        """Signed shares a strategy holds in an instrument."""
        return sum(
            plan.signed_quantity for plan in self.plans.values() if (plan.strategy, plan.symbol) == (strategy, symbol)
        )

    def committed(self, strategy: str, symbol: str) -> int:
        """Signed shares a strategy holds, and those that its live entries may still add."""
        buys, sells = self.working_entries(strategy, symbol)
        return self.holding(strategy, symbol) + buys - sells

    def working_entries(self, strategy: str | None, symbol: str) -> tuple[int, int]:
        """Remaining shares of live (working or unknown) entries: (buys, sells); strategy None = all of them."""
        buys = sells = 0
        for order in self.orders.values():
            if order.leg is not Leg.ENTRY or order.order.symbol != symbol:
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
        for plan in self.plans.values():
            if plan.symbol == symbol:
                quantity += plan.signed_quantity
                value += plan.signed_quantity * plan.open_price
        return Position(quantity=quantity, average_price=value / quantity if quantity else 0.0)

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
        return any(self._confirmed_quantity(plan) < self.protectable(plan) for plan in self.plans.values())

    def _confirmed_quantity(self, plan: Plan) -> int:
        legs = (order for order in self.orders_of(plan.plan_id) if order.leg in (*PROTECTIVE, Leg.EXIT))
        return sum(order.remaining for order in legs if order.status in _CONFIRMED)

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
        busy = {order.plan for order in self.orders.values()}
        done = [key for key, plan in self.plans.items() if plan.open_quantity == 0 and key not in busy]
        for key in done:
            self.retired[key] = self.plans.pop(key)

    def forget_before(self, session: date) -> None:
        """A new session begins: drop what no broker will report again (TWS repeats executions for up to 7 days)."""
        self.retire_plans()
        since, oldest = session - MEMORY, f"{session - MEMORY:%Y%m%d}"
        kept = (ref for ref in self.closed_orders if self.ref_of(ref).session >= oldest)
        self.closed_orders = {ref: self.closed_orders[ref] for ref in kept}
        self.fills = {stem: fill for stem, fill in self.fills.items() if fill.filled_at.date() >= since}
        self.commissions = {stem: paid for stem, paid in self.commissions.items() if stem in self.fills}
        self.nonces = {nonce: came for nonce, came in self.nonces.items() if came >= since.isoformat()}
        day = f"{session:%Y%m%d}"
        self.plan_numbers = {key: number for key, number in self.plan_numbers.items() if key.startswith(day)}
        self.retired = {}
        self.noted = {text: kind for text, kind in self.noted.items() if kind == "liquidation"}
