"""History: bars, kept up to date or not, the first instant there is, and past ticks.

A market knows prices and volumes; what TWS adds is derived: a bar's average price is its typical price
(high + low + close) / 3, its count one trade per hundred shares.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from brokers.simulated.gateway.data.contracts import refuse, stock_or_200
from brokers.simulated.gateway.data.pacing import VIOLATION
from brokers.simulated.gateway.data.times import (
    BAR_SIZES,
    bar_date,
    has_zone,
    parse_duration,
    parse_time,
)
from brokers.simulated.gateway.orders.refusals import Refusal, invalid
from brokers.simulated.gateway.protocol import answers, data_answers, layouts
from brokers.simulated.gateway.protocol.message import Message, message
from brokers.simulated.gateway.protocol.wire import Unreadable, Value
from brokers.simulated.gateway.runtime.subscriptions import FormingBar
from brokers.simulated.market.bars import DAY_S, SHOWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from brokers.simulated.gateway.data.listing import Listed
    from brokers.simulated.gateway.data.times import DateStyle
    from brokers.simulated.gateway.protocol import data_requests as ask
    from brokers.simulated.gateway.protocol.requests import CancelHistoricalData, ReqHistoricalData
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session
    from brokers.simulated.market.source import HistoryBars

EPOCH_DATES = 2
TICKS_MAX = 1000
MIXED = "BID_ASK"
NO_ZONE = Refusal(
    2174,
    "Warning: You submitted request with date-time attributes without explicit time zone. Please switch to use "
    "yyyymmdd-hh:mm:ss in UTC or use instrument time zone, like US/Eastern.",
)
BAD_SIZE = Refusal(
    321, f"Error validating request.-'simulated gateway' : cause - bar size, allowed: {', '.join(BAR_SIZES)}"
)
NO_FRESH = Refusal(321, "Error validating request.-'simulated gateway' : cause - keepUpToDate wants no end date")
NO_DAYS = Refusal(321, "Error validating request.-'simulated gateway' : cause - ADJUSTED_LAST wants no end date")
UNKNOWN_QUERY = Refusal(366, "No historical data query found for ticker id")
QUERY_CANCELLED = Refusal(162, "Historical Market Data Service error message:API historical data query cancelled")


def no_data(what: str) -> Refusal:
    return Refusal(162, f"Historical Market Data Service error message:HMDS query returned no data: {what}")


# ------------------------------------------------------------------ bars


def historical_data(session: Session, client: Client, request: ReqHistoricalData) -> None:
    stock = stock_or_200(session, client, request.req_id, request.contract)
    if stock is None:
        return
    refusal = session.feed.conduct.history_refusal or _refusal_of(request)
    if session.feed.conduct.competing_session:
        refusal = no_data("Trading TWS session is connected from a different IP address")
    if refusal is None and not _is_paced(session, client, request, stock):
        refusal = VIOLATION
    if refusal is None and client.subscriptions.uses(request.req_id):
        refusal = Refusal(322, "Error processing request.-'simulated gateway' : cause - Duplicate ticker id")
    if refusal is not None:
        refuse(client, request.req_id, refusal)
        return
    try:
        end_at = min(parse_time(request.end_at), session.now()) if request.end_at else session.now()
        duration_s = parse_duration(request.duration)
    except Unreadable as fault:
        refuse(client, request.req_id, Refusal(10314, f"End Date/Time or duration: {fault}"))
        return
    if not has_zone(request.end_at):
        refuse(client, request.req_id, NO_ZONE)
    _send_history(session, client, request, stock, (end_at, duration_s))


def _is_paced(session: Session, client: Client, request: ReqHistoricalData, stock: Listed) -> bool:
    """Whether the client keeps the pace of history requests; it need not where pacing is off."""
    if session.pacing == "off":
        return True
    wanted = (request.end_at, request.bar_size, request.duration, request.use_rth, request.keep_up_to_date)
    contract = (stock.con_id, request.contract.exchange, request.what_to_show)
    pace = session.feed.pace_of(client.client_id)
    return pace.takes(session.now(), contract, (*contract, *wanted), request.what_to_show)


def _refusal_of(request: ReqHistoricalData) -> Refusal | None:
    what = request.what_to_show
    if request.bar_size not in BAR_SIZES:
        return BAD_SIZE
    if what not in SHOWN:
        return invalid(f"whatToShow {what!r}, allowed: {', '.join(SHOWN)}")
    if request.end_at and request.keep_up_to_date:
        return NO_FRESH
    return NO_DAYS if request.end_at and what == "ADJUSTED_LAST" else None


def _send_history(
    session: Session, client: Client, request: ReqHistoricalData, stock: Listed, span: tuple[float, float]
) -> None:
    end_at, duration_s = span
    bar_s, what = BAR_SIZES[request.bar_size], request.what_to_show
    bars = session.market.history(stock.symbol, end_at=end_at, duration_s=duration_s, bar_s=bar_s, what=what)
    if not len(bars.starts_at) and not request.keep_up_to_date:
        refuse(client, request.req_id, no_data(f"{stock.symbol}@SMART {what.title()}"))
        return
    client.send(_bars_message(session, client, request, bars, span))
    if request.keep_up_to_date:
        started = float(bars.starts_at[-1]) + bar_s if len(bars.starts_at) else session.market.opens_at
        client.subscriptions.forming[request.req_id] = FormingBar(stock, bar_s, request.format_date, started)


def _bars_message(
    session: Session, client: Client, request: ReqHistoricalData, bars: HistoryBars, span: tuple[float, float]
) -> Message:
    end_at, duration_s = span
    bar_s, style = BAR_SIZES[request.bar_size], cast("DateStyle", session.settings.date_format)
    values: dict[str, Value] = {
        "reqId": request.req_id,
        "start": answers.local_time(end_at - duration_s),
        "end": answers.local_time(end_at),
        "nBars": len(bars.starts_at),
    }
    columns = (bars.starts_at, bars.open, bars.high, bars.low, bars.close, bars.volume)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for index, (starts_at, *prices) in enumerate(rows):
        values[f"date.{index}"] = bar_date(starts_at, bar_s, request.format_date, version=client.version, style=style)
        for name, value in bar_values(*prices).items():
            values[f"{name}.{index}"] = value
    return message(layouts.HISTORICAL_DATA, **values)


def bar_values(open_: float, high: float, low: float, close: float, volume: float) -> dict[str, Value]:
    """The fields that bars of every message share; a volume of -1 (bars of quotes) has no average and no count."""
    is_traded = volume >= 0
    return {
        "open": open_,
        "high": high,
        "low": low,
        "close": close,
        "volume": volume,
        "wap": round((high + low + close) / 3, 6) if is_traded else -1,
        "count": math.ceil(volume / 100) if is_traded else -1,
    }


def cancel_historical_data(_session: Session, client: Client, request: CancelHistoricalData) -> None:
    """A kept history ends with 162; any other answer was complete when it left, there is nothing to cancel."""
    kept = client.subscriptions.forming.pop(request.req_id, None)
    refuse(client, request.req_id, QUERY_CANCELLED if kept is not None else UNKNOWN_QUERY)


def send_forming(client: Client, req_id: int, forming: FormingBar, step: tuple[float, ...]) -> None:
    """The forming bar after a step (start, open, high, low, close, volume); an untraded step repeats it."""
    at, open_, high, low, close, volume = step
    is_new = at >= forming.starts_at + forming.bar_s
    if is_new and forming.bar_s < DAY_S:
        forming.starts_at += (at - forming.starts_at) // forming.bar_s * forming.bar_s
        forming.values = []
    if not math.isnan(open_):
        made = forming.values or [open_, high, low, close, 0.0, 0.0]
        forming.values = [
            made[0], max(made[1], high), min(made[2], low), close, made[4] + volume, made[5] + close * volume
        ]  # fmt: skip
    if not forming.values:
        return
    first, top, bottom, last, shares, value = forming.values
    fields = bar_values(first, top, bottom, last, shares) | {"wap": round(value / shares, 6) if shares else last}
    date = bar_date(forming.starts_at, forming.bar_s, forming.format_date, version=client.version)
    client.send(data_answers.historical_data_update(req_id, date, fields))


# ------------------------------------------------------------------ the first instant, past ticks


def head_timestamp(session: Session, client: Client, request: ask.ReqHeadTimestamp) -> None:
    stock = stock_or_200(session, client, request.req_id, request.contract)
    if stock is None:
        return
    if request.what_to_show not in SHOWN:
        refuse(client, request.req_id, no_data(f"No head time stamp for {request.what_to_show}"))
        return
    at = session.market.head_at(stock.symbol)
    text = str(int(at)) if request.format_date == EPOCH_DATES else answers.local_time(at, "%Y%m%d-%H:%M:%S")
    client.send(data_answers.head_timestamp(request.req_id, text))


def cancel_head_timestamp(_session: Session, _client: Client, _request: ask.CancelHeadTimestamp) -> None:
    """The answer is complete when it leaves."""


def historical_ticks(session: Session, client: Client, request: ask.ReqHistoricalTicks) -> None:
    stock = stock_or_200(session, client, request.req_id, request.contract)
    if stock is None:
        return
    send = _TICK_KINDS.get(request.what_to_show)
    if bool(request.start_at) == bool(request.end_at):
        refuse(client, request.req_id, invalid("specify either a start or an end time, not both and not neither"))
    elif send is None:
        refuse(
            client, request.req_id, invalid(f"whatToShow {request.what_to_show!r}, allowed: {', '.join(_TICK_KINDS)}")
        )
    elif not 0 < request.count <= TICKS_MAX:
        refuse(client, request.req_id, invalid(f"number of ticks {request.count}, allowed: 1 to {TICKS_MAX}"))
    else:
        try:
            start_at = parse_time(request.start_at) if request.start_at else None
            end_at = min(parse_time(request.end_at), session.now()) if request.end_at else session.now()
        except Unreadable as fault:
            refuse(client, request.req_id, Refusal(10314, f"Start or End Date/Time: {fault}"))
            return
        client.send(send(session, stock, request, (start_at, end_at)))


Span = tuple[float | None, float]


def _past_trades(session: Session, stock: Listed, request: ask.ReqHistoricalTicks, span: Span) -> Message:
    ticks = session.market.ticks(stock.symbol, start_at=span[0], end_at=span[1], count=request.count)
    rows = list(zip(ticks.at.tolist(), ticks.price.tolist(), ticks.size.tolist(), strict=True))
    return data_answers.historical_ticks_last(request.req_id, rows, stock.exchange)


def _past_quotes(session: Session, stock: Listed, request: ask.ReqHistoricalTicks, span: Span) -> Message:
    ticks = session.market.quote_ticks(stock.symbol, start_at=span[0], end_at=span[1], count=request.count)
    columns = (ticks.at, ticks.bid, ticks.ask, ticks.bid_size, ticks.ask_size)
    whole = [row for row in zip(*(column.tolist() for column in columns), strict=True) if not math.isnan(sum(row))]
    return data_answers.historical_ticks_bid_ask(request.req_id, whole)


def _past_midpoints(session: Session, stock: Listed, request: ask.ReqHistoricalTicks, span: Span) -> Message:
    ticks = session.market.quote_ticks(stock.symbol, start_at=span[0], end_at=span[1], count=request.count)
    middles = zip(ticks.at.tolist(), ((ticks.bid + ticks.ask) / 2).tolist(), strict=True)
    return data_answers.historical_ticks(request.req_id, [row for row in middles if not math.isnan(row[1])])


_TICK_KINDS: dict[str, Callable[[Session, Listed, ask.ReqHistoricalTicks, Span], Message]] = {
    "TRADES": _past_trades,
    "BID_ASK": _past_quotes,
    "MIDPOINT": _past_midpoints,
}
