"""What the broker does of itself (TWS.md 3.7, 3.9, 3.14, 3.20, 3.23; faults 11, 24, 27, 34, 35, 37, 39, 51)."""

import pytest
from ib_insync import LimitOrder, MarketOrder
from msgspec.structs import replace

from tests.brokers.simulated.gateway.orders.wire import codes, placed, sent_to, status

SPY = 756733


async def a_resting_order(desktop, ib, **more):
    return await placed(desktop, ib, LimitOrder("BUY", 10, 95.0, **more))


async def a_live_bracket(desktop, ib):
    """Entry filled, target and stop working."""
    trades = [ib.placeOrder(desktop.spy, order) for order in ib.bracketOrder("BUY", 100, 100.05, 102.0, 98.5)]
    await desktop.heard(ib)
    return trades


async def test_a_live_order_may_be_rejected_late(desktop):
    ib = await desktop.connect()
    trade = await a_resting_order(desktop, ib)
    desktop.gateway.session.desk.reject(trade.order.permId, 201, "Order rejected - reason:no margin")
    await desktop.heard(ib)
    assert trade.orderStatus.status == "Inactive"
    assert codes(ib, trade.order.orderId) == [201]
    assert desktop.gateway.session.desk.open_orders() == []
    assert desktop.gateway.ledger.records[-1].status == "Inactive"


async def test_a_cancel_by_the_broker_carries_its_reason(desktop):
    ib = await desktop.connect()
    trade = await a_resting_order(desktop, ib)
    texts = []
    ib.errorEvent += lambda req_id, code, text, contract: texts.append((code, text))
    desktop.gateway.session.desk.cancel_by_broker(trade.order.permId, "Outside of exchange hours")
    await desktop.heard(ib)
    assert status(trade) == ("Cancelled", "")
    assert texts == [(202, "Order Canceled - reason:Outside of exchange hours")]


async def test_both_legs_of_a_bracket_may_fill_and_flip_the_position(desktop):
    ib = await desktop.connect()
    entry, target, stop = await a_live_bracket(desktop, ib)
    desk = desktop.gateway.session.desk
    desk.fill(target.order.permId, 100, 102.0)
    desk.fill(stop.order.permId, 100, 98.5)
    await desktop.heard(ib)
    assert [trade.orderStatus.status for trade in (entry, target, stop)] == ["Filled"] * 3
    assert desktop.gateway.ledger.quantity("SPY") == -100


async def test_a_forced_part_leaves_the_rest_working(desktop):
    ib = await desktop.connect()
    trade = await a_resting_order(desktop, ib)
    desktop.gateway.session.desk.fill(trade.order.permId, 4, 95.0)
    await desktop.heard(ib)
    assert (trade.filled(), trade.remaining(), trade.orderStatus.status) == (4, 6, "Submitted")


async def test_a_correction_repeats_the_execution_with_a_higher_last_part(desktop):
    ib = await desktop.connect()
    trade = await placed(desktop, ib, MarketOrder("BUY", 10))
    first = trade.fills[0].execution
    desktop.gateway.session.desk.bust_or_correct(first.execId, price=100.5)
    await desktop.heard(ib)
    second = trade.fills[-1].execution
    assert (first.execId[-3:], second.execId[-3:], second.execId[:-3]) == (".01", ".02", first.execId[:-3])
    assert (second.price, second.shares, second.orderId, second.permId) == (100.5, 10, first.orderId, first.permId)
    ledger = desktop.gateway.ledger
    assert ledger.quantity("SPY") == 10
    assert ledger.cash == pytest.approx(1_000_000 - 10 * 100.5 - 1.0)


async def test_a_bust_takes_the_position_back(desktop):
    ib = await desktop.connect()
    trade = await placed(desktop, ib, MarketOrder("BUY", 10))
    desktop.gateway.session.desk.bust_or_correct(trade.fills[0].execution.execId, quantity=0)
    assert desktop.gateway.ledger.quantity("SPY") == 0


async def test_a_liquidation_closes_the_position_and_ends_the_orders_in_it(desktop):
    owner, manual = await desktop.connect(1), await desktop.connect(0)
    _, target, stop = await a_live_bracket(desktop, owner)
    sent = sent_to(desktop, 0)
    desktop.gateway.session.desk.liquidate(SPY)
    await desktop.heard(owner)
    await desktop.heard(manual)
    assert [status(trade)[0] for trade in (target, stop)] == ["Cancelled", "Cancelled"]
    assert desktop.gateway.ledger.quantity("SPY") == 0
    (told,) = [message.values for message in sent if message.name == "execDetails"]
    assert (told["liquidation"], told["orderId"], told["side"], told["shares"]) == (1, 0, "SLD", 100)
    assert [(held.contract.symbol, held.position) for held in await owner.reqPositionsAsync() if held.position] == []


async def test_without_a_position_there_is_nothing_to_liquidate(desktop):
    assert desktop.gateway.session.desk.liquidate(SPY) is None
    assert desktop.gateway.ledger.records == []


async def test_the_same_order_id_may_return_with_a_second_perm_id_and_one_cancel_ends_both(desktop):
    ib = await desktop.connect()
    trade = await a_resting_order(desktop, ib)
    desk, first = desktop.gateway.session.desk, trade.order.permId
    second = desk.duplicate_live(first).perm_id
    await desktop.heard(ib)
    assert (first != second, trade.order.permId) == (True, second)
    assert [order.order_id for order in desk.open_orders()] == [trade.order.orderId] * 2
    ib.client.cancelOrder(trade.order.orderId)
    await desktop.heard(ib)
    assert desk.open_orders() == []


