"""A short sale waits for shares to borrow: Inactive, whyHeld locate, 404 (TWS.md 3.8; fault 33)."""

from ib_insync import MarketOrder

from tests.brokers.simulated.gateway.orders.wire import codes, placed, status

SPY = 756733


def available(desktop, shares):
    desktop.gateway.session.desk.locates.available[SPY] = shares


async def test_without_shares_to_borrow_a_short_sale_is_held_and_not_filled(desktop):
    ib = await desktop.connect()
    available(desktop, 0)
    trade = await placed(desktop, ib, MarketOrder("SELL", 10))
    await desktop.play(2)
    assert status(trade) == ("Inactive", "locate")
    assert codes(ib, trade.order.orderId) == [404]
    assert desktop.gateway.ledger.quantity("SPY") == 0


async def test_when_shares_are_found_the_order_works(desktop):
    ib = await desktop.connect()
    available(desktop, 0)
    trade = await placed(desktop, ib, MarketOrder("SELL", 10))
    available(desktop, 10)
    await desktop.play(13)
    assert status(trade) == ("Filled", "")
    assert desktop.gateway.ledger.quantity("SPY") == -10
    assert desktop.gateway.session.desk.locates.available[SPY] == 0


async def test_shares_are_sought_again_and_again(desktop):
    ib = await desktop.connect()
    available(desktop, 9)
    trade = await placed(desktop, ib, MarketOrder("SELL", 10))
    await desktop.play(14)
    assert status(trade) == ("Inactive", "locate")
    available(desktop, 10)
    await desktop.play(12)
    assert status(trade) == ("Filled", "")


async def test_selling_what_is_held_needs_no_locate(desktop):
    ib = await desktop.connect()
    available(desktop, 0)
    await placed(desktop, ib, MarketOrder("BUY", 10))
    trade = await placed(desktop, ib, MarketOrder("SELL", 10))
    assert status(trade) == ("Filled", "")


async def test_a_cancelled_short_sale_does_not_fill_when_shares_come(desktop):
    ib = await desktop.connect()
    available(desktop, 0)
    trade = await placed(desktop, ib, MarketOrder("SELL", 10))
    ib.client.cancelOrder(trade.order.orderId)
    await desktop.heard(ib)
    available(desktop, 1000)
    await desktop.play(13)
    assert status(trade) == ("Cancelled", "")
    assert desktop.gateway.ledger.executions == []


async def test_the_children_of_a_held_short_sale_wait_with_it(desktop):
    ib = await desktop.connect()
    available(desktop, 0)
    trades = [ib.placeOrder(desktop.spy, order) for order in ib.bracketOrder("SELL", 10, 99.9, 98.0, 102.0)]
    await desktop.heard(ib)
    assert status(trades[0]) == ("Inactive", "locate")
    available(desktop, 10)
    await desktop.play(13)
    assert [status(trade) for trade in trades] == [("Filled", ""), ("Submitted", ""), ("PreSubmitted", "trigger")]


async def test_the_children_of_a_purchase_need_no_shares_to_borrow(desktop):
    ib = await desktop.connect()
    available(desktop, 0)
    trades = [ib.placeOrder(desktop.spy, order) for order in ib.bracketOrder("BUY", 10, 95.0, 102.0, 90.0)]
    await desktop.heard(ib)
    assert [status(trade) for trade in trades] == [("Submitted", "")] + [("PreSubmitted", "child")] * 2
