"""Where a trailing stop stands. PURE.

A sell stop follows the highest price since it began at its distance and never falls; a buy stop follows the
lowest and never rises (IB, "Trailing Stop Orders"). The limit of a TRAIL LIMIT keeps its offset to the stop.
"""

import math

from brokers.simulated.sim_order import SimOrder

ROUNDING = 1e-9


def follow(order: SimOrder, price: float) -> bool:
    """Move the order's stop, and with it its limit, after the market traded at `price`; whether it moved."""
    stop = _stop_at(order, price)
    if order.stop_price is not None and (
        stop <= order.stop_price if order.side == "SELL" else stop >= order.stop_price
    ):
        return False
    if order.limit_offset is None and order.limit_price is not None and order.stop_price is not None:
        order.limit_offset = abs(order.stop_price - order.limit_price)
    order.stop_price = stop
    place_limit(order)
    return True


def place_limit(order: SimOrder) -> None:
    """Put the limit of a TRAIL LIMIT where its offset wants it."""
    if order.order_type == "TRAIL LIMIT" and order.limit_offset is not None and order.stop_price is not None:
        beyond = -order.limit_offset if order.side == "SELL" else order.limit_offset
        order.limit_price = round(order.stop_price + beyond, 8)


def _stop_at(order: SimOrder, price: float) -> float:
    """The stop that belongs to a market price: on the tick, away from the market."""
    distance = order.trail_amount
    if distance is None:
        assert order.trail_percent is not None
        distance = price * order.trail_percent / 100
    if order.side == "SELL":
        steps = math.floor((price - distance) / order.tick + ROUNDING)
    else:
        steps = math.ceil((price + distance) / order.tick - ROUNDING)
    return round(max(steps, 1) * order.tick, 8)
