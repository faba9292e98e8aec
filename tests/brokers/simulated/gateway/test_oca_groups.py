"""A group of orders of which one has done the work takes no more."""

from ib_insync import LimitOrder, MarketOrder


async def test_an_order_that_comes_late_into_a_filled_group_is_rejected_and_never_fills(desktop):
    ib = await desktop.connect()
    ib.placeOrder(desktop.spy, LimitOrder("BUY", 10, 90.0, ocaGroup="one", ocaType=2))
    ib.placeOrder(desktop.spy, LimitOrder("BUY", 10, 100.02, ocaGroup="one", ocaType=2))
    await desktop.heard(ib)

    late = ib.placeOrder(desktop.spy, MarketOrder("BUY", 10, ocaGroup="one", ocaType=2))
    await desktop.heard(ib)

    assert late.orderStatus.status == "Inactive"
    assert (late.order.orderId, 201) in [error[:2] for error in ib.errors]
    assert desktop.gateway.ledger.quantity("SPY") == 10


async def test_a_group_of_which_a_member_still_works_takes_another(desktop):
    ib = await desktop.connect()
    ib.placeOrder(desktop.spy, LimitOrder("BUY", 30, 90.0, ocaGroup="one", ocaType=2))
    ib.placeOrder(desktop.spy, LimitOrder("BUY", 10, 100.02, ocaGroup="one", ocaType=2))
    await desktop.heard(ib)

    another = ib.placeOrder(desktop.spy, LimitOrder("BUY", 10, 89.0, ocaGroup="one", ocaType=2))
    await desktop.heard(ib)

    assert another.orderStatus.status == "Submitted"
