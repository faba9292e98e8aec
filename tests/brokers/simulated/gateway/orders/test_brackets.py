"""Families: transmission, statuses, what a lost leg leaves behind (TWS.md 3.3 to 3.5, 3.11, fault 28)."""

import pytest
from ib_insync import LimitOrder, StopOrder

from tests.brokers.simulated.gateway.orders.wire import codes, placed, status


async def a_bracket(desktop, ib, *, entry=100.05):
    bracket = ib.bracketOrder("BUY", 100, entry, 102.0, 98.5)
    trades = [ib.placeOrder(desktop.spy, order) for order in bracket]
    await desktop.heard(ib)
    return trades


async def test_children_share_the_parents_perm_id_as_their_group_of_type_three(desktop):
    ib = await desktop.connect()
    entry, target, stop = await a_bracket(desktop, ib, entry=95.0)
    parent = str(entry.order.permId)
    told = {trade.order.orderId: trade.order for trade in await (await desktop.connect(2)).reqAllOpenOrdersAsync()}
    legs = [order for order in told.values() if order.parentId]
    assert [(leg.ocaGroup, leg.ocaType) for leg in legs] == [(parent, 3)] * 2
    assert [status(leg) for leg in (target, stop)] == [("PreSubmitted", "child")] * 2


async def test_a_lost_stop_leg_gets_110_and_its_family_trades_without_it(desktop):
    ib = await desktop.connect()
    desktop.gateway.session.desk.conduct.lose_leg = "stop"
    entry, target, stop = await a_bracket(desktop, ib)
    assert codes(ib, stop.order.orderId) == [110]
    assert status(stop) == ("PendingSubmit", "")
    assert (status(entry)[0], status(target)[0]) == ("Filled", "Submitted")
    assert desktop.gateway.ledger.quantity("SPY") == 100
    assert [order.request.order_type for order in desktop.gateway.session.desk.open_orders()] == ["LMT"]


async def test_a_lost_parent_leaves_its_children_without_one(desktop):
    ib = await desktop.connect()
    desktop.gateway.session.desk.conduct.lose_leg = "parent"
    entry, target, stop = await a_bracket(desktop, ib)
    assert [codes(ib, trade.order.orderId) for trade in (entry, target, stop)] == [[110], [10006], [10006]]
    assert desktop.gateway.session.desk.open_orders() == []


async def test_only_one_leg_is_lost(desktop):
    ib = await desktop.connect()
    desktop.gateway.session.desk.conduct.lose_leg = "limit"
    first = await a_bracket(desktop, ib, entry=95.0)
    second = await a_bracket(desktop, ib, entry=95.0)
    assert [len(codes(ib, trade.order.orderId)) for trade in first + second] == [0, 1, 0, 0, 0, 0]


async def test_110_on_a_new_order_is_an_error_only_and_the_order_does_not_exist(desktop):
    ib = await desktop.connect()
    trade = await placed(desktop, ib, LimitOrder("BUY", 10, 95.001))
    assert codes(ib, trade.order.orderId) == [110]
    assert status(trade) == ("PendingSubmit", "")
    assert trade.order.permId == 0
    assert desktop.gateway.ledger.records == []


async def test_a_family_whose_last_leg_is_faulty_is_not_transmitted(desktop):
    ib = await desktop.connect()
    parent = LimitOrder("BUY", 10, 100.05, orderId=ib.client.getReqId(), transmit=False)
    await placed(desktop, ib, parent)
    stop = await placed(desktop, ib, StopOrder("SELL", 10, 90.001, parentId=parent.orderId))
    assert codes(ib, stop.order.orderId) == [110]
    assert desktop.gateway.session.desk.open_orders() == []
    assert desktop.gateway.ledger.records == []


async def test_a_child_of_a_rejected_parent_misses_it(desktop):
    ib = await desktop.connect()
    parent = await placed(desktop, ib, LimitOrder("BUY", 10, 0.0))
    child = await placed(desktop, ib, StopOrder("SELL", 10, 90.0, parentId=parent.order.orderId))
    assert codes(ib, child.order.orderId) == [10006]


@pytest.mark.parametrize("oca_type", [1, 2, 3])
async def test_the_type_of_a_named_group_is_shown_as_sent(desktop, oca_type):
    ib = await desktop.connect()
    await placed(desktop, ib, LimitOrder("BUY", 10, 90.0, ocaGroup="one", ocaType=oca_type))
    (trade,) = await (await desktop.connect(2)).reqAllOpenOrdersAsync()
    assert (trade.order.ocaGroup, trade.order.ocaType) == ("one", oca_type)


async def test_a_group_that_reduces_shows_the_smaller_quantity(desktop):
    ib = await desktop.connect()
    far = await placed(desktop, ib, LimitOrder("BUY", 30, 90.0, ocaGroup="one", ocaType=2))
    await placed(desktop, ib, LimitOrder("BUY", 10, 100.02, ocaGroup="one", ocaType=2))
    assert (far.order.totalQuantity, status(far)) == (20, ("Submitted", ""))
    assert [getattr(record, "change", "") for record in desktop.gateway.ledger.records][-1] == "reduced"


async def test_a_filled_group_takes_no_more(desktop):
    ib = await desktop.connect()
    await placed(desktop, ib, LimitOrder("BUY", 10, 100.02, ocaGroup="one", ocaType=1))
    late = await placed(desktop, ib, LimitOrder("BUY", 10, 100.02, ocaGroup="one", ocaType=1))
    assert codes(ib, late.order.orderId) == [201]
    assert late.orderStatus.status == "Inactive"


async def test_before_the_open_only_the_parent_is_told_when_it_will_be_placed(desktop_with):
    desktop = await desktop_with()
    ib = await desktop.connect()
    trades = await a_bracket(desktop, ib)
    assert [codes(ib, trade.order.orderId) for trade in trades] == [[399], [], []]
