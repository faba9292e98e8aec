"""Positions and the small questions about the connection itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brokers.simulated.gateway.accounts.account_refusals import refused
from brokers.simulated.gateway.accounts.account_values import held_in, ledgers_of, push_values
from brokers.simulated.gateway.protocol import answers, layouts
from brokers.simulated.gateway.protocol import requests as ask
from brokers.simulated.gateway.protocol.message import Message, message

if TYPE_CHECKING:
    from brokers.simulated.gateway.accounts.accounts import Accounts
    from brokers.simulated.gateway.accounts.ledger import Ledger
    from brokers.simulated.gateway.accounts.position import Position
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session

# ------------------------------------------------------------------ connection


def account_list(accounts: Accounts) -> str:
    """`DU1`; logins with several accounts end the list with a comma (TWS.md 2.3)."""
    names = ",".join(accounts.names)
    return f"{names}," if len(accounts.names) > 1 else names


def managed_accounts(session: Session, client: Client, _request: ask.ReqManagedAccounts) -> None:
    client.send(message(layouts.MANAGED_ACCOUNTS, accounts=account_list(session.accounts)))


def ids(session: Session, client: Client, _request: ask.ReqIds) -> None:
    client.send(message(layouts.NEXT_VALID_ID, orderId=session.desk.next_valid_id(client.client_id)))


def current_time(session: Session, client: Client, _request: ask.ReqCurrentTime) -> None:
    client.send(message(layouts.CURRENT_TIME, time=int(session.server_time())))


def server_log_level(session: Session, client: Client, request: ask.SetServerLogLevel) -> None:
    """TWS answers nothing to this."""


# ------------------------------------------------------------------ positions


def positions(session: Session, client: Client, _request: ask.ReqPositions) -> None:
    client.subscriptions.positions = True
    for ledger in session.accounts:
        for held in held_in(ledger):
            client.send(_position(session, ledger, held))
    client.send(message(layouts.POSITION_END))


def cancel_positions(_session: Session, client: Client, _request: ask.CancelPositions) -> None:
    client.subscriptions.positions = False


def positions_multi(session: Session, client: Client, request: ask.ReqPositionsMulti) -> None:
    if request.account and refused(session, client, request.req_id, request.account):
        return
    client.subscriptions.position_multi[request.req_id] = request.account
    for ledger in ledgers_of(session, request.account):
        for held in held_in(ledger):
            client.send(_position_multi(session, ledger, held, request.req_id))
    client.send(message(layouts.POSITION_MULTI_END, reqId=request.req_id))


def cancel_positions_multi(_session: Session, client: Client, request: ask.CancelPositionsMulti) -> None:
    client.subscriptions.position_multi.pop(request.req_id, None)


def _position(session: Session, ledger: Ledger, held: Position) -> Message:
    return answers.position(held, session.listings.by_con_id[held.con_id], ledger.account)


def _position_multi(session: Session, ledger: Ledger, held: Position, req_id: int) -> Message:
    return answers.position_multi(held, session.listings.by_con_id[held.con_id], ledger.account, req_id)


# ------------------------------------------------------------------ what nobody asked for again


def push_account(session: Session, client: Client, changed: dict[str, list[int]]) -> None:
    """Serve a client's subscriptions to positions and values; `changed` are conIds by account.

    Several fills in one step of the market make one update, as TWS's cadence does (TWS.md 3.28).
    """
    wants = client.subscriptions
    for account, con_ids in changed.items():
        ledger = session.accounts[account]
        for held in (ledger.positions[con_id] for con_id in con_ids):
            if wants.positions:
                client.send(_position(session, ledger, held))
            for req_id, only in wants.position_multi.items():
                if only in {"", account}:
                    client.send(_position_multi(session, ledger, held, req_id))
    push_values(session, client, changed)
