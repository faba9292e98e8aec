"""What real clients ask, as they write it at both versions, through our reading."""

from brokers.simulated.gateway.protocol import data_requests as data
from brokers.simulated.gateway.protocol import requests as ask


def test_an_order_of_every_term(asked, library, spy):
    order = library.Order(
        action="SELL", totalQuantity=100, orderType="TRAIL LIMIT", lmtPriceOffset=0.25, trailStopPrice=99.5,
        trailingPercent=1.5, tif="GTD", goodTillDate="20131008 15:00:00 US/Eastern", goodAfterTime="20131008-14:00:00",
        ocaGroup="G", ocaType=2, account="DU7654321", orderRef="ref", transmit=False, parentId=4, triggerMethod=3,
        outsideRth=True, allOrNone=True, minQty=10, displaySize=50, shortSaleSlot=1, whatIf=True,
    )  # fmt: skip
    found = asked(lambda client: client.placeOrder(7, spy, order))
    assert isinstance(found, ask.PlaceOrder)
    assert (found.order_id, found.contract.symbol, found.side, found.quantity) == (7, "SPY", "SELL", 100.0)
    assert (found.order_type, found.limit_price_offset, found.trail_stop_price) == ("TRAIL LIMIT", 0.25, 99.5)
    assert (found.trailing_percent, found.limit_price, found.tif) == (1.5, None, "GTD")
    assert (found.good_till, found.good_after) == ("20131008 15:00:00 US/Eastern", "20131008-14:00:00")
    assert (found.oca_group, found.oca_type, found.account, found.order_ref) == ("G", 2, "DU7654321", "ref")
    assert (found.transmit, found.parent_id, found.trigger_method, found.outside_rth) == (False, 4, 3, True)
    assert (found.all_or_none, found.min_qty, found.display_size, found.what_if) == (True, 10, 50, True)


def test_an_order_with_conditions_and_an_algorithm_is_read_to_its_last_field(asked, library, spy):
    order = library.LimitOrder("BUY", 100, 99.0, usePriceMgmtAlgo=True)
    order.conditions = [
        library.PriceCondition(price=100.0, conId=756733),
        library.TimeCondition(time="20131008 10:00:00"),
    ]
    order.algoStrategy, order.algoParams = "Adaptive", [library.TagValue("adaptivePriority", "Normal")]
    found = asked(lambda client: client.placeOrder(7, spy, order))
    assert (found.conditions, found.algo_strategy, found.raw["usePriceMgmtAlgo"]) == (2, "Adaptive", "1")


def test_a_combination_is_read_to_its_last_field(asked, library):
    legs = [library.ComboLeg(conId=1, ratio=1, action="BUY"), library.ComboLeg(conId=2, ratio=2, action="SELL")]
    bag = library.Contract(secType="BAG", symbol="SPY", exchange="SMART", currency="USD", comboLegs=legs)
    found = asked(lambda client: client.placeOrder(7, bag, library.MarketOrder("BUY", 1)))
    assert (found.legs, found.order_type, found.raw["isOmsContainer"]) == (2, "MKT", "0")


def test_cancels_histories_ticks_and_scans(asked, library, spy):
    found = asked(lambda client: client.cancelOrder(7))
    assert (type(found), found.order_id) == (ask.CancelOrder, 7)
    found = asked(lambda client: client.reqHistoricalData(1, spy, "", "1 D", "1 min", "TRADES", True, 2, True, []))
    assert (found.duration, found.bar_size, found.what_to_show, found.keep_up_to_date) == (
        "1 D",
        "1 min",
        "TRADES",
        True,
    )
    found = asked(lambda client: client.reqHistoricalTicks(1, spy, "a", "b", 5, "TRADES", True, False, []))
    assert (found.start_at, found.end_at, found.count, found.use_rth) == ("a", "b", 5, True)
    found = asked(lambda client: client.reqTickByTickData(1, spy, "BidAsk", 3, True))
    assert (found.tick_type, found.number_of_ticks, found.ignore_size) == ("BidAsk", 3, True)
    scan = library.ScannerSubscription(instrument="STK", locationCode="STK.US", scanCode="MOST_ACTIVE", abovePrice=5.0)
    found = asked(lambda client: client.reqScannerSubscription(1, scan, [], []))
    assert isinstance(found, data.ReqScannerSubscription)
    assert (found.location, found.scan_code, found.above_price, found.below_price) == (
        "STK.US",
        "MOST_ACTIVE",
        5.0,
        None,
    )


def test_questions_about_contracts_and_profit(asked, spy):
    found = asked(lambda client: client.reqContractDetails(5, spy))
    assert (found.req_id, found.contract.symbol, found.contract.currency, found.issuer_id) == (5, "SPY", "USD", "")
    assert asked(lambda client: client.reqMatchingSymbols(5, "SP")) == data.ReqMatchingSymbols(5, "SP")
    assert asked(lambda client: client.reqMarketRule(26)) == data.ReqMarketRule(26)
    assert asked(lambda client: client.reqPnLSingle(5, "DU1", "", 756733)) == data.ReqPnLSingle(5, "DU1", "", 756733)
    head = asked(lambda client: client.reqHeadTimeStamp(5, spy, "TRADES", True, 2))
    assert (head.what_to_show, head.use_rth, head.format_date) == ("TRADES", True, 2)
