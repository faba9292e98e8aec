"""Faults 19 to 26: how orders, executions and commissions are told."""

import math
from collections import Counter

import pytest
from ib_insync import MarketOrder

from tests.brokers.simulated.gateway.faults.stage import bought, codes, happened, placed, resting, status, statuses
from tests.brokers.simulated.gateway.raw_client import advanced
from tests.brokers.simulated.gateway.scripted_market import a_bar, flat

UNSET = 1.7976931348623157e308
TOLD = ("orderStatus", "execDetails", "commissionReport")


def listening(ib):
    """What leaves the wire for this client from now on, as the decoder sees it: message names in order."""
    told = []
    names = {"3": "orderStatus", "5": "openOrder", "11": "execDetails", "59": "commissionReport", "4": "error"}
    interpret = ib.client.decoder.interpret

    def note(fields):
        if fields[0] in names:
            told.append(names[fields[0]])
        interpret(fields)

    ib.client.decoder.interpret = note
    return told


async def test_fault_19_executions_statuses_and_commissions_come_twice_and_the_books_hold_them_once(desktop):
    ib = await desktop.connect()
    once = listening(ib)
    await bought(desktop, ib)
    honest = Counter(once)
    once.clear()
    desktop.gateway.faults.inject("duplicate_executions")
    trade = await bought(desktop, ib)
    assert {name: Counter(once)[name] for name in TOLD} == {name: 2 * honest[name] for name in TOLD}
    assert Counter(once)["openOrder"] == honest["openOrder"]
    assert desktop.gateway.ledger.quantity("SPY") == 20
    assert len(trade.fills) == 1


