"""Positions, account values and the small questions about the connection itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from brokers.simulated.gateway.accounts.values import values_of
from brokers.simulated.gateway.orders.refusals import Refusal, invalid
from brokers.simulated.gateway.protocol import answers, layouts
from brokers.simulated.gateway.protocol import requests as ask
from brokers.simulated.gateway.protocol.message import Message, message

if TYPE_CHECKING:
    from brokers.simulated.gateway.accounts.accounts import Accounts
    from brokers.simulated.gateway.accounts.ledger import Ledger
    from brokers.simulated.gateway.accounts.position import Position
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session

ALL = "All"
LEDGER_TAGS = ("$LEDGER", "$LEDGER:")
SUMMARIES_MAX = 2
TOO_MANY_SUMMARIES = Refusal(
    322,
    "Error processing request.-'simulated gateway' : cause - Maximum number of account summary requests exceeded",
)
NO_ACCOUNT = Refusal(435, "You must specify an account.")


def account_refusal(accounts: Accounts, name: str) -> Refusal | None:
    """Several accounts and none named: 435; one that is not ours, or the whole comma list: 321 (TWS.md 3.22)."""
    if accounts.find(name) is not None:
        return None
    return invalid(f"Invalid account code '{name}'") if name else NO_ACCOUNT


def _refused(session: Session, client: Client, req_id: int, account: str) -> bool:
    """Whether the request names no account of ours; then the client has been told."""
    refusal = account_refusal(session.accounts, account)
    if refusal is not None:
        client.send(answers.error(req_id, refusal.code, refusal.text))
    return refusal is not None


def _ledgers(session: Session, account: str) -> tuple[Ledger, ...]:
    """The one that is named, or all of them."""
    return (session.accounts[account],) if account else tuple(session.accounts)


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
        for held in _held(ledger):
            client.send(_position(session, ledger, held))
    client.send(message(layouts.POSITION_END))


def cancel_positions(_session: Session, client: Client, _request: ask.CancelPositions) -> None:
    client.subscriptions.positions = False


def positions_multi(session: Session, client: Client, request: ask.ReqPositionsMulti) -> None:
    if request.account and _refused(session, client, request.req_id, request.account):
        return
    client.subscriptions.position_multi[request.req_id] = request.account
    for ledger in _ledgers(session, request.account):
        for held in _held(ledger):
            client.send(_position_multi(session, ledger, held, request.req_id))
    client.send(message(layouts.POSITION_MULTI_END, reqId=request.req_id))


def cancel_positions_multi(_session: Session, client: Client, request: ask.CancelPositionsMulti) -> None:
    client.subscriptions.position_multi.pop(request.req_id, None)


def _held(ledger: Ledger) -> Iterator[Position]:
    return (held for held in ledger.positions.values() if held.quantity)


def _position(session: Session, ledger: Ledger, held: Position) -> Message:
    return answers.position(held, session.listings.by_con_id[held.con_id], ledger.account)


def _position_multi(session: Session, ledger: Ledger, held: Position, req_id: int) -> Message:
    return answers.position_multi(held, session.listings.by_con_id[held.con_id], ledger.account, req_id)


# ------------------------------------------------------------------ account values


def account_updates(session: Session, client: Client, request: ask.ReqAccountUpdates) -> None:
    """One account at a time: a second subscription takes the place of the first (TWS.md 3.28)."""
    if not request.subscribe:
        client.subscriptions.account = ""
        return
    if _refused(session, client, answers.NO_REQUEST, request.account):
        return
    ledger = session.accounts.find(request.account) or session.accounts.default
    client.subscriptions.account = ledger.account
    _send_account(session, client, ledger, list(_held(ledger)))
    client.send(message(layouts.DOWNLOAD_END, account=ledger.account))


def account_updates_multi(session: Session, client: Client, request: ask.ReqAccountUpdatesMulti) -> None:
    if request.account and _refused(session, client, request.req_id, request.account):
        return
    client.subscriptions.account_multi[request.req_id] = (request.account, request.model_code)
    _send_multi(session, client, request.req_id)
    client.send(message(layouts.ACCOUNT_UPDATE_MULTI_END, reqId=request.req_id))


def cancel_account_updates_multi(_session: Session, client: Client, request: ask.CancelAccountUpdatesMulti) -> None:
    client.subscriptions.account_multi.pop(request.req_id, None)


def account_summary(session: Session, client: Client, request: ask.ReqAccountSummary) -> None:
    """Two subscriptions at most, as at TWS; tags it does not know are passed over, an unknown group is refused."""
    wants = client.subscriptions
    if request.group not in {ALL, *session.accounts.names}:
        refusal = invalid(f"Unknown group '{request.group}', allowed: {', '.join((ALL, *session.accounts.names))}")
        client.send(answers.error(request.req_id, refusal.code, refusal.text))
        return
    if request.req_id not in wants.summaries and len(wants.summaries) >= SUMMARIES_MAX:
        client.send(answers.error(request.req_id, TOO_MANY_SUMMARIES.code, TOO_MANY_SUMMARIES.text))
        return
    account = "" if request.group == ALL else request.group
    tags = tuple(tag.strip() for tag in request.tags.split(",") if tag.strip())
    wants.summaries[request.req_id] = (account, tags)
    _send_summary(session, client, request.req_id)
    client.send(message(layouts.ACCOUNT_SUMMARY_END, reqId=request.req_id))


def cancel_account_summary(_session: Session, client: Client, request: ask.CancelAccountSummary) -> None:
    client.subscriptions.summaries.pop(request.req_id, None)


def push_account(session: Session, client: Client, changed: dict[str, list[int]]) -> None:
    """Serve a client's account subscriptions; `changed` are the conIds by account whose position moved.

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
    if wants.account and (not changed or wants.account in changed):
        ledger = session.accounts[wants.account]
        moved = [ledger.positions[con_id] for con_id in changed.get(wants.account, ())]
        _send_account(session, client, ledger, moved or list(_held(ledger)))
    for req_id in wants.account_multi:
        _send_multi(session, client, req_id)
    for req_id in wants.summaries:
        _send_summary(session, client, req_id)


