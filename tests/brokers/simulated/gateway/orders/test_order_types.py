"""Every order type and time in force over the wire (issue 3, item 3); what fills when is matching's, tested there."""

import pytest

from tests.brokers.simulated.gateway.orders.wire import an_order, codes, placed, status
from tests.brokers.simulated.gateway.scripted_market import OPENS_AT, a_bar, flat

RISES_TO_103 = a_bar(100.0, 103.0, 100.0, 103.0)
FALLS_TO_97 = a_bar(100.0, 100.0, 97.0, 97.0)
FALLS_TO_101 = a_bar(103.0, 103.0, 101.0, 101.0)


async def shown(desktop):
    """The only open order as another client sees it."""
    other = await desktop.connect(9)
    (trade,) = await other.reqAllOpenOrdersAsync()
    other.disconnect()
    return trade.order


async def test_a_trailing_stop_follows_the_market_and_open_orders_show_where_it_stands(desktop_with):
    desktop = await desktop_with([flat(100.0), RISES_TO_103, flat(103.0), FALLS_TO_101, flat(101.0)])
    ib = await desktop.connect()
    await desktop.play()
    trade = await placed(desktop, ib, an_order("TRAIL", "SELL", auxPrice=1.5))
    assert status(trade) == ("PreSubmitted", "trigger")
    await desktop.play(2)
    order = await shown(desktop)
    assert (order.auxPrice, order.trailStopPrice) == (1.5, 101.5)
    await desktop.play(2)
    assert status(trade) == ("Filled", "")
    assert trade.orderStatus.avgFillPrice <= 101.5


async def test_a_trailing_stop_may_keep_its_distance_in_percent(desktop):
    ib = await desktop.connect()
    await placed(desktop, ib, an_order("TRAIL", "SELL", trailingPercent=2.0, trailStopPrice=97.0))
    order = await shown(desktop)
    assert (order.trailingPercent, order.trailStopPrice) == (2.0, 97.0)


async def test_a_trailing_stop_limit_rests_at_its_limit_after_the_trigger(desktop_with):
    desktop = await desktop_with([flat(100.0), FALLS_TO_97, *[flat(97.0)] * 5])
    ib = await desktop.connect()
    await desktop.play()
    trade = await placed(
        desktop, ib, an_order("TRAIL LIMIT", "SELL", auxPrice=1.0, trailStopPrice=99.0, lmtPriceOffset=0.1)
    )
    assert (await shown(desktop)).lmtPriceOffset == 0.1
    await desktop.play(3)
    assert status(trade) == ("Submitted", "")
    (live,) = desktop.gateway.session.desk.open_orders()
    assert desktop.gateway.session.desk.matcher.order(live.perm_id).limit_price == pytest.approx(98.9)


@pytest.mark.parametrize(
    ("order", "lowest"),
    [
        (an_order("MIT", "SELL", auxPrice=102.0), 99.99),
        (an_order("LIT", "SELL", auxPrice=102.0, lmtPrice=101.0), 101.0),
    ],
)
async def test_an_if_touched_sale_waits_below_its_trigger_and_fills_above_it(desktop_with, order, lowest):
    desktop = await desktop_with([flat(100.0), RISES_TO_103, flat(103.0)])
    ib = await desktop.connect()
    await desktop.play()
    trade = await placed(desktop, ib, order)
    assert status(trade) == ("PreSubmitted", "trigger")
    await desktop.play(2)
    assert status(trade) == ("Filled", "")
    assert lowest <= trade.orderStatus.avgFillPrice <= 103.0
    order.orderId = order.permId = order.clientId = 0


async def test_what_an_ioc_order_does_not_get_at_once_is_cancelled(desktop):
    ib = await desktop.connect()
    trade = await placed(desktop, ib, an_order("LMT", lmtPrice=99.0, tif="IOC"))
    assert status(trade) == ("Cancelled", "")
    assert 202 in codes(ib, trade.order.orderId)


async def test_a_marketable_ioc_order_fills(desktop):
    ib = await desktop.connect()
    trade = await placed(desktop, ib, an_order("LMT", lmtPrice=100.02, tif="IOC"))
    assert status(trade) == ("Filled", "")


async def test_a_fill_or_kill_order_is_never_filled_in_part(desktop):
    ib = await desktop.connect()
    shown_now = desktop.gateway.session.tape.ask_size[0]
    trade = await placed(desktop, ib, an_order("LMT", quantity=int(shown_now) * 10 + 10, lmtPrice=100.02, tif="FOK"))
    assert status(trade) == ("Cancelled", "")
    assert desktop.gateway.ledger.executions == []


async def test_a_gtd_order_ends_at_its_date_with_202(desktop):
    ib = await desktop.connect()
    ends = "20131008 09:30:22 US/Eastern"
    trade = await placed(desktop, ib, an_order("LMT", lmtPrice=95.0, tif="GTD", goodTillDate=ends))
    assert (await shown(desktop)).goodTillDate == ends
    await desktop.play(3)
    assert status(trade) == ("Submitted", "")
    await desktop.play()
    assert status(trade) == ("Cancelled", "")
    assert desktop.gateway.ledger.records[-1].at == OPENS_AT + 22


