"""The order of fields at server version 176, one table per message (TWS.md 2.2 to 2.4); layout.py reads them.

Names are the protocol's own, so that a table can be laid beside the documentation.
"""

from __future__ import annotations

from collections.abc import Callable

from brokers.simulated.gateway.protocol.layout import Each, Entry, Layout, When
from brokers.simulated.gateway.protocol.wire import UNSET_DOUBLE, integer_of, number_of


def _filled(text: str) -> bool:
    return bool(text)


def _positive(text: str) -> bool:
    number = number_of("scalePriceIncrement", text)
    return number is not None and number > 0


def _one(text: str) -> bool:
    return integer_of("flag", text) == 1


def _is(wanted: str) -> Callable[[str], bool]:
    return lambda text: text == wanted


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
_PEG_BENCH = (
    "referenceContractId", "isPeggedChangeAmountDecrease", "peggedChangeAmount", "referenceChangeAmount",
    "referenceExchangeId",
)  # fmt: skip
_SCALE = (
    "scalePriceAdjustValue", "scalePriceAdjustInterval", "scaleProfitOffset", "scaleAutoReset",
    "scaleInitPosition",
    "scaleInitFillQty", "scaleRandomPercent",
)  # fmt: skip
_DELTA_NEUTRAL_CONTRACT = (
    "deltaNeutralContractConId",
    "deltaNeutralContractDelta",
    "deltaNeutralContractPrice",
)
_LEG = (
    "legConId", "legRatio", "legAction", "legExchange", "legOpenClose", "legShortSaleSlot",
    "legDesignatedLocation",
    "legExemptCode",
)  # fmt: skip
_LEGS: tuple[Entry, ...] = (
    "nLegs=0", Each("nLegs", _LEG), "nOrderLegs=0", Each("nOrderLegs", ("orderLegPrice",)),
    "nSmartParams=0", Each("nSmartParams", ("smartTag", "smartValue")),
)  # fmt: skip
_SCALES: tuple[Entry, ...] = (
    "scaleInitLevelSize=2147483647", "scaleSubsLevelSize=2147483647", "scalePriceIncrement",
    When("scalePriceIncrement", _positive, _SCALE), "hedgeType", When("hedgeType", _filled, ("hedgeParam",)),
)  # fmt: skip
_ALGO: tuple[Entry, ...] = (
    "dncFlag=0", When("dncFlag", _one, _DELTA_NEUTRAL_CONTRACT), "algoStrategy",
    When("algoStrategy", _filled, ("nAlgoParams=0", Each("nAlgoParams", ("algoTag", "algoValue")))),
)  # fmt: skip
_PEG_176 = (
    "minTradeQty",
    "minCompeteSize",
    "competeAgainstBestOffset",
    "midOffsetAtWhole",
    "midOffsetAtHalf",
)
_MARGINS = tuple(
    f"{name}{moment}={UNSET_DOUBLE}"
    for moment in ("Before", "Change", "After")
    for name in ("initMargin", "maintMargin", "equityWithLoan")
)

# ------------------------------------------------------------------ the short ones

MANAGED_ACCOUNTS = Layout("managedAccounts", 15, ("version=1", "accounts"))
NEXT_VALID_ID = Layout("nextValidId", 9, ("version=1", "orderId"))
ERROR = Layout("error", 4, ("version=2", "reqId", "code", "text", "advancedRejectJson"))
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
    "reqId", "symbol", "secType=STK", "lastTradeDate", "strike=0", "right", "exchange=SMART", "currency=USD",
    "localSymbol", "marketName", "tradingClass", "conId", "minTick", "multiplier", "orderTypes",
    "validExchanges",
    "priceMagnifier=1", "underConId=0", "longName", "primaryExchange", "contractMonth", "industry",
    "category",
    "subcategory", "timeZoneId=US/Eastern", "tradingHours", "liquidHours", "evRule", "evMultiplier",
    "nSecIds=0",
    Each("nSecIds", ("secIdTag", "secIdValue")), "aggGroup=1", "underSymbol", "underSecType", "marketRuleIds",
    "realExpirationDate", "stockType=COMMON", "minSize=1", "sizeIncrement=1", "suggestedSizeIncrement=100",
))  # fmt: skip
CONTRACT_DATA_END = Layout("contractDataEnd", 52, ("version=1", "reqId"))

