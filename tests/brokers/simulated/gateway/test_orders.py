import asyncio

import pytest
from ib_insync import LimitOrder, MarketOrder, Order, StopLimitOrder, StopOrder

from tests.brokers.simulated.gateway.scripted_market import a_bar, flat

FALLS_TO_98 = a_bar(100.0, 100.0, 98.0, 98.0)
RISES_TO_103 = a_bar(100.0, 103.0, 100.0, 103.0)


async def a_bracket(desktop, ib, *, entry=100.05, target=102.0, stop=98.5, quantity=100):
    """Entry, target and stop as ib_insync builds them, sent as a unit."""
    bracket = ib.bracketOrder("BUY", quantity, entry, target, stop, tif="GTC", outsideRth=False)
    for leg, order in zip("ETS", bracket, strict=True):
        order.orderRef = f"OB1:test:20131008:SPY-1:{leg}"
    trades = [ib.placeOrder(desktop.spy, order) for order in bracket]
    await desktop.heard(ib)
    return trades


def status(trade):
    return trade.orderStatus.status, trade.orderStatus.whyHeld


async def test_a_bracket_is_invisible_until_its_last_leg_is_transmitted(desktop):
    ib = await desktop.connect()
    parent = LimitOrder("BUY", 100, 90.0, orderId=ib.client.getReqId(), transmit=False)
    child = StopOrder("SELL", 100, 85.0, orderId=ib.client.getReqId(), parentId=parent.orderId, transmit=True)

    first = ib.placeOrder(desktop.spy, parent)
    await desktop.heard(ib)
    assert status(first) == ("PendingSubmit", "")
    assert desktop.gateway.ledger.orders == []

    second = ib.placeOrder(desktop.spy, child)
    await desktop.heard(ib)
    assert status(first) == ("Submitted", "")
    assert status(second) == ("PreSubmitted", "child")
    assert [order.order_id for order in desktop.gateway.ledger.orders] == [parent.orderId, child.orderId]


async def test_when_the_parent_fills_its_target_works_and_its_stop_waits_for_the_trigger(desktop):
    ib = await desktop.connect()

    entry, target, stop = await a_bracket(desktop, ib)

    assert status(entry) == ("Filled", "")
    assert entry.orderStatus.avgFillPrice == 100.01
    assert status(target) == ("Submitted", "")
    assert status(stop) == ("PreSubmitted", "trigger")
    assert target.order.permId != stop.order.permId
    groups = {order.order_ref: order.oca_group for order in desktop.gateway.ledger.orders}
    parent = str(entry.order.permId)
    assert groups["OB1:test:20131008:SPY-1:T"] == groups["OB1:test:20131008:SPY-1:S"] == parent


async def test_when_the_stop_of_a_bracket_fills_its_target_is_cancelled(desktop_with):
    desktop = await desktop_with([flat(100.0), FALLS_TO_98, flat(98.0)])
    ib = await desktop.connect()
    await desktop.play()
    entry, target, stop = await a_bracket(desktop, ib)

    await desktop.play(2)

    assert status(stop) == ("Filled", "")
    assert stop.orderStatus.avgFillPrice <= 98.5
    assert status(target) == ("Cancelled", "")
    assert (target.order.orderId, 202) in [error[:2] for error in ib.errors]
    assert desktop.gateway.ledger.quantity("SPY") == 0
    assert entry.fills[0].commissionReport.realizedPNL == 0  # ib_insync's reading of the unset double


async def test_when_the_target_of_a_bracket_fills_its_stop_is_cancelled(desktop_with):
    desktop = await desktop_with([flat(100.0), RISES_TO_103, flat(103.0)])
    ib = await desktop.connect()
    await desktop.play()
    _, target, stop = await a_bracket(desktop, ib)

    await desktop.play(2)

    assert status(target) == ("Filled", "")
    assert target.orderStatus.avgFillPrice == 102.0
    assert status(stop) == ("Cancelled", "")
    assert target.fills[0].commissionReport.realizedPNL == pytest.approx(100 * 1.99 - 1 - 1)


async def test_a_large_order_fills_in_parts_and_each_part_is_an_execution(desktop_with):
    desktop = await desktop_with([a_bar(100, 100, 100, 100, 40, spread=4)] * 2)
    ib = await desktop.connect()
    trade = ib.placeOrder(desktop.spy, LimitOrder("BUY", 60, 100.5))
    await desktop.heard(ib)

    await desktop.play(2)

    assert [fill.execution.shares for fill in trade.fills] == [10.0] * 6
    assert trade.orderStatus.avgFillPrice == 100.5
    assert len({fill.execution.execId for fill in trade.fills}) == 6
    assert sum(fill.commissionReport.commission for fill in trade.fills) == pytest.approx(1.0)
    assert trade.fills[-1].execution.cumQty == 60


