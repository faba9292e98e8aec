"""The order of fields in the messages that carry whole orders, one table per message (TWS.md 2.4).

Names are the protocol's own, so that a table can be laid beside the documentation.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from brokers.simulated.gateway.protocol.entries import Each, Entry, Since, When
from brokers.simulated.gateway.protocol.layout import Layout
from brokers.simulated.gateway.protocol.layouts import ORDER_CONTRACT, REQUEST_CONTRACT
from brokers.simulated.gateway.protocol.wire import UNSET_DOUBLE, integer_of, number_of


def _filled(text: str) -> bool:
    return bool(text)


def _positive(name: str) -> Callable[[str], bool]:
    return lambda text: (number_of(name, text) or 0.0) > 0


def _infinite(name: str) -> Callable[[str], bool]:
    return lambda text: number_of(name, text) == math.inf


def _one(name: str) -> Callable[[str], bool]:
    return lambda text: integer_of(name, text) == 1


def _is(wanted: str) -> Callable[[str], bool]:
    return lambda text: text == wanted


# ------------------------------------------------------------------ parts

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
    When("scalePriceIncrement", _positive("scalePriceIncrement"), _SCALE),
    "hedgeType", When("hedgeType", _filled, ("hedgeParam",)),
)  # fmt: skip
_ALGO: tuple[Entry, ...] = (
    "dncFlag=0", When("dncFlag", _one("dncFlag"), _DELTA_NEUTRAL_CONTRACT), "algoStrategy",
    When("algoStrategy", _filled, ("nAlgoParams=0", Each("nAlgoParams", ("algoTag", "algoValue")))),
)  # fmt: skip
_PEG_170 = (
    "minTradeQty",
    "minCompeteSize",
    "competeAgainstBestOffset",
    "midOffsetAtWhole",
    "midOffsetAtHalf",
)
_PEG_EXTRAS: tuple[Entry, ...] = (
    When("exchange", _is("IBKRATS"), ("minTradeQty",)),
    When("orderType", _is("PEG BEST"), (
        "minCompeteSize", "competeAgainstBestOffset",
        When("competeAgainstBestOffset", _infinite("competeAgainstBestOffset"), (
            "midOffsetAtWhole", "midOffsetAtHalf",
        )),
    )),
    When("orderType", _is("PEG MID"), ("midOffsetAtWhole", "midOffsetAtHalf")),
)  # fmt: skip
_CONDITION: tuple[Entry, ...] = (
    "condType", "conjunction",
    When("condType", _is("1"), ("isMore", "price", "condConId", "condExchange", "condTriggerMethod")),
    When("condType", _is("3"), ("isMore", "condTime")),
    When("condType", _is("4"), ("isMore", "condPercent")),
    When("condType", _is("5"), ("condSecType", "condExchange", "condSymbol")),
    When("condType", _is("6"), ("isMore", "condVolume", "condConId", "condExchange")),
    When("condType", _is("7"), ("isMore", "condChangePercent", "condConId", "condExchange")),
)  # fmt: skip
_CONDITIONS: tuple[Entry, ...] = (
    "nConditions=0", Each("nConditions", _CONDITION),
    When("nConditions", _positive("nConditions"), ("conditionsIgnoreRth", "conditionsCancelOrder")),
)  # fmt: skip
_MARGINS = tuple(
    f"{name}{moment}={UNSET_DOUBLE}"
    for moment in ("Before", "Change", "After")
    for name in ("initMargin", "maintMargin", "equityWithLoan")
)


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
    *_CONDITIONS, "adjustedOrderType=None", f"triggerPrice={UNSET_DOUBLE}",
    f"adjustedTrailStop={UNSET_DOUBLE}",
    f"lmtPriceOffset={UNSET_DOUBLE}", f"adjustedStopPrice={UNSET_DOUBLE}",
    f"adjustedStopLimitPrice={UNSET_DOUBLE}", f"adjustedTrailingAmount={UNSET_DOUBLE}",
    "adjustableTrailingUnit=0",
    "softDollarName", "softDollarValue", "softDollarDisplay", "cashQty=0", "dontUseAutoPriceForHedge=1",
    "isOmsContainer=0", "discretionaryUpToLimitPrice=0", "usePriceMgmtAlgo=0",
    Since(158, ("duration",)), Since(160, ("postToAts",)), Since(162, ("autoCancelParent=0",)), Since(170, _PEG_170),
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
    When("orderType", _is("PEG BENCH"), _PEG_BENCH), *_CONDITIONS,
    f"adjustedTrailStop={UNSET_DOUBLE}", f"lmtPriceOffset={UNSET_DOUBLE}", "cashQty=0",
    "dontUseAutoPriceForHedge=1", "isOmsContainer=0", "autoCancelDate", "filledQuantity",
    "refFuturesConId=2147483647", "autoCancelParent=0",
    "shareholder=Not an insider or substantial shareholder",
    "imbalanceOnly=0", "routeMarketableToBbo=0", "parentPermId=9223372036854775807", "completedTime",
    "completedStatus", Since(170, _PEG_170),
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
    "scaleSubsLevelSize", "scalePriceIncrement",
    When("scalePriceIncrement", _positive("scalePriceIncrement"), _SCALE), "scaleTable",
    "activeStartTime", "activeStopTime", "hedgeType", When("hedgeType", _filled, ("hedgeParam",)),
    "optOutSmartRouting", "clearingAccount", "clearingIntent", "notHeld",
    "dncFlag", When("dncFlag", _one("dncFlag"), _DELTA_NEUTRAL_CONTRACT),
    "algoStrategy", When("algoStrategy", _filled, ("nAlgoParams", Each("nAlgoParams", ("algoTag",
    "algoValue")))),
    "algoId", "whatIf", "orderMiscOptions", "solicited", "randomizeSize", "randomizePrice",
    When("orderType", _is("PEG BENCH"), _PEG_BENCH), *_CONDITIONS,
    "adjustedOrderType", "triggerPrice", "lmtPriceOffset", "adjustedStopPrice", "adjustedStopLimitPrice",
    "adjustedTrailingAmount", "adjustableTrailingUnit", "extOperator", "softDollarName", "softDollarValue",
    "cashQty",
    "mifid2DecisionMaker", "mifid2DecisionAlgo", "mifid2ExecutionTrader", "mifid2ExecutionAlgo",
    "dontUseAutoPriceForHedge", "isOmsContainer", "discretionaryUpToLimitPrice", "usePriceMgmtAlgo",
    Since(158, ("duration",)), Since(160, ("postToAts",)), Since(162, ("autoCancelParent",)),
    Since(166, ("advancedErrorOverride",)), Since(169, ("manualOrderTime",)), Since(170, _PEG_EXTRAS),
))  # fmt: skip
