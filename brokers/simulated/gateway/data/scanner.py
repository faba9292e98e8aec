"""The scanner: the market's own instruments, ranked by what a step shows of them, told anew every thirty seconds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from brokers.simulated.gateway.data.bars import DUPLICATE_TICKER
from brokers.simulated.gateway.data.contracts import refuse
from brokers.simulated.gateway.orders.refusals import Refusal
from brokers.simulated.gateway.protocol import data_answers

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from brokers.simulated.gateway.data.listing import Listed
    from brokers.simulated.gateway.protocol import data_requests as ask
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session

UPDATE_S = 30.0
ROWS_MAX = 50
SCANS_MAX = 10


def _change(session: Session) -> NDArray[np.float64]:
    """The change since the day's first trade, as a share of it."""
    ratio: NDArray[np.float64] = session.tape.last / session.feed.opened - 1
    return ratio


RANKINGS: dict[str, tuple[str, Callable[[Session], NDArray[np.float64]]]] = {
    "MOST_ACTIVE": ("Most Active", lambda session: session.tape.volume),
    "HOT_BY_VOLUME": ("Hot Contracts by Volume", lambda session: session.tape.volume),
    "MOST_ACTIVE_USD": ("Most Active ($)", lambda session: session.tape.volume * session.tape.last),
    "TOP_PERC_GAIN": ("Top % Gainers", _change),
    "TOP_PERC_LOSE": ("Top % Losers", lambda session: -_change(session)),
}
"""Scan code -> its name in the parameters, and the figure by which the greatest comes first."""
UNKNOWN_SCAN = Refusal(162, "Historical Market Data Service error message:Scanner subscription not recognized")
CANCELLED = Refusal(162, "Historical Market Data Service error message:API scanner subscription cancelled")
TOO_MANY = Refusal(165, "Historical Market Data Service query message:Too many scanner subscriptions, allowed: 10")


def scanner_parameters(_session: Session, client: Client, _request: ask.ReqScannerParameters) -> None:
    kinds = "".join(
        f"<ScanType><displayName>{name}</displayName><scanCode>{code}</scanCode><instruments>STK</instruments></ScanType>"
        for code, (name, _) in RANKINGS.items()
    )
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?><ScanParameterResponse>'
        "<InstrumentList><Instrument><name>US Stocks</name><type>STK</type></Instrument></InstrumentList>"
        "<LocationTree><Location><displayName>US Stocks</displayName><locationCode>STK.US.MAJOR</locationCode>"
        "</Location></LocationTree>"
        f"<ScanTypeList>{kinds}</ScanTypeList></ScanParameterResponse>"
    )
    client.send(data_answers.scanner_parameters(xml))


def scanner_subscription(session: Session, client: Client, request: ask.ReqScannerSubscription) -> None:
    if client.subscriptions.uses(request.req_id):
        refuse(client, request.req_id, DUPLICATE_TICKER)
    elif request.scan_code not in RANKINGS or request.instrument not in {"", "STK"}:
        refuse(client, request.req_id, UNKNOWN_SCAN)
    elif len(client.subscriptions.scans) >= SCANS_MAX:
        refuse(client, request.req_id, TOO_MANY)
    else:
        update = partial(_send, session, client, request)
        client.subscriptions.scans[request.req_id] = update
        update()


def cancel_scanner_subscription(_session: Session, client: Client, request: ask.CancelScannerSubscription) -> None:
    known = client.subscriptions.scans.pop(request.req_id, None)
    refuse(client, request.req_id, UNKNOWN_SCAN if known is None else CANCELLED)


def _send(session: Session, client: Client, request: ask.ReqScannerSubscription) -> None:
    """The ranks as they are now, and again in thirty seconds if the subscription is still the same one."""
    if client.subscriptions.scans.get(request.req_id) is None or session.clients.get(client.client_id) is not client:
        return
    client.send(data_answers.scanner_data(request.req_id, _ranked(session, request)))
    session.agenda.after(UPDATE_S, client.subscriptions.scans[request.req_id])


def _ranked(session: Session, request: ask.ReqScannerSubscription) -> list[Listed]:
    figure, tape = RANKINGS[request.scan_code][1](session), session.tape
    rows = request.number_of_rows if 0 < request.number_of_rows <= ROWS_MAX else ROWS_MAX
    wanted = ~np.isnan(figure) & ~np.isnan(tape.last) & (tape.volume >= max(request.above_volume, 0))
    if request.above_price is not None:
        wanted &= tape.last >= request.above_price
    if request.below_price is not None:
        wanted &= tape.last <= request.below_price
    order = sorted(np.flatnonzero(wanted).tolist(), key=lambda index: (-figure[index], index))
    return [session.listings.all[index] for index in order[:rows]]
