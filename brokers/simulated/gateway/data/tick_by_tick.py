"""Tick-by-tick data: every trade or quote of a step, along the documented path inside its bar (market/path.py)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from brokers.simulated.gateway.data.bars import COMPETING, DUPLICATE_TICKER, UNKNOWN_TICKER
from brokers.simulated.gateway.data.contracts import refuse, stock_or_200
from brokers.simulated.gateway.data.past_ticks import Stretch, past_midpoints, past_quotes, past_trades
from brokers.simulated.gateway.orders.refusals import Refusal, invalid
from brokers.simulated.gateway.protocol import data_answers
from brokers.simulated.gateway.protocol.data_answers import ALL_LAST, LAST, PAST_LIMIT
from brokers.simulated.gateway.runtime.subscriptions import TickByTickSubscription
from brokers.simulated.market.path import path_inside
from shared.market import Bar

if TYPE_CHECKING:
    from brokers.simulated.gateway.data.listing import Listed
    from brokers.simulated.gateway.protocol import data_requests as ask
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session
    from brokers.simulated.market.source import MarketStep

TRADES = {"Last": LAST, "AllLast": ALL_LAST}
KINDS = (*TRADES, "BidAsk", "MidPoint")
PAST_MAX = 1000
AT_ONCE_MAX = 5
"""IB gives 5 % of the market data lines, that is five of a hundred (C§22)."""
TOO_MANY = Refusal(10190, "Max number of tick-by-tick requests has been reached.")


def tick_by_tick(session: Session, client: Client, request: ask.ReqTickByTick) -> None:
    stock = stock_or_200(session, client, request.req_id, request.contract)
    if stock is None:
        return
    if request.tick_type not in KINDS:
        refuse(client, request.req_id, invalid(f"tick-by-tick type {request.tick_type!r}, allowed: {', '.join(KINDS)}"))
    elif not 0 <= request.number_of_ticks <= PAST_MAX:
        refuse(client, request.req_id, invalid(f"number of ticks {request.number_of_ticks}, allowed: 0 to {PAST_MAX}"))
    elif client.subscriptions.uses(request.req_id):
        refuse(client, request.req_id, DUPLICATE_TICKER)
    elif len(client.subscriptions.tick_by_tick) >= AT_ONCE_MAX:
        refuse(client, request.req_id, TOO_MANY)
    elif session.feed.conduct.competing_session:
        refuse(client, request.req_id, COMPETING)
    elif not session.feed.conduct.is_live(stock.symbol):
        refuse(client, request.req_id, _not_subscribed(stock))
    else:
        if request.number_of_ticks:
            _send_past(session, client, request, stock)
        subscription = TickByTickSubscription(stock, request.tick_type, request.ignore_size)
        client.subscriptions.tick_by_tick[request.req_id] = subscription


def _not_subscribed(stock: Listed) -> Refusal:
    return Refusal(10189, f"Failed to request tick-by-tick data.No market data permissions for {stock.exchange} STK")


def cancel_tick_by_tick(_session: Session, client: Client, request: ask.CancelTickByTick) -> None:
    if client.subscriptions.tick_by_tick.pop(request.req_id, None) is None:
        refuse(client, request.req_id, UNKNOWN_TICKER)


def _send_past(session: Session, client: Client, request: ask.ReqTickByTick, stock: Listed) -> None:
    """The latest ticks of the past, as one historical answer; a stream of the future follows."""
    tell = {"BidAsk": past_quotes, "MidPoint": past_midpoints}.get(request.tick_type, past_trades)
    stretch = Stretch(None, session.now(), request.number_of_ticks)
    client.send(tell(session, stock, request.req_id, stretch))


def send_tick_by_tick(session: Session, client: Client, step: MarketStep) -> None:
    """What each subscription saw in a step."""
    for req_id, subscription in client.subscriptions.tick_by_tick.items():
        if subscription.kind in TRADES:
            _send_trades(session, client, req_id, subscription, step)
        else:
            _send_quote(session, client, req_id, subscription, step)


def send_halt(client: Client, index: int, at: float) -> None:
    """A halt is a trade of nothing at no price, past the limit (TWS.md 3.32)."""
    for req_id, subscription in client.subscriptions.tick_by_tick.items():
        if subscription.kind in TRADES and subscription.stock.index == index:
            kind = TRADES[subscription.kind]
            client.send(data_answers.tick_by_tick_last(req_id, kind, at, 0.0, 0.0, "", PAST_LIMIT))


def _send_trades(
    session: Session, client: Client, req_id: int, subscription: TickByTickSubscription, step: MarketStep
) -> None:
    index = subscription.stock.index
    if math.isnan(step.open[index]):
        return
    bar = Bar(*(float(part[index]) for part in (step.open, step.high, step.low, step.close, step.volume)))
    prices, sizes = path_inside(bar)
    pace_s, kind = session.market.step_s / len(prices), TRADES[subscription.kind]
    for place, (price, size) in enumerate(zip(prices, sizes, strict=True)):
        at = step.starts_at + place * pace_s
        told = data_answers.tick_by_tick_last(req_id, kind, at, price, math.floor(size), subscription.stock.exchange)
        client.send(told)


def _send_quote(
    session: Session, client: Client, req_id: int, subscription: TickByTickSubscription, step: MarketStep
) -> None:
    """The quote at the end of the step, if it is another one; with ignore_size only prices count."""
    index, at = subscription.stock.index, step.starts_at + session.market.step_s
    bid, ask, bid_size, ask_size = (float(part[index]) for part in (step.bid, step.ask, step.bid_size, step.ask_size))
    if math.isnan(bid) or math.isnan(ask):
        return
    is_middle = subscription.kind == "MidPoint"
    quote = (
        ((bid + ask) / 2,) if is_middle else (bid, ask) if subscription.ignore_size else (bid, ask, bid_size, ask_size)
    )
    if quote == subscription.quote:
        return
    subscription.quote = quote
    if is_middle:
        client.send(data_answers.tick_by_tick_mid(req_id, at, quote[0]))
    else:
        client.send(data_answers.tick_by_tick_bid_ask(req_id, at, bid, ask, bid_size, ask_size))
