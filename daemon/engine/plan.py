"""A plan: one bracket from decision to flat, and what it earned."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from shared.ids import OrderRef
from shared.orders import Fill, Leg, RoundTrip, Side


class Plan(Struct, kw_only=True):
    """One bracket from decision to flat. Quantities are positive, `side` is the entry's; money in currency.

    `stop_price` is the best stop the plan has reached: a trailing one (`trail_percent` per hundred, or `trail_amount`
    in currency per share) moves it, and only towards the market. `is_rebuilt`: known from the broker's word alone.
    `retry_at`: no exit before then, the last one failed. `flatten_reason`: a person wants it closed.
    `has_lost_shares`: the broker took shares of the entry back, which its OCA group knows nothing of. `used_groups`:
    OCA groups left since they had done their work, the last with `left_at` orders; since then one has filled
    (`has_group_filled`), one was refused (`has_group_refused`). `unpriced_since` (the broker's clock): since then the
    stop of an adopted plan stands behind all that the market may be, for want of a price of now.
    """

    plan_id: str
    strategy: str
    symbol: str
    side: Side
    stop_price: float | None
    take_profit_price: float | None
    trail_percent: float | None = None
    trail_amount: float | None = None
    is_rebuilt: bool = False
    opened: int = 0
    opened_value: float = 0.0
    closed: int = 0
    closed_value: float = 0.0
    overfilled_value: float = 0.0
    commission: float = 0.0
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    exit_leg: Leg = Leg.EXIT
    numbers: dict[str, int] = field(default_factory=dict)
    refs: list[str] = field(default_factory=list)
    unprotected_since: datetime | None = None
    failed_protections: list[datetime] = field(default_factory=list)
    failed_exits: int = 0
    retry_at: datetime | None = None
    flatten_reason: str = ""
    is_doubt_told: bool = False
    cancels_asked: dict[str, int] = field(default_factory=dict)
    cancels_awaited: list[str] = field(default_factory=list)
    unconfirmed_changes: list[str] = field(default_factory=list)
    refused_changes: list[str] = field(default_factory=list)
    has_lost_shares: bool = False
    used_groups: int = 0
    left_at: int = 0
    has_group_filled: bool = False
    has_group_refused: bool = False
    unpriced_since: datetime | None = None

    def take_off_awaited(self, ref: str) -> None:
        """The cancel of this order may be asked for again."""
        self.cancels_awaited = [other for other in self.cancels_awaited if other != ref]

    @property
    def open_quantity(self) -> int:
        """Filled entry minus filled exits; negative if exits overfilled."""
        return self.opened - self.closed

    @property
    def is_busted(self) -> bool:
        """Whether the broker took back every share of the entry."""
        return self.opened == 0 and self.opened_at is not None

    @property
    def is_past_its_group(self) -> bool:
        """Whether no OCA group fits the legs to the shares: legs in two groups, or shares that were taken back."""
        return self.used_groups > 0 or self.has_lost_shares or self.is_busted

    @property
    def oca_group(self) -> str:
        """The group of the orders that close the plan."""
        return f"{self.plan_id}#{self.used_groups}" if self.used_groups else self.plan_id

    def join_group(self, name: str) -> None:
        """An order that closes the plan was found in this group: the next ones stand there too."""
        number = name.removeprefix(f"{self.plan_id}#")
        if number.isdecimal():
            self.used_groups = max(self.used_groups, int(number))

    def leave_group(self) -> None:
        """The group has done its work: what closes the plan from now on stands in a new one."""
        self.used_groups += 1
        self.left_at, self.has_group_filled, self.has_group_refused = len(self.refs), False, False

    def is_first_of_group(self, ref: str) -> bool:
        """Whether no order of the plan was sent into the group before this one."""
        return self.refs[self.left_at :][:1] == [ref]

    @property
    def signed_quantity(self) -> int:
        return self.side.sign * self.open_quantity

    @property
    def average_price(self) -> float:
        return self.opened_value / self.opened if self.opened else 0.0

    @property
    def open_price(self) -> float:
        """Average price of what is open; of shares that exits sold too many, what those brought."""
        return self.average_price if self.open_quantity >= 0 else self.overfilled_value / -self.open_quantity

    def take(self, fill: Fill, leg: Leg, shares: int, price: float) -> None:
        """Count an execution of `leg`, or with negative shares no longer; shares and price are those of now."""
        value = shares * price
        was_over = max(self.closed - self.opened, 0)
        if leg is Leg.ENTRY:
            self.opened += shares
            self.opened_value += value
            self.opened_at = self.opened_at or fill.filled_at
        else:
            if fill.side is self.side:  # buys back what exits overfilled
                shares, value = -shares, -value
            elif not fill.is_liquidation:
                self.has_group_filled = True
            self.closed += shares
            self.closed_value += value
            self.closed_at, self.exit_leg = fill.filled_at, leg
        self.follow_overfill(was_over, price)

    def follow_overfill(self, was_over: int, price: float) -> None:
        """After a booking at `price`; before it exits had closed `was_over` shares too many (never below 0)."""
        is_over = max(self.closed - self.opened, 0)
        if is_over >= was_over:
            self.overfilled_value += (is_over - was_over) * price
        else:
            self.overfilled_value *= is_over / was_over

    @property
    def realized_profit(self) -> float:
        """What the exits have earned so far, before commission; 0 while the entry's price is not known."""
        if not self.opened:
            return 0.0
        return self.side.sign * (self.closed_value - self.closed * (self.opened_value / self.opened))

    @property
    def is_trailing(self) -> bool:
        return self.trail_percent is not None or self.trail_amount is not None

    def next_number(self, leg: Leg) -> int:
        """A fresh number for an exit or a re-protection of this plan."""
        letter = leg.value
        number = self.numbers[letter] = self.numbers.get(letter, 0) + 1
        return number

    def note_number(self, ref: OrderRef) -> None:
        """The number of this reference is taken."""
        if ref.number and ref.number > self.numbers.get(ref.leg.value, 0):
            self.numbers[ref.leg.value] = ref.number


def rebuilt(ref: OrderRef, symbol: str, side: Side) -> Plan:
    """A plan known from the broker's word alone; `side` is that of the order under `ref`."""
    return Plan(
        plan_id=ref.plan_id,
        strategy=ref.strategy,
        symbol=symbol,
        side=side if ref.leg is Leg.ENTRY else side.opposite,
        stop_price=None,
        take_profit_price=None,
        is_rebuilt=True,
    )


def round_trip(plan: Plan, opened_at: datetime, closed_at: datetime) -> RoundTrip:
    """What a plan that is over earned, from its first fill to its last."""
    return RoundTrip(
        strategy=plan.strategy,
        symbol=plan.symbol,
        quantity=plan.side.sign * plan.opened,
        entry_price=plan.average_price,
        exit_price=plan.closed_value / plan.closed,
        opened_at=opened_at,
        closed_at=closed_at,
        gross_profit=plan.side.sign * (plan.closed_value - plan.opened_value),
        commission=plan.commission,
        exit_leg=plan.exit_leg,
    )
