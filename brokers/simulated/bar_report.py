"""What the bar broker says of an order when it is asked: one line of a report. PURE."""

from __future__ import annotations

from brokers.simulated.sim_order import SimOrder
from shared.orders import CompletedOrder, OpenOrder, Order, Side

CLIENT_ID = 0


def open_line(simulated: SimOrder, order: Order) -> OpenOrder:
    """An order that works, as it stands now."""
    return OpenOrder(
        ref=order.ref,
        perm_id=simulated.key,
        symbol=order.symbol,
        side=Side(simulated.side),
        quantity=int(simulated.quantity),
        order_type=simulated.order_type,
        limit_price=simulated.limit_price,
        stop_price=simulated.stop_price,
        status=simulated.status,
        client_id=CLIENT_ID,
        order_id=simulated.key,
        trail_amount=simulated.trail_amount,
        trail_percent=simulated.trail_percent,
        good_till=order.good_till,
        oca_group=order.oca_group,
        filled=int(simulated.filled),
    )


def ended_line(simulated: SimOrder, order: Order) -> CompletedOrder:
    """An order that is over."""
    return CompletedOrder(
        ref=order.ref,
        perm_id=simulated.key,
        symbol=order.symbol,
        status=simulated.status,
        filled=int(simulated.filled),
    )
