"""The messages of an order's life and their sequence (TWS.md 3.1, 3.2, 3.10, 3.12, 3.24)."""

import pytest
from ib_insync import LimitOrder, MarketOrder

from tests.brokers.simulated.gateway.orders.wire import an_order, codes, placed, recorded, sent_to, status
from tests.brokers.simulated.gateway.scripted_market import a_bar

CAPTURED = [
    ("openOrder", "PreSubmitted"),
    ("orderStatus", "PreSubmitted"),
    ("execDetails", None),
    ("openOrder", "Filled"),
    ("orderStatus", "Filled"),
    ("openOrder", "Filled"),
    ("commissionReport", None),
]
"""A paper market order of 2023-02-24 (wire_messages.jsonl, mkt_order_TSLA)."""


async def test_a_market_order_is_told_in_the_sequence_of_the_real_capture(desktop):
    ib = await desktop.connect()
    said = recorded(desktop)
    await placed(desktop, ib, MarketOrder("BUY", 10))
    assert said == CAPTURED


async def test_a_resting_order_is_submitted_at_once(desktop):
    ib = await desktop.connect()
    said = recorded(desktop)
    await placed(desktop, ib, LimitOrder("BUY", 10, 95.0))
    assert said == [("openOrder", "Submitted"), ("orderStatus", "Submitted")]


async def test_the_status_may_come_before_its_execution(desktop):
    ib = await desktop.connect()
    desktop.gateway.session.desk.conduct.status_order = "status_first"
    said = recorded(desktop)
    await placed(desktop, ib, MarketOrder("BUY", 10))
    assert said.index(("orderStatus", "Filled")) < said.index(("execDetails", None))


async def test_a_fast_market_order_may_get_no_status_at_all(desktop):
    ib = await desktop.connect()
    desktop.gateway.session.desk.conduct.status_order = "exec_only"
    trade = await placed(desktop, ib, MarketOrder("BUY", 10))
    assert status(trade) == ("PreSubmitted", "")
    assert trade.filled() == 10
    assert desktop.gateway.ledger.quantity("SPY") == 10


async def test_a_late_status_arrives_after_its_delay(desktop):
    ib = await desktop.connect()
    conduct = desktop.gateway.session.desk.conduct
    conduct.status_order, conduct.status_delay_s = "late", 7.0
    trade = await placed(desktop, ib, MarketOrder("BUY", 10))
    assert trade.orderStatus.status == "PreSubmitted"
    await desktop.play(3)
    assert trade.orderStatus.status == "Filled"


@pytest.mark.parametrize("name", ["openOrder", "orderStatus", "execDetails", "commissionReport"])
async def test_a_message_may_be_repeated_and_the_ledger_books_once(desktop, name):
    ib = await desktop.connect()
    desktop.gateway.session.desk.conduct.duplicates = frozenset({name})
    said = recorded(desktop)
    await placed(desktop, ib, MarketOrder("BUY", 10))
    once = [kind for kind, _ in CAPTURED].count(name)
    assert [kind for kind, _ in said].count(name) == 2 * once
    assert desktop.gateway.ledger.quantity("SPY") == 10


async def test_a_commission_report_may_come_before_its_execution(desktop):
    ib = await desktop.connect()
    desktop.gateway.session.desk.conduct.commission = "before"
    said = recorded(desktop)
    trade = await placed(desktop, ib, MarketOrder("BUY", 10))
    assert said.index(("commissionReport", None)) < said.index(("execDetails", None))
    assert trade.fills[0].commissionReport.commission == 0.0  # ib_insync has nothing to put it on


async def test_a_commission_report_may_come_late(desktop):
    ib = await desktop.connect()
    conduct = desktop.gateway.session.desk.conduct
    conduct.commission, conduct.commission_delay_s = "late", 60.0
    trade = await placed(desktop, ib, MarketOrder("BUY", 10))
    assert trade.fills[0].commissionReport.commission == 0.0
    await desktop.play(14)
    assert trade.fills[0].commissionReport.commission == 1.0


