"""Cancels and what may come instead (TWS.md 3.13; faults 31, 32)."""

import pytest
from ib_insync import LimitOrder, MarketOrder

from tests.brokers.simulated.gateway.orders.wire import codes, placed, recorded, status
from tests.brokers.simulated.gateway.scripted_market import a_bar, flat


async def a_resting_order(desktop, ib):
    return await placed(desktop, ib, LimitOrder("BUY", 10, 95.0))


async def cancelled(desktop, ib, trade):
    ib.client.cancelOrder(trade.order.orderId)
    await desktop.heard(ib)


async def test_a_cancel_never_answered_stays_pending_and_a_second_one_hears_so(desktop):
    ib = await desktop.connect()
    trade = await a_resting_order(desktop, ib)
    desktop.gateway.session.desk.conduct.cancel = "never"
    await cancelled(desktop, ib, trade)
    assert status(trade) == ("PendingCancel", "")
    await desktop.play(20)
    assert status(trade) == ("PendingCancel", "")
    await cancelled(desktop, ib, trade)
    assert codes(ib, trade.order.orderId) == [10148]


async def test_a_slow_cancel_is_pending_until_it_arrives(desktop):
    ib = await desktop.connect()
    trade = await a_resting_order(desktop, ib)
    desktop.gateway.session.desk.conduct.cancel = "slow"
    said = recorded(desktop)
    await cancelled(desktop, ib, trade)
    await desktop.play(3)
    assert said == [("orderStatus", "PendingCancel"), ("orderStatus", "Cancelled"), ("error", 202)]


async def test_an_execution_may_overtake_a_slow_cancel(desktop_with):
    desktop = await desktop_with([flat(100.0), a_bar(100, 100, 94, 94), flat(94.0), flat(94.0), flat(94.0)])
    ib = await desktop.connect()
    await desktop.play()
    trade = await a_resting_order(desktop, ib)
    conduct = desktop.gateway.session.desk.conduct
    conduct.cancel, conduct.cancel_delay_s = "slow", 12.0
    await cancelled(desktop, ib, trade)
    await desktop.play(4)
    assert desktop.gateway.ledger.quantity("SPY") == 10
    assert trade.filled() == 10
    assert codes(ib, trade.order.orderId) == [10148]


@pytest.mark.parametrize(("answer", "code"), [("161", 161), ("135", 135)])
async def test_a_cancel_answered_with_an_error_leaves_the_order_live(desktop, answer, code):
    ib = await desktop.connect()
    trade = await a_resting_order(desktop, ib)
    desktop.gateway.session.desk.conduct.cancel = answer
    await cancelled(desktop, ib, trade)
    assert codes(ib, trade.order.orderId) == [code]
    assert [order.perm_id for order in desktop.gateway.session.desk.open_orders()] == [trade.order.permId]


async def test_a_cancel_may_come_too_late(desktop):
    ib = await desktop.connect()
    trade = await a_resting_order(desktop, ib)
    desktop.gateway.session.desk.conduct.cancel = "fill_first"
    await cancelled(desktop, ib, trade)
    assert codes(ib, trade.order.orderId) == [10148]
    assert trade.orderStatus.avgFillPrice == 95.0
    assert desktop.gateway.ledger.quantity("SPY") == 10


async def test_the_state_is_named_when_a_filled_order_is_cancelled(desktop):
    ib = await desktop.connect()
    texts = []
    ib.errorEvent += lambda req_id, code, text, contract: texts.append(text)
    trade = await placed(desktop, ib, MarketOrder("BUY", 10))
    await cancelled(desktop, ib, trade)
    assert texts[-1].endswith("cannot be cancelled, state: Filled.")


async def test_another_clients_order_is_not_found(desktop):
    one, two = await desktop.connect(1), await desktop.connect(2)
    trade = await a_resting_order(desktop, one)
    two.client.cancelOrder(trade.order.orderId)
    await desktop.heard(two)
    assert codes(two, trade.order.orderId) == [10147]
    assert len(desktop.gateway.session.desk.open_orders()) == 1


async def test_a_global_cancel_leaves_what_is_done(desktop):
    ib = await desktop.connect()
    filled = await placed(desktop, ib, MarketOrder("BUY", 10))
    working = await a_resting_order(desktop, ib)
    ib.reqGlobalCancel()
    await desktop.heard(ib)
    assert (status(filled)[0], status(working)[0]) == ("Filled", "Cancelled")
    assert codes(ib, filled.order.orderId) == []


async def test_without_any_price_a_cancel_that_should_come_too_late_comes_in_time(desktop_with):
    desktop = await desktop_with()
    ib = await desktop.connect()
    trade = await placed(desktop, ib, MarketOrder("BUY", 10))
    desktop.gateway.session.desk.conduct.cancel = "fill_first"
    await cancelled(desktop, ib, trade)
    assert (status(trade), desktop.gateway.ledger.executions) == (("Cancelled", ""), [])


async def test_what_never_went_to_the_market_is_not_filled_by_a_cancel_that_should_come_too_late(desktop):
    ib = await desktop.connect()
    conduct = desktop.gateway.session.desk.conduct
    conduct.hold_next = 1
    trade = await a_resting_order(desktop, ib)
    conduct.cancel = "fill_first"
    await cancelled(desktop, ib, trade)
    assert (status(trade), codes(ib, trade.order.orderId)) == (("Cancelled", ""), [202])
    assert desktop.gateway.ledger.executions == []