async def test_the_first_fill_of_an_oca_group_cancels_the_others(desktop):
    ib = await desktop.connect()
    far = ib.placeOrder(desktop.spy, LimitOrder("BUY", 10, 90.0, ocaGroup="one", ocaType=1))
    near = ib.placeOrder(desktop.spy, LimitOrder("BUY", 10, 100.02, ocaGroup="one", ocaType=1))
    await desktop.heard(ib)

    assert status(near) == ("Filled", "")
    assert status(far) == ("Cancelled", "")


async def test_the_same_order_id_changes_a_live_order(desktop):
    ib = await desktop.connect()
    order = LimitOrder("BUY", 10, 95.0)
    trade = ib.placeOrder(desktop.spy, order)
    await desktop.heard(ib)

    order.lmtPrice, order.totalQuantity = 100.05, 20
    ib.placeOrder(desktop.spy, order)
    await desktop.heard(ib)

    assert status(trade) == ("Filled", "")
    assert trade.filled() == 20
    assert len(desktop.gateway.ledger.orders) == 1


async def test_a_stop_may_be_moved_without_naming_its_parent_again(desktop):
    ib = await desktop.connect()
    _, _, stop = await a_bracket(desktop, ib)
    moved = StopOrder("SELL", 100, 99.0, orderId=stop.order.orderId, tif="GTC")
    ib.client.placeOrder(moved.orderId, desktop.spy, moved)
    await desktop.heard(ib)
    open_trades = {trade.order.orderId: trade for trade in await ib.reqOpenOrdersAsync()}
    assert open_trades[moved.orderId].order.auxPrice == 99.0
    assert ib.errors[-1][0] != moved.orderId


async def test_a_refused_change_leaves_the_order_as_it_was(desktop):
    ib = await desktop.connect()
    order = LimitOrder("BUY", 10, 95.0)
    ib.placeOrder(desktop.spy, order)
    await desktop.heard(ib)

    order.lmtPrice = 95.005
    ib.placeOrder(desktop.spy, order)
    await desktop.heard(ib)
    open_trades = await ib.reqAllOpenOrdersAsync()

    assert ib.errors[-1][:2] == (order.orderId, 110)
    assert [(trade.order.lmtPrice, trade.orderStatus.status) for trade in open_trades] == [(95.0, "Submitted")]


async def test_a_cancelled_order_gets_its_status_and_then_202(desktop):
    ib = await desktop.connect()
    trade = ib.placeOrder(desktop.spy, LimitOrder("BUY", 10, 95.0))
    await desktop.heard(ib)
    ib.cancelOrder(trade.order)
    await desktop.heard(ib)

    assert status(trade) == ("Cancelled", "")
    assert ib.errors[-1] == (trade.order.orderId, 202, "Order Canceled - reason:")
    ended = desktop.gateway.ledger.records[-1]
    assert (ended.status, ended.order_id) == ("Cancelled", trade.order.orderId)


async def test_cancelling_the_parent_cancels_its_children(desktop):
    ib = await desktop.connect()
    trades = await a_bracket(desktop, ib, entry=95.0, target=99.0, stop=94.0)
    ib.cancelOrder(trades[0].order)
    await desktop.heard(ib)
    assert [status(trade) for trade in trades] == [("Cancelled", "")] * 3


async def test_what_cannot_be_cancelled_says_why(desktop):
    ib = await desktop.connect()
    filled = ib.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    await desktop.heard(ib)
    ib.client.cancelOrder(filled.order.orderId)
    ib.client.cancelOrder(4711)
    await desktop.heard(ib)
    assert [error[:2] for error in ib.errors[-2:]] == [(filled.order.orderId, 10148), (4711, 10147)]


async def test_a_global_cancel_reaches_every_clients_orders(desktop):
    one, two = await desktop.connect(1), await desktop.connect(2)
    trades = [ib.placeOrder(desktop.spy, LimitOrder("BUY", 10, 95.0)) for ib in (one, two)]
    await asyncio.gather(desktop.heard(one), desktop.heard(two))
    two.reqGlobalCancel()
    await asyncio.gather(desktop.heard(two), desktop.heard(one))
    await desktop.heard(one)
    assert [status(trade) for trade in trades] == [("Cancelled", "")] * 2


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (LimitOrder("BUY", 10, 99.995), 110),
        (StopOrder("SELL", 10, 90.001), 110),
        (LimitOrder("BUY", 0, 99.0), 434),
        (LimitOrder("BUY", -5, 99.0), 201),
        (LimitOrder("BUY", 1.5, 99.0), 10243),
        (Order(action="BUY", totalQuantity=10, orderType="LMT"), 201),
        (Order(action="SELL", totalQuantity=10, orderType="STP"), 201),
        (Order(action="SELL", totalQuantity=10, orderType="REL", auxPrice=1), 387),
        (Order(action="SELL", totalQuantity=10, orderType="TRAIL", auxPrice=1, trailStopPrice=-5), 201),
        (Order(action="SELL", totalQuantity=10, orderType="TRAIL", auxPrice=1, trailingPercent=-1), 159),
        (Order(action="SELL", totalQuantity=10, orderType="TRAIL", auxPrice=-1), 158),
        (Order(action="SELL", totalQuantity=10, orderType="TRAIL", auxPrice=float("inf")), 158),
        (Order(action="BUY", totalQuantity=10, orderType="LMT", lmtPrice=float("inf")), 201),
        (Order(action="BUY", totalQuantity=10, orderType="MKT", tif="AUC"), 10052),
        (Order(action="SSHORT", totalQuantity=10, orderType="MKT"), 321),
        (Order(action="BUY", totalQuantity=10, orderType="MKT", account="U1"), 321),
        (Order(action="BUY", totalQuantity=10, orderType="MKT", parentId=4711), 10006),
    ],
)
async def test_a_faulty_order_is_refused_with_its_code(desktop, order, code):
    ib = await desktop.connect()
    ib.placeOrder(desktop.spy, order)
    await desktop.heard(ib)
    assert code in [error[1] for error in ib.errors if error[0] == order.orderId]
    assert desktop.gateway.ledger.executions == []
    assert await ib.reqAllOpenOrdersAsync() == []
    order.orderId = order.permId = order.clientId = 0


