"""Faults 21 and 27 to 41: orders refused, lost, held, filled against the rules."""

import pytest
from ib_insync import MarketOrder

from tests.brokers.simulated.gateway.faults.stage import (
    a_bracket,
    bought,
    codes,
    gone,
    happened,
    placed,
    resting,
    status,
    statuses,
)
from tests.brokers.simulated.gateway.raw_client import advanced, again
from tests.brokers.simulated.gateway.scripted_market import a_bar, flat


async def cancelled(desktop, ib, trade):
    """The cancel on the wire; the library is not asked what it thinks of it."""
    ib.client.cancelOrder(trade.order.orderId)
    await desktop.heard(ib)


def live(desktop):
    return [order.order_id for order in desktop.gateway.session.desk.open_orders()]


async def test_fault_21_an_order_fills_in_pieces_and_its_rest_is_cancelled(desktop):
    ib = await desktop.connect()
    trade = await resting(desktop, ib, 20)
    desktop.gateway.faults.inject("fill_in_parts", pieces=2, share=0.5)
    await desktop.heard(ib)
    assert [fill.execution.shares for fill in trade.fills] == [5, 5]
    assert [fill.execution.cumQty for fill in trade.fills] == [5, 10]
    assert status(trade) == "Cancelled"
    assert codes(ib, trade.order.orderId) == [202]
    assert desktop.gateway.ledger.quantity("SPY") == 10


async def test_fault_21_one_fill_at_a_time_leaves_the_rest_working(desktop):
    ib = await desktop.connect()
    trade = await resting(desktop, ib, 7)
    desktop.gateway.faults.inject("fill_in_parts", pieces=3, share=1.0, cancels_rest=False)
    await desktop.heard(ib)
    assert [fill.execution.shares for fill in trade.fills] == [3, 2, 2]
    assert status(trade) == "Filled"


