"""Order requests: from a client's message to the desk, and the lists of orders a client may ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brokers.simulated.commission import ib_fixed
from brokers.simulated.gateway.accounts.ledger import MARGIN_RATE
from brokers.simulated.gateway.orders.order import GatewayOrder
from brokers.simulated.gateway.orders.refusals import UNKNOWN_CONTRACT, invalid, refusal_of
from brokers.simulated.gateway.protocol import answers, layouts
from brokers.simulated.gateway.protocol import requests as ask
from brokers.simulated.gateway.protocol.message import message

if TYPE_CHECKING:
    from brokers.simulated.gateway.data.listing import Listed
    from brokers.simulated.gateway.protocol.wire import Value
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session


def place_order(session: Session, client: Client, request: ask.PlaceOrder) -> None:
    if request.what_if:
        _what_if(session, client, request)
        return
    session.desk.place(client.client_id, request, at=session.now(), market_open=session.is_open)


def cancel_order(session: Session, client: Client, request: ask.CancelOrder) -> None:
    session.desk.cancel(client.client_id, request.order_id, at=session.now())


def global_cancel(session: Session, _client: Client, _request: ask.ReqGlobalCancel) -> None:
    session.desk.cancel_all(at=session.now())


def open_orders(session: Session, client: Client, _request: ask.ReqOpenOrders) -> None:
    """Only the client's own: orders belong to their client id (TWS.md 3.15)."""
    _send_open(session, client, session.desk.open_orders(client.client_id))


def all_open_orders(session: Session, client: Client, _request: ask.ReqAllOpenOrders) -> None:
    _send_open(session, client, session.desk.open_orders())


def auto_open_orders(_session: Session, client: Client, _request: ask.ReqAutoOpenOrders) -> None:
    """Client 0 binds manual orders, of which there are none here; TWS confirms nothing."""
    if client.client_id:
        refusal = invalid("Only the default client (i.e 0) can auto bind orders.")
        client.send(answers.error(answers.NO_REQUEST, refusal.code, refusal.text))


def completed_orders(session: Session, client: Client, _request: ask.ReqCompletedOrders) -> None:
    for order in session.desk.completed_orders():
        client.send(answers.completed_order(order, session.ledger.account))
    client.send(message(layouts.COMPLETED_ORDERS_END))


def _send_open(session: Session, client: Client, orders: list[GatewayOrder]) -> None:
    for order in orders:
        client.send(answers.open_order(order, session.ledger.account))
        client.send(answers.order_status(order))
    client.send(message(layouts.OPEN_ORDER_END))


def _what_if(session: Session, client: Client, request: ask.PlaceOrder) -> None:
    """What the order would cost and tie up; it takes no order id and leaves no trace."""
    stock = session.listings.find(request.contract)
    refusal = UNKNOWN_CONTRACT if stock is None else refusal_of(request, stock, session.ledger.account)
    if stock is None or refusal is not None:
        refused = refusal or UNKNOWN_CONTRACT
        client.send(answers.error(request.order_id, refused.code, refused.text))
        return
    order = GatewayOrder(
        perm_id=0,
        client_id=client.client_id,
        request=request,
        stock=stock,
        quantity=request.quantity,
        limit_price=request.limit_price,
        stop_price=request.aux_price,
        status="PreSubmitted",
    )
    client.send(answers.open_order(order, session.ledger.account, whatIf=1, **_margins(session, order, stock)))


def _margins(session: Session, order: GatewayOrder, stock: Listed) -> dict[str, Value]:
    """Margins before, after and their change; no price, no margin: then the fields stay unset."""
    price = order.limit_price or session.tape.last[stock.index]
    if not price > 0:
        return {"warningText": "No market price: margin and commission are not known"}
    ledger = session.ledger
    held = ledger.quantity(stock.symbol)
    signed = order.quantity if order.request.side == "BUY" else -order.quantity
    change = MARGIN_RATE * float(price) * (abs(held + signed) - abs(held))
    before = ledger.account_values()
    cost = ib_fixed(order.quantity, float(price))
    equity = ledger.net_liquidation
    values = {
        "initMarginBefore": before["InitMarginReq"],
        "maintMarginBefore": before["MaintMarginReq"],
        "equityWithLoanBefore": equity,
        "initMarginChange": change,
        "maintMarginChange": change,
        "equityWithLoanChange": -cost,
        "initMarginAfter": before["InitMarginReq"] + change,
        "maintMarginAfter": before["MaintMarginReq"] + change,
        "equityWithLoanAfter": equity - cost,
    }
    texts: dict[str, Value] = {name: f"{value:.2f}" for name, value in values.items()}
    return texts | {"commission": cost, "commissionCurrency": "USD"}
