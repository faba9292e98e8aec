"""The errors that order requests get, in the words of a TWS (TWS.md 3; code list of the TWS API, chapter 18).

A refusal with `is_rejection` leaves an Inactive order behind (201); any other leaves nothing: the order never
existed. Which order gets which is in rules.py.
"""

from __future__ import annotations

from msgspec import Struct


class Refusal(Struct, frozen=True):
    """The error an order gets."""

    code: int
    text: str
    is_rejection: bool = False


def invalid(cause: str) -> Refusal:
    return Refusal(321, f"Error validating request:-'simulated gateway' : cause - {cause}")


def unreadable(cause: str) -> Refusal:
    return Refusal(320, f"Error reading request. {cause}")


def rejected(reason: str) -> Refusal:
    return Refusal(201, f"Order rejected - reason:{reason}", is_rejection=True)


READ_ONLY = invalid("The API interface is currently in Read-Only mode.")
ONLY_CLIENT_0 = invalid("Only the default client (i.e 0) can auto bind orders.")
UNKNOWN_CONTRACT = Refusal(200, "No security definition has been found for the request")
DUPLICATE_ID = Refusal(103, "Duplicate order id")
MISSING_PARENT = Refusal(10006, "Missing parent order")
OFF_TICK = Refusal(110, "The price does not conform to the minimum price variation for this contract.")
INVALID_TIME = Refusal(
    343, "The date, time, or time-zone entered is invalid. The correct format is yyyymmdd hh:mm:ss xxx"
)
GOOD_TILL_PAST = rejected("The good till date has passed.")
GROUP_FILLED = rejected("OCA group is already filled.")
EXCHANGE_CLOSED = rejected("Exchange is closed.")
TOO_LATE_FOR_THE_OPEN = rejected("It is too late to submit at-the-opening orders for today.")
TOO_LATE_FOR_THE_CLOSE = rejected("It is too late to submit at-the-closing orders for today.")
NOT_CONNECTED = rejected("Connectivity between IB and TWS has been lost.")

MISMATCH = Refusal(105, "Order being modified does not match original order.")
TYPE_CHANGE = Refusal(329, "Order modify failed. Cannot change to the new order type.")
ACCOUNT_CHANGE = Refusal(422, "The account and clearing attributes on this order may not be changed.")
GROUP_CHANGE = Refusal(10326, "OCA group revision is not allowed.")
GROUP_TYPE_CHANGE = Refusal(10327, "OCA group type revision is not allowed.")
PARENT_CHANGE = Refusal(10341, "Parent order id cannot be modified.")
MODIFY_REFUSALS = {
    refusal.code: refusal
    for refusal in (
        Refusal(104, "Can't modify a filled order."),
        MISMATCH,
        OFF_TICK,
        Refusal(135, "Can't find order with id ="),
        TYPE_CHANGE,
    )
}
"""What a change may be answered with although nothing is wrong with it (fault 30)."""

LOCATE = Refusal(
    404,
    "Shares for this order are not immediately available for short sale. The order will be held while we attempt to "
    "locate the shares.",
)
PRESET_TIF = Refusal(10349, "Order TIF was set to DAY based on order preset.")
OUTSIDE_RTH_IGNORED = Refusal(
    2109,
    "Order Event Warning:Attribute 'Outside Regular Trading Hours' is ignored based on the order type and "
    "destination. PlaceOrder is now being processed.",
)


def not_found(order_id: int) -> Refusal:
    return Refusal(10147, f"OrderId {order_id} that needs to be cancelled is not found.")


def not_cancellable(order_id: int, status: str) -> Refusal:
    return Refusal(10148, f"OrderId {order_id} that needs to be cancelled cannot be cancelled, state: {status}.")


def too_far(price: float, market_price: float) -> str:
    """The reason of the 202 that ends a limit order far through the market (TWS.md 3.9)."""
    return (
        f"We cannot accept an order at the limit price you selected ({price:g}). Please submit your order using a "
        f"limit price that is closer to the current market price of {market_price:g}."
    )


def capped(price: float) -> str:
    return f"Your order's price is capped at {price:.2f} until the market moves."
