"""Positions, account values, executions and the small questions about the connection itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from brokers.simulated.gateway.data.times import parse_time
from brokers.simulated.gateway.protocol import answers, layouts
from brokers.simulated.gateway.protocol import requests as ask
from brokers.simulated.gateway.protocol.message import Message, message

if TYPE_CHECKING:
    from brokers.simulated.gateway.accounts.ledger import Execution, Ledger, Position
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session

ACCOUNT_KEYS = {
    "AccountReady": "true",
    "AccountType": "INDIVIDUAL",
    "DayTradesRemaining": "-1",
    "Currency": "USD",
}


# ------------------------------------------------------------------ connection


def managed_accounts(session: Session, client: Client, _request: ask.ReqManagedAccounts) -> None:
    client.send(message(layouts.MANAGED_ACCOUNTS, accounts=session.ledger.account))


def ids(session: Session, client: Client, _request: ask.ReqIds) -> None:
    client.send(message(layouts.NEXT_VALID_ID, orderId=session.desk.next_valid_id(client.client_id)))


def current_time(session: Session, client: Client, _request: ask.ReqCurrentTime) -> None:
    client.send(message(layouts.CURRENT_TIME, time=int(session.now())))


def server_log_level(session: Session, client: Client, request: ask.SetServerLogLevel) -> None:
    """TWS answers nothing to this."""


# ------------------------------------------------------------------ positions


def positions(session: Session, client: Client, _request: ask.ReqPositions) -> None:
    client.subscriptions.positions = True
    for held in _held(session):
        client.send(_position(session, held))
    client.send(message(layouts.POSITION_END))


def cancel_positions(_session: Session, client: Client, _request: ask.CancelPositions) -> None:
    client.subscriptions.positions = False


def positions_multi(session: Session, client: Client, request: ask.ReqPositionsMulti) -> None:
    client.subscriptions.position_multi.add(request.req_id)
    for held in _held(session):
        client.send(_position_multi(session, held, request.req_id))
    client.send(message(layouts.POSITION_MULTI_END, reqId=request.req_id))


def cancel_positions_multi(_session: Session, client: Client, request: ask.CancelPositionsMulti) -> None:
    client.subscriptions.position_multi.discard(request.req_id)


def _held(session: Session) -> Iterator[Position]:
    return (held for held in session.ledger.positions.values() if held.quantity)


def _position(session: Session, held: Position) -> Message:
    return answers.position(held, session.listings.by_con_id[held.con_id], session.ledger.account)


def _position_multi(session: Session, held: Position, req_id: int) -> Message:
    return answers.position_multi(held, session.listings.by_con_id[held.con_id], session.ledger.account, req_id)


# ------------------------------------------------------------------ account values


def account_updates(session: Session, client: Client, request: ask.ReqAccountUpdates) -> None:
    client.subscriptions.account = request.subscribe
    if not request.subscribe:
        return
    _send_account(session, client, (held.con_id for held in _held(session)))
    client.send(message(layouts.DOWNLOAD_END, account=session.ledger.account))


def account_updates_multi(session: Session, client: Client, request: ask.ReqAccountUpdatesMulti) -> None:
    client.subscriptions.account_multi[request.req_id] = request.model_code
    _send_multi(session, client, request.req_id, request.model_code)
    client.send(message(layouts.ACCOUNT_UPDATE_MULTI_END, reqId=request.req_id))


def cancel_account_updates_multi(_session: Session, client: Client, request: ask.CancelAccountUpdatesMulti) -> None:
    client.subscriptions.account_multi.pop(request.req_id, None)


def account_summary(session: Session, client: Client, request: ask.ReqAccountSummary) -> None:
    tags = tuple(tag.strip() for tag in request.tags.split(",") if tag.strip())
    client.subscriptions.summaries[request.req_id] = tags
    _send_summary(session, client, request.req_id, tags)
    client.send(message(layouts.ACCOUNT_SUMMARY_END, reqId=request.req_id))


def cancel_account_summary(_session: Session, client: Client, request: ask.CancelAccountSummary) -> None:
    client.subscriptions.summaries.pop(request.req_id, None)


def push_account(session: Session, client: Client, changed: list[int]) -> None:
    """Serve a client's account subscriptions; `changed` are the conIds whose position moved."""
    wants = client.subscriptions
    for con_id in changed:
        held = session.ledger.positions[con_id]
        if wants.positions:
            client.send(_position(session, held))
        for req_id in wants.position_multi:
            client.send(_position_multi(session, held, req_id))
    if wants.account:
        _send_account(session, client, changed or (held.con_id for held in _held(session)))
    for req_id, model_code in wants.account_multi.items():
        _send_multi(session, client, req_id, model_code)
    for req_id, tags in wants.summaries.items():
        _send_summary(session, client, req_id, tags)


