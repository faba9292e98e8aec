"""Changing a live order (TWS.md 3.6, 3.7; fault 30)."""

import pytest
from ib_insync import LimitOrder, MarketOrder, Order

from tests.brokers.simulated.gateway.orders.wire import an_order, codes, placed, recorded, status
from tests.brokers.simulated.gateway.scripted_market import a_bar


async def test_an_accepted_change_shows_submitted_presubmitted_submitted(desktop):
    ib = await desktop.connect()
    order = LimitOrder("BUY", 10, 95.0)
    await placed(desktop, ib, order)
    said = recorded(desktop)
    order.lmtPrice = 96.0
    await placed(desktop, ib, order)
    statuses = [status for name, status in said if name == "orderStatus"]
    assert statuses == ["Submitted", "PreSubmitted", "Submitted"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"action": "SELL"}, 105),
        ({"orderType": "MKT"}, 329),
        ({"lmtPrice": 95.001}, 110),
        ({"ocaGroup": "another", "ocaType": 1}, 10326),
        ({"parentId": 4711}, 10341),
        ({"account": "DU1"}, 321),
        ({"tif": "IOC"}, 105),
    ],
)
async def test_a_refused_change_leaves_the_order_working(desktop, changed, code):
    ib = await desktop.connect()
    trade = await placed(desktop, ib, LimitOrder("BUY", 10, 95.0))
    wanted = Order(**{"action": "BUY", "totalQuantity": 10, "orderType": "LMT", "lmtPrice": 95.0} | changed)
    ib.client.placeOrder(trade.order.orderId, desktop.spy, wanted)
    await desktop.heard(ib)
    assert codes(ib, trade.order.orderId) == [code]
    (live,) = desktop.gateway.session.desk.open_orders()
    assert (live.limit_price, live.status, live.request.side) == (95.0, "Submitted", "BUY")


async def test_the_type_of_a_group_may_not_change(desktop):
    ib = await desktop.connect()
    trade = await placed(desktop, ib, LimitOrder("BUY", 10, 95.0, ocaGroup="one", ocaType=1))
    wanted = LimitOrder("BUY", 10, 95.0, ocaGroup="one", ocaType=2)
    ib.client.placeOrder(trade.order.orderId, desktop.spy, wanted)
    await desktop.heard(ib)
    assert codes(ib, trade.order.orderId) == [10327]


async def test_day_becomes_good_till_cancelled_and_outlives_the_session(desktop):
    ib = await desktop.connect()
    order = LimitOrder("BUY", 10, 95.0, tif="DAY")
    await placed(desktop, ib, order)
    order.tif = "GTC"
    await placed(desktop, ib, order)
    desk = desktop.gateway.session.desk
    desk.close_session(at=desktop.gateway.session.now())
    assert [order.request.tif for order in desk.open_orders()] == ["GTC"]


async def test_the_quantity_may_not_fall_below_what_is_filled(desktop_with):
    desktop = await desktop_with([a_bar(100, 100, 100, 100, 40, spread=4)] * 3)
    ib = await desktop.connect()
    order = LimitOrder("BUY", 60, 100.5)
    trade = await placed(desktop, ib, order)
    await desktop.play()
    filled = int(trade.filled())
    assert 0 < filled < 60
    order.totalQuantity = filled
    await placed(desktop, ib, order)
    assert codes(ib, order.orderId)[-1] == 321


@pytest.mark.parametrize("code", [104, 105, 110, 135, 329])
async def test_the_broker_may_refuse_a_sound_change_and_the_order_works_on(desktop, code):
    ib = await desktop.connect()
    order = LimitOrder("BUY", 10, 95.0)
    await placed(desktop, ib, order)
    desktop.gateway.session.desk.conduct.modify_refusal = code
    order.lmtPrice = 100.05
    await placed(desktop, ib, order)
    assert codes(ib, order.orderId) == [code]
    assert desktop.gateway.ledger.quantity("SPY") == 0
    (live,) = desktop.gateway.session.desk.open_orders()
    assert live.limit_price == 95.0


