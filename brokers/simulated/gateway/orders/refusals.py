"""Why an order is not taken: one row per rule, the first that holds is the answer (codes of TWS.md 3).

A refusal with `is_rejection` leaves an Inactive order behind (201); any other leaves nothing: the order never
existed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from brokers.simulated.gateway.data.listing import Listed
from brokers.simulated.gateway.orders.order import GatewayOrder
from brokers.simulated.gateway.protocol.requests import PlaceOrder

ORDER_ID_MAX = 2**31 - 1
ORDER_TYPES = ("MKT", "LMT", "STP", "STP LMT")
PRICED_BY_LIMIT = ("LMT", "STP LMT")
PRICED_BY_STOP = ("STP", "STP LMT")
TIMES_IN_FORCE = ("DAY", "GTC")

Rule: TypeAlias = Callable[[PlaceOrder, Listed], bool]


class Refusal(Struct, frozen=True):
    """The error an order gets."""

    code: int
    text: str
    is_rejection: bool = False


UNKNOWN_CONTRACT = Refusal(200, "No security definition has been found for the request")
DUPLICATE_ID = Refusal(103, "Duplicate order id")
MISSING_PARENT = Refusal(10006, "Missing parent order")
MISMATCH = Refusal(105, "Order being modified does not match original order.")
TYPE_CHANGE = Refusal(329, "Order modify failed. Cannot change to the new order type.")


def invalid(cause: str) -> Refusal:
    return Refusal(321, f"Error validating request:-'simulated gateway' : cause - {cause}")


def unreadable(cause: str) -> Refusal:
    return Refusal(320, f"Error reading request. {cause}")


def _rejected(reason: str) -> Refusal:
    return Refusal(201, f"Order rejected - reason:{reason}", is_rejection=True)


GROUP_FILLED = _rejected("OCA group is already filled.")


def _off_tick(price: float | None, stock: Listed) -> bool:
    return price is not None and price > 0 and not stock.on_tick(price)


RULES: tuple[tuple[Rule, Refusal], ...] = (
    (lambda order, _: order.conditions > 0, invalid("Conditional orders are not simulated")),
    (lambda order, _: order.side not in {"BUY", "SELL"}, invalid("Invalid side, allowed: BUY, SELL")),
    (
        lambda order, _: order.order_type not in ORDER_TYPES,
        Refusal(387, "Unsupported order type for this exchange and security type."),
    ),
    (
        lambda order, _: order.tif not in TIMES_IN_FORCE,
        Refusal(10052, "Invalid time in force, allowed: DAY, GTC"),
    ),
    (lambda order, _: order.quantity == 0, Refusal(434, "The order size cannot be zero.")),
    (lambda order, _: order.quantity < 0, _rejected("Invalid order quantity.")),
    (
        lambda order, _: not order.quantity.is_integer(),
        Refusal(10243, "Fractional-sized order cannot be placed via API."),
    ),
    (
        lambda order, _: order.order_type in PRICED_BY_LIMIT and not (order.limit_price or 0) > 0,
        _rejected("You must specify a limit price."),
    ),
    (
        lambda order, _: order.order_type in PRICED_BY_STOP and not (order.aux_price or 0) > 0,
        _rejected("You must specify a stop price."),
    ),
    (
        lambda order, stock: (
            (order.order_type in PRICED_BY_LIMIT and _off_tick(order.limit_price, stock))
            or (order.order_type in PRICED_BY_STOP and _off_tick(order.aux_price, stock))
        ),
        Refusal(110, "The price does not conform to the minimum price variation for this contract."),
    ),
)


def refusal_of(order: PlaceOrder, stock: Listed, account: str) -> Refusal | None:
    """The first rule that a new or changed order breaks."""
    if order.account not in {"", account}:
        return invalid(f"Invalid account code '{order.account}'")
    return next((refusal for breaks, refusal in RULES if breaks(order, stock)), None)


def modify_refusal_of(order: GatewayOrder, wanted: PlaceOrder) -> Refusal | None:
    """Why a live order may not be changed into `wanted`; the order works on as it was."""
    if wanted.side != order.request.side or wanted.parent_id not in {0, order.request.parent_id}:
        return MISMATCH
    return TYPE_CHANGE if wanted.order_type != order.request.order_type else None
