"""What a request gets that names no account of this login (TWS.md 3.22)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brokers.simulated.gateway.orders.refusals import Refusal, invalid
from brokers.simulated.gateway.protocol import answers

if TYPE_CHECKING:
    from brokers.simulated.gateway.accounts.accounts import Accounts
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session

NO_ACCOUNT = Refusal(435, "You must specify an account.")


def account_refusal(accounts: Accounts, name: str) -> Refusal | None:
    """Several accounts and none named: 435; one that is not ours, or the whole comma list: 321."""
    if accounts.find(name) is not None:
        return None
    return invalid(f"Invalid account code '{name}'") if name else NO_ACCOUNT


def refused(session: Session, client: Client, req_id: int, account: str) -> bool:
    """Whether the request names no account of ours; then the client has been told."""
    refusal = account_refusal(session.accounts, account)
    if refusal is not None:
        refuse(client, req_id, refusal)
    return refusal is not None


def refuse(client: Client, req_id: int, refusal: Refusal) -> None:
    client.send(answers.error(req_id, refusal.code, refusal.text))
