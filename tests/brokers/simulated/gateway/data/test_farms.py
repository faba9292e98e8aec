"""The farms behind TWS: what comes while one is broken, and what history says while the link is lost."""

import asyncio

import pytest

from brokers.simulated.market.source import Halted
from tests.brokers.simulated.gateway.orders.wire import sent_to
from tests.brokers.simulated.gateway.scripted_market import flat

A_WHILE = [flat(100.0)] * 40


def named(sent, *names):
    return [one.name for one in sent if one.name in names]


async def test_while_the_market_data_farm_is_broken_no_bars_and_no_ticks_come(desktop_with):
    desktop = await desktop_with(A_WHILE)
    ib = await desktop.connect()
    await desktop.play()
    bars = ib.reqRealTimeBars(desktop.spy, 5, "TRADES", useRTH=True)
    ib.reqMktData(desktop.spy, "", snapshot=False, regulatorySnapshot=False)
    await desktop.heard(ib)
    desktop.gateway.controls.farm_status(2103, "usfarm")
    sent = sent_to(desktop)
    await desktop.play(3)
    assert (len(bars), named(sent, "tickPrice", "tickSize")) == (0, [])
    desktop.gateway.controls.farm_status(2104, "usfarm")
    await desktop.play()
    assert len(bars) == 1
    assert named(sent, "tickSize") == ["tickSize"]


@pytest.mark.parametrize("code", [2107, 2108])
async def test_a_dormant_farm_delivers_on_demand(desktop, code):
    ib = await desktop.connect()
    desktop.gateway.controls.farm_status(code, "ushmds")
    past = await asyncio.wait_for(ib.reqHistoricalDataAsync(desktop.spy, "", "1 D", "1 min", "TRADES", useRTH=True), 5)
    assert len(past) == 10


async def test_while_the_history_farm_is_broken_history_gets_no_answer(desktop):
    ib = await desktop.connect()
    desktop.gateway.controls.farm_status(2105, "ushmds")
    sent = sent_to(desktop)
    ib.client.reqHistoricalData(77, desktop.spy, "", "1 D", "1 min", "TRADES", True, 1, False, [])
    ib.client.reqHeadTimeStamp(78, desktop.spy, "TRADES", True, 1)
    ib.client.reqHistoricalTicks(79, desktop.spy, "20131008-13:30:00", "", 5, "TRADES", True, False, [])
    await desktop.heard(ib)
    assert {one.name for one in sent} == {"currentTime"}


async def test_while_the_history_farm_is_broken_a_kept_history_stands_still(desktop):
    ib = await desktop.connect()
    ib.client.reqHistoricalData(77, desktop.spy, "", "600 S", "1 min", "TRADES", True, 2, True, [])
    await desktop.heard(ib)
    desktop.gateway.controls.farm_status(2105, "ushmds")
    sent = sent_to(desktop)
    await desktop.play(2)
    assert named(sent, "historicalDataUpdate") == []
    desktop.gateway.controls.farm_status(2106, "ushmds")
    await desktop.play()
    assert named(sent, "historicalDataUpdate") == ["historicalDataUpdate"]


async def test_while_the_link_is_lost_history_wrongly_says_that_there_is_no_such_stock(desktop):
    ib = await desktop.connect()
    desktop.gateway.controls.lose_server(60)
    past = await asyncio.wait_for(ib.reqHistoricalDataAsync(desktop.spy, "", "1 D", "1 min", "TRADES", useRTH=True), 5)
    assert list(past) == []
    assert ib.errors[-1][1] == 200


async def test_halts_are_known_even_if_nobody_could_be_told(desktop_with):
    desktop = await desktop_with(A_WHILE, events={1: (Halted(0, 1),)})
    ib = await desktop.connect()
    await desktop.play()
    desktop.gateway.controls.lose_server(5)
    await desktop.play(2)
    ticker = ib.reqMktData(desktop.spy, "", snapshot=False, regulatorySnapshot=False)
    await desktop.heard(ib)
    assert ticker.halted == 1