async def test_fault_21_waits_for_an_order_that_is_in_the_market(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("hold_order")
    held = await resting(desktop, ib)
    desktop.gateway.faults.inject("fill_in_parts")
    working = await resting(desktop, ib)
    await desktop.play()
    assert (status(held), status(working)) == ("PendingSubmit", "Cancelled")
    assert [fill.execution.shares for fill in working.fills] == [3, 2]


async def test_fault_21_a_leg_fills_no_more_than_its_parent_has_brought(desktop):
    ib = await desktop.connect()
    _, target, stop = await a_bracket(desktop, ib, 10, entry=95.0)
    desktop.gateway.faults.inject("fill_in_parts", pieces=1, share=0.4, cancels_rest=False)
    desktop.gateway.faults.inject("fill_in_parts", pieces=2, share=1.0, cancels_rest=False)
    await desktop.heard(ib)
    assert (target.fills, [fill.execution.shares for fill in stop.fills]) == ([], [2, 2])
    assert desktop.gateway.ledger.quantity("SPY") == 0


async def test_fault_21_what_a_leg_fills_comes_off_the_other_leg(desktop):
    """Found by simulation (brutal 2005): a target that had not shrunk sold shares that were gone."""
    ib = await desktop.connect()
    _, target, stop = await a_bracket(desktop, ib, 10)
    desktop.gateway.faults.inject("fill_in_parts", pieces=1, share=0.4, cancels_rest=False)
    await desktop.heard(ib)
    orders = {order.order_id: order.remaining for order in desktop.gateway.session.desk.open_orders()}
    assert orders == {target.order.orderId: 6.0, stop.order.orderId: 6.0}


async def test_fault_27_an_order_is_rejected_with_201_and_stays_inactive(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("reject_order", reason="No trading permissions.")
    trade = await resting(desktop, ib)
    assert status(trade) == "Inactive"
    assert (trade.order.orderId, 201, "Order rejected - reason:No trading permissions.") in ib.errors
    assert live(desktop) == []
    assert status(await resting(desktop, ib)) == "Submitted"


async def test_fault_27_an_order_that_is_refused_anyway_leaves_nothing_for_the_next_one(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("reject_order")
    faulty = await resting(desktop, ib, price=95.005)
    assert codes(ib, faulty.order.orderId) == [110]
    assert status(await resting(desktop, ib)) == "Submitted"


async def test_fault_28_a_stop_leg_refused_with_110_leaves_the_position_without_its_stop(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("lose_stop_leg")
    entry, target, stop = await a_bracket(desktop, ib)
    assert codes(ib, stop.order.orderId) == [110]
    assert (status(entry), status(target), status(stop)) == ("Filled", "Submitted", "PendingSubmit")
    assert live(desktop) == [target.order.orderId]
    assert desktop.gateway.ledger.quantity("SPY") == 10


async def test_fault_29_a_free_id_is_called_a_duplicate(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("duplicate_order_id")
    trade = await resting(desktop, ib)
    assert codes(ib, trade.order.orderId) == [103]
    assert live(desktop) == []


async def test_fault_29_the_order_may_live_all_the_same(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("duplicate_order_id", lives=True)
    trade = await resting(desktop, ib)
    assert codes(ib, trade.order.orderId) == [103]
    assert live(desktop) == [trade.order.orderId]


@pytest.mark.parametrize("code", [104, 105, 135, 329])
async def test_fault_30_a_change_is_refused_and_the_order_works_on_as_it_was(desktop, code):
    ib = await desktop.connect()
    trade = await resting(desktop, ib, price=95.0)
    desktop.gateway.faults.inject("refuse_change", code=code)
    trade.order.lmtPrice = 96.0
    ib.placeOrder(desktop.spy, trade.order)
    await desktop.heard(ib)
    assert codes(ib, trade.order.orderId) == [code]
    (order,) = desktop.gateway.session.desk.open_orders()
    assert order.limit_price == 95.0


async def test_fault_31_a_cancel_gets_161_and_then_the_order_fills(desktop):
    ib = await desktop.connect()
    trade = await resting(desktop, ib)
    desktop.gateway.faults.inject("cancel_too_late", code=161, delay_s=20)
    ib.cancelOrder(trade.order)
    await desktop.heard(ib)
    assert codes(ib, trade.order.orderId) == [161]
    await advanced(desktop, 25)
    await desktop.heard(ib)
    assert statuses(trade)[-2:] == ["Cancelled", "Filled"]
    assert desktop.gateway.ledger.quantity("SPY") == 10


async def test_fault_31_a_cancel_comes_behind_the_fill_with_10148(desktop):
    ib = await desktop.connect()
    trade = await resting(desktop, ib)
    desktop.gateway.faults.inject("cancel_too_late", code=10148)
    await cancelled(desktop, ib, trade)
    assert codes(ib, trade.order.orderId) == [10148]
    assert status(trade) == "Filled"
    assert desktop.gateway.ledger.quantity("SPY") == 10


@pytest.mark.parametrize("code", [161, 10148])
async def test_fault_31_the_other_leg_hears_of_the_fill(desktop, code):
    """brutal 1153: the target filled behind its cancel, the stop of its OCA group stayed and filled as well."""
    ib = await desktop.connect()
    _, target, stop = await a_bracket(desktop, ib)
    desktop.gateway.faults.inject("cancel_too_late", code=code, delay_s=5)
    await cancelled(desktop, ib, target)
    await advanced(desktop, 10)
    await desktop.heard(ib)
    assert (status(target), status(stop)) == ("Filled", "Cancelled")
    assert desktop.gateway.ledger.quantity("SPY") == 0


@pytest.mark.parametrize("code", [161, 10148])
async def test_fault_31_waits_for_an_order_that_could_still_fill(desktop, code):
    """brutal 4060: what TWS holds back races with no execution; its cancel got 322 from a gateway that failed."""
    ib = await desktop.connect()
    desktop.gateway.faults.inject("hold_order")
    held = await resting(desktop, ib)
    desktop.gateway.faults.inject("cancel_too_late", code=code)
    await cancelled(desktop, ib, held)
    working = await resting(desktop, ib)
    await cancelled(desktop, ib, working)
    assert (status(held), codes(ib, held.order.orderId)) == ("Cancelled", [202])
    assert codes(ib, working.order.orderId) == [code]


async def test_fault_31_fills_no_leg_whose_parent_has_brought_nothing(desktop):
    ib = await desktop.connect()
    parent, target, _ = await a_bracket(desktop, ib, entry=95.0)
    desktop.gateway.faults.inject("cancel_too_late", code=10148)
    await cancelled(desktop, ib, target)
    assert (status(parent), status(target)) == ("Submitted", "Cancelled")
    assert desktop.gateway.ledger.quantity("SPY") == 0


@pytest.mark.parametrize(("code", "codes_told"), [(161, [161]), (10148, [202])])
async def test_fault_31_fills_of_a_leg_what_its_parent_has_brought(desktop, code, codes_told):
    ib = await desktop.connect()
    parent, target, _ = await a_bracket(desktop, ib, entry=95.0)
    desktop.gateway.session.desk.fill(parent.order.permId, 4, 95.0)
    await desktop.heard(ib)
    desktop.gateway.faults.inject("cancel_too_late", code=code, delay_s=5)
    await cancelled(desktop, ib, target)
    await advanced(desktop, 10)
    await desktop.heard(ib)
    assert (target.filled(), codes(ib, target.order.orderId)) == (4, codes_told)
    assert desktop.gateway.ledger.quantity("SPY") == 0


async def test_fault_32_a_cancel_is_pending_for_ever(desktop):
    ib = await desktop.connect()
    trade = await resting(desktop, ib)
    desktop.gateway.faults.inject("cancel_unanswered")
    await cancelled(desktop, ib, trade)
    await desktop.play(20)
    assert status(trade) == "PendingCancel"
    assert live(desktop) == [trade.order.orderId]


async def test_fault_33_a_cancelled_short_sale_fills_when_shares_are_found(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("locate_found", delay_s=30)
    trade = await placed(desktop, ib, MarketOrder("SELL", 10))
    assert status(trade) == "Inactive"
    assert codes(ib, trade.order.orderId) == [404]
    perm_id = trade.orderStatus.permId
    ib.cancelOrder(trade.order)
    await desktop.heard(ib)
    assert status(trade) == "Cancelled"
    await advanced(desktop, 70)
    await desktop.heard(ib)
    assert desktop.gateway.ledger.quantity("SPY") == -10
    assert [execution.perm_id for execution in desktop.gateway.ledger.executions] == [perm_id]


async def test_fault_33_shares_are_found_though_two_short_sales_sought_them_at_once(desktop):
    """The second restored what the first had left: no share of the stock could be borrowed for the rest of the day."""
    ib = await desktop.connect()
    desktop.gateway.faults.inject("locate_found", delay_s=30)
    desktop.gateway.faults.inject("locate_found", delay_s=30)
    for _ in range(2):
        await placed(desktop, ib, MarketOrder("SELL", 10))
    await advanced(desktop, 70)
    await desktop.heard(ib)
    assert desktop.gateway.ledger.quantity("SPY") == -20


async def test_fault_33_meets_no_child_of_a_purchase_but_the_next_short_sale(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("locate_found", delay_s=30)
    await a_bracket(desktop, ib, entry=95.0)
    assert happened(desktop) == []
    await placed(desktop, ib, MarketOrder("SELL", 10))
    assert happened(desktop) == ["locate_found"]


async def test_fault_34_ib_cancels_every_order_with_its_reason(desktop):
    ib = await desktop.connect()
    first, second = await resting(desktop, ib), await resting(desktop, ib)
    desktop.gateway.faults.inject("broker_cancels", reason="Order exceeds the account's limit")
    await desktop.heard(ib)
    assert [status(first), status(second)] == ["Cancelled", "Cancelled"]
    told = [text for _, code, text in ib.errors if code == 202]
    assert told == ["Order Canceled - reason:Order exceeds the account's limit"] * 2


async def test_fault_34_a_margin_liquidation_closes_the_position(desktop, raw):
    master = await raw(desktop, client_id=0)
    await bought(desktop, await desktop.connect())
    await master.answers()
    desktop.gateway.faults.inject("broker_cancels", liquidates=True)
    assert desktop.gateway.ledger.quantity("SPY") == 0
    (execution,) = [fields for fields in await master.answers() if fields[0] == "11"]
    assert (execution[18], execution[19], execution[23]) == ("SLD", "10", "1")


async def test_fault_35_both_legs_of_a_bracket_fill_and_the_position_is_flipped(desktop):
    ib = await desktop.connect()
    _, target, stop = await a_bracket(desktop, ib)
    desktop.gateway.faults.inject("overfill_group")
    await desktop.heard(ib)
    assert [status(target), status(stop)] == ["Filled", "Filled"]
    assert desktop.gateway.ledger.quantity("SPY") == -10


async def test_fault_35_waits_until_both_legs_work(desktop_with):
    desktop = await desktop_with([flat(100.0), flat(100.0), a_bar(100, 100, 97, 97), *[flat(97.0)] * 5])
    await desktop.play()
    ib = await desktop.connect()
    entry, target, stop = await a_bracket(desktop, ib, entry=98.0)
    desktop.gateway.faults.inject("overfill_group")
    assert (status(target), status(stop)) == ("PreSubmitted", "PreSubmitted")
    await desktop.play(4)
    assert [status(trade) for trade in (entry, target, stop)] == ["Filled"] * 3


async def test_fault_35_each_leg_fills_what_the_parent_has_brought(desktop):
    ib = await desktop.connect()
    await a_bracket(desktop, ib, 10, entry=95.0)
    desktop.gateway.faults.inject("fill_in_parts", pieces=1, share=0.4, cancels_rest=False)
    desktop.gateway.faults.inject("overfill_group")
    await desktop.heard(ib)
    assert desktop.gateway.ledger.quantity("SPY") == -4


async def test_fault_36_a_parent_fills_partly_while_its_client_is_gone(desktop):
    ib = await desktop.connect()
    entry, _, _ = await a_bracket(desktop, ib, 10, entry=95.0)
    desktop.gateway.faults.inject("fill_part_and_drop")
    await gone(ib)
    assert entry.fills == []
    assert desktop.gateway.ledger.quantity("SPY") == 5
    client = await again(desktop, client_id=1)
    client.say(7, 3, 11, 0, "", "", "", "", "", "")
    executions = [fields for fields in await client.heard(55) if fields[0] == "11"]
    assert [fields[19] for fields in executions] == ["5"]
    client.close()


async def test_fault_37_one_order_id_has_two_permids_and_both_are_live(desktop):
    ib = await desktop.connect()
    trade = await resting(desktop, ib)
    desktop.gateway.faults.inject("duplicate_live")
    await desktop.heard(ib)
    assert live(desktop) == [trade.order.orderId] * 2
    assert len({order.perm_id for order in desktop.gateway.session.desk.open_orders()}) == 2


async def test_fault_38_a_manual_order_is_seen_with_order_id_0_and_moves_the_position(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("manual_order", quantity=30, limit_price=95.0)
    desktop.gateway.faults.inject("manual_order", quantity=40)
    await desktop.heard(ib)
    await ib.reqAllOpenOrdersAsync()
    assert [trade.order.totalQuantity for trade in ib.openTrades() if trade.order.orderId <= 0] == [30]
    assert [held.position for held in ib.positions()] == [40]


async def test_fault_39_a_held_order_stays_pending_without_a_word(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("hold_order")
    trade = await placed(desktop, ib, MarketOrder("BUY", 10))
    await desktop.play(20)
    assert status(trade) == "PendingSubmit"
    assert codes(ib, trade.order.orderId) == []
    assert desktop.gateway.ledger.quantity("SPY") == 0


async def test_fault_40_an_order_placed_while_tws_is_cut_off_fills_when_the_link_is_back(desktop_with):
    desktop = await desktop_with([flat(100.0)] * 500)
    await desktop.play()
    ib = await desktop.connect()
    desktop.gateway.faults.inject("queue_orders")
    trade = await bought(desktop, ib)
    await desktop.play(200)
    assert status(trade) == "PendingSubmit"
    assert desktop.gateway.ledger.quantity("SPY") == 0
    await desktop.play(45)
    assert status(trade) == "Filled"
    assert desktop.gateway.ledger.quantity("SPY") == 10


@pytest.mark.parametrize(("how", "answers"), [("sentinels", 1), ("both", 2), ("silent", 0)])
async def test_fault_41_a_preview_has_unset_values_only_or_first_or_never_comes(desktop, how, answers):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("what_if_unset", how=how)
    previews = []
    ib.wrapper.openOrder = lambda _id, _contract, _order, state: previews.append(state.initMarginAfter)
    ib.client.placeOrder(ib.client.getReqId(), desktop.spy, MarketOrder("BUY", 10, whatIf=True))
    await desktop.heard(ib)
    assert len(previews) == answers
    assert [float(value) for value in previews[:1]] == [1.7976931348623157e308] * min(answers, 1)
    assert [float(value) < 1e9 for value in previews[1:]] == [True] * max(answers - 1, 0)
    assert desktop.gateway.session.desk.open_orders() == []
