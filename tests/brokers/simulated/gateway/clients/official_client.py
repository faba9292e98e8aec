"""The whole set of requests through IB's own client package, whichever version this interpreter has installed.

Run by test_official_clients.py, or by hand: `PYTHON official_client.py PORT`. It prints one JSON object: the kinds of
callbacks that arrived with their counts, the errors, the server version, and the life of a bracket. Nothing of ours
is imported; the ibapi package is taken by name, because it is none of our dependencies.
"""

import json
import sys
import threading
import time
from collections import Counter
from importlib import import_module
from typing import Any

EClient: Any = import_module("ibapi.client").EClient
Contract = import_module("ibapi.contract").Contract
ExecutionFilter = import_module("ibapi.execution").ExecutionFilter
Order = import_module("ibapi.order").Order
ScannerSubscription = import_module("ibapi.scanner").ScannerSubscription
EWrapper: Any = import_module("ibapi.wrapper").EWrapper

ANSWER_S = 20.0
ACCOUNT = "DU7654321"


class Recorder(EWrapper):
    """Counts every callback and keeps what the checks need."""

    def __init__(self):
        super().__init__()
        self.kinds: Counter[str] = Counter()
        self.errors = []
        self.order_id = None
        self.statuses = []
        self.fills = []

    def __getattribute__(self, name):
        value = super().__getattribute__(name)
        if callable(value) and hasattr(EWrapper, name) and not name.startswith("_"):
            self.kinds[name] += 1
        return value

    def nextValidId(self, orderId):  # noqa: N802, N803 - its name
        self.order_id = orderId

    def error(self, *told):
        self.errors.append([part for part in told if isinstance(part, int | str)])

    def orderStatus(self, orderId, status, *rest):  # noqa: N802, N803 - its name
        self.statuses.append([orderId, status])

    def execDetails(self, reqId, contract, execution):  # noqa: N802, N803 - its name
        self.fills.append([execution.side, float(execution.shares), execution.price])


class App(EClient):
    """One client on a thread of its own."""

    def __init__(self, port):
        self.told = Recorder()
        super().__init__(self.told)
        self.connect("127.0.0.1", port, clientId=7)
        threading.Thread(target=self.run, daemon=True).start()

    def until(self, *kinds, after=None):
        """Wait until every kind of callback has come (once more than `after` counted)."""
        before = after or Counter()
        deadline = time.monotonic() + ANSWER_S
        while time.monotonic() < deadline:
            if all(self.told.kinds[kind] > before[kind] for kind in kinds):
                return
            time.sleep(0.02)
        self.told.errors.append(
            [0, 0, f"never came: {[kind for kind in kinds if self.told.kinds[kind] <= before[kind]]}"]
        )


def a_stock():
    contract = Contract()
    contract.symbol, contract.secType, contract.exchange, contract.currency = "SPY", "STK", "SMART", "USD"
    return contract


def an_order(order_id, side, kind, price=0.0, *, parent=0, transmit=True):
    order = Order()
    order.orderId, order.action, order.orderType, order.totalQuantity = order_id, side, kind, 100
    order.parentId, order.transmit = parent, transmit
    if kind == "LMT":
        order.lmtPrice = price
    if kind == "STP":
        order.auxPrice = price
    for unsupported in ("eTradeOnly", "firmQuoteOnly"):
        setattr(order, unsupported, False)
    return order


def ask_about_account(app):
    app.reqCurrentTime()
    app.reqPositions()
    app.reqAccountUpdates(True, ACCOUNT)
    app.reqAccountUpdatesMulti(11, ACCOUNT, "", False)
    app.reqPositionsMulti(12, ACCOUNT, "")
    app.reqAccountSummary(13, "All", "NetLiquidation,BuyingPower")
    app.reqPnL(14, ACCOUNT, "")
    app.reqManagedAccts()
    app.reqIds(1)
    app.until("currentTime", "positionEnd", "accountDownloadEnd", "accountUpdateMultiEnd", "positionMultiEnd")
    app.until("accountSummaryEnd", "pnl", "managedAccounts")


