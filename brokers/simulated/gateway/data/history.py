"""History: bars of the past, complete in one answer, or kept up to date (forming.py)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from brokers.simulated.gateway.data.bar_fields import bar_fields
from brokers.simulated.gateway.data.bars import DUPLICATE_TICKER
from brokers.simulated.gateway.data.contracts import refuse, stock_or_200
from brokers.simulated.gateway.data.farms import history_answers
from brokers.simulated.gateway.data.forming import begun
from brokers.simulated.gateway.data.pacing import TOO_MANY_OPEN, asked, paced, too_many_open
from brokers.simulated.gateway.data.times import BAR_SIZES, bar_date, has_zone, parse_duration, parse_time
from brokers.simulated.gateway.orders.refusals import Refusal, invalid
from brokers.simulated.gateway.protocol import answers, layouts
from brokers.simulated.gateway.protocol.message import Message, message
from brokers.simulated.gateway.protocol.wire import Unreadable, Value
from brokers.simulated.market.bars import SHOWN

if TYPE_CHECKING:
    from brokers.simulated.gateway.data.listing import Listed
    from brokers.simulated.gateway.data.times import DateStyle
    from brokers.simulated.gateway.protocol.requests import CancelHistoricalData, ReqHistoricalData
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session
    from brokers.simulated.market.source import HistoryBars

ADJUSTED = "ADJUSTED_LAST"
SECONDS = ("1 sec", "1 secs")
SERVICE = "Historical Market Data Service error message:"
NO_ZONE = Refusal(
    2174,
    "Warning: You submitted request with date-time attributes without explicit time zone. Please switch to use "
    "yyyymmdd-hh:mm:ss in UTC or use instrument time zone, like US/Eastern.",
)
BAD_SIZE = invalid(f"Historical data bar size setting is invalid. Legal ones are: {', '.join(BAR_SIZES)}")
NO_SECONDS = Refusal(162, f"{SERVICE}invalid step: 1")
"""What TWS says to one-second bars that it does not have (wrighter/ib-scripts#1)."""
NO_FRESH = invalid("End time not supported for keepUpToDate requests")
NO_DAYS = invalid("End Date not supported with adjusted last")
UNKNOWN_QUERY = Refusal(366, "No historical data query found for ticker id")
QUERY_CANCELLED = Refusal(162, f"{SERVICE}API historical data query cancelled")


def no_data(what: str) -> Refusal:
    return Refusal(162, f"{SERVICE}HMDS query returned no data: {what}")


def historical_data(session: Session, client: Client, request: ReqHistoricalData) -> None:
    stock = stock_or_200(session, client, request.req_id, request.contract)
    if stock is None or not history_answers(session, client, request.req_id):
        return
    refusal = _refusal_of(session, client, request)
    if refusal is not None:
        refuse(client, request.req_id, refusal)
        return
    try:
        end_at = parse_time(request.end_at) if request.end_at else session.now()
        duration_s = parse_duration(request.duration)
    except Unreadable as fault:
        refuse(client, request.req_id, Refusal(10314, f"End Date/Time or duration: {fault}"))
        return
    if not has_zone(request.end_at):
        refuse(client, request.req_id, NO_ZONE)
    answer = partial(_send_history, session, client, request, stock, (min(end_at, session.now()), duration_s))
    asks = (request.bar_size, request.duration, request.end_at, request.use_rth, request.keep_up_to_date)
    paced(session, client, request.req_id, asked(request.contract, request.what_to_show, *asks), answer)


def _refusal_of(session: Session, client: Client, request: ReqHistoricalData) -> Refusal | None:
    what = request.what_to_show
    if request.bar_size not in BAR_SIZES:
        return NO_SECONDS if request.bar_size in SECONDS else BAD_SIZE
    if what not in SHOWN:
        return invalid(f"whatToShow {what!r}, allowed: {', '.join(SHOWN)}")
    if request.end_at and request.keep_up_to_date:
        return NO_FRESH
    if request.end_at and what == ADJUSTED:
        return NO_DAYS
    if client.subscriptions.uses(request.req_id):
        return DUPLICATE_TICKER
    return TOO_MANY_OPEN if too_many_open(session) else None


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
        client.subscriptions.forming[request.req_id] = begun(session, stock, request, bar_s)


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
        for name, value in bar_fields(*prices).items():
            values[f"{name}.{index}"] = value
    return message(layouts.HISTORICAL_DATA, **values)


def cancel_historical_data(_session: Session, client: Client, request: CancelHistoricalData) -> None:
    """A kept history, or one that waits, ends with 162; any other answer was complete when it left."""
    wants, req_id = client.subscriptions, request.req_id
    is_known = req_id in wants.forming or req_id in wants.waiting
    wants.forming.pop(req_id, None)
    wants.waiting.discard(req_id)
    refuse(client, req_id, QUERY_CANCELLED if is_known else UNKNOWN_QUERY)
