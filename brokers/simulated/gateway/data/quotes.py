"""What a reqMktData is sent: prices and their sizes, each when it changes, at most once per step.

TWS aggregates US stocks to 250 ms (TWS.md 3.31); a step of five seconds is this market's coarser grain.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from brokers.simulated.gateway.protocol import answers, data_answers, layouts
from brokers.simulated.gateway.protocol.message import Message, message
from brokers.simulated.market.bars import DAY_S

if TYPE_CHECKING:
    from brokers.simulated.gateway.data.board import Row
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session
    from brokers.simulated.gateway.runtime.subscriptions import TickSubscription

BID_SIZE, BID, ASK, ASK_SIZE, LAST, LAST_SIZE, HIGH, LOW, VOLUME, CLOSE, OPEN = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14
AVERAGE_VOLUME, LAST_TIMESTAMP, SHORTABLE, RT_VOLUME, HALTED, SHORTABLE_SHARES = 21, 45, 46, 48, 49, 89
RANGES = {13: (15, 16), 26: (17, 18), 52: (19, 20)}
"""Weeks -> the tick types of their lowest and highest price."""
DELAYED = {
    BID: 66, ASK: 67, LAST: 68, BID_SIZE: 69, ASK_SIZE: 70, LAST_SIZE: 71, HIGH: 72, LOW: 73, VOLUME: 74, CLOSE: 75,
    OPEN: 76,
}  # fmt: skip
"""Tick types of delayed data (TWS.md 3.30)."""
NO_PRICE = -1.0
"""What TWS sends for a side without a quote (TWS.md 3.31)."""
LIVE, FROZEN, DELAYED_TYPE, DELAYED_FROZEN = 1, 2, 3, 4
STATISTICS, TRADES_AND_VOLUME, INVENTORY = 165, 233, 236
"""Generic ticks that have a figure here: ranges and average volume, RTVolume, shares to borrow."""
AUTO_EXECUTED, PRE_OPEN = 1, 4
"""The mask of a price (TWS.md 2.3)."""
WEEK_SESSIONS, QUARTER_SESSIONS, YEAR_SESSIONS = 5, 63, 252
SHARES_IN_PLENTY = 10_000_000


def send_changes(session: Session, client: Client, req_id: int, subscription: TickSubscription) -> None:
    """What has changed since the subscription was last told: size and price apart."""
    row, sent = row_of(session, subscription), subscription.sent
    if INVENTORY in subscription.generic:
        _send_inventory(session, client, req_id, subscription)
    if row == subscription.row:
        return
    subscription.row = row
    delayed = DELAYED if subscription.is_delayed else None
    mask = PRE_OPEN if session.phase == "pre" else AUTO_EXECUTED

    def send_price(tick_type: int, price: float, size: float) -> None:
        if sent.get(tick_type) != price:
            sent[tick_type] = price
            shown = tick_type if delayed is None else delayed[tick_type]
            values = {"reqId": req_id, "tickType": shown, "price": price, "size": size, "mask": mask}
            client.send(Message(layouts.TICK_PRICE, values))

    def send_size(tick_type: int, size: float) -> bool:
        if sent.get(tick_type) == size:
            return False
        sent[tick_type] = size
        shown = tick_type if delayed is None else delayed[tick_type]
        client.send(Message(layouts.TICK_SIZE, {"reqId": req_id, "tickType": shown, "size": size}))
        return True

    for price_type, size_type, price, size in (
        (BID, BID_SIZE, row.bid, row.bid_size),
        (ASK, ASK_SIZE, row.ask, row.ask_size),
    ):
        is_there = not math.isnan(price)
        send_price(price_type, price if is_there else NO_PRICE, size if is_there else 0.0)
        send_size(size_type, size if is_there else 0.0)
    if not math.isnan(row.last):
        send_price(LAST, row.last, row.last_size)
        send_size(LAST_SIZE, row.last_size)
    for price_type, price in ((HIGH, row.high), (LOW, row.low), (OPEN, row.opened)):
        if not math.isnan(price):
            send_price(price_type, price, 0.0)
    if send_size(VOLUME, row.volume) and delayed is None and not math.isnan(row.last):
        _send_trade(session, client, req_id, subscription, row)


def row_of(session: Session, subscription: TickSubscription) -> Row:
    """What the subscription may see now."""
    board, index = session.feed.board, subscription.stock.index
    if subscription.is_delayed:
        return board.delayed(index, session.instant())
    return board.live(index) if board.is_quoting or subscription.wants_frozen else board.closed(index)


def data_type_of(session: Session, subscription: TickSubscription) -> int:
    """Live, frozen, delayed or delayed frozen, as marketDataType says it."""
    is_frozen = subscription.wants_frozen and not session.feed.board.is_quoting
    if subscription.is_delayed:
        return DELAYED_FROZEN if is_frozen else DELAYED_TYPE
    return FROZEN if is_frozen else LIVE


def send_data_type(session: Session, client: Client, req_id: int, subscription: TickSubscription) -> None:
    client.send(message(layouts.MARKET_DATA_TYPE, reqId=req_id, type=data_type_of(session, subscription)))


def send_day(session: Session, client: Client, req_id: int, subscription: TickSubscription) -> None:
    """Once, at the beginning: yesterday's close, whether it is halted, and statistics if they are asked for."""
    stock = subscription.stock
    sessions = YEAR_SESSIONS if STATISTICS in subscription.generic else 1
    past = session.market.history(
        stock.symbol, end_at=session.market.opens_at, duration_s=sessions * DAY_S, bar_s=DAY_S
    )
    if len(past.close):
        shown = DELAYED[CLOSE] if subscription.is_delayed else CLOSE
        client.send(answers.tick_price(req_id, shown, float(past.close[-1]), 0.0))
    client.send(data_answers.tick_generic(req_id, HALTED, session.feed.halted.get(stock.index, 0)))
    if STATISTICS in subscription.generic and len(past.close):
        for weeks, (low_type, high_type) in RANGES.items():
            part = slice(-weeks * WEEK_SESSIONS, None)
            client.send(answers.tick_price(req_id, low_type, float(past.low[part].min()), 0.0))
            client.send(answers.tick_price(req_id, high_type, float(past.high[part].max()), 0.0))
        average = round(float(past.volume[-QUARTER_SESSIONS:].mean()))
        client.send(answers.tick_size(req_id, AVERAGE_VOLUME, average))


