"""The report: everything in one round, and never more than the broker has told."""

from contextlib import asynccontextmanager

import pytest

from shared.events import OrderFilled
from tests.brokers.ib.peers import (
    ENTRY,
    NOW,
    STOP,
    UNSET,
    Notebook,
    ScriptedTws,
    execution,
    ib_broker,
    open_order,
    order_status,
)

EXEC = "00025b46.63f8f39c.01"


@asynccontextmanager
async def a_broker(tws, notebook=None, **settings):
    broker = ib_broker(tws.port, notebook or Notebook(), **settings)
    await broker.connect()
    yield broker
    await broker.disconnect()


async def test_an_empty_account_is_answered_in_full():
    async with ScriptedTws() as tws, a_broker(tws) as broker:
        report = await broker.report()
    assert report.is_complete
    assert report.asked_at == NOW
    assert (report.positions, report.open_orders, report.completed_orders, report.fills) == ((), (), (), ())
    assert (report.account.net_liquidation, report.account.cash) == (1_000_000.5, 900_000.0)
    assert (report.account.buying_power, report.account.currency) == (4_000_000.0, "USD")


@pytest.mark.parametrize(
    ("request_id", "name"),
    [
        ("7", "executions"),
        ("16", "open_orders"),
        ("99", "completed_orders"),
        ("61", "positions"),
        ("62", "account"),
    ],
)
async def test_a_swallowed_end_marker_names_what_could_not_be_asked(request_id, name):
    async with ScriptedTws() as tws, a_broker(tws, request_timeout_s=0.2) as broker:
        tws.answers[request_id] = tws.answers[request_id][:-1]
        report = await broker.report()
    assert report.unanswered == (name,)


async def test_an_error_instead_of_an_answer_is_no_answer():
    async with ScriptedTws() as tws, a_broker(tws) as broker:
        tws.answers["7"] = ["4|2|{2}|321|Error validating request||"]
        report = await broker.report()
    assert report.unanswered == ("executions",)


async def test_a_row_that_cannot_be_read_makes_its_list_incomplete():
    async with ScriptedTws() as tws, a_broker(tws) as broker:
        tws.answers["16"].insert(0, "5|101|not an order|")
        tws.answers["61"].insert(0, "61|3|DU123|756733|SPY|STK||0.0|||ARCA|USD|SPY|SPY|ten|680|")
        tws.answers["7"].insert(0, execution(ENTRY, f"{EXEC}.01", req_id="{2}", side="???"))
        report = await broker.report()
    assert report.unanswered == ("executions", "open_orders", "positions")


@pytest.mark.parametrize("value", ["", "NaN", UNSET, "n/a"])
async def test_an_account_without_a_number_is_no_account(value):
    async with ScriptedTws() as tws, a_broker(tws) as broker:
        tws.answers["62"][2] = f"63|1|{{2}}|DU123|BuyingPower|{value}|USD|"
        report = await broker.report()
    assert (report.account, report.unanswered) == (None, ("account",))


async def test_a_lost_connection_in_the_middle_leaves_everything_unanswered():
    async with ScriptedTws() as tws, a_broker(tws) as broker:
        for request_id in ("7", "16", "99", "61"):
            tws.answers[request_id] = []
        tws.answers["62"] = ["4|2|{2}|"]
        tws.on_request = {"62": tws.reset}
        report = await broker.report()
    assert report.unanswered == ("account", "completed_orders", "executions", "open_orders", "positions")


async def test_orders_and_executions_of_others_are_in_the_report_but_are_no_events():
    notebook = Notebook()
    async with ScriptedTws() as tws, a_broker(tws, notebook) as broker:
        tws.answers["16"] = [
            open_order("", order_id=0, client=0, perm_id=1, type="LMT", limit="10.5"),
            open_order("", order_id=0, client=0, perm_id=2, type="STP", stop="9.5", side="SELL"),
            "53|1|",
        ]
        tws.answers["7"].insert(0, execution("", f"{EXEC}.01", req_id="{2}"))
        report = await broker.report()
    assert notebook.events == []
    assert [(order.perm_id, order.limit_price, order.stop_price) for order in report.open_orders] == [
        (1, 10.5, None),
        (2, None, 9.5),
    ]
    assert [fill.ref for fill in report.fills] == [""]


async def test_a_recovered_execution_is_an_event_once_and_in_every_report():
    notebook = Notebook()
    async with ScriptedTws() as tws, a_broker(tws, notebook) as broker:
        tws.answers["7"][:0] = [
            execution(ENTRY, f"{EXEC}.01", req_id="{2}", shares=10),
            execution(ENTRY, f"{EXEC}.02", req_id="{2}", shares=9),
        ]
        first = await broker.report()
        await broker.connect()
        second = await broker.report()
    assert [[fill.quantity for fill in report.fills] for report in (first, second)] == [[9], [9]]
    assert [type(event) for event in notebook.events].count(OrderFilled) == 1
    assert len(notebook.events) == 2


async def test_an_order_told_twice_while_the_list_is_sent_is_one_line():
    async with ScriptedTws() as tws, a_broker(tws) as broker:
        stop = {"type": "STP", "side": "SELL", "order_id": 55}
        tws.answers["16"] = [
            open_order(STOP, stop="600.0", **stop),
            order_status("PreSubmitted", order_id=55),
            open_order(STOP, stop="601.0", **stop),
            open_order(ENTRY, order_id=54, perm_id=9, status="Filled", qty=0),
            "53|1|",
        ]
        report = await broker.report()
    assert [(order.ref, order.stop_price) for order in report.open_orders] == [(STOP, 601.0)]


async def test_positions_of_other_accounts_and_closed_ones_are_left_out_and_strangers_keep_their_name():
    async with ScriptedTws() as tws, a_broker(tws) as broker:
        tws.answers["61"] = [
            "61|3|DU123|756733|SPY|STK||0.0|||ARCA|USD|SPY|SPY|-15|680.25|",
            "61|3|DU999|756733|SPY|STK||0.0|||ARCA|USD|SPY|SPY|77|680.25|",
            "61|3|DU123|42|SPY|OPT|20261218|700|C|100|SMART|USD|SPY|SPY|3|120.5|",
            "61|3|DU123|43|IBM|STK||0.0|||NYSE|USD|IBM|IBM|0|0|",
            "62|1|",
        ]
        report = await broker.report()
    assert [(line.symbol, line.quantity, line.average_cost) for line in report.positions] == [
        ("SPY", -15.0, 680.25),
        ("SPY OPT USD 42", 3.0, 120.5),
    ]


async def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_one():
    held = "61|3|DU123|756733|SPY|STK||0.0|||ARCA|USD|SPY|SPY|{}|680|"
    async with ScriptedTws() as tws, a_broker(tws, request_timeout_s=0.3) as broker:
        tws.answers["61"] = []
        first = await broker.report()
        tws.answers["61"] = [held.format(1), "62|1|", held.format(2), "62|1|"]
        second = await broker.report()
    assert first.unanswered == ("positions",)
    assert [line.quantity for line in second.positions] == [2.0]


async def test_after_a_lost_end_marker_the_next_report_is_complete_again():
    """Its answer was thrown away as the one that was owed: nobody knew what is held for two time-outs."""
    async with ScriptedTws() as tws, a_broker(tws, request_timeout_s=0.2) as broker:
        answer = tws.answers["61"]
        tws.answers["61"] = []
        lost = await broker.report()
        tws.answers["61"] = answer
        reports = [await broker.report(), await broker.report()]
    assert lost.unanswered == ("positions",)
    assert [report.is_complete for report in reports] == [True, True]
