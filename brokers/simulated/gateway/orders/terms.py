"""What an order type needs and how its prices are read: one row per type.

The wire has two price fields, `lmtPrice` and `auxPrice`, and the type decides what they mean; trailing orders add
`trailStopPrice`, `trailingPercent` and `lmtPriceOffset` (C§27, order types).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from brokers.simulated.gateway.data.times import parse_time

if TYPE_CHECKING:
    from brokers.simulated.gateway.protocol.requests import PlaceOrder


class TypeTerms(Struct, frozen=True, kw_only=True):
    """Which fields a type uses and with which times in force it goes."""

    limit: bool = False
    aux_is_stop: bool = False
    trails: bool = False
    at_close: bool = False
    ignores_outside_rth: bool = False
    tifs: tuple[str, ...] = ("DAY", "GTC", "GTD")


TIMES_IN_FORCE = ("DAY", "GTC", "GTD", "IOC", "FOK", "OPG")
ORDER_TYPES = {
    "MKT": TypeTerms(tifs=TIMES_IN_FORCE, ignores_outside_rth=True),
    "LMT": TypeTerms(limit=True, tifs=TIMES_IN_FORCE),
    "STP": TypeTerms(aux_is_stop=True),
    "STP LMT": TypeTerms(limit=True, aux_is_stop=True),
    "TRAIL": TypeTerms(trails=True),
    "TRAIL LIMIT": TypeTerms(trails=True),
    "MIT": TypeTerms(aux_is_stop=True),
    "LIT": TypeTerms(limit=True, aux_is_stop=True),
    "MOC": TypeTerms(at_close=True, tifs=("DAY",), ignores_outside_rth=True),
    "LOC": TypeTerms(limit=True, at_close=True, tifs=("DAY",), ignores_outside_rth=True),
}
NO_TERMS = TypeTerms()


def terms_of(order: PlaceOrder) -> TypeTerms:
    """The row of the order's type; of an unknown type one without prices."""
    return ORDER_TYPES.get(order.order_type, NO_TERMS)


class Terms(Struct, frozen=True, kw_only=True):
    """The prices and instants of an order by their meaning; None where it has none. Epoch seconds, dollars."""

    limit_price: float | None = None
    stop_price: float | None = None
    trail_amount: float | None = None
    trail_percent: float | None = None
    limit_offset: float | None = None
    good_till: float | None = None
    good_after: float | None = None


def read_terms(order: PlaceOrder) -> Terms:
    """What the order's fields mean by its type. Raises Unreadable on a date that is none."""
    kind = terms_of(order)
    stop = order.aux_price if kind.aux_is_stop else order.trail_stop_price if kind.trails else None
    percent = order.trailing_percent if kind.trails else None
    offset = _limit_offset(order) if order.order_type == "TRAIL LIMIT" else None
    return Terms(
        limit_price=order.limit_price if kind.limit else _behind(order, stop, offset),
        stop_price=stop or None,
        trail_amount=(order.aux_price or None) if kind.trails and not percent else None,
        trail_percent=percent or None,
        limit_offset=offset,
        good_till=parse_time(order.good_till) if order.tif == "GTD" else None,
        good_after=parse_time(order.good_after) if order.good_after else None,
    )


def _behind(order: PlaceOrder, stop: float | None, offset: float | None) -> float | None:
    """Where the limit of a TRAIL LIMIT stands, as long as its stop has a price."""
    if not stop or offset is None:
        return None
    return round(stop - offset if order.side == "SELL" else stop + offset, 8)


def _limit_offset(order: PlaceOrder) -> float | None:
    """How far the limit of a TRAIL LIMIT stands behind its stop: as given, or from the two prices given."""
    if order.limit_price_offset is not None:
        return order.limit_price_offset
    if not order.limit_price or not order.trail_stop_price:
        return None
    behind = order.trail_stop_price - order.limit_price
    return behind if order.side == "SELL" else -behind