async def test_a_change_may_leave_two_live_orders_and_one_cancel_ends_both(desktop):
    ib = await desktop.connect()
    order = LimitOrder("BUY", 10, 95.0)
    await placed(desktop, ib, order)
    desktop.gateway.session.desk.conduct.modify_forks = True
    order.lmtPrice = 96.0
    await placed(desktop, ib, order)
    live = desktop.gateway.session.desk.open_orders()
    assert [one.limit_price for one in live] == [95.0, 96.0]
    assert len({one.perm_id for one in live}) == 2
    assert {one.order_id for one in live} == {order.orderId}
    ib.client.cancelOrder(order.orderId)
    await desktop.heard(ib)
    assert desktop.gateway.session.desk.open_orders() == []


async def test_a_filled_order_is_not_changed(desktop):
    ib = await desktop.connect()
    order = MarketOrder("BUY", 10)
    trade = await placed(desktop, ib, order)
    assert status(trade) == ("Filled", "")
    ib.client.placeOrder(order.orderId, desktop.spy, MarketOrder("BUY", 20))
    await desktop.heard(ib)
    assert codes(ib, order.orderId) == [103]
    assert desktop.gateway.ledger.quantity("SPY") == 10


async def test_an_order_changes_before_it_is_transmitted_and_nobody_hears_of_it(desktop):
    ib = await desktop.connect()
    order = LimitOrder("BUY", 10, 95.0, transmit=False)
    await placed(desktop, ib, order)
    said = recorded(desktop)
    order.lmtPrice = 96.0
    await placed(desktop, ib, order)
    assert (said, desktop.gateway.ledger.records) == ([], [])
    order.transmit = True
    await placed(desktop, ib, order)
    assert [one.limit_price for one in desktop.gateway.session.desk.open_orders()] == [96.0]


async def test_a_held_short_sale_changes_and_is_still_held(desktop):
    ib = await desktop.connect()
    desktop.gateway.session.desk.locates.available[756733] = 0
    order = LimitOrder("SELL", 10, 99.0)
    trade = await placed(desktop, ib, order)
    order.lmtPrice = 98.0
    await placed(desktop, ib, order)
    assert (status(trade), trade.filled()) == (("Inactive", "locate"), 0)
    assert [one.limit_price for one in desktop.gateway.session.desk.open_orders()] == [98.0]


async def test_an_order_does_not_move_to_another_account(desktop_with):
    desktop = await desktop_with(accounts=("DU0000001", "DU0000002"))
    ib = await desktop.connect()
    order = LimitOrder("BUY", 10, 95.0, account="DU0000001")
    await placed(desktop, ib, order)
    order.account = "DU0000002"
    await placed(desktop, ib, order)
    assert codes(ib, order.orderId)[-1] == 422


async def test_a_trailing_stop_gets_another_distance(desktop):
    ib = await desktop.connect()
    order = an_order("TRAIL", "SELL", auxPrice=2.0, trailStopPrice=97.0)
    trade = await placed(desktop, ib, order)
    order.auxPrice = 3.0
    await placed(desktop, ib, order)
    assert desktop.gateway.session.desk.matcher.order(trade.order.permId).trail_amount == 3.0
    assert codes(ib, order.orderId) == []


async def test_a_change_meets_the_live_one_of_two_orders_with_the_same_id(desktop):
    ib = await desktop.connect()
    order = LimitOrder("BUY", 10, 95.0)
    await placed(desktop, ib, order)
    desk = desktop.gateway.session.desk
    (first,) = desk.open_orders()
    desk.fill(desk.duplicate_live(first.perm_id).perm_id, 10, 95.0)
    order.lmtPrice = 96.0
    await placed(desktop, ib, order)
    assert [(one.perm_id, one.limit_price) for one in desk.open_orders()] == [(first.perm_id, 96.0)]
