"""The order of fields in the messages about contracts and markets that come beside the plain ticks and bars.

Tables as in layouts.py (TWS.md 2.3).
"""

from __future__ import annotations

from brokers.simulated.gateway.protocol.entries import Each, Since
from brokers.simulated.gateway.protocol.layout import Layout
from brokers.simulated.gateway.protocol.wire import UNSET_DOUBLE

# ------------------------------------------------------------------ contracts

SYMBOL_SAMPLES = Layout("symbolSamples", 79, (
    "reqId", "nContracts=0",
    Each("nContracts", (
        "conId", "symbol", "secType=STK", "primaryExchange", "currency=USD", "nDerivatives=0",
        Each("nDerivatives", ("derivativeSecType",)), Since(176, ("description", "issuerId")),
    )),
))  # fmt: skip
MARKET_RULE = Layout("marketRule", 93, ("ruleId", "nIncrements=0", Each("nIncrements", ("lowEdge", "increment"))))
HEAD_TIMESTAMP = Layout("headTimestamp", 88, ("reqId", "text"))
SEC_DEF_OPT_PARAMS_END = Layout("securityDefinitionOptionParameterEnd", 76, ("reqId",))
FAMILY_CODES = Layout("familyCodes", 78, ("nCodes=0",))
SOFT_DOLLAR_TIERS = Layout("softDollarTiers", 77, ("reqId", "nTiers=0"))
DEPTH_EXCHANGES = Layout("mktDepthExchanges", 80, ("nExchanges=0",))
SMART_COMPONENTS = Layout("smartComponents", 82, ("reqId", "nComponents=0"))
NEWS_PROVIDERS = Layout("newsProviders", 85, ("nProviders=0",))

# ------------------------------------------------------------------ ticks

TICK_GENERIC = Layout("tickGeneric", 45, ("version=6", "reqId", "tickType", "value"))
TICK_STRING = Layout("tickString", 46, ("version=6", "reqId", "tickType", "text"))
TICK_OPTION_COMPUTATION = Layout("tickOptionComputation", 21, (
    "reqId", "tickType", "tickAttrib=0", "impliedVolatility=-1", "delta=-2", "price=-1", "pvDividend=-1",
    "gamma=-2", "vega=-2", "theta=-2", "underlyingPrice=-1",
))  # fmt: skip
TICK_BY_TICK_LAST = Layout("tickByTick", 99, (
    "reqId", "type=1", "time", "price", "size", "mask=0", "tickExchange", "specialConditions",
), ("size",))  # fmt: skip
TICK_BY_TICK_BID_ASK = Layout("tickByTick", 99, (
    "reqId", "type=3", "time", "bidPrice", "askPrice", "bidSize", "askSize", "mask=0",
), ("bidSize", "askSize"))  # fmt: skip
TICK_BY_TICK_MID = Layout("tickByTick", 99, ("reqId", "type=4", "time", "midPoint"))
HISTORICAL_TICKS = Layout("historicalTicks", 96, (
    "reqId", "nTicks", Each("nTicks", ("time", "unused=0", "price", "size")), "done=1",
))  # fmt: skip
HISTORICAL_TICKS_BID_ASK = Layout("historicalTicksBidAsk", 97, (
    "reqId", "nTicks", Each("nTicks", ("time", "mask=0", "bidPrice", "askPrice", "bidSize", "askSize")), "done=1",
), ("bidSize", "askSize"))  # fmt: skip
HISTORICAL_TICKS_LAST = Layout("historicalTicksLast", 98, (
    "reqId", "nTicks",
    Each("nTicks", ("time", "mask=0", "price", "size", "tickExchange", "specialConditions")), "done=1",
), ("size",))  # fmt: skip

# ------------------------------------------------------------------ bars, scanner

HISTORICAL_DATA_UPDATE = Layout("historicalDataUpdate", 90, (
    "reqId", "count", "date", "open", "close", "high", "low", "wap", "volume",
), ("volume",))  # fmt: skip
SCANNER_PARAMETERS = Layout("scannerParameters", 19, ("version=1", "xml"))
SCANNER_DATA = Layout("scannerData", 20, (
    "version=3", "reqId", "nRows=0",
    Each("nRows", (
        "rank", "conId", "symbol", "secType=STK", "lastTradeDate", "strike=0", "right", "exchange=SMART",
        "currency=USD", "localSymbol", "marketName", "tradingClass", "distance", "benchmark", "projection", "legs",
    )),
))  # fmt: skip

# ------------------------------------------------------------------ profit and loss, orders

PNL = Layout("pnl", 94, ("reqId", f"daily={UNSET_DOUBLE}", f"unrealized={UNSET_DOUBLE}", f"realized={UNSET_DOUBLE}"))
PNL_SINGLE = Layout("pnlSingle", 95, (
    "reqId", "position", f"daily={UNSET_DOUBLE}", f"unrealized={UNSET_DOUBLE}", f"realized={UNSET_DOUBLE}",
    f"value={UNSET_DOUBLE}",
), ("position",))  # fmt: skip
ORDER_BOUND = Layout("orderBound", 100, ("permId", "clientId", "orderId"))
