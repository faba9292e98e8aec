"""An order of ours on a simulated market, and what can happen to it. PURE.

Market-on-open and limit-on-open orders are MKT and LMT with tif OPG, as at IB.
"""

import math
from typing import Literal

import msgspec

Side = Literal["BUY", "SELL"]
OrderType = Literal["MKT", "LMT", "STP", "STP LMT", "TRAIL", "TRAIL LIMIT", "MIT", "LIT", "MOC", "LOC"]
Tif = Literal["DAY", "GTC", "GTD", "IOC", "FOK", "OPG"]
Status = Literal["PendingSubmit", "PreSubmitted", "Submitted", "Filled", "Cancelled", "Inactive"]
AuctionKind = Literal["open", "close"]

DUST = 1e-9  # shares; below this a remainder is rounding, not an order
DONE: tuple[Status, ...] = ("Filled", "Cancelled", "Inactive")
STOPS: tuple[OrderType, ...] = ("STP", "STP LMT", "TRAIL", "TRAIL LIMIT")
"""They trigger when the market runs against their side: a sell stop when it falls to the stop price."""
TOUCHED: tuple[OrderType, ...] = ("MIT", "LIT")
"""They trigger when the market comes their way: a sell when it rises to the trigger price."""
TRIGGERED = frozenset(STOPS + TOUCHED)
TRAILING: tuple[OrderType, ...] = ("TRAIL", "TRAIL LIMIT")
LIMITS: tuple[OrderType, ...] = ("LMT", "STP LMT", "TRAIL LIMIT", "LIT", "LOC")
AT_CLOSE: tuple[OrderType, ...] = ("MOC", "LOC")
IMMEDIATE: tuple[Tif, ...] = ("IOC", "FOK")
LASTING: tuple[Tif, ...] = ("GTC", "GTD")
TRIGGER_METHODS = (0, 1, 2, 3, 4, 7, 8)


class SimOrder(msgspec.Struct, kw_only=True):
    """One order and its live state. The book mutates it; nobody else does."""

    key: int  # unique, account-wide (the gateway passes permId)
    instrument: int  # index into the market's symbols
    side: Side
    quantity: float
    order_type: OrderType
    limit_price: float | None = None
    stop_price: float | None = None
    """The trigger price; of a trailing stop where it stands now, None until the market gives it one."""
    trail_amount: float | None = None
    """Dollars between the market and a trailing stop."""
    trail_percent: float | None = None
    """The same in percent of the market price; the amount wins."""
    limit_offset: float | None = None
    """Dollars by which the limit of a TRAIL LIMIT reaches beyond its stop."""
    tick: float = 0.01
    """Trailing prices are rounded to it, away from the market."""
    trigger_method: int = 0
    """One of TRIGGER_METHODS (triggers.py)."""
    parent_key: int | None = None
    oca_group: str = ""
    oca_type: int = 3
    tif: Tif = "DAY"
    good_after: float | None = None
    """Epoch seconds before which the order does not work."""
    good_till: float | None = None
    """Epoch seconds at which a GTD order ends."""
    all_or_none: bool = False
    outside_rth: bool = False
    transmit: bool = True

    filled: float = 0.0
    status: Status = "PendingSubmit"
    average_price: float = 0.0
    why_held: str = ""
    triggered: bool = False

    @property
    def remaining(self) -> float:
        return self.quantity - self.filled

    @property
    def done(self) -> bool:
        return self.status in DONE

    @property
    def waits_for_trigger(self) -> bool:
        return not self.triggered and self.order_type in TRIGGERED

    @property
    def auction(self) -> AuctionKind | None:
        """The only auction in which the order may trade; None for the others, which trade in between."""
        if self.tif == "OPG":
            return "open"
        return "close" if self.order_type in AT_CLOSE else None

    @property
    def takes_any_price(self) -> bool:
        """A market order, or one that became one when it triggered."""
        return self.order_type in {"MKT", "MOC"} or (self.triggered and self.order_type in {"STP", "TRAIL", "MIT"})

    @property
    def needs_all(self) -> bool:
        """Filled whole or not at all."""
        return self.all_or_none or self.tif == "FOK"


class Filled(msgspec.Struct, frozen=True):
    """One execution; `quantity` is this one's, not the total."""

    key: int
    quantity: float
    price: float


class StatusChanged(msgspec.Struct, frozen=True):
    """What a TWS would say in orderStatus; also repeated, unchanged, after an accepted modify."""

    key: int
    status: Status
    why_held: str


class Cancelled(msgspec.Struct, frozen=True):
    """The order is gone; `reason` is empty when its owner asked for it."""

    key: int
    reason: str


class Reduced(msgspec.Struct, frozen=True):
    """`quantity` is the order's new total, not the difference."""

    key: int
    quantity: float


class Trailed(msgspec.Struct, frozen=True):
    """A trailing stop has moved; `limit_price` is None unless it is a TRAIL LIMIT."""

    key: int
    stop_price: float
    limit_price: float | None


Outcome = Filled | StatusChanged | Cancelled | Reduced | Trailed


def is_price(value: float | None) -> bool:
    """Whether an order may rest or fill at this number: not None, not NaN, not infinite, above zero."""
    return value is not None and 0 < value < math.inf  # NaN is neither


def check(order: SimOrder) -> None:
    """Raises ValueError for an order that could not work: its quantity, method, or a price that its type needs."""
    if not 0 < order.quantity < math.inf:
        raise ValueError(f"order {order.key}: quantity {order.quantity} is not a positive number")
    if order.trigger_method not in TRIGGER_METHODS:
        raise ValueError(f"order {order.key}: trigger_method {order.trigger_method} is none of {TRIGGER_METHODS}")
    if order.order_type in TRAILING:
        _check_trail(order)
        return
    if order.order_type in LIMITS and not is_price(order.limit_price):
        raise ValueError(f"order {order.key}: limit_price {order.limit_price} is not a positive number")
    if order.order_type in TRIGGERED and not is_price(order.stop_price):
        raise ValueError(f"order {order.key}: stop_price {order.stop_price} is not a positive number")


def _check_trail(order: SimOrder) -> None:
    distance = order.trail_percent if order.trail_amount is None else order.trail_amount
    if not is_price(distance):
        raise ValueError(f"order {order.key}: trail_amount or trail_percent {distance} is not a positive number")
    if order.stop_price is not None and not is_price(order.stop_price):
        raise ValueError(f"order {order.key}: stop_price {order.stop_price} is not a positive number")
    needs_limit = order.order_type == "TRAIL LIMIT" and order.limit_offset is None
    if needs_limit and not (is_price(order.limit_price) and is_price(order.stop_price)):
        raise ValueError(f"order {order.key}: a TRAIL LIMIT needs limit_offset, or limit_price and stop_price")
