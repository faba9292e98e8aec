"""What the gateway says about contracts and markets beside the plain ticks and bars: one message per function.

Times are epoch seconds, prices dollars, sizes shares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from brokers.simulated.gateway.protocol import data_layouts as tables
from brokers.simulated.gateway.protocol.message import Message, message
from brokers.simulated.gateway.protocol.wire import Value

if TYPE_CHECKING:
    from brokers.simulated.gateway.data.listing import Listed

LAST, ALL_LAST = 1, 2
PAST_LIMIT = 1
"""Bit of a trade's mask that marks a halt (TWS.md 3.32)."""


def _grouped(count: str, rows: Sequence[Iterable[tuple[str, Value]]]) -> dict[str, Value]:
    """Rows as the numbered fields of a repeated group, with their count."""
    fields: dict[str, Value] = {count: len(rows)}
    for index, row in enumerate(rows):
        fields |= {f"{name}.{index}": value for name, value in row}
    return fields


# ------------------------------------------------------------------ contracts


def symbol_samples(req_id: int, stocks: Sequence[Listed]) -> Message:
    rows = [
        (
            ("conId", stock.con_id),
            ("symbol", stock.symbol),
            ("primaryExchange", stock.exchange),
            ("description", stock.long_name),
        )
        for stock in stocks
    ]
    return message(tables.SYMBOL_SAMPLES, reqId=req_id, **_grouped("nContracts", rows))


def market_rule(rule_id: int, increments: Sequence[tuple[float, float]]) -> Message:
    """Low edge and increment of each price band, rising."""
    rows = [(("lowEdge", low_edge), ("increment", increment)) for low_edge, increment in increments]
    return message(tables.MARKET_RULE, ruleId=rule_id, **_grouped("nIncrements", rows))


def head_timestamp(req_id: int, text: str) -> Message:
    return message(tables.HEAD_TIMESTAMP, reqId=req_id, text=text)


# ------------------------------------------------------------------ ticks


def tick_generic(req_id: int, tick_type: int, value: float) -> Message:
    return message(tables.TICK_GENERIC, reqId=req_id, tickType=tick_type, value=value)


def tick_string(req_id: int, tick_type: int, text: str) -> Message:
    return message(tables.TICK_STRING, reqId=req_id, tickType=tick_type, text=text)


def tick_by_tick_last(  # noqa: PLR0913, PLR0917 - the fields of the message
    req_id: int, kind: int, at: float, price: float, size: float, exchange: str, mask: int = 0
) -> Message:
    """A trade; `kind` is LAST or ALL_LAST."""
    return message(
        tables.TICK_BY_TICK_LAST,
        reqId=req_id,
        type=kind,
        time=int(at),
        price=price,
        size=size,
        mask=mask,
        tickExchange=exchange,
    )


def tick_by_tick_bid_ask(  # noqa: PLR0917 - the fields of the message
    req_id: int, at: float, bid: float, ask: float, bid_size: float, ask_size: float
) -> Message:
    return message(
        tables.TICK_BY_TICK_BID_ASK,
        reqId=req_id,
        time=int(at),
        bidPrice=bid,
        askPrice=ask,
        bidSize=bid_size,
        askSize=ask_size,
    )


def tick_by_tick_mid(req_id: int, at: float, middle: float) -> Message:
    return message(tables.TICK_BY_TICK_MID, reqId=req_id, time=int(at), midPoint=middle)


def historical_ticks(req_id: int, rows: Sequence[tuple[float, float]]) -> Message:
    """Midpoints: time and price; they have no size."""
    named = [(("time", int(at)), ("price", price), ("size", 0)) for at, price in rows]
    return message(tables.HISTORICAL_TICKS, reqId=req_id, **_grouped("nTicks", named))


def historical_ticks_bid_ask(req_id: int, rows: Sequence[tuple[float, float, float, float, float]]) -> Message:
    """Time, bid, ask, bid size, ask size."""
    names = ("time", "bidPrice", "askPrice", "bidSize", "askSize")
    named = [zip(names, (int(at), *rest), strict=True) for at, *rest in rows]
    return message(tables.HISTORICAL_TICKS_BID_ASK, reqId=req_id, **_grouped("nTicks", named))


def historical_ticks_last(req_id: int, rows: Sequence[tuple[float, float, float]], exchange: str) -> Message:
    """Time, price, size."""
    named = [
        (("time", int(at)), ("price", price), ("size", size), ("tickExchange", exchange)) for at, price, size in rows
    ]
    return message(tables.HISTORICAL_TICKS_LAST, reqId=req_id, **_grouped("nTicks", named))


# ------------------------------------------------------------------ scanner, profit and loss, orders


def scanner_parameters(xml: str) -> Message:
    return message(tables.SCANNER_PARAMETERS, xml=xml)


def scanner_data(req_id: int, stocks: Sequence[Listed]) -> Message:
    """The stocks in the order of their rank."""
    rows = [
        (
            ("rank", rank),
            ("conId", stock.con_id),
            ("symbol", stock.symbol),
            ("localSymbol", stock.symbol),
            ("marketName", stock.symbol),
            ("tradingClass", stock.symbol),
        )
        for rank, stock in enumerate(stocks)
    ]
    return message(tables.SCANNER_DATA, reqId=req_id, **_grouped("nRows", rows))


def pnl(req_id: int, **figures: Value) -> Message:
    """`daily`, `unrealized`, `realized`; what is not given stays unset."""
    return message(tables.PNL, reqId=req_id, **figures)


def pnl_single(req_id: int, position: float, **figures: Value) -> Message:
    """`daily`, `unrealized`, `realized`, `value`; what is not given stays unset."""
    return message(tables.PNL_SINGLE, reqId=req_id, position=position, **figures)


def order_bound(perm_id: int, client_id: int, order_id: int) -> Message:
    return message(tables.ORDER_BOUND, permId=perm_id, clientId=client_id, orderId=order_id)


def historical_data_update(req_id: int, date: str, bar: Mapping[str, Value]) -> Message:
    """The forming bar of a history that is kept up to date."""
    return message(tables.HISTORICAL_DATA_UPDATE, reqId=req_id, date=date, **bar)
