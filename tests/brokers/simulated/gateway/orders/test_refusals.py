"""Orders that are not taken: each rule with the code a TWS gives (TWS.md 3; code list of the API, chapter 18)."""

import pytest
from ib_insync import LimitOrder, MarketOrder
from msgspec.structs import replace

from brokers.simulated.gateway.orders.refusals import DUPLICATE_ID
from tests.brokers.simulated.gateway.orders.wire import an_order, codes, placed, recorded, status
from tests.brokers.simulated.gateway.scripted_market import OPENS_AT


def with_settings(desktop, **settings):
    desk = desktop.gateway.session.desk
    desk.settings = replace(desk.settings, **settings)


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (an_order("REL"), 387),
        (an_order("MKT", tif="EXT"), 10052),
        (an_order("STP", auxPrice=101.0, tif="IOC"), 111),
        (an_order("TRAIL", "SELL", auxPrice=1.0, tif="OPG"), 111),
        (an_order("MOC", tif="GTC"), 113),
        (an_order("LMT", lmtPrice=95.0, tif="GTD"), 334),
        (an_order("LMT", lmtPrice=95.0, tif="GTD", goodTillDate="tomorrow"), 343),
        (an_order("LMT", lmtPrice=95.0, tif="GTD", goodTillDate="20131008 10:00:00 Atlantis/City"), 343),
        (an_order("LMT", lmtPrice=95.0, goodAfterTime="25:00"), 343),
        (an_order("LMT", lmtPrice=95.0, displaySize=10), 10020),
        (an_order("STP", auxPrice=101.0, triggerMethod=5), 146),
        (an_order("TRAIL", "SELL"), 158),
        (an_order("TRAIL", "SELL", trailingPercent=100.0), 159),
        (an_order("TRAIL LIMIT", "SELL", auxPrice=1.0), 201),
        (an_order("TRAIL", "SELL", auxPrice=1.0, trailStopPrice=99.001), 110),
        (an_order("MIT", "SELL"), 201),
        (an_order("LIT", "SELL", auxPrice=101.0), 201),
        (an_order("LOC"), 201),
        (an_order("MKT", cashQty=1000.0), 10244),
        (an_order("MKT", "SELL", shortSaleSlot=2), 352),
        (an_order("MKT", algoStrategy="Twap"), 321),
    ],
    ids=lambda value: value if isinstance(value, int) else value.orderType,
)
async def test_a_faulty_order_is_refused_with_its_code_and_leaves_nothing_working(desktop, order, code):
    ib = await desktop.connect()
    await placed(desktop, ib, order)
    assert codes(ib, order.orderId) == [code]
    assert desktop.gateway.session.desk.open_orders() == []
    assert desktop.gateway.ledger.executions == []
    order.orderId = order.permId = order.clientId = 0


async def test_an_on_open_order_after_the_open_is_rejected(desktop):
    ib = await desktop.connect()
    trade = await placed(desktop, ib, an_order("MKT", tif="OPG"))
    assert codes(ib, trade.order.orderId) == [201]
    assert trade.orderStatus.status == "Inactive"


@pytest.mark.parametrize(("before_close_s", "expected"), [(601, []), (600, [201]), (5, [201])])
async def test_on_close_orders_come_until_ten_minutes_before_the_close(desktop_with, before_close_s, expected):
    desktop = await desktop_with()
    ib = await desktop.connect()
    session = desktop.gateway.session
    session.desk.open_session(OPENS_AT - 3600, session.now() + before_close_s)
    trade = await placed(desktop, ib, an_order("MOC"))
    assert [code for code in codes(ib, trade.order.orderId) if code != 399] == expected


async def test_a_rejection_is_told_as_inactive_error_inactive(desktop):
    ib = await desktop.connect()
    said = recorded(desktop)
    await placed(desktop, ib, LimitOrder("BUY", 10, 0.0))
    shown = [("openOrder", "Inactive"), ("orderStatus", "Inactive")]
    assert said == [*shown, ("error", 201), *shown]


async def test_an_order_beyond_the_accounts_means_is_rejected_in_ibs_words(desktop_with):
    desktop = await desktop_with(cash=10_000.0)
    ib = await desktop.connect()
    texts = []
    ib.errorEvent += lambda req_id, code, text, contract: texts.append(text) if code == 201 else None
    await desktop.play()
    trade = await placed(desktop, ib, LimitOrder("BUY", 1000, 100.0))
    assert trade.orderStatus.status == "Inactive"
    assert "EQUITY WITH LOAN VALUE [10000.00 USD] MUST EXCEED THE INITIAL MARGIN [50000.00 USD]" in texts[0]


