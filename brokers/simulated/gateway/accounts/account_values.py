"""Account values and the portfolio, by subscription: everything at first, then what has changed (TWS.md 3.28).

"Changed" is when a position has, and every three minutes (account_updates and account_summary of the TWS API).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from brokers.simulated.gateway.accounts.account_refusals import account_refusal, refuse, refused
from brokers.simulated.gateway.accounts.values import ValueSubscription, summary_rows
from brokers.simulated.gateway.orders.refusals import Refusal, invalid
from brokers.simulated.gateway.protocol import answers, layouts
from brokers.simulated.gateway.protocol import requests as ask
from brokers.simulated.gateway.protocol.message import message

if TYPE_CHECKING:
    from brokers.simulated.gateway.accounts.ledger import Ledger
    from brokers.simulated.gateway.accounts.position import Position
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session

ALL = "All"
SUMMARIES_MAX = 2
TOO_MANY_SUMMARIES = Refusal(
    322,
    "Error processing request.-'simulated gateway' : cause - Maximum number of account summary requests exceeded",
)
UNSUBSCRIBED = Refusal(2100, "New account data requested from TWS. API client has been unsubscribed from account data.")
SUBSCRIBED_ELSEWHERE = Refusal(
    2101, "Unable to subscribe to account as the following clients are subscribed to a different account."
)


def account_updates(session: Session, client: Client, request: ask.ReqAccountUpdates) -> None:
    """One account at a time: a client's second one takes the place of the first, another client's is refused."""
    wants = client.subscriptions
    if not request.subscribe:
        wants.account = None
        return
    if refused(session, client, answers.NO_REQUEST, request.account):
        return
    ledger = session.accounts.find(request.account) or session.accounts.default
    if _others_account(session, client) not in {"", ledger.account}:
        refuse(client, answers.NO_REQUEST, SUBSCRIBED_ELSEWHERE)
        return
    if wants.account is not None and wants.account.account != ledger.account:
        refuse(client, answers.NO_REQUEST, UNSUBSCRIBED)
    wants.account = ValueSubscription(ledger.account)
    _send_account(session, client, wants.account, held_in(ledger))
    client.send(message(layouts.DOWNLOAD_END, account=ledger.account))


def _others_account(session: Session, client: Client) -> str:
    """The account that other clients follow; they can only follow the same one."""
    others = (other.subscriptions.account for other in session.each_client() if other is not client)
    return next((one.account for one in others if one is not None), "")


def account_updates_multi(session: Session, client: Client, request: ask.ReqAccountUpdatesMulti) -> None:
    if request.account and refused(session, client, request.req_id, request.account):
        return
    client.subscriptions.account_multi[request.req_id] = ValueSubscription(
        request.account, model_code=request.model_code, is_light=request.ledger_and_nlv
    )
    _send_multi(session, client, request.req_id)
    client.send(message(layouts.ACCOUNT_UPDATE_MULTI_END, reqId=request.req_id))


def cancel_account_updates_multi(_session: Session, client: Client, request: ask.CancelAccountUpdatesMulti) -> None:
    client.subscriptions.account_multi.pop(request.req_id, None)


def account_summary(session: Session, client: Client, request: ask.ReqAccountSummary) -> None:
    """At most two of a client; a group that is neither All nor an account is refused, and a list of unknown tags."""
    wants = client.subscriptions
    tags = tuple(tag.strip() for tag in request.tags.split(",") if tag.strip())
    refusal = _summary_refusal(session, request.group, tags)
    if refusal is None and request.req_id not in wants.summaries and len(wants.summaries) >= SUMMARIES_MAX:
        refusal = TOO_MANY_SUMMARIES
    if refusal is not None:
        refuse(client, request.req_id, refusal)
        return
    account = "" if request.group == ALL else request.group
    wants.summaries[request.req_id] = ValueSubscription(account, tags)
    _send_summary(session, client, request.req_id)
    client.send(message(layouts.ACCOUNT_SUMMARY_END, reqId=request.req_id))


def _summary_refusal(session: Session, group: str, tags: tuple[str, ...]) -> Refusal | None:
    if group != ALL and (not group or account_refusal(session.accounts, group) is not None):
        return invalid(f"Unknown group '{group}', allowed: {', '.join((ALL, *session.accounts.names))}")
    if not summary_rows(session.accounts.default, tags):
        return invalid(f"Unknown tags '{','.join(tags)[:100]}'")
    return None


def cancel_account_summary(_session: Session, client: Client, request: ask.CancelAccountSummary) -> None:
    client.subscriptions.summaries.pop(request.req_id, None)


def push_values(session: Session, client: Client, changed: dict[str, list[int]]) -> None:
    """Serve a client's subscriptions to values; `changed` are the conIds by account whose position moved.

    Nothing changed means that the three minutes are over.
    """
    wants = client.subscriptions
    if wants.account is not None and (not changed or wants.account.account in changed):
        ledger = session.accounts[wants.account.account]
        moved = [ledger.positions[con_id] for con_id in changed.get(ledger.account, ())]
        _send_account(session, client, wants.account, moved or held_in(ledger))
    for req_id in wants.account_multi:
        _send_multi(session, client, req_id)
    for req_id in wants.summaries:
        _send_summary(session, client, req_id)


def held_in(ledger: Ledger) -> list[Position]:
    return [held for held in ledger.positions.values() if held.quantity]


def ledgers_of(session: Session, account: str) -> tuple[Ledger, ...]:
    """The one that is named, or all of them."""
    return (session.accounts[account],) if account else tuple(session.accounts)


def _send_account(session: Session, client: Client, wanted: ValueSubscription, holdings: Iterable[Position]) -> None:
    ledger = session.accounts[wanted.account]
    for key, value, currency in wanted.changes(ledger):
        told = message(layouts.ACCOUNT_VALUE, key=key, value=value, currency=currency, account=ledger.account)
        client.send(told)
    for held in holdings:
        client.send(answers.portfolio(held, session.listings.by_con_id[held.con_id], ledger.account))
    client.send(message(layouts.UPDATE_TIME, time=answers.local_time(session.now(), "%H:%M")))


def _send_multi(session: Session, client: Client, req_id: int) -> None:
    wanted = client.subscriptions.account_multi[req_id]
    for ledger in ledgers_of(session, wanted.account):
        for key, value, currency in wanted.changes(ledger):
            client.send(
                message(
                    layouts.ACCOUNT_UPDATE_MULTI,
                    reqId=req_id,
                    account=ledger.account,
                    modelCode=wanted.model_code,
                    key=key,
                    value=value,
                    currency=currency,
                )
            )


def _send_summary(session: Session, client: Client, req_id: int) -> None:
    wanted = client.subscriptions.summaries[req_id]
    for ledger in ledgers_of(session, wanted.account):
        for tag, value, currency in wanted.changes(ledger):
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