MARKET_DATA_TYPE = Layout("marketDataType", 58, ("version=1", "reqId", "type"))
TICK_REQ_PARAMS = Layout("tickReqParams", 81, ("reqId", "minTick", "bboExchange", "snapshotPermissions=3"))
TICK_PRICE = Layout("tickPrice", 1, ("version=6", "reqId", "tickType", "price", "size", "mask=1"))
TICK_SIZE = Layout("tickSize", 2, ("version=6", "reqId", "tickType", "size"))
SNAPSHOT_END = Layout("tickSnapshotEnd", 57, ("version=1", "reqId"))
HISTORICAL_DATA = Layout("historicalData", 17, (
    "reqId", "start", "end", "nBars",
    Each("nBars", ("date", "open", "high", "low", "close", "volume", "wap", "count")),
))  # fmt: skip
REAL_TIME_BAR = Layout(
    "realTimeBar",
    50,
    ("version=3", "reqId", "time", "open", "high", "low", "close", "volume", "wap", "count"),
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

# ------------------------------------------------------------------ the long ones

OPEN_ORDER = Layout("openOrder", 5, (
    "orderId", *ORDER_CONTRACT, "action", "totalQuantity", "orderType", "lmtPrice=0.0", "auxPrice=0.0",
    "tif=DAY",
    "ocaGroup", "account", "openClose", "origin=0", "orderRef", "clientId", "permId", "outsideRth=0",
    "hidden=0",
    "discretionaryAmt=0", "goodAfterTime", "sharesAllocation", "faGroup", "faMethod", "faPercentage",
    "faProfile",
    "modelCode", "goodTillDate", "rule80A", "percentOffset", "settlingFirm", "shortSaleSlot=0",
    "designatedLocation",
    "exemptCode=-1", "auctionStrategy=0", "startingPrice", "stockRefPrice", "delta", "stockRangeLower",
    "stockRangeUpper", "displaySize=2147483647", "blockOrder=0", "sweepToFill=0", "allOrNone=0", "minQty",
    "ocaType=3", "eTradeOnly=0", "firmQuoteOnly=0", "nbboPriceCap", "parentId=0", "triggerMethod=0",
    "volatility",
    "volatilityType=0", "deltaNeutralOrderType=None", "deltaNeutralAuxPrice",
    When("deltaNeutralOrderType", _filled, (
        "deltaNeutralConId=0", "deltaNeutralSettlingFirm", "deltaNeutralClearingAccount",
        "deltaNeutralClearingIntent", "deltaNeutralOpenClose=?", "deltaNeutralShortSale=0",
        "deltaNeutralShortSaleSlot=0", "deltaNeutralDesignatedLocation",
    )),
    "continuousUpdate=0", "referencePriceType=0", "trailStopPrice", "trailingPercent", "basisPoints",
    "basisPointsType", "comboLegsDescrip", *_LEGS, *_SCALES,
    "optOutSmartRouting=0", "clearingAccount", "clearingIntent=IB", "notHeld=0", *_ALGO,
    "solicited=0", "whatIf=0", "status", *_MARGINS, "commission", "minCommission", "maxCommission",
    "commissionCurrency", "warningText", "randomizeSize=0", "randomizePrice=0",
    When("orderType", _is("PEG BENCH"), _PEG_BENCH),
    "nConditions=0", "adjustedOrderType=None", f"triggerPrice={UNSET_DOUBLE}",
    f"adjustedTrailStop={UNSET_DOUBLE}",
    f"lmtPriceOffset={UNSET_DOUBLE}", f"adjustedStopPrice={UNSET_DOUBLE}",
    f"adjustedStopLimitPrice={UNSET_DOUBLE}", f"adjustedTrailingAmount={UNSET_DOUBLE}",
    "adjustableTrailingUnit=0",
    "softDollarName", "softDollarValue", "softDollarDisplay", "cashQty=0", "dontUseAutoPriceForHedge=1",
    "isOmsContainer=0", "discretionaryUpToLimitPrice=0", "usePriceMgmtAlgo=0",
    "duration", "postToAts", "autoCancelParent=0", *_PEG_176,
))  # fmt: skip

COMPLETED_ORDER = Layout("completedOrder", 101, (
    *ORDER_CONTRACT, "action", "totalQuantity", "orderType", "lmtPrice=0.0", "auxPrice=0.0", "tif=DAY",
    "ocaGroup",
    "account", "openClose", "origin=0", "orderRef", "permId", "outsideRth=0", "hidden=0",
    "discretionaryAmt=0",
    "goodAfterTime", "faGroup", "faMethod", "faPercentage", "faProfile", "modelCode", "goodTillDate",
    "rule80A",
    "percentOffset", "settlingFirm", "shortSaleSlot=0", "designatedLocation", "exemptCode=-1",
    "startingPrice",
    "stockRefPrice", "delta", "stockRangeLower", "stockRangeUpper", "displaySize=2147483647", "sweepToFill=0",
    "allOrNone=0", "minQty", "ocaType=3", "triggerMethod=0", "volatility", "volatilityType=0",
    "deltaNeutralOrderType=None", "deltaNeutralAuxPrice",
    When("deltaNeutralOrderType", _filled, (
        "deltaNeutralConId=0", "deltaNeutralShortSale=0", "deltaNeutralShortSaleSlot=0",
        "deltaNeutralDesignatedLocation",
    )),
    "continuousUpdate=0", "referencePriceType=0", "trailStopPrice", "trailingPercent", "comboLegsDescrip",
    *_LEGS,
    *_SCALES, "clearingAccount", "clearingIntent=IB", "notHeld=0", *_ALGO,
    "solicited=0", "status", "randomizeSize=0", "randomizePrice=0",
    When("orderType", _is("PEG BENCH"), _PEG_BENCH), "nConditions=0",
    f"adjustedTrailStop={UNSET_DOUBLE}", f"lmtPriceOffset={UNSET_DOUBLE}", "cashQty=0",
    "dontUseAutoPriceForHedge=1", "isOmsContainer=0", "autoCancelDate", "filledQuantity",
    "refFuturesConId=2147483647", "autoCancelParent=0",
    "shareholder=Not an insider or substantial shareholder",
    "imbalanceOnly=0", "routeMarketableToBbo=0", "parentPermId=9223372036854775807", "completedTime",
    "completedStatus", *_PEG_176,
))  # fmt: skip

PLACE_ORDER = Layout("placeOrder", 3, (
    "orderId", *REQUEST_CONTRACT, "secIdType", "secId", "action", "totalQuantity", "orderType", "lmtPrice",
    "auxPrice", "tif", "ocaGroup", "account", "openClose", "origin", "orderRef", "transmit", "parentId",
    "blockOrder",
    "sweepToFill", "displaySize", "triggerMethod", "outsideRth", "hidden",
    When("secType", _is("BAG"), _LEGS),
    "sharesAllocation", "discretionaryAmt", "goodAfterTime", "goodTillDate", "faGroup", "faMethod",
    "faPercentage",
    "faProfile", "modelCode", "shortSaleSlot", "designatedLocation", "exemptCode", "ocaType", "rule80A",
    "settlingFirm", "allOrNone", "minQty", "percentOffset", "eTradeOnly", "firmQuoteOnly", "nbboPriceCap",
    "auctionStrategy", "startingPrice", "stockRefPrice", "delta", "stockRangeLower", "stockRangeUpper",
    "overridePercentageConstraints", "volatility", "volatilityType", "deltaNeutralOrderType",
    "deltaNeutralAuxPrice",
    When("deltaNeutralOrderType", _filled, (
        "deltaNeutralConId", "deltaNeutralSettlingFirm", "deltaNeutralClearingAccount",
        "deltaNeutralClearingIntent",
        "deltaNeutralOpenClose", "deltaNeutralShortSale", "deltaNeutralShortSaleSlot",
        "deltaNeutralDesignatedLocation",
    )),
    "continuousUpdate", "referencePriceType", "trailStopPrice", "trailingPercent", "scaleInitLevelSize",
    "scaleSubsLevelSize", "scalePriceIncrement", When("scalePriceIncrement", _positive, _SCALE), "scaleTable",
    "activeStartTime", "activeStopTime", "hedgeType", When("hedgeType", _filled, ("hedgeParam",)),
    "optOutSmartRouting", "clearingAccount", "clearingIntent", "notHeld",
    "dncFlag", When("dncFlag", _one, _DELTA_NEUTRAL_CONTRACT),
    "algoStrategy", When("algoStrategy", _filled, ("nAlgoParams", Each("nAlgoParams", ("algoTag",
    "algoValue")))),
    "algoId", "whatIf", "orderMiscOptions", "solicited", "randomizeSize", "randomizePrice",
    When("orderType", _is("PEG BENCH"), _PEG_BENCH), "nConditions",
    "adjustedOrderType", "triggerPrice", "lmtPriceOffset", "adjustedStopPrice", "adjustedStopLimitPrice",
    "adjustedTrailingAmount", "adjustableTrailingUnit", "extOperator", "softDollarName", "softDollarValue",
    "cashQty",
    "mifid2DecisionMaker", "mifid2DecisionAlgo", "mifid2ExecutionTrader", "mifid2ExecutionAlgo",
    "dontUseAutoPriceForHedge", "isOmsContainer", "discretionaryUpToLimitPrice", "usePriceMgmtAlgo",
    "duration", "postToAts", "autoCancelParent", "advancedErrorOverride", "manualOrderTime",
))  # fmt: skip
