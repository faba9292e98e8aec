"""Manual orders: entered by hand in TWS, seen by everybody, changed by client 0 once they are bound (TWS.md 3.15).

Before binding their order id is 0; binding gives negative ones. Real TWS cancels and resubmits the order while
binding; here it keeps its permId and its place in the queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from brokers.simulated.gateway.data.listing import Listed
from brokers.simulated.gateway.orders import placing
from brokers.simulated.gateway.orders.order import GatewayOrder
from brokers.simulated.gateway.protocol.request_shapes import ContractFields
from brokers.simulated.gateway.protocol.requests import PlaceOrder

if TYPE_CHECKING:
    from brokers.simulated.gateway.orders.desk import Desk

MANUAL_CLIENT_ID = 0


def manual_request(
    stock: Listed, side: str, quantity: float, *, limit_price: float | None = None, account: str = ""
) -> PlaceOrder:
    """A limit order, without a price a market order, as a human enters it."""
    return PlaceOrder(
        order_id=0,
        contract=ContractFields(
            stock.con_id, stock.symbol, "STK", "", None, "", "", "SMART", "", "USD", stock.symbol, stock.symbol
        ),
        side=side,
        quantity=quantity,
        order_type="MKT" if limit_price is None else "LMT",
        limit_price=limit_price,
        aux_price=None,
        tif="DAY",
        oca_group="",
        oca_type=0,
        account=account,
        open_close="",
        order_ref="",
        transmit=True,
        parent_id=0,
        outside_rth=False,
        what_if=False,
        conditions=0,
    )


def enter_by_hand(desk: Desk, request: PlaceOrder, at: float) -> GatewayOrder:
    """Somebody at the TWS places an order; with auto binding client 0 owns it at once."""
    stock = desk.listings.find(request.contract)
    assert stock is not None, f"{request.contract.symbol} is not listed here"
    order = placing.new_order(desk, MANUAL_CLIENT_ID, request, stock, at)
    desk.book.add(order)
    if desk.auto_bind:
        bind(desk, order)
    placing.submit(desk, order, at, market_open=desk.venue.is_open(at))
    return order


def bind(desk: Desk, order: GatewayOrder) -> None:
    """Give a manual order an id of client 0, under which that client may change and cancel it."""
    desk.book.remove(order)
    order.request = replace(order.request, order_id=desk.book.new_bound_id())
    desk.book.add(order)
    desk.reporter.bound(order)


def bind_all(desk: Desk) -> None:
    """Client 0 asked for its open orders: what was entered by hand becomes its own."""
    for order in desk.book:
        if not order.done and order.order_id == 0:
            bind(desk, order)
