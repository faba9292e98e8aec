"""Who sees and owns which orders: client ids, client 0, orders entered by hand (TWS.md 3.15, 3.16; fault 38)."""

from ib_insync import LimitOrder
from msgspec.structs import replace

from tests.brokers.simulated.gateway.orders.wire import codes, placed, recorded


def by_hand(desktop, *, limit_price=95.0, quantity=7):
    return desktop.gateway.session.desk.manual_order("SPY", "BUY", quantity, limit_price=limit_price)


async def test_reqopenorders_shows_a_client_only_its_own(desktop):
    one, two = await desktop.connect(1), await desktop.connect(2)
    await placed(desktop, one, LimitOrder("BUY", 10, 95.0))
    assert len(await one.reqOpenOrdersAsync()) == 1
    assert await two.reqOpenOrdersAsync() == []
    assert len(await two.reqAllOpenOrdersAsync()) == 1


async def test_a_manual_order_has_order_id_zero_and_is_seen_by_asking_for_all(desktop):
    ib = await desktop.connect()
    by_hand(desktop)
    (trade,) = await ib.reqAllOpenOrdersAsync()
    assert (trade.order.orderId, trade.order.clientId, trade.order.totalQuantity) == (0, 0, 7)
    assert await ib.reqOpenOrdersAsync() == []


async def test_client_0_binds_manual_orders_to_negative_ids_and_may_cancel_them(desktop):
    ib = await desktop.connect(0)
    order = by_hand(desktop)
    await desktop.heard(ib)
    assert order.order_id < 0
    (trade,) = await ib.reqOpenOrdersAsync()
    assert trade.order.orderId == order.order_id
    ib.client.cancelOrder(order.order_id)
    await desktop.heard(ib)
    assert desktop.gateway.session.desk.open_orders() == []


async def test_binding_is_told_as_order_bound(desktop):
    ib = await desktop.connect(0)
    said = recorded(desktop, 0)
    by_hand(desktop)
    await desktop.heard(ib)
    assert [name for name, _ in said] == ["orderBound", "openOrder", "orderStatus"]


async def test_client_0_without_auto_binding_binds_by_asking_for_open_orders(desktop):
    ib = await desktop.connect(0)
    ib.reqAutoOpenOrders(False)
    await desktop.heard(ib)
    order = by_hand(desktop)
    assert order.order_id == 0
    await ib.reqOpenOrdersAsync()
    assert order.order_id < 0


async def test_another_client_may_not_bind(desktop):
    ib = await desktop.connect(3)
    order = by_hand(desktop)
    ib.reqAutoOpenOrders(True)
    await ib.reqOpenOrdersAsync()
    assert 321 in [code for _, code, _ in ib.errors]
    assert order.order_id == 0


async def test_the_fill_of_a_manual_order_moves_the_position_that_everybody_sees(desktop):
    ib = await desktop.connect(1)
    by_hand(desktop, limit_price=None)
    await desktop.play()
    assert [(held.contract.symbol, held.position) for held in await ib.reqPositionsAsync()] == [("SPY", 7)]
    assert ib.openTrades() == []


async def test_completed_orders_carry_a_perm_id_and_no_order_id(desktop):
    ib = await desktop.connect()
    trade = await placed(desktop, ib, LimitOrder("BUY", 10, 100.05))
    (done,) = await ib.reqCompletedOrdersAsync(apiOnly=False)
    assert (done.order.permId, done.order.orderId) == (trade.order.permId, 0)


async def test_completed_orders_are_todays_and_without_the_manual_ones_if_so_asked(desktop):
    ib = await desktop.connect()
    by_hand(desktop, limit_price=None)
    assert len(await ib.reqCompletedOrdersAsync(apiOnly=False)) == 1
    assert await ib.reqCompletedOrdersAsync(apiOnly=True) == []
    desk, now = desktop.gateway.session.desk, desktop.gateway.session.now()
    assert len(desk.completed_orders(at=now + 13 * 3600)) == 1  # 23:30 in New York
    assert desk.completed_orders(at=now + 15 * 3600) == []


async def test_each_client_has_its_own_series_of_ids(desktop):
    one, two = await desktop.connect(1), await desktop.connect(2)
    first = await placed(desktop, one, LimitOrder("BUY", 10, 95.0))
    second = await placed(desktop, two, LimitOrder("BUY", 10, 95.0, orderId=first.order.orderId))
    assert codes(two, second.order.orderId) == []
    assert first.order.permId != second.order.permId
    assert len(desktop.gateway.session.desk.open_orders()) == 2


async def test_in_read_only_mode_nothing_is_bound(desktop):
    desk = desktop.gateway.session.desk
    desk.settings = replace(desk.settings, read_only=True)
    ib = await desktop.connect(0)
    await desktop.heard(ib)
    order = by_hand(desktop)
    await ib.reqOpenOrdersAsync()
    assert (order.order_id, desk.auto_bind) == (0, False)
    assert 321 in [code for _, code, _ in ib.errors]
