"""Top-of-book ticks: prices and their sizes, each told when it changes, at most once per step.

TWS aggregates US stocks to 250 ms (TWS.md 3.31); a step of five seconds is this market's coarser grain.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from brokers.simulated.gateway.data.bars import DUPLICATE_TICKER, UNKNOWN_TICKER
from brokers.simulated.gateway.data.contracts import refuse, stock_or_200
from brokers.simulated.gateway.data.pacing import TOO_MANY_LINES
from brokers.simulated.gateway.orders.refusals import Refusal, invalid
from brokers.simulated.gateway.protocol import answers, data_answers, layouts
from brokers.simulated.gateway.protocol.message import message
from brokers.simulated.gateway.runtime.subscriptions import TickSubscription
from brokers.simulated.market.bars import DAY_S

if TYPE_CHECKING:
    from brokers.simulated.gateway.data.listing import Listed
    from brokers.simulated.gateway.protocol.requests import CancelMarketData, ReqMarketData, ReqMarketDataType
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session

BID_SIZE, BID, ASK, ASK_SIZE, LAST, LAST_SIZE, HIGH, LOW, VOLUME, CLOSE, OPEN = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14
LAST_TIMESTAMP, SHORTABLE, RT_VOLUME, HALTED = 45, 46, 48, 49
SIZE_OF = {BID: BID_SIZE, ASK: ASK_SIZE, LAST: LAST_SIZE}
DELAYED = {
    BID: 66, ASK: 67, LAST: 68, BID_SIZE: 69, ASK_SIZE: 70, LAST_SIZE: 71, HIGH: 72, LOW: 73, VOLUME: 74, CLOSE: 75,
    OPEN: 76,
}  # fmt: skip
"""Tick types of delayed data (TWS.md 3.30)."""
NO_PRICE = -1.0
"""What TWS sends for a side without a quote (TWS.md 3.31)."""
LIVE, FROZEN, DELAYED_TYPE, DELAYED_FROZEN = 1, 2, 3, 4
GENERIC_SHORTABLE, GENERIC_RT_VOLUME = 236, 233
GENERIC_KNOWN = frozenset((100, 101, 104, 105, 106, 107, 165, 225, 232, 233, 236, 256, 292, 293, 294, 295, 318, 375))
"""Generic tick ids a stock may be asked for; those without an own figure here are taken and stay silent."""
PLENTY = 3.0
"""Shortable: above 2.5 at least a thousand shares (TWS.md 3.32)."""
SNAPSHOT_S = 11.0
NOT_SUBSCRIBED = Refusal(
    354,
    "Requested market data is not subscribed. Check API status by selecting the Account menu then under Management "
    "choose Market Data Subscription Manager and/or availability of delayed data.",
)
SHOWN_DELAYED = Refusal(10167, "Requested market data is not subscribed. Displaying delayed market data.")
COMPETING = Refusal(10197, "No market data during competing live session")
NO_REGULATORY = Refusal(10170, "No permissions for regulatory snapshot")
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
    generic = _generic_of(request.generic_ticks)
    refusal = _refusal_of(session, client, request, stock)
    if generic is None:
        legal = ",".join(str(one) for one in sorted(GENERIC_KNOWN))
        refusal = invalid(UNKNOWN_GENERIC.format(given=request.generic_ticks[:80], legal=legal))
    if refusal is not None:
        refuse(client, request.req_id, refusal)
        return
    is_delayed = not session.feed.is_live(stock)
    subscription = TickSubscription(stock, generic or frozenset(), is_delayed)
    if is_delayed:
        refuse(client, request.req_id, SHOWN_DELAYED)
    shown = client.market_data_type if is_delayed else LIVE
    client.send(message(layouts.MARKET_DATA_TYPE, reqId=request.req_id, type=shown))
    client.send(message(layouts.TICK_REQ_PARAMS, reqId=request.req_id, minTick=stock.min_tick))
    send_changes(session, client, request.req_id, subscription)
    _send_day(session, client, request.req_id, subscription)
    _send_generic(session, client, request.req_id, subscription)
    if request.snapshot:
        _end_snapshot(session, client, request.req_id, subscription)
    else:
        client.subscriptions.ticks[request.req_id] = subscription


def _refusal_of(session: Session, client: Client, request: ReqMarketData, stock: Listed) -> Refusal | None:
    if client.subscriptions.uses(request.req_id):
        return DUPLICATE_TICKER
    if request.regulatory_snapshot:
        return NO_REGULATORY
    if not session.feed.has_line_for(client):
        return TOO_MANY_LINES
    if session.feed.conduct.competing_session:
        return COMPETING
    if not session.feed.is_live(stock) and client.market_data_type < DELAYED_TYPE:
        return NOT_SUBSCRIBED
    return None


def _generic_of(text: str) -> frozenset[int] | None:
    """The ids in the comma-separated list; None if one of them is unknown for a stock."""
    parts = [part.partition(":")[0].strip() for part in text.split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() and int(part[:9]) in GENERIC_KNOWN for part in parts):
        return None
    return frozenset(int(part) for part in parts)


def cancel_market_data(_session: Session, client: Client, request: CancelMarketData) -> None:
    if client.subscriptions.ticks.pop(request.req_id, None) is None:
        refuse(client, request.req_id, UNKNOWN_TICKER)


def _end_snapshot(session: Session, client: Client, req_id: int, subscription: TickSubscription) -> None:
    """At once when every field is there, otherwise after eleven seconds (TWS.md 3.31)."""
    end = partial(client.send, message(layouts.SNAPSHOT_END, reqId=req_id))
    if {BID, ASK, LAST} <= subscription.sent.keys() and NO_PRICE not in subscription.sent.values():
        end()
    else:
        session.agenda.after(SNAPSHOT_S, end)


# ------------------------------------------------------------------ what is sent


def send_changes(session: Session, client: Client, req_id: int, subscription: TickSubscription) -> None:
    """What has changed since the subscription was last told: size and price apart."""
    tape, index, sent = session.tape, subscription.stock.index, subscription.sent
    for tick_type, price, size in (
        (BID, float(tape.bid[index]), float(tape.bid_size[index])),
        (ASK, float(tape.ask[index]), float(tape.ask_size[index])),
        (LAST, float(tape.last[index]), float(tape.last_size[index])),
    ):
        if math.isnan(price) and tick_type == LAST:
            continue
        shown, shown_size = (NO_PRICE, 0.0) if math.isnan(price) else (price, size)
        size_type = SIZE_OF[tick_type]
        if sent.get(tick_type) != shown:
            client.send(answers.tick_price(req_id, _shown(subscription, tick_type), shown, shown_size))
            sent[tick_type] = shown
        if sent.get(size_type) != shown_size:
            client.send(answers.tick_size(req_id, _shown(subscription, size_type), shown_size))
            sent[size_type] = shown_size
    volume = float(tape.volume[index])
    if sent.get(VOLUME) != volume:
        client.send(answers.tick_size(req_id, _shown(subscription, VOLUME), volume))
        sent[VOLUME] = volume
        _send_trade(session, client, req_id, subscription)


def _send_trade(session: Session, client: Client, req_id: int, subscription: TickSubscription) -> None:
    """What only a new trade changes: its time and, if asked for, the RTVolume line."""
    tape, index = session.tape, subscription.stock.index
    if subscription.is_delayed or math.isnan(tape.last[index]):
        return
    at = session.now()
    client.send(data_answers.tick_string(req_id, LAST_TIMESTAMP, str(int(at))))
    if GENERIC_RT_VOLUME in subscription.generic:
        price, size, volume = float(tape.last[index]), float(tape.last_size[index]), float(tape.volume[index])
        text = f"{price:.2f};{size:.0f};{int(at * 1000)};{volume:.0f};{price:.6f};true"
        client.send(data_answers.tick_string(req_id, RT_VOLUME, text))


def _send_day(session: Session, client: Client, req_id: int, subscription: TickSubscription) -> None:
    """Yesterday's close, today's open and range so far; a market without a past has no close."""
    market, stock = session.market, subscription.stock
    past = market.history(stock.symbol, end_at=market.opens_at, duration_s=DAY_S, bar_s=DAY_S)
    told = {CLOSE: float(past.close[-1])} if len(past.close) else {}
    feed, index = session.feed, stock.index
    told |= {OPEN: float(feed.opened[index]), HIGH: float(feed.high[index]), LOW: float(feed.low[index])}
    for tick_type, price in told.items():
        if math.isnan(price):
            continue
        client.send(answers.tick_price(req_id, _shown(subscription, tick_type), price, 0.0))


def _send_generic(session: Session, client: Client, req_id: int, subscription: TickSubscription) -> None:
    halted = session.feed.halted.get(subscription.stock.index, 0)
    client.send(data_answers.tick_generic(req_id, HALTED, halted))
    if GENERIC_SHORTABLE in subscription.generic:
        client.send(data_answers.tick_generic(req_id, SHORTABLE, session.feed.shortable(subscription.stock)))


def send_halted(client: Client, index: int, code: int) -> None:
    """Tick 49 for whoever watches the instrument."""
    for req_id, subscription in client.subscriptions.ticks.items():
        if subscription.stock.index == index:
            client.send(data_answers.tick_generic(req_id, HALTED, code))


def downgrade(client: Client, data_type: int) -> None:
    """Live subscriptions become delayed ones, or live again, in the middle of the session (fault 49)."""
    for req_id, subscription in client.subscriptions.ticks.items():
        subscription.is_delayed = data_type >= DELAYED_TYPE
        subscription.sent.clear()
        if subscription.is_delayed:
            refuse(client, req_id, SHOWN_DELAYED)
        client.send(message(layouts.MARKET_DATA_TYPE, reqId=req_id, type=data_type))


def _shown(subscription: TickSubscription, tick_type: int) -> int:
    return DELAYED[tick_type] if subscription.is_delayed else tick_type
