"""Why an order is not taken: one row per rule, the first that holds is the answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from brokers.simulated.gateway.data.listing import Listed
from brokers.simulated.gateway.orders.order import GatewayOrder
from brokers.simulated.gateway.orders.refusals import (
    ACCOUNT_CHANGE,
    GOOD_TILL_PAST,
    GROUP_CHANGE,
    GROUP_TYPE_CHANGE,
    INVALID_TIME,
    MISMATCH,
    OFF_TICK,
    PARENT_CHANGE,
    TOO_LATE_FOR_THE_CLOSE,
    TOO_LATE_FOR_THE_OPEN,
    TYPE_CHANGE,
    Refusal,
    invalid,
    rejected,
)
from brokers.simulated.gateway.orders.terms import ORDER_TYPES, TIMES_IN_FORCE, read_terms, terms_of
from brokers.simulated.gateway.protocol.requests import PlaceOrder
from brokers.simulated.gateway.protocol.wire import Unreadable

if TYPE_CHECKING:
    from brokers.simulated.gateway.orders.settings import OrderSettings
    from brokers.simulated.gateway.orders.venue import Venue

ORDER_ID_MAX = 2**31 - 1
ELSEWHERE = 2
"""shortSaleSlot: the shares are delivered from elsewhere, which must be named."""
PERCENT_MAX = 100.0
TRIGGER_METHODS = frozenset({0, 1, 2, 3, 4, 7, 8})
"""C§27: default, double bid/ask, last, double last, bid/ask, last or bid/ask, midpoint."""

Rule: TypeAlias = Callable[[PlaceOrder, Listed], bool]


def _has_price(price: float | None) -> bool:
    return 0 < (price or 0) < math.inf


def _prices(order: PlaceOrder) -> tuple[float | None, ...]:
    """The prices that must lie on the contract's increments; an amount or a percentage need not."""
    kind = terms_of(order)
    return (
        order.limit_price if kind.limit else None,
        order.aux_price if kind.aux_is_stop else None,
        order.trail_stop_price if kind.trails else None,
    )


def _off_tick(order: PlaceOrder, stock: Listed) -> bool:
    return any(price is not None and price > 0 and not stock.on_tick(price) for price in _prices(order))


def _bad_time(order: PlaceOrder, _: Listed) -> bool:
    try:
        read_terms(order)
    except Unreadable:
        return True
    return False


def _lacks_trail(order: PlaceOrder, _: Listed) -> bool:
    return terms_of(order).trails and not order.trailing_percent and not _has_price(order.aux_price)


def _has_bad_percent(order: PlaceOrder, _: Listed) -> bool:
    """A percentage goes before an amount, so it must be one even where an amount stands beside it; 0 says nothing."""
    percent = order.trailing_percent
    return terms_of(order).trails and bool(percent) and not 0 < (percent or 0) < PERCENT_MAX


def _lacks_offset(order: PlaceOrder, _: Listed) -> bool:
    if order.order_type != "TRAIL LIMIT":
        return False
    offset = read_terms(order).limit_offset
    return offset is None or not math.isfinite(offset)


def _has_bad_start(order: PlaceOrder, _: Listed) -> bool:
    """A trailing stop may begin where its client says, but only at a price; 0 says nothing."""
    return terms_of(order).trails and bool(order.trail_stop_price) and not _has_price(order.trail_stop_price)


