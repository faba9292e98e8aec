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

    from brokers.simulated.gateway.data.listing import Listed
    from brokers.simulated.gateway.protocol import data_requests as ask
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session
    from brokers.simulated.market.source import Floats

UPDATE_S = 30.0
ROWS_MAX = 50
SCANS_MAX = 10


def _volume(session: Session) -> Floats:
    return session.tape.volume


def _dollars(session: Session) -> Floats:
    dollars: Floats = session.tape.volume * session.tape.last
    return dollars


def _gain(session: Session) -> Floats:
    """The change since the day's first trade, as a share of it."""
    ratio: Floats = session.tape.last / session.feed.board.opened - 1
    return ratio


def _loss(session: Session) -> Floats:
    return -_gain(session)


RANKINGS: dict[str, tuple[str, Callable[[Session], Floats]]] = {
    "MOST_ACTIVE": ("Most Active", _volume),
    "HOT_BY_VOLUME": ("Hot Contracts by Volume", _volume),
    "MOST_ACTIVE_USD": ("Most Active ($)", _dollars),
    "TOP_PERC_GAIN": ("Top % Gainers", _gain),
    "TOP_PERC_LOSE": ("Top % Losers", _loss),
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
        client.subscriptions.scans[request.req_id] = request
        _send(session, client, request)


def cancel_scanner_subscription(_session: Session, client: Client, request: ask.CancelScannerSubscription) -> None:
    known = client.subscriptions.scans.pop(request.req_id, None)
    refuse(client, request.req_id, UNKNOWN_SCAN if known is None else CANCELLED)


def _send(session: Session, client: Client, request: ask.ReqScannerSubscription) -> None:
    """The ranks as they are now, and again in thirty seconds, while it is still this request that is subscribed."""
    if client.subscriptions.scans.get(request.req_id) is not request:
        return
    if session.clients.get(client.client_id) is client:
        client.send(data_answers.scanner_data(request.req_id, _ranked(session, request)))
        session.agenda.after(UPDATE_S, partial(_send, session, client, request))


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
