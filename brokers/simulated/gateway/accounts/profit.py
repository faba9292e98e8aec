"""Profit and loss by subscription, about once a second at TWS, once a step of the market here (TWS.md 3.28)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from brokers.simulated.gateway.accounts.account_refusals import account_refusal, refuse
from brokers.simulated.gateway.orders.refusals import Refusal, invalid
from brokers.simulated.gateway.protocol import data_answers

if TYPE_CHECKING:
    from collections.abc import Callable

    from brokers.simulated.gateway.accounts.ledger import Ledger
    from brokers.simulated.gateway.protocol import data_requests as ask
    from brokers.simulated.gateway.protocol.message import Message
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session

EVERY_S = 1.0
CENT = 2
DUPLICATE = Refusal(322, "Error processing request.-'simulated gateway' : cause - Duplicate ticker id")
UNKNOWN = Refusal(300, "Can't find EId with tickerId")


def pnl(session: Session, client: Client, request: ask.ReqPnL) -> None:
    if _refused(session, client, request.req_id, request.account):
        return
    _subscribe(session, client, request.req_id, partial(_total, session.accounts[request.account], request.req_id))


def pnl_single(session: Session, client: Client, request: ask.ReqPnLSingle) -> None:
    if _refused(session, client, request.req_id, request.account):
        return
    if request.con_id not in session.listings.by_con_id:
        refusal = invalid(f"Invalid contract id {request.con_id}")
        refuse(client, request.req_id, refusal)
        return
    ledger = session.accounts[request.account]
    _subscribe(session, client, request.req_id, partial(_single, ledger, request.req_id, request.con_id))


def cancel_pnl(_session: Session, client: Client, request: ask.CancelPnL | ask.CancelPnLSingle) -> None:
    if client.subscriptions.profits.pop(request.req_id, None) is None:
        refuse(client, request.req_id, UNKNOWN)


def _refused(session: Session, client: Client, req_id: int, account: str) -> bool:
    refusal = account_refusal(session.accounts, account)
    if refusal is None and req_id in client.subscriptions.profits:
        refusal = DUPLICATE
    if refusal is None and not account:
        refusal = invalid("Invalid account code ''")
    if refusal is not None:
        refuse(client, req_id, refusal)
    return refusal is not None


def _subscribe(session: Session, client: Client, req_id: int, figures: Callable[[], Message]) -> None:
    client.subscriptions.profits[req_id] = figures
    _send(session, client, req_id, figures)


def _send(session: Session, client: Client, req_id: int, figures: Callable[[], Message]) -> None:
    """Now, and again as long as the subscription is this one and the client is there."""
    if client.subscriptions.profits.get(req_id) is figures and session.clients.get(client.client_id) is client:
        if session.is_connected:
            client.send(figures())
        session.agenda.after(EVERY_S, partial(_send, session, client, req_id, figures))


def _total(ledger: Ledger, req_id: int) -> Message:
    figures = {"daily": ledger.daily_pnl, "unrealized": ledger.unrealized_pnl, "realized": ledger.realized_today}
    return data_answers.pnl(req_id, **{name: round(amount, CENT) for name, amount in figures.items()})


def _single(ledger: Ledger, req_id: int, con_id: int) -> Message:
    held = ledger.positions.get(con_id)
    if held is None:
        return data_answers.pnl_single(req_id, 0)
    figures = {
        "daily": held.daily_pnl,
        "unrealized": held.unrealized_pnl,
        "realized": held.realized_today,
        "value": held.market_value,
    }
    return data_answers.pnl_single(
        req_id, held.quantity, **{name: round(amount, CENT) for name, amount in figures.items()}
    )
