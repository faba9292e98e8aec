"""What the history farm and the market data lines let through (TWS.md 3.36).

From IB's historical limitations (ghdoc:historical_limitations, ghdoc:realtime_bars): for bars, real-time bars and
past ticks no identical request within 15 s, no sixth one for the same contract, exchange and kind within 2 s, no
more than 60 within ten minutes, BID_ASK counting twice; 50 requests open at once; and 100 market data lines. (IB is
more lenient to bars of a minute and more; here they are paced too.) All of it holds for a login, not for a client,
and only while the session paces: `reject` refuses, `silent` answers when it would have been allowed.
"""

from __future__ import annotations

import math
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from brokers.simulated.gateway.data.contracts import refuse
from brokers.simulated.gateway.orders.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from brokers.simulated.gateway.protocol.request_shapes import ContractFields
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session

IDENTICAL_S = 15.0
BURST_S, BURST_MAX = 2.0, 5
WINDOW_S, WINDOW_MAX = 600.0, 60
OPEN_MAX = 50
LINES_MAX = 100
TWICE = "BID_ASK"
PACING_VIOLATION = Refusal(162, "Historical Market Data Service error message:Historical data request pacing violation")
BARS_VIOLATION = Refusal(420, "Invalid Real-time Query:Historical data request pacing violation")
TOO_MANY_OPEN = Refusal(
    322,
    "Error processing request:-'simulated gateway' : cause - Only 50 simultaneous API historical data requests "
    "allowed.",
)
TOO_MANY_LINES = Refusal(101, "Max number of tickers has been reached")


class Asked(NamedTuple):
    """What pacing compares: the whole question, and the contract, exchange and kind it is about."""

    question: Hashable
    series: Hashable
    weight: int


def asked(contract: ContractFields, what: str, *rest: Hashable) -> Asked:
    """`rest` is what else makes two requests different."""
    series = (contract.con_id, contract.symbol, contract.exchange, what)
    return Asked((series, *rest), series, 2 if what == TWICE else 1)


class HistoryPacing:
    """The requests of the last ten minutes; market time in epoch seconds."""

    def __init__(self) -> None:
        self._taken: deque[tuple[float, Asked]] = deque()

    def wait_s(self, wanted: Asked, at: float) -> float:
        """How long until the request would be allowed; 0 when it is."""
        while self._taken and self._taken[0][0] <= at - WINDOW_S:
            self._taken.popleft()
        until = [begun + IDENTICAL_S for begun, one in self._taken if one.question == wanted.question]
        alike = [begun for begun, one in self._taken if one.series == wanted.series]
        if len(alike) >= BURST_MAX:
            until.append(alike[-BURST_MAX] + BURST_S)
        until.append(self._room_at(wanted.weight))
        return max(0.0, *(one - at for one in until))

    def take(self, wanted: Asked, at: float) -> None:
        """The request is answered."""
        self._taken.append((at, wanted))

    def _room_at(self, weight: int) -> float:
        """When the ten minutes hold so much less that the request fits in."""
        surplus = sum(one.weight for _, one in self._taken) + weight - WINDOW_MAX
        freed_at = -math.inf
        for begun, one in self._taken:
            if surplus <= 0:
                break
            surplus -= one.weight
            freed_at = begun + WINDOW_S
        return freed_at


def paced(
    session: Session,
    client: Client,
    req_id: int,
    wanted: Asked,
    answer: Callable[[], None],
    *,
    violation: Refusal = PACING_VIOLATION,
) -> None:
    """Answer now, or later, or refuse, as the session paces."""
    if session.pacing == "off":
        answer()
        return
    pacing, at = session.feed.pacing, session.instant()
    wait_s = pacing.wait_s(wanted, at)
    if not wait_s:
        pacing.take(wanted, at)
        answer()
    elif session.pacing == "reject":
        refuse(client, req_id, violation)
    else:
        client.subscriptions.waiting.add(req_id)
        again = partial(_try_again, session, client, req_id, partial(paced, session, client, req_id, wanted, answer))
        session.agenda.after(wait_s, again)


def _try_again(session: Session, client: Client, req_id: int, retry: Callable[[], None]) -> None:
    """Unless the client has cancelled it or has gone."""
    if req_id in client.subscriptions.waiting and session.clients.get(client.client_id) is client:
        client.subscriptions.waiting.discard(req_id)
        retry()


def too_many_open(session: Session) -> bool:
    """Whether another history request would be one too many."""
    wants = [client.subscriptions for client in session.each_client()]
    return session.pacing != "off" and sum(len(one.forming) + len(one.waiting) for one in wants) >= OPEN_MAX


def too_many_lines(session: Session) -> bool:
    """Whether another subscription of quotes, trades or real-time bars would be one too many."""
    if session.pacing == "off":
        return False
    wants = [client.subscriptions for client in session.each_client()]
    return sum(len(one.bars) + len(one.ticks) + len(one.tick_by_tick) for one in wants) >= LINES_MAX
