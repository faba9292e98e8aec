"""The order of fields in the short messages, one version-gated table per message (TWS.md 2.2, 2.3).

Names are the protocol's own, so that a table can be laid beside the documentation. The long ones, which carry
whole orders, are in order_layouts.py, those of market data in data_layouts.py.
"""

from __future__ import annotations

from brokers.simulated.gateway.protocol.entries import Each, Since, Until
from brokers.simulated.gateway.protocol.layout import Layout
from brokers.simulated.gateway.protocol.wire import UNSET_DOUBLE

# ------------------------------------------------------------------ parts

_INSTRUMENT = ("conId", "symbol", "secType=STK", "lastTradeDate", "strike=0")
CONTRACT = (
    *_INSTRUMENT,
    "right",
    "multiplier",
    "exchange=SMART",
    "currency=USD",
    "localSymbol",
    "tradingClass",
)
ORDER_CONTRACT = (
    *_INSTRUMENT, "right=?", "multiplier", "exchange=SMART", "currency=USD", "localSymbol", "tradingClass",
)  # fmt: skip
REQUEST_CONTRACT = (
    *_INSTRUMENT, "right", "multiplier", "exchange", "primaryExchange", "currency", "localSymbol",
    "tradingClass",
)  # fmt: skip
# ------------------------------------------------------------------ the short ones

MANAGED_ACCOUNTS = Layout("managedAccounts", 15, ("version=1", "accounts"))
NEXT_VALID_ID = Layout("nextValidId", 9, ("version=1", "orderId"))
ERROR = Layout("error", 4, ("version=2", "reqId", "code", "text", Since(166, ("advancedRejectJson",))))
CURRENT_TIME = Layout("currentTime", 49, ("version=1", "time"))

POSITION = Layout("position", 61, ("version=3", "account", *CONTRACT, "position", "avgCost"))
POSITION_END = Layout("positionEnd", 62, ("version=1",))
ACCOUNT_VALUE = Layout("accountValue", 6, ("version=2", "key", "value", "currency", "account"))
PORTFOLIO = Layout("portfolio", 7, (
    "version=8", *_INSTRUMENT, "right=0", "multiplier", "primaryExchange", "currency=USD", "localSymbol",
    "tradingClass", "position", "marketPrice", "marketValue", "averageCost", "unrealizedPnl", "realizedPnl",
    "account",
))  # fmt: skip
UPDATE_TIME = Layout("updateTime", 8, ("version=1", "time"))
DOWNLOAD_END = Layout("accountDownloadEnd", 54, ("version=1", "account"))
ACCOUNT_UPDATE_MULTI = Layout(
    "accountUpdateMulti", 73, ("version=1", "reqId", "account", "modelCode", "key", "value", "currency")
)
ACCOUNT_UPDATE_MULTI_END = Layout("accountUpdateMultiEnd", 74, ("version=1", "reqId"))
ACCOUNT_SUMMARY = Layout("accountSummary", 63, ("version=1", "reqId", "account", "tag", "value", "currency"))
ACCOUNT_SUMMARY_END = Layout("accountSummaryEnd", 64, ("version=1", "reqId"))
POSITION_MULTI = Layout(
    "positionMulti", 71, ("version=1", "reqId", "account", *CONTRACT, "position", "avgCost", "modelCode")
)
POSITION_MULTI_END = Layout("positionMultiEnd", 72, ("version=1", "reqId"))

CONTRACT_DATA = Layout("contractData", 10, (
    Until(164, ("version=8",)), "reqId", "symbol", "secType=STK", "lastTradeDate", "strike=0", "right",
    "exchange=SMART", "currency=USD", "localSymbol", "marketName", "tradingClass", "conId", "minTick",
    Until(164, ("mdSizeMultiplier=100",)), "multiplier", "orderTypes", "validExchanges", "priceMagnifier=1",
    "underConId=0", "longName", "primaryExchange", "contractMonth", "industry", "category", "subcategory",
    "timeZoneId=US/Eastern", "tradingHours", "liquidHours", "evRule", "evMultiplier", "nSecIds=0",
    Each("nSecIds", ("secIdTag", "secIdValue")), "aggGroup=1", "underSymbol", "underSecType", "marketRuleIds",
    "realExpirationDate", "stockType=COMMON",
    Until(164, (Since(163, ("suggestedSizeIncrement=100",)),)),
    Since(164, ("minSize=1", "sizeIncrement=1", "suggestedSizeIncrement=100")),
))  # fmt: skip
CONTRACT_DATA_END = Layout("contractDataEnd", 52, ("version=1", "reqId"))

MARKET_DATA_TYPE = Layout("marketDataType", 58, ("version=1", "reqId", "type"))
TICK_REQ_PARAMS = Layout("tickReqParams", 81, ("reqId", "minTick", "bboExchange", "snapshotPermissions=3"))
TICK_PRICE = Layout("tickPrice", 1, ("version=6", "reqId", "tickType", "price", "size", "mask=1"), ("size",))
TICK_SIZE = Layout("tickSize", 2, ("version=6", "reqId", "tickType", "size"), ("size",))
SNAPSHOT_END = Layout("tickSnapshotEnd", 57, ("version=1", "reqId"))
HISTORICAL_DATA = Layout("historicalData", 17, (
    "reqId", "start", "end", "nBars",
    Each("nBars", ("date", "open", "high", "low", "close", "volume", "wap", "count")),
), ("volume",))  # fmt: skip
REAL_TIME_BAR = Layout(
    "realTimeBar",
    50,
    ("version=3", "reqId", "time", "open", "high", "low", "close", "volume", "wap", "count"),
    ("volume",),
)

OPEN_ORDER_END = Layout("openOrderEnd", 53, ("version=1",))
ORDER_STATUS = Layout("orderStatus", 3, (
    "orderId", "status", "filled", "remaining", "avgFillPrice", "permId", "parentId", "lastFillPrice",
    "clientId",
    "whyHeld", "mktCapPrice=0",
))  # fmt: skip
EXECUTION = Layout("execDetails", 11, (
    "reqId", "orderId", *CONTRACT, "execId", "time", "account", "executionExchange", "side", "shares",
    "price",
    "permId", "clientId", "liquidation=0", "cumQty", "avgPrice", "orderRef", "evRule", "evMultiplier",
    "modelCode",
    "lastLiquidity",
))  # fmt: skip
EXECUTION_END = Layout("execDetailsEnd", 55, ("version=1", "reqId"))
COMMISSION = Layout("commissionReport", 59, (
    "version=1", "execId", "commission", "currency=USD", f"realizedPnl={UNSET_DOUBLE}", "yield", "yieldDate",
))  # fmt: skip
COMPLETED_ORDERS_END = Layout("completedOrdersEnd", 102, ())
