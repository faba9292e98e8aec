"""Rules about the size of one entry and of one position."""

from __future__ import annotations

from risk.breaches import capped, is_positive, refusal, whole_shares, worst_case
from risk.limits import Limits
from risk.view import RiskView
from shared.orders import Breach, OrderIntent


def order_quantity_max(intent: OrderIntent, _: RiskView, limits: Limits) -> Breach | None:
    """Every order has a quantity of at least 1; an entry has at most `max_order_quantity`."""
    if intent.quantity < 1:
        return refusal("order_quantity_max", f"an order of {intent.quantity}, must be at least 1")
    if intent.reduces:
        return None
    limit = limits.max_order_quantity
    return capped(
        "order_quantity_max",
        intent,
        limit,
        value=intent.quantity,
        limit=limit,
        text=lambda: f"an order of {intent.quantity}, at most {limit}",
    )


def order_notional_max(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """An entry is worth at most `max_order_notional`."""
    if intent.reduces or not is_positive(view.price):
        return None
    value, limit = intent.quantity * view.price, limits.max_order_notional
    return capped(
        "order_notional_max",
        intent,
        whole_shares(limit, view.price),
        value=value,
        limit=limit,
        text=lambda: f"an order worth {value:.2f}, at most {limit:.2f}",
    )


def position_quantity_max(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """Position and everything that may still be filled in its direction: at most `max_position_quantity`."""
    if intent.reduces:
        return None
    held, limit = worst_case(intent.side, view), limits.max_position_quantity
    value = held + intent.quantity
    return capped(
        "position_quantity_max",
        intent,
        whole_shares(limit - held, 1.0),
        value=value,
        limit=limit,
        text=lambda: f"a position of up to {value:.10g}, at most {limit}",
    )


def position_notional_max(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """The same worst case in money: at most `max_position_notional`."""
    if intent.reduces or not is_positive(view.price):
        return None
    held, limit = worst_case(intent.side, view), limits.max_position_notional
    value = (held + intent.quantity) * view.price
    room = whole_shares(limit - held * view.price, view.price)
    return capped(
        "position_notional_max",
        intent,
        room,
        value=value,
        limit=limit,
        text=lambda: f"a position worth up to {value:.2f}, at most {limit:.2f}",
    )