async def test_time_never_runs_back_for_the_dates_of_orders(desktop):
    ib = await desktop.connect()
    ends = "20131008 09:30:22 US/Eastern"
    trade = await placed(desktop, ib, an_order("LMT", lmtPrice=95.0, tif="GTD", goodTillDate=ends))
    desk = desktop.gateway.session.desk
    desk.on_time(at=OPENS_AT + 21)
    desk.on_time(at=OPENS_AT + 5)
    desk.on_time(at=OPENS_AT + 22)
    await desktop.heard(ib)
    assert status(trade) == ("Cancelled", "")


async def test_a_date_that_has_passed_is_rejected(desktop):
    ib = await desktop.connect()
    passed = "20131008 09:30:05 US/Eastern"
    trade = await placed(desktop, ib, an_order("LMT", lmtPrice=95.0, tif="GTD", goodTillDate=passed))
    assert codes(ib, trade.order.orderId) == [201]
    assert trade.orderStatus.status == "Inactive"


async def test_a_date_in_utc_ends_the_same_order_at_the_same_instant(desktop):
    ib = await desktop.connect()
    await placed(desktop, ib, an_order("LMT", lmtPrice=95.0, tif="GTD", goodTillDate="20131008-13:30:20"))
    (order,) = desktop.gateway.session.desk.open_orders()
    assert order.good_till == OPENS_AT + 20


async def test_an_order_that_is_good_after_an_hour_does_not_work_before(desktop):
    ib = await desktop.connect()
    begins = "20131008 09:30:20 US/Eastern"
    trade = await placed(desktop, ib, an_order("LMT", lmtPrice=100.05, goodAfterTime=begins))
    assert status(trade)[0] == "PreSubmitted"
    await desktop.play(2)
    assert trade.filled() == 0
    await desktop.play(3)
    assert status(trade) == ("Filled", "")


@pytest.mark.parametrize("order_type", ["MOC", "LOC"])
async def test_on_close_orders_fill_only_in_the_closing_auction(desktop, order_type):
    ib = await desktop.connect()
    trade = await placed(desktop, ib, an_order(order_type, lmtPrice=101.0))
    await desktop.play(3)
    assert trade.filled() == 0
    session = desktop.gateway.session
    session.desk.on_auction(0, 100.3, 1e6, kind="close", at=session.now())
    await desktop.heard(ib)
    assert (trade.orderStatus.status, trade.orderStatus.avgFillPrice) == ("Filled", 100.3)


async def test_on_open_orders_come_before_the_open_and_fill_in_its_auction(desktop_with):
    desktop = await desktop_with()
    ib = await desktop.connect()
    trade = await placed(desktop, ib, an_order("MKT", tif="OPG"))
    assert status(trade) == ("PreSubmitted", "")
    session = desktop.gateway.session
    session.desk.on_auction(0, 99.7, 1e6, kind="open", at=OPENS_AT)
    await desktop.heard(ib)
    assert (trade.orderStatus.status, trade.orderStatus.avgFillPrice) == ("Filled", 99.7)


async def test_while_halted_nothing_fills_and_a_new_order_rests(desktop):
    ib = await desktop.connect()
    desk = desktop.gateway.session.desk
    desk.halt(0)
    trade = await placed(desktop, ib, an_order("MKT"))
    await desktop.play()
    assert trade.filled() == 0
    desk.resume(0)
    await desktop.play()
    assert status(trade) == ("Filled", "")


async def test_a_stop_outside_regular_hours_waits_unless_its_flag_says_otherwise(desktop_with):
    desktop = await desktop_with()
    ib = await desktop.connect()
    inside = await placed(desktop, ib, an_order("STP", "BUY", auxPrice=101.0))
    outside = await placed(desktop, ib, an_order("STP", "BUY", auxPrice=101.0, outsideRth=True))
    session = desktop.gateway.session
    session.desk.on_trade(0, 102.0, 1e4, at=session.now(), regular=False)
    session.desk.on_trade(0, 102.0, 1e4, at=session.now(), regular=False)
    await desktop.heard(ib)
    assert (inside.filled(), outside.filled()) == (0, 10)
    assert 399 in codes(ib, inside.order.orderId)
    assert codes(ib, outside.order.orderId) == []


async def test_the_trigger_method_reaches_the_matcher(desktop):
    ib = await desktop.connect()
    trade = await placed(desktop, ib, an_order("STP", "SELL", auxPrice=99.0, triggerMethod=4))
    desk = desktop.gateway.session.desk
    assert desk.matcher.order(trade.order.permId).trigger_method == 4


async def test_a_trailing_stop_limit_may_name_its_limit_instead_of_the_offset(desktop):
    ib = await desktop.connect()
    sale = an_order("TRAIL LIMIT", "SELL", auxPrice=1.0, trailStopPrice=99.0, lmtPrice=98.8)
    cover = an_order("TRAIL LIMIT", "BUY", auxPrice=1.0, trailStopPrice=101.0, lmtPrice=101.3)
    trades = [await placed(desktop, ib, order) for order in (sale, cover)]
    matcher = desktop.gateway.session.desk.matcher
    terms = [matcher.order(trade.order.permId) for trade in trades]
    assert [one.limit_price for one in terms] == [98.8, 101.3]
    assert [one.limit_offset for one in terms] == pytest.approx([0.2, 0.3])