def send_halted(client: Client, index: int, code: int) -> None:
    """Tick 49 for whoever watches the instrument."""
    for req_id, subscription in client.subscriptions.ticks.items():
        if subscription.stock.index == index:
            client.send(data_answers.tick_generic(req_id, HALTED, code))


def _send_trade(session: Session, client: Client, req_id: int, subscription: TickSubscription, row: Row) -> None:
    """What only a new trade changes: its time and, if asked for, the RTVolume line."""
    at = session.now()
    client.send(data_answers.tick_string(req_id, LAST_TIMESTAMP, str(int(at))))
    if TRADES_AND_VOLUME in subscription.generic:
        text = f"{row.last:.2f};{row.last_size:.0f};{int(at * 1000)};{row.volume:.0f};{row.last:.6f};true"
        client.send(data_answers.tick_string(req_id, RT_VOLUME, text))


def _send_inventory(session: Session, client: Client, req_id: int, subscription: TickSubscription) -> None:
    """How easily the stock can be borrowed, and how many shares of it, when that has changed."""
    locates, con_id, sent = session.desk.locates, subscription.stock.con_id, subscription.sent
    shares = min(locates.left(con_id), SHARES_IN_PLENTY)
    if sent.get(SHORTABLE_SHARES) != shares:
        sent[SHORTABLE_SHARES] = shares
        client.send(data_answers.tick_generic(req_id, SHORTABLE, locates.shortable(con_id)))
        client.send(answers.tick_size(req_id, SHORTABLE_SHARES, shares))
