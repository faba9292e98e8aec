"""Contracts, history, ticks and real-time bars.

A market step carries prices and volume only. What TWS adds is derived, and documented here: the shown size of
a quote is `QUOTE_SIZE`, a bar's average price is its typical price (high + low + close) / 3, its count is one
trade per hundred shares. An instrument that printed nothing still gets its bar, as at IB: the last price,
volume 0, count 0; before its first print it gets none.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from brokers.simulated.gateway.data.times import BAR_SIZES_S, DAY_S, parse_duration, parse_time
from brokers.simulated.gateway.orders.refusals import UNKNOWN_CONTRACT, Refusal, invalid
from brokers.simulated.gateway.protocol import answers, layouts
from brokers.simulated.gateway.protocol import requests as ask
from brokers.simulated.gateway.protocol.message import message
from brokers.simulated.gateway.protocol.request_shapes import ContractFields
from brokers.simulated.gateway.protocol.wire import Unreadable, Value
from brokers.simulated.gateway.runtime.client import TickSubscription

if TYPE_CHECKING:
    from brokers.simulated.gateway.data.listing import Listed
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session
    from brokers.simulated.market.source import HistoryBars, MarketStep

QUOTE_SIZE = 100.0
BID_SIZE, BID, ASK, ASK_SIZE, LAST, LAST_SIZE, VOLUME, CLOSE = 0, 1, 2, 3, 4, 5, 8, 9
SIZE_OF = {BID: BID_SIZE, ASK: ASK_SIZE, LAST: LAST_SIZE}
NO_PRICE = -1.0
"""What TWS sends for a side without a quote (TWS.md 3.31)."""
LIVE = 1
EPOCH_DATES = 2
REAL_TIME_BAR_S = 5
DUPLICATE_TICKER = Refusal(322, "Error processing request.-'simulated gateway' : cause - Duplicate ticker id")
UNKNOWN_TICKER = Refusal(300, "Can't find EId with tickerId")


def _refuse(client: Client, req_id: int, refusal: Refusal) -> None:
    client.send(answers.error(req_id, refusal.code, refusal.text))


def _stock_or_200(session: Session, client: Client, req_id: int, contract: ContractFields) -> Listed | None:
    stock = session.listings.find(contract)
    if stock is None:
        _refuse(client, req_id, UNKNOWN_CONTRACT)
    return stock


def contract_details(session: Session, client: Client, request: ask.ReqContractDetails) -> None:
    stock = _stock_or_200(session, client, request.req_id, request.contract)
    if stock is not None:
        client.send(answers.contract_data(request.req_id, stock, session.hours()))
        client.send(message(layouts.CONTRACT_DATA_END, reqId=request.req_id))


# ------------------------------------------------------------------ history


def historical_data(session: Session, client: Client, request: ask.ReqHistoricalData) -> None:
    stock = _stock_or_200(session, client, request.req_id, request.contract)
    if stock is None:
        return
    bar_s = BAR_SIZES_S.get(request.bar_size)
    if bar_s is None:
        _refuse(
            client,
            request.req_id,
            invalid(f"bar size {request.bar_size!r}, allowed: {', '.join(BAR_SIZES_S)}"),
        )
    elif request.keep_up_to_date:
        _refuse(client, request.req_id, invalid("keepUpToDate is not simulated, use real-time bars"))
    elif request.what_to_show != "TRADES":
        _refuse(client, request.req_id, _no_data(f"{request.what_to_show} is not recorded, only TRADES"))
    else:
        _send_history(session, client, request, stock, bar_s)


def _no_data(why: str) -> Refusal:
    return Refusal(162, f"Historical Market Data Service error message:HMDS query returned no data: {why}")


def _send_history(session: Session, client: Client, request: ask.ReqHistoricalData, stock: Listed, bar_s: int) -> None:
    try:
        end_at = min(parse_time(request.end_at), session.now()) if request.end_at else session.now()
        duration_s = parse_duration(request.duration)
    except Unreadable as fault:
        _refuse(client, request.req_id, Refusal(10314, f"End Date/Time or duration: {fault}"))
        return
    bars = session.market.history(stock.symbol, end_at=end_at, duration_s=duration_s, bar_s=bar_s)
    if not len(bars.starts_at):
        _refuse(client, request.req_id, _no_data(f"{stock.symbol}@SMART Trades"))
        return
    values: dict[str, Value] = {
        "reqId": request.req_id,
        "start": answers.local_time(end_at - duration_s),
        "end": answers.local_time(end_at),
        "nBars": len(bars.starts_at),
    }
    for index in range(len(bars.starts_at)):
        values |= {f"{name}.{index}": value for name, value in _bar(bars, index, bar_s, request.format_date).items()}
    client.send(message(layouts.HISTORICAL_DATA, **values))


def _bar(bars: HistoryBars, index: int, bar_s: int, format_date: int) -> dict[str, Value]:
    starts_at = float(bars.starts_at[index])
    if bar_s == DAY_S:  # daily bars are always dates (TWS.md 3.34)
        date = answers.local_time(starts_at, "%Y%m%d")
    else:
        date = str(int(starts_at)) if format_date == EPOCH_DATES else answers.local_time(starts_at)
    ohlcv = (bars.open[index], bars.high[index], bars.low[index], bars.close[index], bars.volume[index])
    return {"date": date} | _ohlcv(*(float(value) for value in ohlcv))


def _ohlcv(open_: float, high: float, low: float, close: float, volume: float) -> dict[str, Value]:
    return {
        "open": open_,
        "high": high,
        "low": low,
        "close": close,
        "volume": volume,
        "wap": round((high + low + close) / 3, 6),
        "count": math.ceil(volume / 100),
    }


def cancel_historical_data(_session: Session, client: Client, request: ask.CancelHistoricalData) -> None:
    """Every answer is complete when it leaves: there is never one to cancel."""
    _refuse(client, request.req_id, Refusal(366, "No historical data query found for ticker id"))


# ------------------------------------------------------------------ real-time bars


def real_time_bars(session: Session, client: Client, request: ask.ReqRealTimeBars) -> None:
    stock = _stock_or_200(session, client, request.req_id, request.contract)
    if stock is None:
        return
    if request.bar_size != REAL_TIME_BAR_S:
        _refuse(client, request.req_id, invalid(f"real-time bars of {request.bar_size} s, allowed: 5"))
    elif request.what_to_show != "TRADES":
        _refuse(client, request.req_id, invalid(f"real-time bars of {request.what_to_show}, allowed: TRADES"))
    elif client.subscriptions.uses(request.req_id):
        _refuse(client, request.req_id, DUPLICATE_TICKER)
    else:
        client.subscriptions.bars[request.req_id] = stock
        session.on_bars_wanted()


def cancel_real_time_bars(_session: Session, client: Client, request: ask.CancelRealTimeBars) -> None:
    if client.subscriptions.bars.pop(request.req_id, None) is None:
        _refuse(client, request.req_id, UNKNOWN_TICKER)


def send_bars(session: Session, client: Client, step: MarketStep) -> None:
    """The bar of `step` for each subscription; it carries the epoch of its START and leaves after its end."""
    for req_id, stock in client.subscriptions.bars.items():
        index = stock.index
        if math.isnan(step.open[index]):
            last = float(session.tape.last[index])
            values = _ohlcv(last, last, last, last, 0.0) if not math.isnan(last) else None
        else:
            ohlcv = (
                step.open[index],
                step.high[index],
                step.low[index],
                step.close[index],
                step.volume[index],
            )
            values = _ohlcv(*(float(value) for value in ohlcv))
        if values is not None:
            client.send(message(layouts.REAL_TIME_BAR, reqId=req_id, time=int(step.starts_at), **values))


# ------------------------------------------------------------------ ticks


def market_data_type(_session: Session, client: Client, request: ask.ReqMarketDataType) -> None:
    """Remembered; the data is always live, as TWS sends it to whoever is entitled (TWS.md 3.30)."""
    client.market_data_type = request.data_type


def market_data(session: Session, client: Client, request: ask.ReqMarketData) -> None:
    stock = _stock_or_200(session, client, request.req_id, request.contract)
    if stock is None:
        return
    if client.subscriptions.uses(request.req_id):
        _refuse(client, request.req_id, DUPLICATE_TICKER)
        return
    subscription = TickSubscription(stock)
    client.send(message(layouts.MARKET_DATA_TYPE, reqId=request.req_id, type=LIVE))
    client.send(message(layouts.TICK_REQ_PARAMS, reqId=request.req_id, minTick=stock.min_tick))
    _send_ticks(session, client, request.req_id, subscription)
    _send_close(session, client, request.req_id, stock)
    if request.snapshot:
        client.send(message(layouts.SNAPSHOT_END, reqId=request.req_id))
    else:
        client.subscriptions.ticks[request.req_id] = subscription


def cancel_market_data(_session: Session, client: Client, request: ask.CancelMarketData) -> None:
    if client.subscriptions.ticks.pop(request.req_id, None) is None:
        _refuse(client, request.req_id, UNKNOWN_TICKER)


def send_ticks(session: Session, client: Client) -> None:
    """What has changed for each subscription since it was last told."""
    for req_id, subscription in client.subscriptions.ticks.items():
        _send_ticks(session, client, req_id, subscription)


def _send_ticks(session: Session, client: Client, req_id: int, subscription: TickSubscription) -> None:
    tape, index, sent = session.tape, subscription.stock.index, subscription.sent
    last_size = float(tape.last_size[index])
    for tick_type, price, size in (
        (BID, float(tape.bid[index]), QUOTE_SIZE),
        (ASK, float(tape.ask[index]), QUOTE_SIZE),
        (LAST, float(tape.last[index]), last_size),
    ):
        if math.isnan(price) and tick_type == LAST:
            continue
        shown, shown_size = (NO_PRICE, 0.0) if math.isnan(price) else (price, size)
        if sent.get(tick_type) != shown:
            client.send(answers.tick_price(req_id, tick_type, shown, shown_size))
        if sent.get(SIZE_OF[tick_type]) != shown_size:
            client.send(answers.tick_size(req_id, SIZE_OF[tick_type], shown_size))
        sent[tick_type], sent[SIZE_OF[tick_type]] = shown, shown_size
    volume = float(tape.volume[index])
    if sent.get(VOLUME) != volume:
        client.send(answers.tick_size(req_id, VOLUME, volume))
        sent[VOLUME] = volume


def _send_close(session: Session, client: Client, req_id: int, stock: Listed) -> None:
    """Tick 9 is the previous session's close; a market without a past has none."""
    bars = session.market.history(stock.symbol, end_at=session.market.opens_at, duration_s=DAY_S, bar_s=DAY_S)
    if len(bars.close):
        client.send(answers.tick_price(req_id, CLOSE, float(bars.close[-1]), 0.0))
