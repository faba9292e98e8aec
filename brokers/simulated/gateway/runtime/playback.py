"""Plays the market along the clock, one five-second step at a time, each step to its end before the next.

Within a step the order is: the trades of the bar's path (they fill and trigger), the quote that stands at its
end, then the account, then the bars and ticks. The gateway may fall behind its clock; it then catches up step
by step, and market time as clients see it waits (session.py).
"""

from __future__ import annotations

import asyncio
import logging
import math
from typing import TYPE_CHECKING

import numpy as np

from brokers.simulated.gateway.data.marketdata import send_bars, send_ticks
from brokers.simulated.market.path import path_inside
from shared.market import Bar

if TYPE_CHECKING:
    from brokers.simulated.gateway.runtime.session import Session
    from brokers.simulated.market.source import MarketStep

log = logging.getLogger(__name__)


async def play(session: Session) -> None:
    """The whole session; steps that ended before it begins are past and can only be asked for as history."""
    market = session.market
    for step in market.steps():
        ends_at = step.starts_at + market.step_s
        if ends_at <= session.begins_at:
            remember(session, step)
            continue
        session.next_step_at = step.starts_at
        await session.clock.wait_until(ends_at)
        play_step(session, step)
        session.flush()
        session.stepped_to(ends_at)
        for client in session.each_client():
            if client.subscriptions.bars or client.subscriptions.ticks:
                await client.drain()
        await asyncio.sleep(0)
    close(session)


def close(session: Session) -> None:
    """After the last step: DAY orders end, the clock runs on, questions are still answered."""
    session.desk.close_session(at=session.market.closes_at)
    session.settle()
    session.flush()
    session.stepped_to(math.inf)
    log.info("session %s closed", session.market.session)


def play_step(session: Session, step: MarketStep) -> None:
    """Everything that happens in one step; nothing leaves the gateway yet."""
    regular = session.market.opens_at <= step.starts_at < session.market.closes_at
    for index in sorted(session.desk.working_indexes()):
        _trade(session, step, index, regular=regular)
    ends_at = step.starts_at + session.market.step_s
    for index, (bid, ask) in enumerate(zip(step.bid.tolist(), step.ask.tolist(), strict=True)):
        session.desk.on_quote(index, bid, ask, at=ends_at, regular=regular)
    remember(session, step)
    for held in session.ledger.positions.values():
        session.ledger.mark(held.con_id, float(step.close[session.listings.by_con_id[held.con_id].index]))
    session.settle()
    for client in session.each_client():
        send_bars(session, client, step)
        send_ticks(session, client)


def remember(session: Session, step: MarketStep) -> None:
    """Take the step's last prices into the tape."""
    tape = session.tape
    tape.bid[:], tape.ask[:] = step.bid, step.ask
    traded = ~np.isnan(step.close)
    tape.last[traded] = step.close[traded]
    tape.last_size[traded] = step.volume[traded]
    tape.volume[traded] += step.volume[traded]


def _trade(session: Session, step: MarketStep, index: int, *, regular: bool) -> None:
    """The bar's path in one instrument; its trades are spread evenly over the step."""
    if math.isnan(step.open[index]):
        return
    bar = Bar(*(float(part[index]) for part in (step.open, step.high, step.low, step.close, step.volume)))
    prices, sizes = path_inside(bar)
    pace_s = session.market.step_s / len(prices)
    for place, (price, size) in enumerate(zip(prices, sizes, strict=True)):
        at = step.starts_at + place * pace_s
        session.desk.on_trade(index, price, size, at=at, regular=regular)
