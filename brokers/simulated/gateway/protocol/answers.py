"""What the gateway says: each function returns one message (tables in layouts.py)."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from brokers.simulated.gateway.protocol import layouts, order_layouts
from brokers.simulated.gateway.protocol.message import REMEMBERED_MAX, Message, Numbered, Repeated, message, repeated
from brokers.simulated.gateway.protocol.wire import Value, escaped

if TYPE_CHECKING:
    from brokers.simulated.gateway.accounts.ledger import CommissionCharged, Execution, Position
    from brokers.simulated.gateway.data.listing import Listed
    from brokers.simulated.gateway.orders.order import GatewayOrder

VENUES = ("AMEX", "NYSE", "CBOE", "CHX", "ARCA", "NASDAQ", "ISLAND", "BEX", "BATS", "BYX", "IEX", "EDGX", "MEMX")
"""Where US stocks trade, by IB's names; NASDAQ is also called ISLAND."""
ZONE = ZoneInfo("America/New_York")
ZONE_NAME = "US/Eastern"
NO_REQUEST = -1
"""The request id of messages that answer no request."""


@lru_cache(maxsize=1024)
def local_time(at: float, pattern: str = f"%Y%m%d %H:%M:%S {ZONE_NAME}") -> str:
    """`at` (epoch seconds) on the exchange's clock, as TWS writes it."""
    return datetime.fromtimestamp(at, UTC).astimezone(ZONE).strftime(pattern)


def error(req_id: int, code: int, text: str) -> Message:
    return message(layouts.ERROR, reqId=req_id, code=code, text=escaped(text))


def _contract(stock: Listed, exchange: str = "SMART") -> dict[str, Value]:
    return {
        "conId": stock.con_id,
        "symbol": stock.symbol,
        "exchange": exchange,
        "localSymbol": stock.symbol,
        "tradingClass": stock.symbol,
    }


# ------------------------------------------------------------------ orders


def open_order(order: GatewayOrder, account: str, **extra: Value) -> Message:
    """The order as it stands; `extra` replaces fields by their protocol names (whatIf, margins)."""
    values = _order_fields(order, account) | {
        "orderId": order.order_id,
        "clientId": order.client_id,
        "sharesAllocation": f"{order.perm_id}.0/{account}/100",
        "parentId": order.request.parent_id,
        "status": order.status,
        "commission": order.commission,
        "commissionCurrency": "USD" if order.commission is not None else "",
    }
    return message(order_layouts.OPEN_ORDER, **(values | extra))


def completed_order(order: GatewayOrder, account: str) -> Message:
    values = _order_fields(order, account) | {
        "status": order.status,
        "filledQuantity": order.filled,
        "completedTime": local_time(order.completed_at or 0.0),
        "completedStatus": order.completed_status,
    }
    return message(order_layouts.COMPLETED_ORDER, **values)


def _order_fields(order: GatewayOrder, account: str) -> dict[str, Value]:
    return _contract(order.stock) | {
        "action": order.request.side,
        "totalQuantity": order.quantity,
        "orderType": order.request.order_type,
        "lmtPrice": 0.0 if order.limit_price is None else order.limit_price,
        "auxPrice": 0.0 if order.stop_price is None else order.stop_price,
        "tif": order.request.tif,
        "ocaGroup": order.oca_group,
        "ocaType": order.oca_type,
        "account": account,
        "openClose": order.request.open_close,
        "orderRef": order.request.order_ref,
        "permId": order.perm_id,
        "outsideRth": order.request.outside_rth,
    }


def order_status(order: GatewayOrder) -> Message:
    return message(
        layouts.ORDER_STATUS,
        orderId=order.order_id,
        status=order.status,
        filled=order.filled,
        remaining=order.remaining,
        avgFillPrice=order.average_price,
        permId=order.perm_id,
        parentId=order.request.parent_id,
        lastFillPrice=order.last_price,
        clientId=order.client_id,
        whyHeld=order.why_held,
    )


def execution(done: Execution, stock: Listed, account: str, req_id: int = NO_REQUEST) -> Message:
    told = _execution(done, stock, account)
    return told if req_id == NO_REQUEST else Numbered(told.layout, {**told.values, "reqId": req_id}, told, req_id)


