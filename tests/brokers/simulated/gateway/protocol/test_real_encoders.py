"""What real clients ask, as they write it at both versions, through our reading."""

import math

import pytest

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


@pytest.mark.parametrize(
    ("order_type", "terms", "read"),
    [
        ("PEG MID", {"midOffsetAtWhole": 0.01, "midOffsetAtHalf": 0.005}, ("0.01", "0.005")),
        ("PEG BEST", {"minCompeteSize": 100, "competeAgainstBestOffset": 0.02}, ("100", "0.02")),
        (
            "PEG BEST",
            {"competeAgainstBestOffset": math.inf, "midOffsetAtWhole": 0.01, "midOffsetAtHalf": 0.005},
            ("Infinite", "0.01", "0.005"),
        ),
    ],
)
def test_a_pegged_order_ends_with_its_offsets_from_170_on(asked, library, spy, version, order_type, terms, read):
    order = library.Order(action="BUY", totalQuantity=100, orderType=order_type, lmtPrice=99.0, **terms)
    found = asked(lambda client: client.placeOrder(7, spy, order))
    assert found.order_type == order_type
    told = tuple(text for name, text in found.raw.items() if name in terms)
    assert told == (read if version == 176 else ())


def test_an_order_at_ibkrats_has_a_least_trade(asked, library, version):
    contract = library.Stock("SPY", "IBKRATS", "USD")
    order = library.LimitOrder("BUY", 100, 99.0, minTradeQty=25)
    found = asked(lambda client: client.placeOrder(7, contract, order))
    assert found.raw.get("minTradeQty") == ("25" if version == 176 else None)


def test_an_order_with_a_delta_neutral_a_scale_and_a_hedge_is_read_to_its_last_field(asked, library, spy):
    order = library.LimitOrder(
        "BUY", 100, 99.0, deltaNeutralOrderType="MKT", deltaNeutralConId=11, scaleInitLevelSize=5,
        scalePriceIncrement=0.25, scaleProfitOffset=0.5, hedgeType="D", hedgeParam="x", usePriceMgmtAlgo=True,
    )  # fmt: skip
    found = asked(lambda client: client.placeOrder(7, spy, order))
    names = ("deltaNeutralConId", "scaleProfitOffset", "hedgeParam", "usePriceMgmtAlgo")
    assert [found.raw[name] for name in names] == ["11", "0.5", "x", "1"]


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


def test_the_plain_questions(asked):
    assert asked(lambda client: client.reqIds(1)) == ask.ReqIds(1, 1)
    assert asked(lambda client: client.reqCurrentTime()) == ask.ReqCurrentTime(1)
    assert asked(lambda client: client.reqPositions()) == ask.ReqPositions(1)
    assert asked(lambda client: client.reqOpenOrders()) == ask.ReqOpenOrders(1)
    assert asked(lambda client: client.reqAllOpenOrders()) == ask.ReqAllOpenOrders(1)
    assert asked(lambda client: client.reqAutoOpenOrders(True)) == ask.ReqAutoOpenOrders(1, auto_bind=True)
    assert asked(lambda client: client.reqCompletedOrders(False)) == ask.ReqCompletedOrders(api_only=False)
    assert asked(lambda client: client.reqManagedAccts()) == ask.ReqManagedAccounts(1)
    assert asked(lambda client: client.setServerLogLevel(5)) == ask.SetServerLogLevel(1, 5)
    assert asked(lambda client: client.reqGlobalCancel()) == ask.ReqGlobalCancel(1)
    assert asked(lambda client: client.reqScannerParameters()) == data.ReqScannerParameters(1)
    assert asked(lambda client: client.reqMarketDataType(3)) == ask.ReqMarketDataType(1, 3)


def test_the_questions_about_accounts(asked, library):
    assert asked(lambda client: client.reqAccountUpdates(True, "DU1")) == ask.ReqAccountUpdates(2, True, "DU1")
    assert asked(lambda client: client.reqAccountUpdatesMulti(4, "DU1", "", True)) == ask.ReqAccountUpdatesMulti(
        1, 4, "DU1", "", ledger_and_nlv=True
    )
    assert asked(lambda client: client.reqAccountSummary(4, "All", "Cash,NLV")) == ask.ReqAccountSummary(
        1, 4, "All", "Cash,NLV"
    )
    assert asked(lambda client: client.reqPositionsMulti(4, "DU1", "")) == ask.ReqPositionsMulti(1, 4, "DU1", "")
    assert asked(lambda client: client.reqPnL(4, "DU1", "")) == data.ReqPnL(4, "DU1", "")
    wanted = library.ExecutionFilter(clientId=3, acctCode="DU1", symbol="SPY", side="BUY")
    assert asked(lambda client: client.reqExecutions(4, wanted)) == ask.ReqExecutions(
        3, 4, 3, "DU1", "", "SPY", "", "", "BUY"
    )


def test_the_subscriptions_to_markets(asked, spy):
    found = asked(lambda client: client.reqMktData(4, spy, "233,236", True, False, []))
    assert (found.req_id, found.contract.symbol, found.generic_ticks, found.snapshot) == (4, "SPY", "233,236", True)
    found = asked(lambda client: client.reqRealTimeBars(4, spy, 5, "TRADES", True, []))
    assert (found.bar_size, found.what_to_show, found.use_rth) == (5, "TRADES", True)
    found = asked(lambda client: client.reqSecDefOptParams(4, "SPY", "", "STK", 756733))
    assert found == data.ReqSecDefOptParams(4, "SPY", "", "STK", 756733)


def test_every_subscription_can_be_ended(asked):
    assert asked(lambda client: client.cancelMktData(4)) == ask.CancelMarketData(2, 4)
    assert asked(lambda client: client.cancelRealTimeBars(4)) == ask.CancelRealTimeBars(1, 4)
    assert asked(lambda client: client.cancelHistoricalData(4)) == ask.CancelHistoricalData(1, 4)
    assert asked(lambda client: client.cancelTickByTickData(4)) == data.CancelTickByTick(4)
    assert asked(lambda client: client.cancelHeadTimeStamp(4)) == data.CancelHeadTimestamp(4)
    assert asked(lambda client: client.cancelScannerSubscription(4)) == data.CancelScannerSubscription(1, 4)
    assert asked(lambda client: client.cancelPnL(4)) == data.CancelPnL(4)
    assert asked(lambda client: client.cancelPnLSingle(4)) == data.CancelPnLSingle(4)
    assert asked(lambda client: client.cancelPositions()) == ask.CancelPositions(1)
    assert asked(lambda client: client.cancelPositionsMulti(4)) == ask.CancelPositionsMulti(1, 4)
    assert asked(lambda client: client.cancelAccountSummary(4)) == ask.CancelAccountSummary(1, 4)
    assert asked(lambda client: client.cancelAccountUpdatesMulti(4)) == ask.CancelAccountUpdatesMulti(1, 4)
