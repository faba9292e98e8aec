"""Whether the data farms behind this TWS answer: a broken one does not, and while the link is lost history gets 200."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brokers.simulated.gateway.data.contracts import refuse
from brokers.simulated.gateway.orders.refusals import UNKNOWN_CONTRACT, Refusal

if TYPE_CHECKING:
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session

QUOTES, HISTORY = "usfarm", "ushmds"
BROKEN = (2103, 2105)
"""What is said of a farm that delivers nothing; 2107 and 2108, dormant, are harmless (TWS.md 3.40)."""
ELSEWHERE = Refusal(
    162,
    "Historical Market Data Service error message:Trading TWS session is connected from a different IP address",
)


def is_well(session: Session, farm: str) -> bool:
    return session.farms.get(farm) not in BROKEN


def history_answers(session: Session, client: Client, req_id: int) -> bool:
    """Whether the history farm will answer; otherwise the client has been told why, or waits for ever (TWS.md 3.39)."""
    if not session.is_connected:
        refuse(client, req_id, UNKNOWN_CONTRACT)
        return False
    if session.feed.conduct.competing_session:
        refuse(client, req_id, ELSEWHERE)
        return False
    return is_well(session, HISTORY)
