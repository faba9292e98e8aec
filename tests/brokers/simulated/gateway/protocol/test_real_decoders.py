"""Our bytes through the decoders of real clients, and their bytes through ours, at both versions."""

from datetime import UTC
from importlib import import_module

import pytest

from brokers.simulated.gateway.data.listing import Listed
from brokers.simulated.gateway.protocol import answers, data_answers, layouts
from brokers.simulated.gateway.protocol import data_requests as data
from brokers.simulated.gateway.protocol import requests as ask
from brokers.simulated.gateway.protocol.message import message
from brokers.simulated.gateway.protocol.reading import decode
from brokers.simulated.gateway.protocol.wire import fields_of

SPY = Listed(index=0, con_id=756733, symbol="SPY", long_name="SPDR S&P 500", exchange="ARCA", min_tick=0.01)


class Told:
    """Stands where the library's wrapper stands and writes down what the decoder calls."""

    def __init__(self):
        self.calls = []
        self.ib = type("Ib", (), {"TimezoneTWS": ""})()
        self.defaultTimezone = UTC

    def __getattr__(self, name):
        return lambda *args: self.calls.append((name, args))


@pytest.fixture(params=["ib_insync", "ib_async"])
def library(request):
    return import_module(request.param)


@pytest.fixture(params=[157, 176])
def version(request):
    return request.param


@pytest.fixture
def heard(library, version):
    """What a client of the library makes of one of our messages: the callback's name and its arguments."""

    def through(told):
        wrapper = Told()
        decoder = import_module(f"{library.__name__}.decoder").Decoder(wrapper, version)
        decoder.interpret(fields_of(told.encode(version)[4:]))
        assert len(wrapper.calls) == 1, wrapper.calls
        return wrapper.calls[0]

    return through


def test_a_price_and_its_size(heard):
    name, (req_id, tick_type, price, size, *_) = heard(answers.tick_price(7, 1, 100.25, 300.0))
    assert (name, req_id, tick_type, price, size) == ("priceSizeTick", 7, 1, 100.25, 300.0)


def test_a_generic_tick_and_a_text(heard):
    assert heard(data_answers.tick_generic(7, 49, 2)) == ("tickGeneric", (7, 49, 2.0))
    assert heard(data_answers.tick_string(7, 45, "1381239000")) == ("tickString", (7, 45, "1381239000"))


def test_a_real_time_bar(heard):
    values = {"open": 1.0, "high": 2.0, "low": 0.5, "close": 1.5, "volume": 300.0, "wap": 1.25, "count": 3}
    name, told = heard(message(layouts.REAL_TIME_BAR, reqId=9, time=1381239000, **values))
    assert (name, told) == ("realtimeBar", (9, 1381239000, 1.0, 2.0, 0.5, 1.5, 300.0, 1.25, 3))


def test_an_error(heard):
    name, told = heard(answers.error(5, 201, "Order rejected"))
    assert (name, told[:3]) == ("error", (5, 201, "Order rejected"))


def test_contract_details(heard):
    name, (req_id, details) = heard(answers.contract_data(3, SPY, "20131008:0400-20131008:2000", "20131008:CLOSED"))
    assert (name, req_id) == ("contractDetails", 3)
    contract = details.contract
    assert (contract.conId, contract.symbol, contract.primaryExchange) == (756733, "SPY", "ARCA")
    assert (details.minTick, details.longName, details.liquidHours) == (0.01, "SPDR S&P 500", "20131008:CLOSED")
    assert details.stockType == "COMMON"
    assert set(details.marketRuleIds.split(",")) == {"26"}


def test_symbol_samples(heard, version):
    name, (req_id, (sample,)) = heard(data_answers.symbol_samples(4, [SPY]))
    assert (name, req_id, sample.contract.conId) == ("symbolSamples", 4, 756733)
    assert sample.contract.description == ("SPDR S&P 500" if version >= 176 else "")