async def test_a_held_order_is_silent_for_ever_and_can_only_be_cancelled(desktop):
    ib = await desktop.connect()
    trade = await a_resting_order(desktop, ib)
    desk = desktop.gateway.session.desk
    desk.hold(trade.order.permId)
    desk.on_trade(0, 90.0, 1e6, at=desktop.gateway.session.now(), regular=True)
    await desktop.heard(ib)
    assert (status(trade), trade.filled()) == (("PendingSubmit", ""), 0)
    ib.client.cancelOrder(trade.order.orderId)
    await desktop.heard(ib)
    assert status(trade) == ("Cancelled", "")


async def test_the_next_order_may_stay_pending_without_a_word(desktop):
    ib = await desktop.connect()
    desktop.gateway.session.desk.conduct.hold_next = 1
    held = await placed(desktop, ib, MarketOrder("BUY", 10))
    free = await placed(desktop, ib, MarketOrder("BUY", 5))
    await desktop.play(3)
    assert (status(held), status(free)) == (("PendingSubmit", ""), ("Filled", ""))
    assert codes(ib, held.order.orderId) == []
    shown = {trade.order.orderId: trade.orderStatus.status for trade in await ib.reqAllOpenOrdersAsync()}
    assert shown == {held.order.orderId: "PendingSubmit"}


async def test_forgotten_orders_are_gone_without_a_word(desktop):
    ib = await desktop.connect()
    trade = await a_resting_order(desktop, ib)
    desk = desktop.gateway.session.desk
    desk.forget([trade.order.permId])
    await desktop.heard(ib)
    assert status(trade) == ("Submitted", "")
    assert (desk.open_orders(), desk.orders) == ([], {})
    ib.client.cancelOrder(trade.order.orderId)
    await desktop.heard(ib)
    assert codes(ib, trade.order.orderId) == [10147]


async def test_a_forgotten_family_is_forgotten_in_silence(desktop):
    ib = await desktop.connect()
    trades = [ib.placeOrder(desktop.spy, order) for order in ib.bracketOrder("BUY", 100, 95.0, 102.0, 90.0)]
    await desktop.heard(ib)
    before = [status(trade) for trade in trades]
    desktop.gateway.session.desk.forget([trade.order.permId for trade in trades])
    await desktop.heard(ib)
    assert [status(trade) for trade in trades] == before
    assert desktop.gateway.session.desk.orders == {}


async def test_rolled_back_ids_are_given_out_again(desktop):
    ib = await desktop.connect()
    first = await placed(desktop, ib, MarketOrder("BUY", 10))
    desk = desktop.gateway.session.desk
    before = desk.next_valid_id(1)
    desk.roll_back_ids(1)
    assert desk.next_valid_id(1) == before - 1 == first.order.orderId
    ib.client.placeOrder(first.order.orderId, desktop.spy, MarketOrder("BUY", 5))
    await desktop.heard(ib)
    assert codes(ib, first.order.orderId) == []
    assert desktop.gateway.ledger.quantity("SPY") == 15


async def test_a_rolled_back_id_of_a_live_order_still_means_that_order(desktop):
    ib = await desktop.connect()
    trade = await a_resting_order(desktop, ib)
    desk = desktop.gateway.session.desk
    desk.roll_back_ids(50)
    assert desk.next_valid_id(1) == 1
    ib.client.placeOrder(trade.order.orderId, desktop.spy, LimitOrder("BUY", 10, 96.0))
    await desktop.heard(ib)
    assert [order.limit_price for order in desk.open_orders()] == [96.0]


async def test_a_split_cancels_the_orders_in_the_stock_and_no_others(desktop):
    ib = await desktop.connect()
    ibm = desktop.spy.__class__("IBM", "SMART", "USD")
    filled = await placed(desktop, ib, MarketOrder("BUY", 10))
    spy = await a_resting_order(desktop, ib, tif="GTC")
    other = await placed(desktop, ib, LimitOrder("BUY", 10, 150.0, tif="GTC"), ibm)
    desk = desktop.gateway.session.desk
    desk.apply_split(SPY, 2.0, at=desktop.gateway.session.now())
    await desktop.heard(ib)
    assert [status(trade)[0] for trade in (filled, spy, other)] == ["Filled", "Cancelled", "Submitted"]
    assert codes(ib, spy.order.orderId) == [202]


@pytest.mark.parametrize(("setting", "left"), [(True, 0), (False, 1)])
async def test_good_till_cancelled_may_end_with_the_next_quarter(desktop, setting, left):
    ib = await desktop.connect()
    await a_resting_order(desktop, ib, tif="GTC")
    desk = desktop.gateway.session.desk
    desk.settings = replace(desk.settings, gtc_ends_with_next_quarter=setting)
    desk.close_session(at=desktop.gateway.session.now() + 170 * 86_400)  # 27 March 2014
    assert len(desk.open_orders()) == 1
    desk.close_session(at=desktop.gateway.session.now() + 180 * 86_400)  # 6 April 2014
    assert len(desk.open_orders()) == left


async def test_an_execution_that_nobody_knows_is_not_corrected(desktop):
    with pytest.raises(KeyError):
        desktop.gateway.session.desk.bust_or_correct("0000e0d5.1.2.01", price=1.0)


async def test_orders_follow_an_account_to_its_new_name(desktop):
    ib = await desktop.connect()
    trade = await a_resting_order(desktop, ib)
    ib.disconnect()
    session = desktop.gateway.session
    desktop.gateway.controls.drop()
    session.desk.rename_account("DU7654321", "DU0000009")
    session.accounts.rename("DU7654321", "DU0000009")
    session.desk.fill(trade.order.permId, 10, 95.0)
    ib = await desktop.connect(2)
    assert [fill.execution.acctNumber for fill in ib.fills()] == ["DU0000009"]