async def test_closing_a_position_is_never_too_dear(desktop_with):
    desktop = await desktop_with(cash=10_000.0)
    ib = await desktop.connect()
    await desktop.play()
    await placed(desktop, ib, MarketOrder("BUY", 150))
    trade = await placed(desktop, ib, MarketOrder("SELL", 150))
    assert status(trade) == ("Filled", "")


async def test_the_exits_of_a_bracket_cost_no_margin(desktop_with):
    desktop = await desktop_with(cash=10_000.0)
    ib = await desktop.connect()
    await desktop.play()
    trades = [ib.placeOrder(desktop.spy, order) for order in ib.bracketOrder("BUY", 190, 95.0, 120.0, 90.0)]
    await desktop.heard(ib)
    assert [trade.orderStatus.status for trade in trades] == ["Submitted", "PreSubmitted", "PreSubmitted"]


async def test_a_size_limit_gives_201(desktop):
    ib = await desktop.connect()
    with_settings(desktop, quantity_max=500.0)
    trade = await placed(desktop, ib, LimitOrder("BUY", 501, 95.0))
    assert codes(ib, trade.order.orderId) == [201]


async def test_in_read_only_mode_every_order_gets_321(desktop):
    ib = await desktop.connect()
    with_settings(desktop, read_only=True)
    texts = []
    ib.errorEvent += lambda req_id, code, text, contract: texts.append(text)
    trade = await placed(desktop, ib, MarketOrder("BUY", 10))
    assert codes(ib, trade.order.orderId) == [321]
    assert "Read-Only mode" in texts[-1]
    assert desktop.gateway.ledger.records == []


async def test_a_market_order_on_a_closed_market_may_be_refused(desktop_with):
    desktop = await desktop_with()
    ib = await desktop.connect()
    with_settings(desktop, closed_market="reject")
    trade = await placed(desktop, ib, MarketOrder("BUY", 10))
    assert codes(ib, trade.order.orderId) == [201]


async def test_a_limit_too_far_through_the_market_is_cancelled_with_a_reason(desktop):
    ib = await desktop.connect()
    with_settings(desktop, price_band=0.05, beyond_band="cancel")
    texts = []
    ib.errorEvent += lambda req_id, code, text, contract: texts.append(text)
    trade = await placed(desktop, ib, LimitOrder("BUY", 10, 120.0))
    assert status(trade) == ("Cancelled", "")
    assert codes(ib, trade.order.orderId) == [202]
    assert "closer to the current market price of 100.01" in texts[-1]


async def test_a_limit_too_far_through_the_market_may_be_capped(desktop):
    ib = await desktop.connect()
    with_settings(desktop, price_band=0.05)
    desktop.gateway.session.desk.halt(0)
    trade = await placed(desktop, ib, LimitOrder("BUY", 10, 120.0))
    assert trade.orderStatus.mktCapPrice == 105.01
    assert (await (await desktop.connect(2)).reqAllOpenOrdersAsync())[0].order.lmtPrice == 120.0
    assert desktop.gateway.session.desk.matcher.order(trade.order.permId).limit_price == 105.01


@pytest.mark.parametrize("account", ["", "DU0000009", "DU0000001,DU0000002,"])
async def test_with_several_accounts_an_order_names_one_of_them(desktop_with, account):
    desktop = await desktop_with(accounts=("DU0000001", "DU0000002"))
    ib = await desktop.connect()
    trade = await placed(desktop, ib, MarketOrder("BUY", 10, account=account))
    assert codes(ib, trade.order.orderId) == [321 if account else 435]


async def test_an_order_fills_into_the_account_that_it_names(desktop_with):
    desktop = await desktop_with(accounts=("DU0000001", "DU0000002"))
    ib = await desktop.connect()
    await desktop.play()
    trade = await placed(desktop, ib, MarketOrder("BUY", 10, account="DU0000002"))
    assert trade.fills[0].execution.acctNumber == "DU0000002"
    first, second = desktop.gateway.session.accounts
    assert (first.quantity("SPY"), second.quantity("SPY")) == (0, 10)


@pytest.mark.parametrize("order_id", [2**31, -5])
async def test_an_order_id_out_of_range_is_unreadable(desktop, order_id):
    ib = await desktop.connect()
    ib.client.placeOrder(order_id, desktop.spy, MarketOrder("BUY", 10))
    await desktop.heard(ib)
    assert 320 in [code for _, code, _ in ib.errors]
    assert desktop.gateway.ledger.records == []


async def test_the_broker_may_refuse_a_sound_order_once(desktop):
    ib = await desktop.connect()
    desktop.gateway.session.desk.conduct.reject_next.append(DUPLICATE_ID)
    first = await placed(desktop, ib, MarketOrder("BUY", 10))
    second = await placed(desktop, ib, MarketOrder("BUY", 10))
    assert (codes(ib, first.order.orderId), status(second)) == ([103], ("Filled", ""))
    assert desktop.gateway.ledger.quantity("SPY") == 10
