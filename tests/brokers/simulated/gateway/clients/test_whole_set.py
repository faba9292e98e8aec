"""Every request of TWS.md 6 through unmodified client libraries, at both server versions."""

import asyncio
import math
from datetime import UTC, datetime

import pytest

from tests.brokers.simulated.gateway.scripted_market import OPENS_AT


def codes(desk):
    return [code for _, code, _ in desk.ib.errors]


async def test_the_client_agrees_on_its_own_version(desk, version):
    assert desk.ib.client.serverVersion() == version


async def test_the_time_is_the_markets(desk):
    assert (await desk.ib.reqCurrentTimeAsync()).timestamp() == OPENS_AT + 5


async def test_contract_details_name_the_stock(desk):
    (details,) = await desk.answer(desk.ib.reqContractDetailsAsync(desk.stock))
    assert (details.contract.conId, details.contract.primaryExchange) == (756733, "ARCA")
    assert (details.longName, details.minTick) == ("SPDR S&P 500 ETF TRUST", 0.01)
    assert "LMT" in details.orderTypes


async def test_an_unknown_contract_gets_200_and_no_details(desk):
    assert await desk.answer(desk.ib.reqContractDetailsAsync(desk.library.Stock("NOSUCH", "SMART", "USD"))) == []
    assert 200 in codes(desk)


async def test_symbols_are_found_by_their_beginning(desk):
    found = await desk.answer(desk.ib.reqMatchingSymbolsAsync("SP"))
    assert [one.contract.symbol for one in found] == ["SPY"]


async def test_a_market_rule_gives_price_increments(desk):
    (details,) = await desk.answer(desk.ib.reqContractDetailsAsync(desk.stock))
    increments = await desk.ib.reqMarketRuleAsync(int(details.marketRuleIds.split(",")[0]))
    assert increments[-1].increment == 0.01


async def test_the_head_timestamp_lies_before_the_session(desk):
    head = await desk.answer(desk.ib.reqHeadTimeStampAsync(desk.stock, "TRADES", useRTH=True, formatDate=2))
    assert head.timestamp() < OPENS_AT


@pytest.mark.parametrize(("size", "duration"), [("1 min", "1 D"), ("5 secs", "600 S"), ("1 day", "5 D")])
async def test_history_comes_as_bars_in_order(desk, size, duration):
    bars = await desk.answer(
        desk.ib.reqHistoricalDataAsync(desk.stock, "", duration, size, "TRADES", useRTH=True, formatDate=2)
    )
    assert len(bars) > 1
    assert [bar.date for bar in bars] == sorted(bar.date for bar in bars)
    assert bars[0].high >= bars[0].close > bars[0].low


async def test_history_kept_up_to_date_repeats_the_forming_bar(desk):
    bars = await desk.answer(
        desk.ib.reqHistoricalDataAsync(
            desk.stock, "", "600 S", "1 min", "TRADES", useRTH=True, formatDate=2, keepUpToDate=True
        )
    )
    updates = []
    bars.updateEvent += lambda kept, is_new: updates.append((kept[-1].date, is_new))
    await desk.play(3)
    assert len(updates) == 3
    assert len({date for date, _ in updates}) == 1
    desk.ib.cancelHistoricalData(bars)


async def test_historical_ticks_are_the_past_trades(desk):
    await desk.play(2)
    ticks = await desk.answer(
        desk.ib.reqHistoricalTicksAsync(desk.stock, "", _text(OPENS_AT + 10), 20, "TRADES", useRth=True)
    )
    assert ticks
    assert {tick.price for tick in ticks} == {100.0}


async def test_a_real_time_bar_carries_its_start(desk):
    bars = desk.ib.reqRealTimeBars(desk.stock, 5, "TRADES", useRTH=True)
    await desk.heard()
    await desk.play()
    (bar,) = bars
    assert (bar.time.timestamp(), bar.open_, bar.close, bar.volume) == (OPENS_AT + 5, 100.0, 100.0, 4000)
    desk.ib.cancelRealTimeBars(bars)


async def test_market_data_shows_both_sides_and_the_last_trade(desk):
    ticker = desk.ib.reqMktData(desk.stock, "", snapshot=False, regulatorySnapshot=False)
    await desk.heard()
    assert (ticker.bid, ticker.ask, ticker.last) == (99.99, 100.01, 100.0)
    assert ticker.bidSize > 0
    desk.ib.cancelMktData(desk.stock)


async def test_delayed_market_data_says_that_it_is_delayed(desk):
    desk.ib.reqMarketDataType(3)
    ticker = desk.ib.reqMktData(desk.stock, "", snapshot=False, regulatorySnapshot=False)
    await desk.heard()
    assert ticker.marketDataType in {1, 3}
    assert ticker.last == 100.0


async def test_a_snapshot_ends_by_itself(desk):
    (ticker,) = await desk.answer(desk.ib.reqTickersAsync(desk.stock))
    assert (ticker.bid, ticker.ask) == (99.99, 100.01)