def _send_account(session: Session, client: Client, ledger: Ledger, holdings: list[Position]) -> None:
    for key, value, currency in values_of(ledger):
        told = message(layouts.ACCOUNT_VALUE, key=key, value=value, currency=currency, account=ledger.account)
        client.send(told)
    for held in holdings:
        client.send(answers.portfolio(held, session.listings.by_con_id[held.con_id], ledger.account))
    client.send(message(layouts.UPDATE_TIME, time=answers.local_time(session.now(), "%H:%M")))


def _send_multi(session: Session, client: Client, req_id: int) -> None:
    account, model_code = client.subscriptions.account_multi[req_id]
    for ledger in _ledgers(session, account):
        for key, value, currency in values_of(ledger):
            client.send(
                message(
                    layouts.ACCOUNT_UPDATE_MULTI,
                    reqId=req_id,
                    account=ledger.account,
                    modelCode=model_code,
                    key=key,
                    value=value,
                    currency=currency,
                )
            )


def _send_summary(session: Session, client: Client, req_id: int) -> None:
    account, tags = client.subscriptions.summaries[req_id]
    for ledger in _ledgers(session, account):
        told = list(values_of(ledger))
        known = {key: (value, currency) for key, value, currency in told if currency != "BASE"}
        rows = [(tag, *known[tag]) for tag in tags if tag in known]
        if any(tag.startswith(LEDGER_TAGS) for tag in tags):
            rows += [row for row in told if row[0] in ledger.currency_values()]
        for tag, value, currency in rows:
            client.send(
                message(
                    layouts.ACCOUNT_SUMMARY,
                    reqId=req_id,
                    account=ledger.account,
                    tag=tag,
                    value=value,
                    currency=currency,
                )
            )
