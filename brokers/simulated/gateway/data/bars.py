"""Real-time bars: five seconds, with the epoch of their START, sent when they are over.

An instrument that printed nothing still gets its bar, as at IB: the last price, volume 0, count 0; before its
first print it gets none. Bars of quotes are flat: a market step knows one quote.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from brokers.simulated.gateway.data.bar_fields import bar_fields
from brokers.simulated.gateway.data.contracts import refuse, stock_or_200
from brokers.simulated.gateway.data.pacing import (
    BARS_VIOLATION,
    TOO_MANY_LINES,
    asked,
    paced,
    too_many_lines,
)
from brokers.simulated.gateway.orders.refusals import Refusal, invalid
from brokers.simulated.gateway.protocol import layouts
from brokers.simulated.gateway.protocol.message import Message
from brokers.simulated.gateway.protocol.wire import Value
from brokers.simulated.gateway.runtime.subscriptions import BarSubscription

if TYPE_CHECKING:
    from brokers.simulated.gateway.data.listing import Listed
    from brokers.simulated.gateway.protocol.requests import CancelRealTimeBars, ReqRealTimeBars
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session
    from brokers.simulated.market.source import MarketStep

REAL_TIME_BAR_S = 5
SHOWN = ("TRADES", "MIDPOINT", "BID", "ASK")
DUPLICATE_TICKER = Refusal(322, "Error processing request.-'simulated gateway' : cause - Duplicate ticker id")
UNKNOWN_TICKER = Refusal(300, "Can't find EId with tickerId")
COMPETING = Refusal(10197, "No market data during competing live session")


def real_time_bars(session: Session, client: Client, request: ReqRealTimeBars) -> None:
    stock = stock_or_200(session, client, request.req_id, request.contract)
    if stock is None:
        return
    refusal = _refusal_of(session, client, request)
    if refusal is not None:
        refuse(client, request.req_id, refusal)
        return
    wanted = asked(request.contract, request.what_to_show, request.use_rth, REAL_TIME_BAR_S)
    answer = partial(_begin, session, client, request, stock)
    paced(session, client, request.req_id, wanted, answer, violation=BARS_VIOLATION)


def _refusal_of(session: Session, client: Client, request: ReqRealTimeBars) -> Refusal | None:
    if request.bar_size != REAL_TIME_BAR_S:
        return invalid(f"real-time bars of {request.bar_size} s, allowed: 5")
    if request.what_to_show not in SHOWN:
        return invalid(f"real-time bars of {request.what_to_show}, allowed: {', '.join(SHOWN)}")
    if client.subscriptions.uses(request.req_id):
        return DUPLICATE_TICKER
    if session.feed.conduct.competing_session:
        return COMPETING
    return TOO_MANY_LINES if too_many_lines(session) else None


def _begin(session: Session, client: Client, request: ReqRealTimeBars, stock: Listed) -> None:
    client.subscriptions.bars[request.req_id] = BarSubscription(stock, request.what_to_show, request.use_rth)
    session.on_bars_wanted()


def cancel_real_time_bars(_session: Session, client: Client, request: CancelRealTimeBars) -> None:
    wants = client.subscriptions
    if request.req_id in wants.waiting:
        wants.waiting.discard(request.req_id)
    elif wants.bars.pop(request.req_id, None) is None:
        refuse(client, request.req_id, UNKNOWN_TICKER)


class StepBars:
    """The bars of one step, each made once however many want it.

    `withheld` says by instrument how late its bar is, None for never.
    """

    def __init__(self, session: Session, step: MarketStep, withheld: dict[int, float | None]) -> None:
        self._session = session
        self._step = step
        self._withheld = withheld
        self._is_regular = session.market.opens_at <= step.starts_at < session.market.closes_at
        self._rows: list[list[float]] = []
        self._made: dict[tuple[int, str], dict[str, Value] | None] = {}

    def send_to(self, client: Client) -> None:
        for req_id, subscription in client.subscriptions.bars.items():
            if subscription.regular_only and not self._is_regular:
                continue
            index = subscription.stock.index
            key = index, subscription.what
            if key not in self._made:
                self._made[key] = self._bar(index, subscription.what)
            told = self._made[key]
            if told is None:
                continue
            bar = Message(layouts.REAL_TIME_BAR, {"reqId": req_id, **told})
            if index not in self._withheld:
                client.send(bar)
            elif (late_s := self._withheld[index]) is not None:
                self._session.agenda.after(late_s, partial(_send_late, client, req_id, subscription, bar))

    def _bar(self, index: int, what: str) -> dict[str, Value] | None:
        """The bar's fields; None where there is no price yet."""
        open_, high, low, close, volume, bid, ask = self._row(index)
        if what != "TRADES":
            price = {"BID": bid, "ASK": ask}.get(what, (bid + ask) / 2)
            open_ = high = low = close = price
            volume = -1.0
        elif math.isnan(open_):
            open_ = high = low = close = float(self._session.tape.last[index])
            volume = 0.0
        if math.isnan(open_):
            return None
        return {"time": int(self._step.starts_at), **bar_fields(open_, high, low, close, volume)}

    def _row(self, index: int) -> list[float]:
        """An instrument's numbers; all of them are taken out of the arrays at once."""
        if not self._rows:
            step = self._step
            columns = (step.open, step.high, step.low, step.close, step.volume, step.bid, step.ask)
            self._rows = np.stack(columns).T.tolist()
        return self._rows[index]


def _send_late(client: Client, req_id: int, subscription: BarSubscription, bar: Message) -> None:
    """Unless it is no longer wanted."""
    if client.subscriptions.bars.get(req_id) is subscription:
        client.send(bar)