async def test_fault_19_a_duplicate_may_come_later(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("duplicate_executions", message="execDetails", after_s=60)
    told = listening(ib)
    await bought(desktop, ib)
    assert told.count("execDetails") == 1
    await advanced(desktop, 61)
    await desktop.heard(ib)
    assert told.count("execDetails") == 2


async def test_fault_20_an_execution_without_its_status_leaves_the_order_open_in_the_library(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("status_order", how="exec_only")
    trade = await bought(desktop, ib)
    assert trade.filled() == 10
    assert status(trade) != "Filled"
    assert desktop.gateway.session.desk.open_orders() == []


async def test_fault_20_the_status_comes_before_the_execution(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("status_order", how="status_first", delay_s=30)
    trade = await bought(desktop, ib)
    assert (status(trade), len(trade.fills)) == ("Filled", 0)
    await advanced(desktop, 31)
    await desktop.heard(ib)
    assert [fill.execution.shares for fill in trade.fills] == [10]
    assert trade.fills[0].commissionReport.commission == 1.0


async def test_fault_20_the_status_comes_long_after_the_execution(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("status_order", how="late", delay_s=30)
    trade = await bought(desktop, ib)
    assert (status(trade) == "Filled", len(trade.fills)) == (False, 1)
    await advanced(desktop, 31)
    await desktop.heard(ib)
    assert status(trade) == "Filled"


async def test_fault_22_the_commission_comes_before_its_execution_and_the_library_loses_it(desktop):
    ib = await desktop.connect()
    told = listening(ib)
    desktop.gateway.faults.inject("commission_first", delay_s=2)
    trade = await bought(desktop, ib)
    assert [name for name in told if name in {"execDetails", "commissionReport"}] == ["commissionReport"]
    await advanced(desktop, 3)
    await desktop.heard(ib)
    assert told[-1] == "execDetails"
    assert trade.fills[0].commissionReport.commission == 0
    await ib.reqExecutionsAsync()
    assert desktop.gateway.ledger.cash == 1_000_000 - 10 * 100.01 - 1.0


async def test_fault_23_the_commission_comes_an_hour_late(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("commission_late")
    trade = await bought(desktop, ib)
    await advanced(desktop, 3500)
    await desktop.heard(ib)
    assert trade.fills[0].commissionReport.commission == 0
    await advanced(desktop, 200)
    await desktop.heard(ib)
    assert trade.fills[0].commissionReport.commission == 1.0


async def test_fault_23_the_commission_never_comes_and_is_charged(desktop):
    ib = await desktop.connect()
    told = listening(ib)
    desktop.gateway.faults.inject("commission_late", how="never")
    await bought(desktop, ib)
    await advanced(desktop, 7200)
    await desktop.heard(ib)
    assert "commissionReport" not in told
    assert desktop.gateway.ledger.cash == 1_000_000 - 10 * 100.01 - 1.0


async def test_fault_23_a_closing_fill_has_an_unset_realised_profit(desktop, raw):
    ib = await desktop.connect()
    await bought(desktop, ib)
    desktop.gateway.faults.inject("commission_late", how="unset")
    trade = await placed(desktop, ib, MarketOrder("SELL", 10))
    assert trade.fills[0].commissionReport.commission == 1.0
    assert trade.fills[0].commissionReport.realizedPNL == 0  # ib_insync's reading of the unset double
    client = await raw(desktop)
    client.say(7, 3, 11, 0, "", "", "", "", "", "")
    reports = [fields for fields in await client.heard(55) if fields[0] == "59"]
    assert [float(fields[5]) for fields in reports] == [UNSET, UNSET]
    realized = [one.realized_pnl for one in desktop.gateway.ledger.commissions.values()]
    assert realized[1] == pytest.approx(10 * (99.99 - 100.01) - 2.0)


async def test_fault_24_a_corrected_execution_replaces_its_stem(desktop):
    ib = await desktop.connect()
    trade = await bought(desktop, ib)
    (first,) = trade.fills
    desktop.gateway.faults.inject("correct_execution", price_by=0.05)
    await desktop.heard(ib)
    corrected = trade.fills[-1].execution
    assert first.execution.execId.endswith(".01")
    assert corrected.execId == first.execution.execId[:-2] + "02"
    assert (corrected.shares, corrected.price) == (10, 100.06)
    assert desktop.gateway.ledger.quantity("SPY") == 10
    assert math.isclose(desktop.gateway.ledger.cash, 1_000_000 - 10 * 100.06 - 1.0)


async def test_fault_24_passes_over_what_was_executed_before_a_split_that_the_account_did_not_hold(desktop):
    """A bust of it brought shares back in the scale of before, and no record told of the split (brutal 41292)."""
    ib = await desktop.connect()
    await bought(desktop, ib)
    await placed(desktop, ib, MarketOrder("SELL", 10))
    desktop.gateway.faults.inject("split", symbol="SPY", ratio=0.5)
    desktop.gateway.faults.inject("correct_execution", shares_times=0)
    await desktop.heard(ib)
    assert happened(desktop) == ["split"]


async def test_fault_24_waits_for_an_execution_if_there_is_none_yet(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("correct_execution")
    trade = await bought(desktop, ib)
    await desktop.play()
    assert [fill.execution.execId[-2:] for fill in trade.fills] == ["01", "02"]
    assert happened(desktop) == ["correct_execution"]


@pytest.mark.parametrize(
    ("style", "written"),
    [
        ("utc_dash", "20131008-13:30:05"),
        ("no_zone", "20131008 09:30:05"),
        ("two_spaces", "20131008  09:30:05"),
        ("other_zone", "20131008 13:30:05 Universal"),
        ("unknown_zone", "20131008 09:30:05 Nowhere/Land"),
    ],
)
async def test_fault_25_an_executions_time_is_written_in_an_odd_way(desktop, raw, style, written):
    await bought(desktop, await desktop.connect())
    client = await raw(desktop)
    desktop.gateway.faults.inject("odd_execution_time", style=style)
    client.say(7, 3, 11, 0, "", "", "", "", "", "")
    (execution,) = [fields for fields in await client.heard(55) if fields[0] == "11"]
    assert execution[15] == written


async def test_fault_25_that_is_injected_twice_leaves_what_the_first_has_written(desktop, raw):
    """Found by simulation (brutal 9995): the second could not read it, and the request was answered with 322."""
    await bought(desktop, await desktop.connect())
    client = await raw(desktop)
    desktop.gateway.faults.inject("odd_execution_time", style="utc_dash")
    desktop.gateway.faults.inject("odd_execution_time", style="other_zone")
    client.say(7, 3, 11, 0, "", "", "", "", "", "")
    (execution,) = [fields for fields in await client.heard(55) if fields[0] == "11"]
    assert execution[15] == "20131008-13:30:05"


async def test_fault_25_a_zone_nobody_knows_loses_the_execution_in_ib_insync_but_not_the_position(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("odd_execution_time", style="unknown_zone")
    trade = await bought(desktop, ib)
    assert trade.fills == []
    assert [held.position for held in ib.positions()] == [10]


@pytest.mark.parametrize("code", [399, 404, 2109, 10311, 10349])
async def test_fault_26_a_warning_comes_with_a_new_order_that_is_live(desktop, code):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("placement_warning", code=code)
    trade = await resting(desktop, ib)
    assert codes(ib, trade.order.orderId) == [code]
    assert len(desktop.gateway.session.desk.open_orders()) == 1


async def test_fault_26_10349_makes_ib_insync_call_a_live_order_cancelled(desktop_with):
    desktop = await desktop_with([flat(100.0), flat(100.0), a_bar(100, 100, 94, 94), *[flat(94.0)] * 3])
    await desktop.play()
    ib = await desktop.connect()
    desktop.gateway.faults.inject("placement_warning", code=10349)
    trade = await resting(desktop, ib)
    await desktop.play(3)
    assert statuses(trade)[-2:] == ["Cancelled", "Filled"]
    assert desktop.gateway.ledger.quantity("SPY") == 10
