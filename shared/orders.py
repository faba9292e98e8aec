"""Orders from intent to fill."""

from __future__ import annotations

import enum
from datetime import datetime

from msgspec import Struct


class Side(enum.StrEnum):
    """Direction of an order, in TWS words."""

    BUY = "BUY"
    SELL = "SELL"

    def __init__(self, text: str) -> None:
        self.sign = 1 if text == "BUY" else -1  # asked for with every sum of shares

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(enum.StrEnum):
    """Order types this release sends, in TWS words."""

    MARKET = "MKT"
    LIMIT = "LMT"
    STOP = "STP"
    TRAIL = "TRAIL"


class Leg(enum.StrEnum):
    """What an order is for within its plan; the last part of its orderRef."""

    ENTRY = "E"
    STOP_LOSS = "S"
    TAKE_PROFIT = "T"
    EXIT = "X"
    PROTECTION = "P"


class OrderStatus(enum.StrEnum):
    """Where an order is in its life (daemon/engine/order_life.py holds the transition table)."""

    PENDING = "pending"  # written to the journal, no answer yet
    WORKING = "working"  # the broker has confirmed it
    UNKNOWN = "unknown"  # silence, or a question that could not be asked: counts as live everywhere
    CANCELLING = "cancelling"  # we asked for its cancel; fills may still come
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"

    def __init__(self, text: str) -> None:
        self.is_final = text in {"filled", "cancelled", "rejected"}


class OrderIntent(Struct, frozen=True, kw_only=True, gc=False):
    """What planning wants: a positive quantity of a side, not yet allowed. `reduces` = only shrinks the position."""

    strategy: str
    symbol: str
    side: Side
    quantity: int
    reduces: bool
    reason: str


class Breach(Struct, frozen=True, kw_only=True):
    """One risk rule that objects. `allowed` is the largest quantity the rule would pass (0 = refused)."""

    rule: str
    value: float
    limit: float
    allowed: int
    text: str


class RiskVerdict(Struct, frozen=True, kw_only=True, gc=False):
    """What the gate says of one intent: every breach, and the quantity that may go (0 = refused)."""

    approved_quantity: int
    breaches: tuple[Breach, ...]

    @property
    def outcome(self) -> str:
        if self.approved_quantity == 0:
            return "refused"
        return "reduced" if self.breaches else "approved"


class Order(Struct, frozen=True, kw_only=True, gc=False):
    """One order as it goes to a broker. Prices are on tick; `ref` is its identity (shared/ids.py).

    A TRAIL order follows the market at `trail_percent` (per hundred) or `trail_amount` (currency) and starts with its
    stop at `stop_price`. `good_till` ends a GTD order by itself.
    """

    ref: str
    symbol: str
    side: Side
    quantity: int
    order_type: OrderType
    limit_price: float | None = None
    stop_price: float | None = None
    tif: str = "DAY"
    oca_group: str = ""
    trail_amount: float | None = None
    trail_percent: float | None = None
    good_till: datetime | None = None


class BracketOrder(Struct, frozen=True, kw_only=True, gc=False):
    """An entry with its protection, sent as one unit. `take_profit` may be absent, `stop_loss` never."""

    entry: Order
    stop_loss: Order
    take_profit: Order | None = None


class WorkingOrder(Struct, kw_only=True):
    """What the book believes of one order that is not final yet; mutable, owned by the book.

    `filled` by its executions; `taken_back` is what the broker's status calls filled beyond them, of corrected ones.
    `is_given_up`: a stop that the broker holds back and whose cancel he leaves unanswered. It stands behind no share.
    """

    order: Order
    plan: str
    leg: Leg
    status: OrderStatus
    sent_at: datetime
    filled: int = 0
    perm_id: int = 0
    missing_reports: int = 0
    taken_back: int = 0
    is_given_up: bool = False

    @property
    def spent(self) -> int:
        """Shares of its quantity that it will not trade any more."""
        return self.filled + self.taken_back

    @property
    def remaining(self) -> int:
        return max(self.order.quantity - self.spent, 0)

    def is_mine(self, fill: Fill) -> bool:
        """Whether an execution under the order's reference is its own, not that of a twin with another permId."""
        return not (self.perm_id and fill.perm_id) or self.perm_id == fill.perm_id


class Fill(Struct, frozen=True, kw_only=True, gc=False):
    """One execution. `exec_id` is the broker's; its stem (without the correction suffix) is the key.

    A quantity of 0 is a bust: the correction that takes the execution back. `is_liquidation`: the broker closed the
    position by itself for want of margin.
    """

    ref: str
    exec_id: str
    symbol: str
    side: Side
    quantity: int
    price: float
    filled_at: datetime
    perm_id: int = 0
    is_liquidation: bool = False


class Position(Struct, frozen=True, kw_only=True):
    """Signed quantity and average entry price without commission."""

    quantity: int = 0
    average_price: float = 0.0


class OpenOrder(Struct, frozen=True, kw_only=True):
    """One line of the broker's open-order list.

    The `stop_price` of a TRAIL order is where its stop stands now; its distance is `trail_amount` or `trail_percent`.
    `filled` are the shares of `quantity` that its status calls executed, None if it said nothing.
    """

    ref: str
    perm_id: int
    symbol: str
    side: Side
    quantity: int
    order_type: str
    limit_price: float | None
    stop_price: float | None
    status: str
    client_id: int
    order_id: int
    trail_amount: float | None = None
    trail_percent: float | None = None
    good_till: datetime | None = None
    oca_group: str = ""
    filled: int | None = None


class CompletedOrder(Struct, frozen=True, kw_only=True):
    """One line of the broker's completed-order list of today."""

    ref: str
    perm_id: int
    symbol: str
    status: str
    filled: int


class RoundTrip(Struct, frozen=True, kw_only=True):
    """From entry to flat: signed entry quantity, average prices, gross profit and commissions in currency."""

    strategy: str
    symbol: str
    quantity: int
    entry_price: float
    exit_price: float
    opened_at: datetime
    closed_at: datetime
    gross_profit: float
    commission: float
    exit_leg: Leg
