"""The warnings that accompany a new order after its first status; the order is live all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brokers.simulated.gateway.orders.order import GatewayOrder
from brokers.simulated.gateway.orders.refusals import OUTSIDE_RTH_IGNORED, PRESET_TIF, Refusal
from brokers.simulated.gateway.orders.terms import terms_of
from brokers.simulated.gateway.protocol.answers import local_time

if TYPE_CHECKING:
    from brokers.simulated.gateway.orders.desk import Desk


def announce(desk: Desk, order: GatewayOrder, at: float) -> None:
    """399, 2109, 10349 and what the conduct adds (TWS.md 3.10, 3.12, 3.19)."""
    if order.request.outside_rth and ignores_outside_rth(order):
        desk.reporter.warn(order, OUTSIDE_RTH_IGNORED)
    if not desk.venue.is_open(at) and order.why_held != "child" and not works_outside_rth(order):
        desk.reporter.warn(order, _not_until(desk, order, at))
    if desk.conduct.preset_tif_warning:
        desk.reporter.warn(order, PRESET_TIF)
    for code, text in desk.conduct.notices:
        desk.reporter.warn(order, Refusal(code, text))


def ignores_outside_rth(order: GatewayOrder) -> bool:
    """Market and auction orders have no use for the flag; TWS says so with 2109 and goes on."""
    return terms_of(order.request).ignores_outside_rth or order.request.tif == "OPG"


def works_outside_rth(order: GatewayOrder) -> bool:
    return order.request.outside_rth and not ignores_outside_rth(order)


def _not_until(desk: Desk, order: GatewayOrder, at: float) -> Refusal:
    opens = local_time(desk.venue.next_open(at), "%Y-%m-%d %H:%M:%S US/Eastern")
    wanted = f"{order.request.side} {order.quantity:g} {order.stock.symbol} {order.stock.exchange}"
    return Refusal(
        399, f"Order Message:\n{wanted}\nWarning: Your order will not be placed at the exchange until {opens}."
    )