def test_a_market_rule(heard):
    name, (rule_id, increments) = heard(data_answers.market_rule(26, [(0.0, 0.0001), (1.0, 0.01)]))
    assert (name, rule_id) == ("marketRule", 26)
    assert [(one.lowEdge, one.increment) for one in increments] == [(0.0, 0.0001), (1.0, 0.01)]


def test_tick_by_tick_of_each_kind(heard):
    name, told = heard(data_answers.tick_by_tick_last(1, 2, 1381239000.7, 100.5, 200.0, "ARCA", 1))
    assert (name, told[:5], told[5].pastLimit, told[6]) == (
        "tickByTickAllLast", (1, 2, 1381239000, 100.5, 200.0), True, "ARCA",
    )  # fmt: skip
    name, told = heard(data_answers.tick_by_tick_bid_ask(1, 1381239000.0, 99.9, 100.1, 300.0, 400.0))
    assert (name, told[:6]) == ("tickByTickBidAsk", (1, 1381239000, 99.9, 100.1, 300.0, 400.0))
    assert heard(data_answers.tick_by_tick_mid(1, 1381239000.0, 100.0)) == (
        "tickByTickMidPoint",
        (1, 1381239000, 100.0),
    )


def test_past_ticks_of_each_kind(heard):
    name, (req_id, ticks, done) = heard(data_answers.historical_ticks_last(2, [(1381239000.0, 100.5, 200.0)], "ARCA"))
    assert (name, req_id, done) == ("historicalTicksLast", 2, True)
    assert (ticks[0].price, ticks[0].size, ticks[0].exchange) == (100.5, 200.0, "ARCA")
    name, (_, ticks, _) = heard(data_answers.historical_ticks_bid_ask(2, [(1381239000.0, 99.9, 100.1, 3.0, 4.0)]))
    assert (ticks[0].priceBid, ticks[0].priceAsk, ticks[0].sizeBid, ticks[0].sizeAsk) == (99.9, 100.1, 3.0, 4.0)
    name, (_, ticks, _) = heard(data_answers.historical_ticks(2, [(1381239000.0, 100.0)]))
    assert ticks[0].price == 100.0


def test_profit_and_loss(heard):
    name, told = heard(data_answers.pnl(3, daily=1.5, unrealized=2.5))
    assert (name, told[:3]) == ("pnl", (3, 1.5, 2.5))
    assert told[3] > 1e308
    name, told = heard(data_answers.pnl_single(3, 100, daily=1.0, unrealized=2.0, realized=3.0, value=4.0))
    assert (name, tuple(float(one) for one in told)) == ("pnlSingle", (3.0, 100.0, 1.0, 2.0, 3.0, 4.0))


def test_the_forming_bar(heard):
    fields = {"open": 1.0, "high": 2.0, "low": 0.5, "close": 1.5, "volume": 300.0, "wap": 1.25, "count": 3}
    name, (req_id, bar) = heard(data_answers.historical_data_update(8, "1381239000", fields))
    assert (name, req_id, bar.date) == ("historicalDataUpdate", 8, "1381239000")
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.average, bar.barCount) == (
        1.0, 2.0, 0.5, 1.5, 300.0, 1.25, 3,
    )  # fmt: skip


def test_an_order_bound_to_client_0(heard):
    assert heard(data_answers.order_bound(1_700_000_001, 0, -5)) == ("orderBound", (1_700_000_001, 0, -5))


# ------------------------------------------------------------------ what clients write


@pytest.fixture
def asked(library, version):
    """The request that a client of the library writes when `call` uses it."""

    def written(call):
        client = library.client.Client(None)
        client.connState, client._serverVersion = client.CONNECTED, version
        sent: list[str] = []
        client.sendMsg = sent.append
        call(client)
        (text,) = sent
        return decode(fields_of(text.encode()), version)

    return written


@pytest.fixture
def spy(library):
    return library.Stock("SPY", "SMART", "USD")


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
