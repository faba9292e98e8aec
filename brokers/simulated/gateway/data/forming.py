"""The bar that is being made, of a history kept up to date: repeated every step with the same date (TWS.md 3.33).

It begins with what has already happened in it and grows as the market's own bars do (market/bars.py): a bar of
quotes begins with the quote that stood before it, and BID_ASK is IB's mixture of averages.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from brokers.simulated.gateway.data.bar_fields import WAP_DIGITS, bar_fields
from brokers.simulated.gateway.data.times import bar_date, span_of
from brokers.simulated.gateway.protocol import data_answers
from brokers.simulated.gateway.runtime.subscriptions import FormingBar
from brokers.simulated.market.bars import DAY_S, NO_VOLUME, OF_TRADES, STEP_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from brokers.simulated.gateway.data.listing import Listed
    from brokers.simulated.gateway.data.times import DateStyle
    from brokers.simulated.gateway.protocol.requests import ReqHistoricalData
    from brokers.simulated.gateway.protocol.wire import Value
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session
    from brokers.simulated.market.source import HistoryBars, MarketStep

Row = tuple[float, float, float, float, float]
"""Open, high, low, close and volume of a step."""
MIXED = "BID_ASK"


def begun(session: Session, stock: Listed, request: ReqHistoricalData, bar_s: int) -> FormingBar:
    """The bar in which we are, with what has happened in it so far."""
    now = session.now()
    starts_at, ends_at = _span(session, now, bar_s, regular_only=request.use_rth)
    forming = FormingBar(stock, bar_s, request.what_to_show, request.use_rth, request.format_date, starts_at, ends_at)
    for row in _past_rows(session, forming, now):
        _take(forming, row)
    tape, index = session.tape, stock.index
    forming.quote = float(tape.bid[index]), float(tape.ask[index])
    return forming


def send_forming(session: Session, client: Client, req_id: int, step: MarketStep) -> None:
    """The forming bar after a step; a step in which nothing traded repeats it."""
    forming = client.subscriptions.forming[req_id]
    market = session.market
    if forming.regular_only and not market.opens_at <= step.starts_at < market.closes_at:
        return
    if step.starts_at >= forming.ends_at:
        span = _span(session, step.starts_at, forming.bar_s, regular_only=forming.regular_only)
        forming.starts_at, forming.ends_at = span
        forming.values, forming.steps = [], 0
    row = _row(forming, step)
    if row is not None:
        _take(forming, row)
    if not forming.values:
        return
    style = cast("DateStyle", session.settings.date_format)
    date = bar_date(forming.starts_at, forming.bar_s, forming.format_date, version=client.version, style=style)
    client.send(data_answers.historical_data_update(req_id, date, _fields(forming)))


def _span(session: Session, at: float, bar_s: int, *, regular_only: bool) -> tuple[float, float]:
    """As the history has it: the first bar of a session begins with the session."""
    starts_at, ends_at = span_of(at, bar_s)
    opens_at = session.market.opens_at
    if bar_s < DAY_S and (regular_only or not session.settings.premarket) and starts_at < opens_at < ends_at:
        starts_at = opens_at
    return starts_at, ends_at


def _past_rows(session: Session, forming: FormingBar, now: float) -> Iterator[Row]:
    """What the history knows of the bar: whole days before today, then today's steps."""
    market, symbol = session.market, forming.stock.symbol

    def known(bar_s: int, duration_s: float) -> HistoryBars:
        return market.history(symbol, end_at=now, duration_s=duration_s, bar_s=bar_s, what=forming.what)

    today_at, _ = span_of(now, DAY_S)
    if forming.bar_s > DAY_S:
        yield from _rows(known(DAY_S, forming.bar_s), forming.starts_at, today_at)
    reach_s = min(DAY_S, forming.ends_at - forming.starts_at)
    yield from _rows(known(STEP_S, reach_s), max(forming.starts_at, today_at), now)


def _rows(bars: HistoryBars, first_at: float, before: float) -> Iterator[Row]:
    columns = (bars.starts_at, bars.open, bars.high, bars.low, bars.close, bars.volume)
    for starts_at, *row in zip(*(column.tolist() for column in columns), strict=True):
        if first_at <= starts_at < before:
            yield cast("Row", tuple(row))


def _row(forming: FormingBar, step: MarketStep) -> Row | None:
    """What the step adds; None where nothing traded or nothing is quoted."""
    index, what = forming.stock.index, forming.what
    if what in OF_TRADES:
        columns = (step.open, step.high, step.low, step.close, step.volume)
        row = cast("Row", tuple(float(column[index]) for column in columns))
        return None if math.isnan(row[0]) else row
    (bid_before, ask_before), (bid, ask) = forming.quote, (float(step.bid[index]), float(step.ask[index]))
    forming.quote = bid, ask
    if what == MIXED:
        high, low = _span_of_quotes(ask_before, ask)[1], _span_of_quotes(bid_before, bid)[2]
        return None if math.isnan(bid) or math.isnan(ask) else (bid, high, low, ask, NO_VOLUME)
    before, stands = {
        "BID": (bid_before, bid),
        "ASK": (ask_before, ask),
        "MIDPOINT": (_middle(bid_before, ask_before), _middle(bid, ask)),
    }[what]
    return None if math.isnan(stands) else (*_span_of_quotes(before, stands), stands, NO_VOLUME)


def _span_of_quotes(before: float, stands: float) -> tuple[float, float, float]:
    """Open, high and low of a step that began with one quote and ended with another."""
    opened = stands if math.isnan(before) else before
    return opened, max(opened, stands), min(opened, stands)


def _middle(bid: float, ask: float) -> float:
    return round((bid + ask) / 2, 4)


def _take(forming: FormingBar, row: Row) -> None:
    open_, high, low, close, volume = row
    shares = max(volume, 0.0)
    forming.steps += 1
    if not forming.values:
        forming.values = [open_, high, low, close, volume, close * shares]
        return
    made = forming.values
    made[1], made[2] = max(made[1], high), min(made[2], low)
    if forming.what == MIXED:
        made[0] += (open_ - made[0]) / forming.steps
        made[3] += (close - made[3]) / forming.steps
    else:
        made[3] = close
    if volume >= 0:
        made[4], made[5] = made[4] + volume, made[5] + close * volume


def _fields(forming: FormingBar) -> dict[str, Value]:
    open_, high, low, close, volume, value = forming.values
    if forming.what == MIXED:
        open_, close = round(open_, 4), round(close, 4)
    fields = bar_fields(open_, high, low, close, volume)
    if volume > 0:
        fields["wap"] = round(value / volume, WAP_DIGITS)
    return fields
