"""Plays one day's market along the clock, one five-second step at a time, each step to its end before the next.

Within a step the order is: halts and resumptions, the opening cross, the trades of the bar's path (they fill
and trigger), the closing cross, the quote that stands at its end, then the accounts, then bars and ticks. Only
instruments in which an order works are shown to the matcher (standing_quotes.py). The gateway may fall behind
its clock; it then catches up step by step, and market time as clients see it waits (session.py). What is on
the agenda happens between the steps, and inside them while the gateway waits for their end.
"""

from __future__ import annotations

import asyncio
import logging
import math
from typing import TYPE_CHECKING

import numpy as np

from brokers.simulated.market.path import path_inside
from brokers.simulated.market.source import AuctionPrinted, Halted, Resumed
from shared.market import Bar

if TYPE_CHECKING:
    from brokers.simulated.gateway.runtime.session import Session
    from brokers.simulated.market.source import MarketStep

log = logging.getLogger(__name__)


async def play(session: Session) -> None:
    """A whole day; steps that ended before it begins are past and can only be asked for as history."""
    market = session.market
    for step in market.steps(include_premarket=session.settings.premarket):
        ends_at = step.starts_at + market.step_s
        if ends_at <= session.begins_at:
            remember(session, step)
            continue
        session.stepped_to(step.starts_at)
        await reach(session, ends_at)
        play_step(session, step)
        session.agenda.run_until(ends_at)
        session.flush()
        session.stepped_to(ends_at)
        await _wait_for_readers(session)
        await asyncio.sleep(0)
    close(session)


async def reach(session: Session, at: float) -> None:
    """Wait for market time `at`; what is due before it happens when it is due."""
    agenda, clock = session.agenda, session.clock
    while True:
        due = agenda.next_at()
        if due is not None and due < at and due <= clock.now():
            happen(session, min(clock.now(), math.nextafter(at, -math.inf)))
        elif clock.now() >= at:
            return
        else:
            await clock.wait_until(at if due is None else min(at, due))


def happen(session: Session, instant: float) -> None:
    """What the agenda holds up to that instant, with its consequences."""
    session.agenda.run_until(instant)
    session.settle()
    session.flush()
    session.stirred()


def close(session: Session) -> None:
    """After the last step: DAY orders end, the clock runs on, questions are still answered."""
    session.desk.close_session(at=session.market.closes_at)
    session.feed.end_day()
    session.settle()
    session.flush()
    session.stepped_to(math.inf)
    log.info("session %s closed", session.market.session)


def play_step(session: Session, step: MarketStep) -> None:
    """Everything that happens in one step; nothing leaves the gateway yet."""
    market, desk = session.market, session.desk
    regular = market.opens_at <= step.starts_at < market.closes_at
    ends_at = step.starts_at + market.step_s
    desk.on_time(at=step.starts_at)
    _play_events(session, step, opening=True)
    for index in sorted(desk.working_indexes()):
        _trade(session, step, index, regular=regular)
    _play_events(session, step, opening=False)
    remember(session, step)
    session.quotes_stand(at=ends_at, regular=regular)
    for ledger in session.accounts:
        for held in ledger.positions.values():
            ledger.mark(held.con_id, float(step.close[session.listings.by_con_id[held.con_id].index]))
    session.settle()
    if session.is_connected:
        session.feed.on_step(step)


async def _wait_for_readers(session: Session) -> None:
    """The market waits for who reads slowly, if it is set to, not for who is dead."""
    if session.settings.wait_for_slow_s:
        for client in session.each_client():
            await client.drain(session.settings.wait_for_slow_s)


def _play_events(session: Session, step: MarketStep, *, opening: bool) -> None:
    """What came at the start of the step, or the closing cross at its end."""
    ends_at = step.starts_at + session.market.step_s
    for event in step.events:
        match event:
            case Halted(index) if opening:
                session.desk.halt(index)
            case Resumed(index) if opening:
                session.desk.resume(index)
            case AuctionPrinted(index, kind, price, size) if opening == (kind == "open"):
                at = step.starts_at if opening else ends_at
                session.desk.on_auction(index, price, size, kind=kind, at=at)


def remember(session: Session, step: MarketStep) -> None:
    """Take the step's last prices into the tape."""
    tape = session.tape
    tape.bid[:], tape.ask[:] = step.bid, step.ask
    tape.bid_size[:], tape.ask_size[:] = step.bid_size, step.ask_size
    traded = ~np.isnan(step.close)
    tape.last[traded] = step.close[traded]
    tape.last_size[traded] = step.volume[traded]
    tape.volume[traded] += step.volume[traded]
    session.feed.remember(step)


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
