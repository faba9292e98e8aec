"""Single prints and quotes of the past, and the first instant of which anything is known."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import asdict

from brokers.simulated.gateway.data.contracts import refuse, stock_or_200
from brokers.simulated.gateway.data.farms import history_answers
from brokers.simulated.gateway.data.history import no_data
from brokers.simulated.gateway.data.pacing import asked, paced
from brokers.simulated.gateway.data.times import EPOCH_DATES, parse_time
from brokers.simulated.gateway.orders.refusals import Refusal, invalid
from brokers.simulated.gateway.protocol import data_answers
from brokers.simulated.gateway.protocol.wire import Unreadable
from brokers.simulated.market.bars import SHOWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from brokers.simulated.gateway.data.listing import Listed
    from brokers.simulated.gateway.protocol import data_requests as ask
    from brokers.simulated.gateway.protocol.message import Message
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session

TICKS_MAX = 1000
ONE_END = "please specify either a start or an end time, not both and not neither"


class Stretch(Struct, frozen=True):
    """Which ticks: the first `count` from the start on, without a start the latest; all before the end."""

    start_at: float | None
    end_at: float
    count: int


def head_timestamp(session: Session, client: Client, request: ask.ReqHeadTimestamp) -> None:
    stock = stock_or_200(session, client, request.req_id, request.contract)
    if stock is None or not history_answers(session, client, request.req_id):
        return
    if request.what_to_show not in SHOWN:
        refuse(client, request.req_id, no_data(f"No head time stamp for {request.what_to_show}"))
        return
    at = session.market.head_at(stock.symbol)
    text = str(int(at)) if request.format_date == EPOCH_DATES else f"{datetime.fromtimestamp(at, UTC):%Y%m%d-%H:%M:%S}"
    client.send(data_answers.head_timestamp(request.req_id, text))


def cancel_head_timestamp(_session: Session, _client: Client, _request: ask.CancelHeadTimestamp) -> None:
    """The answer is complete when it leaves."""


def historical_ticks(session: Session, client: Client, request: ask.ReqHistoricalTicks) -> None:
    stock = stock_or_200(session, client, request.req_id, request.contract)
    if stock is None or not history_answers(session, client, request.req_id):
        return
    refusal = _refusal_of(request)
    if refusal is not None:
        refuse(client, request.req_id, refusal)
        return
    try:
        start_at = parse_time(request.start_at) if request.start_at else None
        end_at = min(parse_time(request.end_at), session.now()) if request.end_at else session.now()
    except Unreadable as fault:
        refuse(client, request.req_id, Refusal(10314, f"Start or End Date/Time: {fault}"))
        return
    wanted = asked(request.contract, request.what_to_show, request.start_at, request.end_at, request.count)
    stretch = Stretch(start_at, end_at, request.count)
    tell = partial(KINDS[request.what_to_show], session, stock, request.req_id, stretch)
    paced(session, client, request.req_id, wanted, lambda: client.send(tell()))


def _refusal_of(request: ask.ReqHistoricalTicks) -> Refusal | None:
    if bool(request.start_at) == bool(request.end_at):
        return invalid(ONE_END)
    if request.what_to_show not in KINDS:
        return invalid(f"whatToShow {request.what_to_show!r}, allowed: {', '.join(KINDS)}")
    if not 0 < request.count <= TICKS_MAX:
        return invalid(f"number of ticks {request.count}, allowed: 1 to {TICKS_MAX}")
    return None


def past_trades(session: Session, stock: Listed, req_id: int, stretch: Stretch) -> Message:
    ticks = session.market.ticks(stock.symbol, **asdict(stretch))
    rows = list(zip(ticks.at.tolist(), ticks.price.tolist(), ticks.size.tolist(), strict=True))
    return data_answers.historical_ticks_last(req_id, rows, stock.exchange)


def past_quotes(session: Session, stock: Listed, req_id: int, stretch: Stretch) -> Message:
    """Only quotes with both sides."""
    ticks = session.market.quote_ticks(stock.symbol, **asdict(stretch))
    columns = (ticks.at, ticks.bid, ticks.ask, ticks.bid_size, ticks.ask_size)
    whole = [row for row in zip(*(column.tolist() for column in columns), strict=True) if not math.isnan(sum(row))]
    return data_answers.historical_ticks_bid_ask(req_id, whole)


def past_midpoints(session: Session, stock: Listed, req_id: int, stretch: Stretch) -> Message:
    ticks = session.market.quote_ticks(stock.symbol, **asdict(stretch))
    middles = zip(ticks.at.tolist(), ((ticks.bid + ticks.ask) / 2).tolist(), strict=True)
    return data_answers.historical_ticks(req_id, [row for row in middles if not math.isnan(row[1])])


KINDS: dict[str, Callable[[Session, Listed, int, Stretch], Message]] = {
    "TRADES": past_trades,
    "BID_ASK": past_quotes,
    "MIDPOINT": past_midpoints,
}
