"""Real-time bars: five seconds, with the epoch of their START, sent when they are over.

An instrument that printed nothing still gets its bar, as at IB: the last price, volume 0, count 0; before its
first print it gets none. Bars of quotes are flat: a market step knows one quote.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from brokers.simulated.gateway.data.contracts import refuse, stock_or_200
from brokers.simulated.gateway.data.history import bar_values
from brokers.simulated.gateway.data.pacing import TOO_MANY_LINES
from brokers.simulated.gateway.orders.refusals import Refusal, invalid
from brokers.simulated.gateway.protocol import layouts
from brokers.simulated.gateway.protocol.message import Message, message
from brokers.simulated.gateway.protocol.wire import Value
from brokers.simulated.gateway.runtime.subscriptions import BarSubscription

if TYPE_CHECKING:
    from brokers.simulated.gateway.protocol.requests import CancelRealTimeBars, ReqRealTimeBars
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session
    from brokers.simulated.market.source import MarketStep

REAL_TIME_BAR_S = 5
SHOWN = ("TRADES", "MIDPOINT", "BID", "ASK")
DUPLICATE_TICKER = Refusal(322, "Error processing request.-'simulated gateway' : cause - Duplicate ticker id")
UNKNOWN_TICKER = Refusal(300, "Can't find EId with tickerId")


def real_time_bars(session: Session, client: Client, request: ReqRealTimeBars) -> None:
    stock = stock_or_200(session, client, request.req_id, request.contract)
    if stock is None:
        return
    if request.bar_size != REAL_TIME_BAR_S:
        refuse(client, request.req_id, invalid(f"real-time bars of {request.bar_size} s, allowed: 5"))
    elif request.what_to_show not in SHOWN:
        what = f"real-time bars of {request.what_to_show}, allowed: {', '.join(SHOWN)}"
        refuse(client, request.req_id, invalid(what))
    elif client.subscriptions.uses(request.req_id):
        refuse(client, request.req_id, DUPLICATE_TICKER)
    elif not session.feed.has_line_for(client):
        refuse(client, request.req_id, TOO_MANY_LINES)
    else:
        client.subscriptions.bars[request.req_id] = BarSubscription(stock, request.what_to_show)
        session.on_bars_wanted()


def cancel_real_time_bars(_session: Session, client: Client, request: CancelRealTimeBars) -> None:
    if client.subscriptions.bars.pop(request.req_id, None) is None:
        refuse(client, request.req_id, UNKNOWN_TICKER)


def send_bars(session: Session, client: Client, step: MarketStep, withheld: dict[int, float | None]) -> None:
    """The bar of `step` for each subscription; `withheld` says by instrument how late one is, None for never."""
    for req_id, subscription in client.subscriptions.bars.items():
        index = subscription.stock.index
        told = _bar(session, step, index, subscription.what)
        if told is None:
            continue
        bar = message(layouts.REAL_TIME_BAR, reqId=req_id, time=int(step.starts_at), **told)
        if index not in withheld:
            client.send(bar)
        elif (late_s := withheld[index]) is not None:
            session.agenda.after(late_s, partial(_send_late, client, req_id, bar))


def _send_late(client: Client, req_id: int, bar: Message) -> None:
    if req_id in client.subscriptions.bars:
        client.send(bar)


def _bar(session: Session, step: MarketStep, index: int, what: str) -> dict[str, Value] | None:
    """The bar's fields; None where there is no price yet."""
    if what != "TRADES":
        bid, ask = float(step.bid[index]), float(step.ask[index])
        price = {"BID": bid, "ASK": ask}.get(what, (bid + ask) / 2)
        return None if math.isnan(price) else bar_values(price, price, price, price, -1.0)
    open_ = float(step.open[index])
    if math.isnan(open_):
        last = float(session.tape.last[index])
        return None if math.isnan(last) else bar_values(last, last, last, last, 0.0)
    high, low, close = float(step.high[index]), float(step.low[index]), float(step.close[index])
    return bar_values(open_, high, low, close, float(step.volume[index]))
