"""The desk over a restart: its state goes through JSON into a new gateway, which goes on filling (TWS.md 3.3, 3.14)."""

import msgspec
import pytest
from ib_insync import LimitOrder, MarketOrder, StopOrder

from tests.brokers.simulated.gateway.orders.wire import an_order, placed, status
from tests.brokers.simulated.gateway.scripted_market import OPENS_AT, flat


@pytest.fixture
def restarted(desktop_with):
    """A second gateway on the same market with the desk of the first."""

    async def restart(desktop, **settings):
        saved = msgspec.json.decode(msgspec.json.encode(desktop.gateway.session.desk.state()))
        desktop.disconnect()
        again = await desktop_with(**settings)
        again.gateway.session.desk.restore(saved)
        await again.play()
        return again

    return restart


async def test_working_orders_fill_after_the_restart_under_their_old_ids(desktop, restarted):
    ib = await desktop.connect()
    trade = await placed(desktop, ib, LimitOrder("BUY", 10, 95.0))
    again = await restarted(desktop)
    ib = await again.connect()
    (restored,) = ib.openTrades()
    assert (restored.order.orderId, restored.order.permId) == (trade.order.orderId, trade.order.permId)
    again.gateway.session.desk.on_trade(0, 94.0, 1e4, at=again.gateway.session.now(), regular=True)
    await again.heard(ib)
    assert status(restored) == ("Filled", "")
    assert again.gateway.ledger.quantity("SPY") == 10


async def test_an_order_that_meets_a_market_that_stands_already_is_filled_in_the_books(desktop, desktop_with):
    ib = await desktop.connect()
    trade = await placed(desktop, ib, LimitOrder("BUY", 10, 95.0))
    saved = msgspec.json.decode(msgspec.json.encode(desktop.gateway.session.desk.state()))
    desktop.disconnect()
    again = await desktop_with([flat(94.0)] * 5)
    await again.play()
    again.gateway.session.desk.restore(saved)
    (execution,) = again.gateway.ledger.executions
    assert (execution.perm_id, execution.quantity, execution.price) == (trade.order.permId, 10, 94.01)
    assert again.gateway.session.desk.open_orders() == []


async def test_order_ids_and_perm_ids_go_on_from_where_they_were(desktop, restarted):
    ib = await desktop.connect()
    last = await placed(desktop, ib, MarketOrder("BUY", 10))
    again = await restarted(desktop)
    ib = await again.connect()
    assert ib.client.getReqId() > last.order.orderId
    following = await placed(again, ib, LimitOrder("BUY", 10, 95.0))
    assert following.order.permId == last.order.permId + 1


async def test_a_family_and_its_group_stay_together(desktop, restarted):
    ib = await desktop.connect()
    for order in ib.bracketOrder("BUY", 100, 100.05, 102.0, 98.5):
        ib.placeOrder(desktop.spy, order)
    await desktop.heard(ib)
    again = await restarted(desktop)
    ib = await again.connect()
    statuses = {trade.order.orderType: status(trade) for trade in ib.openTrades()}
    assert statuses == {"LMT": ("Submitted", ""), "STP": ("PreSubmitted", "trigger")}
    desk, session = again.gateway.session.desk, again.gateway.session
    desk.on_trade(0, 102.5, 1e4, at=session.now(), regular=True)
    assert desk.open_orders() == []
    assert again.gateway.ledger.executions[0].price == 102.0


async def test_a_partly_filled_order_fills_only_its_rest(desktop, restarted):
    ib = await desktop.connect()
    trade = await placed(desktop, ib, LimitOrder("BUY", 10, 95.0))
    desktop.gateway.session.desk.fill(trade.order.permId, 4, 95.0)
    again = await restarted(desktop)
    desk = again.gateway.session.desk
    desk.on_trade(0, 94.0, 1e4, at=again.gateway.session.now(), regular=True)
    (order,) = desk.orders.values()
    assert (order.filled, order.status, order.fills) == (10, "Filled", 2)
    assert [done.quantity for done in again.gateway.ledger.executions] == [6]


async def test_a_trailing_stop_stands_where_it_stood(desktop, restarted):
    ib = await desktop.connect()
    await placed(desktop, ib, an_order("TRAIL", "SELL", auxPrice=1.5, trailStopPrice=99.0, tif="GTC"))
    again = await restarted(desktop)
    (order,) = again.gateway.session.desk.open_orders()
    assert order.stop_price == 99.0
    assert again.gateway.session.desk.matcher.order(order.perm_id).trail_amount == 1.5


async def test_a_date_still_ends_its_order(desktop, restarted):
    ib = await desktop.connect()
    ends = "20131008 09:30:22 US/Eastern"
    await placed(desktop, ib, an_order("LMT", lmtPrice=95.0, tif="GTD", goodTillDate=ends))
    again = await restarted(desktop)
    assert len(again.gateway.session.desk.open_orders()) == 1
    await again.play(4)
    assert again.gateway.session.desk.open_orders() == []
    assert again.gateway.ledger.records[-1].at == OPENS_AT + 22


async def test_shares_are_still_sought_for_a_short_sale(desktop, restarted):
    ib = await desktop.connect()
    desktop.gateway.session.desk.locates.available[756733] = 0
    await placed(desktop, ib, MarketOrder("SELL", 10))
    again = await restarted(desktop)
    await again.play()
    assert again.gateway.ledger.quantity("SPY") == -10


async def test_what_was_not_transmitted_is_gone(desktop, restarted):
    ib = await desktop.connect()
    parent = LimitOrder("BUY", 10, 95.0, orderId=ib.client.getReqId(), transmit=False)
    await placed(desktop, ib, parent)
    await placed(desktop, ib, StopOrder("SELL", 10, 90.0, parentId=parent.orderId, transmit=False))
    again = await restarted(desktop)
    assert again.gateway.session.desk.orders == {}


async def test_completed_orders_are_still_known(desktop, restarted):
    ib = await desktop.connect()
    trade = await placed(desktop, ib, MarketOrder("BUY", 10))
    rejected = await placed(desktop, ib, LimitOrder("BUY", 10, 0.0))
    again = await restarted(desktop)
    ib = await again.connect()
    done = {one.order.permId: one.orderStatus.status for one in await ib.reqCompletedOrdersAsync(apiOnly=False)}
    assert done == {trade.order.permId: "Filled", rejected.order.permId: "Inactive"}