RULES: tuple[tuple[Rule, Refusal], ...] = (
    (lambda order, _: order.conditions > 0, invalid("Conditional orders are not simulated")),
    (lambda order, _: order.algo_strategy != "", invalid("Algorithmic orders are not simulated")),
    (lambda order, _: order.side not in {"BUY", "SELL"}, invalid("Invalid side, allowed: BUY, SELL")),
    (
        lambda order, _: order.order_type not in ORDER_TYPES,
        Refusal(387, "Unsupported order type for this exchange and security type."),
    ),
    (
        lambda order, _: order.tif not in TIMES_IN_FORCE,
        Refusal(10052, f"Invalid time in force, allowed: {', '.join(TIMES_IN_FORCE)}"),
    ),
    (
        lambda order, _: terms_of(order).at_close and order.tif != "DAY",
        Refusal(113, "The Tif option should be set to DAY for MOC and LOC orders."),
    ),
    (
        lambda order, _: order.tif not in terms_of(order).tifs,
        Refusal(111, "The TIF (Tif type) and the order type are incompatible."),
    ),
    (
        lambda order, _: order.tif == "GTD" and not order.good_till,
        Refusal(334, "Invalid Good Till Date order"),
    ),
    (_bad_time, INVALID_TIME),
    (
        lambda order, _: bool(order.cash_quantity),
        Refusal(10244, "Cash Quantity cannot be used for this order"),
    ),
    (lambda order, _: order.quantity == 0, Refusal(434, "The order size cannot be zero.")),
    (lambda order, _: order.quantity < 0, rejected("Invalid order quantity.")),
    (
        lambda order, _: not order.quantity.is_integer(),
        Refusal(10243, "Fractional-sized order cannot be placed via API."),
    ),
    (
        lambda order, _: 0 < order.quantity <= order.display_size,
        Refusal(10020, "Display size should be smaller than order size."),
    ),
    (
        lambda order, _: order.trigger_method not in TRIGGER_METHODS,
        Refusal(146, "Invalid trigger method."),
    ),
    (
        lambda order, _: order.short_sale_slot == ELSEWHERE and not order.designated_location,
        Refusal(352, "Short sale slot value of 2 (delivered from elsewhere) requires location."),
    ),
    (
        lambda order, _: terms_of(order).limit and not _has_price(order.limit_price),
        rejected("You must specify a limit price."),
    ),
    (
        lambda order, _: terms_of(order).aux_is_stop and not _has_price(order.aux_price),
        rejected("You must specify a stop price."),
    ),
    (_lacks_trail, Refusal(158, "You must specify an offset amount or a percent offset value.")),
    (_has_bad_percent, Refusal(159, "The percent offset value must be between 0% and 100%.")),
    (_has_bad_start, rejected("The trailing stop price must be a positive number.")),
    (_lacks_offset, rejected("You must specify a limit price offset.")),
    (_off_tick, OFF_TICK),
)


def refusal_of(order: PlaceOrder, stock: Listed) -> Refusal | None:
    """The first rule that a new or changed order breaks."""
    return next((refusal for breaks, refusal in RULES if breaks(order, stock)), None)


def hours_refusal_of(order: PlaceOrder, venue: Venue, settings: OrderSettings, at: float) -> Refusal | None:
    """Why a new order comes at the wrong hour or in the wrong size for this broker."""
    if order.tif == "GTD" and (read_terms(order).good_till or at) <= at:
        return GOOD_TILL_PAST
    if order.tif == "OPG" and venue.is_open(at):
        return TOO_LATE_FOR_THE_OPEN
    if terms_of(order).at_close and venue.closes_at - settings.close_cutoff_s <= at < venue.closes_at:
        return TOO_LATE_FOR_THE_CLOSE
    if order.quantity > settings.quantity_max:
        return rejected(f"The order size exceeds the limit of {settings.quantity_max:g} shares.")
    return None


def modify_refusal_of(order: GatewayOrder, wanted: PlaceOrder) -> Refusal | None:
    """Why a live order may not be changed into `wanted`; the order works on as it was."""
    if wanted.side != order.request.side:
        return MISMATCH
    if wanted.parent_id not in {0, order.request.parent_id}:
        return PARENT_CHANGE
    if wanted.account not in {"", order.account}:
        return ACCOUNT_CHANGE
    if wanted.oca_group not in {"", order.oca_group}:
        return GROUP_CHANGE
    if wanted.oca_group and wanted.oca_type not in {0, order.oca_type}:
        return GROUP_TYPE_CHANGE
    return TYPE_CHANGE if wanted.order_type != order.request.order_type else None
