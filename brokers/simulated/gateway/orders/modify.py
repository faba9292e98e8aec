"""A change of a live order: placeOrder with an id that is in use (TWS.md 3.6).

A refused change leaves the order working as it was. An accepted one shows Submitted, PreSubmitted, Submitted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from msgspec.structs import replace

from brokers.simulated.gateway.orders import outcomes
from brokers.simulated.gateway.orders.announcing import works_outside_rth
from brokers.simulated.gateway.orders.order import GatewayOrder
from brokers.simulated.gateway.orders.refusals import MISMATCH, MODIFY_REFUSALS, Refusal, invalid
from brokers.simulated.gateway.orders.rules import modify_refusal_of
from brokers.simulated.gateway.orders.terms import Terms, read_terms
from brokers.simulated.gateway.protocol.requests import PlaceOrder
from brokers.simulated.sim_order import Tif
from brokers.simulated.working_orders import Terms as MatcherTerms

if TYPE_CHECKING:
    from brokers.simulated.gateway.orders.desk import Desk

EXCHANGEABLE_TIFS = frozenset({"DAY", "GTC"})


def modify(desk: Desk, order: GatewayOrder, wanted: PlaceOrder, at: float) -> None:
    """Change `order` into `wanted`, or say why not. The request has passed the rules for itself."""
    terms = read_terms(wanted)
    refusal = _refusal(desk, order, wanted, terms)
    if refusal is not None:
        desk.reporter.warn(order, refusal)
    elif desk.conduct.modify_forks:
        desk.acts.fork(order, wanted, at)
    else:
        _take(desk, order, wanted, terms)
        if order.transmitted:
            outcomes.record(desk, order, at, "modified")
        if order.status == "Submitted":
            desk.reporter.status(order)
            order.status = "PreSubmitted"
            desk.reporter.show(order)
        changed = desk.matcher.modify(
            order.perm_id, transmit=wanted.transmit and not order.withheld, **_prices(wanted, terms)
        )
        outcomes.apply(desk, changed, at)
        if order.withheld:
            desk.reporter.show(order)


def _refusal(desk: Desk, order: GatewayOrder, wanted: PlaceOrder, terms: Terms) -> Refusal | None:
    if desk.conduct.modify_refusal is not None:
        return MODIFY_REFUSALS[desk.conduct.modify_refusal]
    refusal = modify_refusal_of(order, wanted)
    if refusal is not None:
        return refusal
    if desk.listings.find(wanted.contract) is not order.stock or not _tif_may_change(order, wanted):
        return MISMATCH
    reason = desk.matcher.modify_refusal(order.perm_id, **_prices(wanted, terms))
    return invalid(reason) if reason else None


def _tif_may_change(order: GatewayOrder, wanted: PlaceOrder) -> bool:
    """DAY and GTC change into each other; the others tie the order to an instant that has been taken."""
    tifs = {order.request.tif, wanted.tif}
    same_hours = wanted.good_till == order.request.good_till and wanted.good_after == order.request.good_after
    return same_hours and (len(tifs) == 1 or tifs <= EXCHANGEABLE_TIFS)


def _prices(wanted: PlaceOrder, terms: Terms) -> MatcherTerms:
    return {
        "quantity": wanted.quantity,
        "limit_price": terms.limit_price,
        "stop_price": terms.stop_price,
        "trail_amount": terms.trail_amount,
        "trail_percent": terms.trail_percent,
        "limit_offset": terms.limit_offset,
    }


def _take(desk: Desk, order: GatewayOrder, wanted: PlaceOrder, terms: Terms) -> None:
    """The new terms; what ties the order to others stays as it was placed."""
    order.request = replace(wanted, parent_id=order.request.parent_id)
    order.quantity = wanted.quantity
    order.limit_price, order.stop_price = terms.limit_price, terms.stop_price or order.stop_price
    sim = desk.matcher.order(order.perm_id)
    sim.tif, sim.outside_rth = cast("Tif", wanted.tif), works_outside_rth(order)
