"""What the gateway says about markets, through the decoders of real clients at both versions."""

from brokers.simulated.gateway.data.listing import Listed
from brokers.simulated.gateway.protocol import answers, data_answers, layouts
from brokers.simulated.gateway.protocol.message import message

SPY = Listed(index=0, con_id=756733, symbol="SPY", long_name="SPDR S&P 500", exchange="ARCA", min_tick=0.01)


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