async def test_a_rejected_order_is_inactive_and_stays_among_the_completed(desktop):
    ib = await desktop.connect()
    trade = ib.placeOrder(desktop.spy, Order(action="BUY", totalQuantity=10, orderType="LMT"))
    await desktop.heard(ib)
    assert trade.orderStatus.status == "Inactive"
    completed = await ib.reqCompletedOrdersAsync(False)
    assert [(done.orderStatus.status, done.order.permId) for done in completed] == [("Inactive", trade.order.permId)]


async def test_an_order_for_an_unknown_stock_gets_200(desktop):
    ib = await desktop.connect()
    unknown = desktop.spy.__class__("NOPE", "SMART", "USD")
    trade = ib.placeOrder(unknown, MarketOrder("BUY", 10))
    await desktop.heard(ib)
    assert ib.errors[-1][:2] == (trade.order.orderId, 200)


async def test_a_used_order_id_is_refused_with_103(desktop):
    ib = await desktop.connect()
    done = ib.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    await desktop.heard(ib)
    ib.client.placeOrder(done.order.orderId, desktop.spy, MarketOrder("BUY", 10))
    ib.client.placeOrder(done.order.orderId - 1, desktop.spy, MarketOrder("BUY", 10))
    await desktop.heard(ib)
    assert [error[:2] for error in ib.errors[-2:]] == [
        (done.order.orderId, 103),
        (done.order.orderId - 1, 103),
    ]
    assert desktop.gateway.ledger.quantity("SPY") == 10


async def test_a_stop_limit_rests_at_its_limit_after_the_trigger(desktop_with):
    desktop = await desktop_with([flat(100.0), RISES_TO_103, flat(103.0), a_bar(103, 103, 101, 101)])
    ib = await desktop.connect()
    await desktop.play()
    trade = ib.placeOrder(desktop.spy, StopLimitOrder("BUY", 10, 101.5, 101.0))
    await desktop.play()
    await desktop.play()
    assert status(trade) == ("Submitted", "")
    await desktop.play()
    assert (trade.orderStatus.status, trade.orderStatus.avgFillPrice) == ("Filled", 101.5)


async def test_an_order_before_the_open_is_held_with_399_and_fills_with_the_first_quote(desktop_with):
    desktop = await desktop_with()
    ib = await desktop.connect()
    trade = ib.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    await desktop.heard(ib)
    assert status(trade) == ("PreSubmitted", "")
    assert 399 in [error[1] for error in ib.errors]
    await desktop.play()
    assert status(trade) == ("Filled", "")


async def test_at_the_close_day_orders_end_and_the_gateway_goes_on_answering(desktop_with):
    desktop = await desktop_with([flat(100.0)] * 3)
    ib = await desktop.connect()
    await desktop.play()
    day = ib.placeOrder(desktop.spy, LimitOrder("BUY", 10, 95.0, tif="DAY"))
    lasting = ib.placeOrder(desktop.spy, LimitOrder("BUY", 10, 95.0, tif="GTC"))
    await desktop.heard(ib)
    await desktop.play(2)
    await asyncio.wait_for(desktop.gateway.closed.wait(), 5)
    await desktop.heard(ib)
    assert status(day) == ("Cancelled", "")
    assert lasting.orderStatus.status in {"PreSubmitted", "Submitted"}
    assert await ib.reqExecutionsAsync() == []


async def test_what_if_tells_margin_and_commission_and_leaves_no_order(desktop):
    ib = await desktop.connect()
    state = await asyncio.wait_for(ib.whatIfOrderAsync(desktop.spy, LimitOrder("BUY", 100, 100.0)), 5)
    assert (float(state.initMarginChange), state.commission) == (5000.0, 1.0)
    assert desktop.gateway.ledger.orders == []
