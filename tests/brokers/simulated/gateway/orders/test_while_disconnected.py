"""What clients ask while TWS is cut off from IB's servers (TWS.md 3.18; fault 40)."""

from ib_insync import LimitOrder, MarketOrder
from msgspec.structs import replace

from tests.brokers.simulated.gateway.orders.wire import codes, placed, status


async def test_an_order_sent_meanwhile_waits_and_appears_when_the_connection_is_back(desktop):
    ib = await desktop.connect()
    desktop.gateway.controls.lose_server()
    trade = await placed(desktop, ib, MarketOrder("BUY", 10))
    await desktop.play(5)
    assert status(trade) == ("PendingSubmit", "")
    desktop.gateway.controls.restore_server()
    await desktop.heard(ib)
    assert status(trade) == ("Filled", "")
    assert desktop.gateway.ledger.quantity("SPY") == 10


async def test_orders_and_cancels_go_in_the_sequence_in_which_they_were_sent(desktop):
    ib = await desktop.connect()
    desktop.gateway.controls.lose_server()
    first = await placed(desktop, ib, LimitOrder("BUY", 10, 95.0))
    ib.client.cancelOrder(first.order.orderId)
    second = await placed(desktop, ib, LimitOrder("BUY", 10, 94.0))
    desktop.gateway.controls.restore_server()
    await desktop.heard(ib)
    assert (status(first), status(second)) == (("Cancelled", ""), ("Submitted", ""))


async def test_without_resubmission_an_order_is_refused_at_once(desktop):
    ib = await desktop.connect()
    desk = desktop.gateway.session.desk
    desk.settings = replace(desk.settings, resubmit=False)
    desktop.gateway.controls.lose_server()
    trade = await placed(desktop, ib, MarketOrder("BUY", 10))
    desktop.gateway.controls.restore_server()
    await desktop.heard(ib)
    assert codes(ib, trade.order.orderId) == [201]
    assert desktop.gateway.ledger.quantity("SPY") == 0


async def test_a_global_cancel_waits_too(desktop):
    ib = await desktop.connect()
    trade = await placed(desktop, ib, LimitOrder("BUY", 10, 95.0))
    desktop.gateway.controls.lose_server()
    ib.reqGlobalCancel()
    await desktop.heard(ib)
    assert len(desktop.gateway.session.desk.open_orders()) == 1
    desktop.gateway.controls.restore_server()
    await desktop.heard(ib)
    assert status(trade) == ("Cancelled", "")