def ask_about_market(app, stock):
    app.reqContractDetails(21, stock)
    app.until("contractDetailsEnd")
    app.reqMatchingSymbols(22, "SP")
    app.reqMarketRule(26)
    app.reqHeadTimeStamp(23, stock, "TRADES", 1, 2)
    app.reqHistoricalData(24, stock, "", "1 D", "1 min", "TRADES", 1, 2, False, [])
    app.reqHistoricalTicks(25, stock, "", "20991231-00:00:00", 10, "TRADES", 1, True, [])
    app.reqHistoricalTicks(26, stock, "", "20991231-00:00:00", 10, "BID_ASK", 1, True, [])
    app.reqHistoricalTicks(27, stock, "", "20991231-00:00:00", 10, "MIDPOINT", 1, True, [])
    app.reqScannerParameters()
    scan = ScannerSubscription()
    scan.instrument, scan.locationCode, scan.scanCode = "STK", "STK.US.MAJOR", "MOST_ACTIVE"
    app.reqScannerSubscription(28, scan, [], [])
    app.until("symbolSamples", "marketRule", "headTimestamp", "historicalDataEnd", "historicalTicksLast")
    app.until("historicalTicksBidAsk", "historicalTicks", "scannerParameters", "scannerDataEnd")


def subscribe(app, stock):
    app.reqMarketDataType(3)
    app.reqMktData(31, stock, "", False, False, [])
    app.reqRealTimeBars(32, stock, 5, "TRADES", True, [])
    app.reqTickByTickData(33, stock, "AllLast", 0, False)
    app.reqTickByTickData(34, stock, "BidAsk", 0, False)
    app.reqTickByTickData(35, stock, "MidPoint", 0, False)
    app.reqHistoricalData(36, stock, "", "600 S", "1 min", "TRADES", 1, 2, True, [])
    app.until("tickPrice", "tickSize", "realtimeBar", "tickByTickAllLast", "tickByTickBidAsk", "tickByTickMidPoint")
    app.until("historicalDataUpdate", "marketDataType", "tickReqParams")
    app.cancelMktData(31)
    app.cancelRealTimeBars(32)
    app.cancelTickByTickData(33)
    app.cancelHistoricalData(36)


def cancel(app, order_id):
    """Newer packages want an OrderCancel."""
    try:
        app.cancelOrder(order_id, import_module("ibapi.order_cancel").OrderCancel())
    except ImportError:
        app.cancelOrder(order_id)


def trade(app, stock):
    first = app.told.order_id
    what_if = an_order(first, "BUY", "MKT")
    what_if.whatIf = True
    app.placeOrder(first, stock, what_if)
    app.until("openOrder")
    app.placeOrder(first, stock, an_order(first, "BUY", "MKT", transmit=False))
    app.placeOrder(first + 1, stock, an_order(first + 1, "SELL", "LMT", 9000.0, parent=first, transmit=False))
    app.placeOrder(first + 2, stock, an_order(first + 2, "SELL", "STP", 1.0, parent=first))
    app.until("execDetails", "commissionReport" if hasattr(EWrapper, "commissionReport") else "commissionAndFeesReport")
    app.reqPnLSingle(41, ACCOUNT, "", 756733)
    app.until("pnlSingle", "position", "updatePortfolio")
    app.placeOrder(first + 2, stock, an_order(first + 2, "SELL", "STP", 2.0, parent=first))
    cancel(app, first + 1)
    before = Counter(app.told.kinds)
    app.reqOpenOrders()
    app.reqAllOpenOrders()
    app.reqCompletedOrders(False)
    app.reqExecutions(42, ExecutionFilter())
    app.until("openOrderEnd", "completedOrdersEnd", "execDetailsEnd", after=before)


def main():
    app = App(int(sys.argv[1]))
    app.until("nextValidId", "managedAccounts")
    stock = a_stock()
    ask_about_account(app)
    ask_about_market(app, stock)
    subscribe(app, stock)
    trade(app, stock)
    time.sleep(0.3)
    told = app.told
    connected, version = app.isConnected(), app.serverVersion()
    app.disconnect()
    found = {
        "server_version": version,
        "still_connected": connected,
        "kinds": dict(sorted(told.kinds.items())),
        "errors": told.errors,
        "statuses": told.statuses,
        "fills": told.fills,
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
