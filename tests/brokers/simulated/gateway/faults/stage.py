"""What the tests of faults share: time that passes, clients that come again, what a client was told."""

import asyncio

from ib_insync import LimitOrder, MarketOrder, StopOrder

SPY = (756733, "SPY", "STK", "", 0, "", "", "SMART", "", "USD", "", "")
"""The contract as requests have it."""


async def gone(ib):
    """Return when the library has noticed that its connection has ended."""
    if ib.isConnected():
        await asyncio.wait_for(ib.disconnectedEvent, 5)


async def placed(desktop, ib, order):
    trade = ib.placeOrder(desktop.spy, order)
    await desktop.heard(ib)
    return trade


async def bought(desktop, ib, quantity=10):
    """A market order and its trade; it has filled unless a fault has it otherwise."""
    return await placed(desktop, ib, MarketOrder("BUY", quantity))


async def resting(desktop, ib, quantity=10, price=95.0, side="BUY"):
    return await placed(desktop, ib, LimitOrder(side, quantity, price))


async def a_bracket(desktop, ib, quantity=10, *, entry=None):
    """Entry, target at 105 and stop at 95; the entry is at the market unless it has a price."""
    parent = LimitOrder("BUY", quantity, entry) if entry else MarketOrder("BUY", quantity)
    parent.orderId, parent.transmit = ib.client.getReqId(), False
    target = LimitOrder("SELL", quantity, 105.0, orderId=ib.client.getReqId(), parentId=parent.orderId, transmit=False)
    stop = StopOrder("SELL", quantity, 95.0, orderId=ib.client.getReqId(), parentId=parent.orderId)
    trades = [ib.placeOrder(desktop.spy, order) for order in (parent, target, stop)]
    await desktop.heard(ib)
    return trades


def codes(ib, order_id=None):
    """The error codes told, about an order or a request, or all of them."""
    return [code for about, code, _ in ib.errors if order_id in {None, about}]


def status(trade):
    return trade.orderStatus.status


def statuses(trade):
    """Every status the library has gone through, without repetitions."""
    seen = [entry.status for entry in trade.log if entry.status]
    return [one for at, one in enumerate(seen) if at == 0 or seen[at - 1] != one]


def happened(desktop):
    """Names in the log of faults, in order."""
    return [entry.name for entry in desktop.gateway.faults.log if entry.rule]