async def test_a_commission_report_may_never_come_and_the_ledger_knows_it_all_the_same(desktop):
    ib = await desktop.connect()
    desktop.gateway.session.desk.conduct.commission = "never"
    said = recorded(desktop)
    await placed(desktop, ib, MarketOrder("BUY", 10))
    await desktop.play(20)
    assert ("commissionReport", None) not in said
    assert [charged.commission for charged in desktop.gateway.ledger.commissions.values()] == [1.0]


async def test_an_opening_fill_has_no_realized_profit(desktop):
    ib = await desktop.connect()
    sent = sent_to(desktop)
    await placed(desktop, ib, MarketOrder("BUY", 10))
    (report,) = [message for message in sent if message.name == "commissionReport"]
    assert b"1.7976931348623157E308" in report.encode(176)


async def test_an_execution_id_has_four_dotted_parts_and_each_partial_fill_its_own(desktop_with):
    desktop = await desktop_with([a_bar(100, 100, 100, 100, 40, spread=4)] * 2)
    ib = await desktop.connect()
    trade = await placed(desktop, ib, LimitOrder("BUY", 60, 100.5))
    await desktop.play(2)
    parts = [fill.execution.execId.split(".") for fill in trade.fills]
    assert {len(part) for part in parts} == {4}
    assert {part[-1] for part in parts} == {"01"}
    assert len({fill.execution.execId for fill in trade.fills}) == len(trade.fills)


async def test_before_the_open_399_names_the_date_and_zone_of_the_opening(desktop_with):
    desktop = await desktop_with()
    ib = await desktop.connect()
    texts = []
    ib.errorEvent += lambda req_id, code, text, contract: texts.append(text) if code == 399 else None
    trade = await placed(desktop, ib, LimitOrder("BUY", 10, 95.0))
    wanted, warning = "BUY 10 SPY ARCA", "Your order will not be placed at the exchange until"
    assert texts == [f"Order Message:\n{wanted}\nWarning: {warning} 2013-10-08 09:30:00 US/Eastern."]
    assert status(trade) == ("PreSubmitted", "")


async def test_a_preset_warning_is_informational_and_the_order_fills(desktop):
    ib = await desktop.connect()
    desktop.gateway.session.desk.conduct.preset_tif_warning = True
    seen = []
    trade = ib.placeOrder(desktop.spy, LimitOrder("BUY", 10, 100.02))
    trade.cancelledEvent += lambda trade: seen.append("cancelled")
    trade.filledEvent += lambda trade: seen.append("filled")
    await desktop.heard(ib)
    assert codes(ib, trade.order.orderId) == [10349]
    assert desktop.gateway.ledger.quantity("SPY") == 10
    assert "filled" in seen or trade.filled() == 10


async def test_the_conduct_adds_warnings_to_every_new_order(desktop):
    ib = await desktop.connect()
    desktop.gateway.session.desk.conduct.notices = ((10311, "This order will be directly routed to ARCA."),)
    trade = await placed(desktop, ib, LimitOrder("BUY", 10, 95.0))
    assert codes(ib, trade.order.orderId) == [10311]
    assert [order.status for order in desktop.gateway.session.desk.open_orders()] == ["Submitted"]


async def test_outside_hours_on_a_market_order_is_ignored_with_2109(desktop):
    ib = await desktop.connect()
    trade = await placed(desktop, ib, an_order("MKT", outsideRth=True))
    assert 2109 in codes(ib, trade.order.orderId)
    assert desktop.gateway.ledger.quantity("SPY") == 10


async def test_open_orders_repeat_what_the_client_sent(desktop):
    ib = await desktop.connect()
    await placed(desktop, ib, LimitOrder("BUY", 10, 95.0, triggerMethod=4, minQty=5, goodAfterTime="", allOrNone=True))
    other = await desktop.connect(2)
    (trade,) = await other.reqAllOpenOrdersAsync()
    assert (trade.order.triggerMethod, trade.order.minQty, trade.order.allOrNone) == (4, 5, True)