@lru_cache(maxsize=REMEMBERED_MAX)
def _execution(done: Execution, stock: Listed, account: str) -> Repeated:
    values: dict[str, Value] = dict(
        **_contract(stock, stock.exchange),
        reqId=NO_REQUEST,
        orderId=done.order_id,
        execId=done.exec_id,
        time=local_time(done.at),
        account=account,
        executionExchange=stock.exchange,
        side="BOT" if done.side == "BUY" else "SLD",
        shares=done.quantity,
        price=done.price,
        permId=done.perm_id,
        clientId=done.client_id,
        liquidation=done.liquidation,
        cumQty=done.filled,
        avgPrice=done.average_price,
        orderRef=done.order_ref,
        lastLiquidity=2,
    )
    return Repeated(layouts.EXECUTION, values)


@lru_cache(maxsize=REMEMBERED_MAX)
def commission(charged: CommissionCharged) -> Message:
    values: dict[str, Value] = {"execId": charged.exec_id, "commission": charged.commission}
    if charged.realized_pnl is not None:
        values["realizedPnl"] = round(charged.realized_pnl, 6)
    return Repeated(layouts.COMMISSION, values)


def forget_repeated() -> None:
    """A day is over: nobody asks for its executions and orders any more."""
    for remembered in (_execution, commission, repeated):
        remembered.cache_clear()


# ------------------------------------------------------------------ account


def position(held: Position, stock: Listed, account: str) -> Message:
    return message(
        layouts.POSITION,
        **_contract(stock, stock.exchange),
        account=account,
        position=held.quantity,
        avgCost=round(held.average_cost, 8),
    )


def position_multi(held: Position, stock: Listed, account: str, req_id: int) -> Message:
    return message(
        layouts.POSITION_MULTI,
        **_contract(stock, stock.exchange),
        reqId=req_id,
        account=account,
        position=held.quantity,
        avgCost=round(held.average_cost, 8),
    )


def portfolio(held: Position, stock: Listed, account: str) -> Message:
    contract = _contract(stock)
    contract["primaryExchange"] = stock.exchange
    del contract["exchange"]
    return message(
        layouts.PORTFOLIO,
        **contract,
        position=held.quantity,
        marketPrice=held.price,
        marketValue=round(held.market_value, 2),
        averageCost=round(held.average_cost, 8),
        unrealizedPnl=round(held.unrealized_pnl, 2),
        realizedPnl=round(held.realized_pnl, 2),
        account=account,
    )


# ------------------------------------------------------------------ market data

ORDER_TYPES = (
    "ACTIVETIM,ADJUST,ALERT,AON,AVGCOST,BASKET,DAY,DEACT,FOK,GAT,GTC,GTD,IOC,LIT,LMT,LOC,MIT,MKT,MOC,OCA,OPG,OPGREROUT,"
    "RTH,STP,STPLMT,TRAIL,TRAILLMT,WHATIF"
)
"""What may be ordered here, in the names of contract details (recorded details of 2022 and 2025 list more)."""


def contract_data(req_id: int, stock: Listed, trading_hours: str, liquid_hours: str) -> Message:
    """Hours as TWS writes them: `20131008:0930-20131008:1600;20131009:CLOSED`."""
    exchanges = ",".join(dict.fromkeys(("SMART", *VENUES, stock.exchange)))
    return message(
        layouts.CONTRACT_DATA,
        **_contract(stock),
        reqId=req_id,
        marketName=stock.symbol,
        minTick=stock.min_tick,
        orderTypes=ORDER_TYPES,
        validExchanges=exchanges,
        longName=escaped(stock.long_name),
        primaryExchange=stock.exchange,
        tradingHours=trading_hours,
        liquidHours=liquid_hours,
        marketRuleIds=",".join([str(stock.rule.id)] * (exchanges.count(",") + 1)),
    )


def tick_price(req_id: int, tick_type: int, price: float, size: float) -> Message:
    return message(layouts.TICK_PRICE, reqId=req_id, tickType=tick_type, price=price, size=size)


def tick_size(req_id: int, tick_type: int, size: float) -> Message:
    return message(layouts.TICK_SIZE, reqId=req_id, tickType=tick_type, size=size)
