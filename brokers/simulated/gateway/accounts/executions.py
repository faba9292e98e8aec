"""reqExecutions: what was filled today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brokers.simulated.gateway.accounts.account_refusals import refuse
from brokers.simulated.gateway.data.times import midnight_before, parse_time
from brokers.simulated.gateway.orders.refusals import invalid
from brokers.simulated.gateway.protocol import answers, layouts
from brokers.simulated.gateway.protocol.message import message
from brokers.simulated.gateway.protocol.wire import Unreadable

if TYPE_CHECKING:
    from brokers.simulated.gateway.accounts.ledger import Execution, Ledger
    from brokers.simulated.gateway.protocol import requests as ask
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session

SIDES = {"BUY": "BUY", "BOT": "BUY", "SELL": "SELL", "SLD": "SELL", "SSHORT": "SELL"}


def executions(session: Session, client: Client, request: ask.ReqExecutions) -> None:
    """Since midnight, as a Gateway keeps them (TWS.md 3.25), each with its commission.

    An empty filter draws those of every client, as the TWS API documents it ("Execution Details") and users have seen
    with a fresh client id; only live ones are told to their own client, client 0 and the master alone.
    """
    try:
        since = parse_time(request.time) if request.time else 0.0
    except Unreadable as fault:
        refuse(client, request.req_id, invalid(str(fault)))
        return
    since = max(since, midnight_before(session.now()))
    for ledger in session.accounts:
        for done in ledger.reports:
            if done.at >= since and _wanted(session, ledger, done, request):
                stock = session.listings.by_con_id[done.con_id]
                client.send(answers.execution(done, stock, ledger.account, request.req_id))
                client.send(answers.commission(ledger.commissions[done.exec_id]))
    client.send(message(layouts.EXECUTION_END, reqId=request.req_id))


def _wanted(session: Session, ledger: Ledger, done: Execution, request: ask.ReqExecutions) -> bool:
    stock = session.listings.by_con_id[done.con_id]
    return (
        request.client_id in {0, done.client_id}
        and request.account in {"", ledger.account}
        and request.symbol in {"", done.symbol}
        and request.sec_type in {"", "STK"}
        and request.exchange in {"", "SMART", stock.exchange}
        and (not request.side or SIDES.get(request.side.upper()) == done.side)
    )