@pytest.mark.parametrize("kind", ["Last", "AllLast", "BidAsk", "MidPoint"])
async def test_tick_by_tick_data_flows(desk, kind):
    ticker = desk.ib.reqTickByTickData(desk.stock, kind)
    seen = []
    ticker.updateEvent += lambda updated: seen.extend(updated.tickByTicks)
    await desk.heard()
    await desk.play(3)
    assert seen
    assert math.isclose(
        getattr(seen[-1], {"BidAsk": "bidPrice", "MidPoint": "midPoint"}.get(kind, "price")), 100.0, abs_tol=0.02
    )
    desk.ib.cancelTickByTickData(desk.stock, kind)


async def test_the_scanner_ranks_the_market(desk):
    await desk.play()
    scan = desk.library.ScannerSubscription(instrument="STK", locationCode="STK.US.MAJOR", scanCode="MOST_ACTIVE")
    rows = await desk.answer(desk.ib.reqScannerDataAsync(scan))
    assert rows[0].contractDetails.contract.symbol == "SPY"
    assert [row.rank for row in rows] == list(range(len(rows)))


async def test_scanner_parameters_are_xml(desk):
    xml = await desk.answer(desk.ib.reqScannerParametersAsync())
    assert "MOST_ACTIVE" in xml


async def test_profit_and_loss_follow_the_market(desk):
    account = desk.ib.managedAccounts()[0]
    total = desk.ib.reqPnL(account)
    single = desk.ib.reqPnLSingle(account, "", 756733)
    trade = desk.placed(desk.library.MarketOrder("BUY", 100))
    await desk.heard()
    assert trade.isDone()
    await desk.play(7)
    assert single.position == 100
    assert single.unrealizedPnL == pytest.approx(100 * (103.0 - 100.01) - 1.0, abs=0.02)
    assert total.unrealizedPnL == pytest.approx(single.unrealizedPnL)


async def test_account_summary_and_values_agree(desk):
    summary = {row.tag: row.value for row in await desk.answer(desk.ib.accountSummaryAsync())}
    values = {row.tag: row.value for row in desk.ib.accountValues() if row.currency == "USD"}
    assert float(summary["NetLiquidation"]) == float(values["NetLiquidation"]) == 1_000_000.0


async def test_what_an_order_would_tie_up_is_told_without_placing_it(desk):
    state = await desk.answer(desk.ib.whatIfOrderAsync(desk.stock, desk.library.LimitOrder("BUY", 100, 100.0)))
    assert float(state.initMarginChange) > 0
    assert desk.gateway.ledger.orders == []


async def test_a_bracket_lives_its_whole_life(desk):
    bracket = desk.ib.bracketOrder("BUY", 100, 100.05, 102.0, 98.5)
    entry, target, stop = (desk.placed(order) for order in bracket)
    await desk.heard()
    assert (entry.orderStatus.status, target.orderStatus.status) == ("Filled", "Submitted")
    assert (stop.orderStatus.status, stop.orderStatus.whyHeld) == ("PreSubmitted", "trigger")
    await desk.play(6)
    assert (target.orderStatus.status, target.orderStatus.avgFillPrice) == ("Filled", 102.0)
    assert stop.orderStatus.status == "Cancelled"
    assert [fill.execution.side for trade in (entry, target) for fill in trade.fills] == ["BOT", "SLD"]
    assert desk.gateway.ledger.quantity("SPY") == 0


async def test_a_modified_order_keeps_its_place_in_the_ledger(desk):
    trade = desk.placed(desk.library.LimitOrder("BUY", 100, 95.0))
    await desk.heard()
    trade.order.lmtPrice = 96.0
    desk.placed(trade.order)
    await desk.heard()
    assert trade.orderStatus.status == "Submitted"
    assert [order.limit_price for order in desk.gateway.session.desk.open_orders()] == [96.0]


async def test_a_cancel_and_a_global_cancel_leave_nothing_open(desk):
    first = desk.placed(desk.library.LimitOrder("BUY", 100, 95.0))
    second = desk.placed(desk.library.LimitOrder("BUY", 100, 94.0))
    desk.ib.cancelOrder(first.order)
    await desk.heard()
    assert (first.orderStatus.status, second.orderStatus.status) == ("Cancelled", "Submitted")
    desk.ib.reqGlobalCancel()
    await desk.heard()
    assert second.orderStatus.status == "Cancelled"
    assert await desk.answer(desk.ib.reqAllOpenOrdersAsync()) == []


async def test_completed_orders_carry_the_perm_id(desk):
    trade = desk.placed(desk.library.MarketOrder("BUY", 10))
    await desk.heard()
    (done,) = await desk.answer(desk.ib.reqCompletedOrdersAsync(apiOnly=False))
    assert done.order.permId == trade.order.permId
    assert done.orderStatus.status == "Filled"


async def test_a_client_that_comes_back_finds_orders_and_fills(desk, library, version):
    filled = desk.placed(library.MarketOrder("BUY", 100))
    working = desk.placed(library.StopOrder("SELL", 100, 90.0, tif="GTC"))
    await desk.heard()
    desk.ib.disconnect()
    await asyncio.sleep(0)
    again = await desk.desktop.connect(1, library=library, version=version)
    assert [order.permId for order in again.openOrders()] == [working.order.permId]
    assert [fill.execution.permId for fill in again.fills()] == [filled.order.permId]
    assert [fill.commissionReport.commission for fill in again.fills()] == [1.0]
    assert [(held.contract.symbol, held.position) for held in again.positions()] == [("SPY", 100)]


def _text(at):

    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%d-%H:%M:%S")
