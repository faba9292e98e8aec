"""Order requests: from a client's message to the desk, and the lists of orders a client may ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brokers.simulated.gateway.orders.order import GatewayOrder
from brokers.simulated.gateway.orders.refusals import ONLY_CLIENT_0, READ_ONLY
from brokers.simulated.gateway.orders.reporting import completed_order, open_order, order_status
from brokers.simulated.gateway.protocol import answers, layouts
from brokers.simulated.gateway.protocol import requests as ask
from brokers.simulated.gateway.protocol.message import message

if TYPE_CHECKING:
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session


def place_order(session: Session, client: Client, request: ask.PlaceOrder) -> None:
    if request.what_if:
        session.desk.preview(client.client_id, request, at=session.now())
    else:
        session.desk.place(client.client_id, request, at=session.now(), market_open=session.is_open)


def cancel_order(session: Session, client: Client, request: ask.CancelOrder) -> None:
    session.desk.cancel(client.client_id, request.order_id, at=session.now())


def global_cancel(session: Session, _client: Client, _request: ask.ReqGlobalCancel) -> None:
    session.desk.cancel_all(at=session.now())


def open_orders(session: Session, client: Client, _request: ask.ReqOpenOrders) -> None:
    """Only the client's own; client 0 takes over manual ones by asking (TWS.md 3.15)."""
    if client.client_id == 0 and not session.desk.settings.read_only:
        session.desk.bind_manual_orders()
    _send_open(client, session.desk.open_orders(client.client_id))


def all_open_orders(session: Session, client: Client, _request: ask.ReqAllOpenOrders) -> None:
    """Everybody's, once; nothing is bound (TWS.md 3.16)."""
    _send_open(client, session.desk.open_orders())


def auto_open_orders(session: Session, client: Client, request: ask.ReqAutoOpenOrders) -> None:
    """Whether client 0 owns manual orders from their beginning; TWS confirms nothing."""
    refusal = ONLY_CLIENT_0 if client.client_id else READ_ONLY
    if client.client_id or (request.auto_bind and session.desk.settings.read_only):
        client.send(answers.error(answers.NO_REQUEST, refusal.code, refusal.text))
    else:
        session.desk.auto_bind = request.auto_bind


def completed_orders(session: Session, client: Client, request: ask.ReqCompletedOrders) -> None:
    for order in session.desk.completed_orders(at=session.now(), api_only=request.api_only):
        client.send(completed_order(order))
    client.send(message(layouts.COMPLETED_ORDERS_END))


def _send_open(client: Client, orders: list[GatewayOrder]) -> None:
    for order in orders:
        client.send(open_order(order))
        client.send(order_status(order))
    client.send(message(layouts.OPEN_ORDER_END))
