"""Subscriptions to the top of the book: live, frozen, delayed, or a snapshot, and who may have them (TWS.md 3.30)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from brokers.simulated.gateway.data.bars import COMPETING, DUPLICATE_TICKER, UNKNOWN_TICKER
from brokers.simulated.gateway.data.contracts import refuse, stock_or_200
from brokers.simulated.gateway.data.pacing import TOO_MANY_LINES, too_many_lines
from brokers.simulated.gateway.data.quotes import (
    ASK,
    BID,
    DELAYED_FROZEN,
    DELAYED_TYPE,
    FROZEN,
    LAST,
    LIVE,
    NO_PRICE,
    send_changes,
    send_data_type,
    send_day,
)
from brokers.simulated.gateway.orders.refusals import Refusal, invalid
from brokers.simulated.gateway.protocol import answers, layouts
from brokers.simulated.gateway.protocol.message import message
from brokers.simulated.gateway.runtime.subscriptions import TickSubscription

if TYPE_CHECKING:
    from brokers.simulated.gateway.data.listing import Listed
    from brokers.simulated.gateway.protocol.requests import CancelMarketData, ReqMarketData, ReqMarketDataType
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session

GENERIC_KNOWN = frozenset((
    *(100, 101, 104, 105, 106, 165, 221, 225, 232, 233, 236, 258, 292, 293, 294, 295, 318, 375, 411, 456, 460),
    *(577, 586, 588, 595, 614, 619),
))  # fmt: skip
"""Generic ticks (ghdoc:tick_types); those without a figure in quotes.py are taken and stay silent."""
SNAPSHOT_S = 11.0
NOT_SUBSCRIBED = Refusal(
    354,
    "Requested market data is not subscribed. Check API status by selecting the Account menu then under Management "
    "choose Market Data Subscription Manager and/or availability of delayed data.",
)
NOT_FOR_THE_API = Refusal(
    10089,
    "Requested market data requires additional subscription for API. See link in 'Market Data Connections' dialog "
    "for more details.",
)
PARTLY = Refusal(
    10090, "Part of requested market data is not subscribed. Subscription-independent ticks are still active."
)
SHOWN_DELAYED = Refusal(10167, "Requested market data is not subscribed. Displaying delayed market data.")
NOT_DELAYED = Refusal(10168, "Requested market data is not subscribed. Delayed market data is not enabled.")
NO_REGULATORY = Refusal(10170, "No permissions for regulatory snapshot")
NO_GENERIC = invalid("Snapshot market data subscription is not applicable to generic ticks")
UNKNOWN_GENERIC = "Incorrect generic tick list of {given}. Legal ones for (STK) are: {legal}"


def market_data_type(_session: Session, client: Client, request: ReqMarketDataType) -> None:
    """Remembered for the requests that follow; whoever is subscribed gets live data all the same."""
    if LIVE <= request.data_type <= DELAYED_FROZEN:
        client.market_data_type = request.data_type
    else:
        refuse(client, answers.NO_REQUEST, invalid(f"market data type {request.data_type}, allowed: 1 to 4"))


def market_data(session: Session, client: Client, request: ReqMarketData) -> None:
    stock = stock_or_200(session, client, request.req_id, request.contract)
    if stock is None:
        return
    refusal = _refusal_of(session, client, request, stock)
    if refusal is not None:
        refuse(client, request.req_id, refusal)
        return
    conduct, generic = session.feed.conduct, _generic_of(request.generic_ticks) or frozenset()
    subscription = TickSubscription(
        stock,
        generic - conduct.generic_unsubscribed,
        is_delayed=not conduct.is_live(stock.symbol),
        wants_frozen=client.market_data_type in {FROZEN, DELAYED_FROZEN},
        is_snapshot=request.snapshot,
    )
    if subscription.is_delayed:
        refuse(client, request.req_id, SHOWN_DELAYED)
    if generic != subscription.generic:
        refuse(client, request.req_id, PARTLY)
    client.subscriptions.ticks[request.req_id] = subscription
    send_data_type(session, client, request.req_id, subscription)
    client.send(message(layouts.TICK_REQ_PARAMS, reqId=request.req_id, minTick=stock.min_tick))
    send_changes(session, client, request.req_id, subscription)
    send_day(session, client, request.req_id, subscription)
    if request.snapshot and not end_if_complete(client, request.req_id, subscription):
        session.agenda.after(SNAPSHOT_S, partial(_end, client, request.req_id, subscription))


def cancel_market_data(_session: Session, client: Client, request: CancelMarketData) -> None:
    if client.subscriptions.ticks.pop(request.req_id, None) is None:
        refuse(client, request.req_id, UNKNOWN_TICKER)


def end_if_complete(client: Client, req_id: int, subscription: TickSubscription) -> bool:
    """End a snapshot that has every field (TWS.md 3.31)."""
    sent = subscription.sent
    if any(sent.get(side, NO_PRICE) == NO_PRICE for side in (BID, ASK, LAST)):
        return False
    _end(client, req_id, subscription)
    return True


def downgrade(session: Session, client: Client) -> None:
    """Live subscriptions become delayed ones, or live again, in the middle of the session (fault 49)."""
    for req_id, subscription in client.subscriptions.ticks.items():
        is_delayed = not session.feed.conduct.is_live(subscription.stock.symbol)
        if is_delayed == subscription.is_delayed:
            continue
        subscription.is_delayed = is_delayed
        subscription.sent.clear()
        subscription.row = ()
        if is_delayed:
            refuse(client, req_id, SHOWN_DELAYED)
        send_data_type(session, client, req_id, subscription)


def _end(client: Client, req_id: int, subscription: TickSubscription) -> None:
    """Unless it has ended, or been cancelled, before."""
    if client.subscriptions.ticks.get(req_id) is subscription:
        del client.subscriptions.ticks[req_id]
        client.send(message(layouts.SNAPSHOT_END, reqId=req_id))


def _refusal_of(session: Session, client: Client, request: ReqMarketData, stock: Listed) -> Refusal | None:
    if _generic_of(request.generic_ticks) is None:
        legal = ",".join(str(one) for one in sorted(GENERIC_KNOWN))
        return invalid(UNKNOWN_GENERIC.format(given=request.generic_ticks[:80], legal=legal))
    if client.subscriptions.uses(request.req_id):
        return DUPLICATE_TICKER
    if request.regulatory_snapshot:
        return NO_REGULATORY
    if request.snapshot and request.generic_ticks:
        return NO_GENERIC
    if session.feed.conduct.competing_session:
        return COMPETING
    return _not_entitled(session, client, stock) or (TOO_MANY_LINES if too_many_lines(session) else None)


def _not_entitled(session: Session, client: Client, stock: Listed) -> Refusal | None:
    conduct = session.feed.conduct
    if conduct.is_live(stock.symbol):
        return None
    if client.market_data_type < DELAYED_TYPE:
        return NOT_SUBSCRIBED if conduct.api_included else NOT_FOR_THE_API
    return None if conduct.delayed_enabled else NOT_DELAYED


def _generic_of(text: str) -> frozenset[int] | None:
    """The ids in the comma-separated list; None if one of them is unknown for a stock."""
    parts = [part.partition(":")[0].strip() for part in text.split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() and int(part[:9]) in GENERIC_KNOWN for part in parts):
        return None
    return frozenset(int(part) for part in parts)