def _values(ledger: Ledger) -> Iterator[tuple[str, str, str]]:
    """Key, value and currency of everything a TWS reports about the account."""
    yield "AccountCode", ledger.account, ""
    yield from ((key, value, "") for key, value in ACCOUNT_KEYS.items())
    yield from ((key, f"{value:.2f}", "USD") for key, value in ledger.account_values().items())
    for currency in ("BASE", "USD"):
        yield from ((key, f"{value:.2f}", currency) for key, value in ledger.currency_values().items())


def _send_account(session: Session, client: Client, con_ids: Iterable[int]) -> None:
    account = session.ledger.account
    for key, value, currency in _values(session.ledger):
        client.send(message(layouts.ACCOUNT_VALUE, key=key, value=value, currency=currency, account=account))
    for con_id in con_ids:
        held = session.ledger.positions[con_id]
        client.send(answers.portfolio(held, session.listings.by_con_id[con_id], account))
    client.send(message(layouts.UPDATE_TIME, time=answers.local_time(session.now(), "%H:%M")))


def _send_multi(session: Session, client: Client, req_id: int, model_code: str) -> None:
    for key, value, currency in _values(session.ledger):
        client.send(
            message(
                layouts.ACCOUNT_UPDATE_MULTI,
                reqId=req_id,
                account=session.ledger.account,
                modelCode=model_code,
                key=key,
                value=value,
                currency=currency,
            )
        )


def _send_summary(session: Session, client: Client, req_id: int, tags: tuple[str, ...]) -> None:
    known = {key: (value, currency) for key, value, currency in _values(session.ledger) if currency != "BASE"}
    for tag in tags:
        if tag in known:
            value, currency = known[tag]
            client.send(
                message(
                    layouts.ACCOUNT_SUMMARY,
                    reqId=req_id,
                    account=session.ledger.account,
                    tag=tag,
                    value=value,
                    currency=currency,
                )
            )


# ------------------------------------------------------------------ executions


def executions(session: Session, client: Client, request: ask.ReqExecutions) -> None:
    """Every execution of the session that passes the filter, each with its commission."""
    charged = session.ledger.commissions
    since = parse_time(request.time) if request.time else 0.0
    for done in session.ledger.executions:
        if done.at >= since and _wanted(done, request, session):
            stock = session.listings.by_con_id[done.con_id]
            client.send(answers.execution(done, stock, session.ledger.account, request.req_id))
            client.send(answers.commission(charged[done.exec_id]))
    client.send(message(layouts.EXECUTION_END, reqId=request.req_id))


def _wanted(done: Execution, request: ask.ReqExecutions, session: Session) -> bool:
    stock = session.listings.by_con_id[done.con_id]
    sides = {"BUY": "BUY", "BOT": "BUY", "SELL": "SELL", "SLD": "SELL", "SSHORT": "SELL"}
    return (
        request.client_id in {0, done.client_id}
        and request.account in {"", session.ledger.account}
        and request.symbol in {"", done.symbol}
        and request.sec_type in {"", "STK"}
        and request.exchange in {"", "SMART", stock.exchange}
        and (not request.side or sides.get(request.side.upper()) == done.side)
    )
