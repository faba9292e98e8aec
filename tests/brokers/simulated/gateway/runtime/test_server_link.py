"""TWS and the servers behind it: 1100, 1101, 1102, 2110, farms, reset windows, clocks (TWS.md 3.18, 3.29, 3.40)."""

import asyncio

import pytest
from ib_insync import ExecutionFilter, LimitOrder, MarketOrder

from tests.brokers.simulated.gateway.raw_client import codes
from tests.brokers.simulated.gateway.scripted_market import OPENS_AT, a_bar, flat

RISES = [flat(100.0), flat(100.0), a_bar(100, 106, 100, 106), *[flat(106.0)] * 40]


async def cut_off_with_a_fill(desktop_with, *, data_kept):
    """A sell limit at 105 fills while the link is down; 20 market seconds later it is up again."""
    desktop = await desktop_with(RISES)
    ib = await desktop.connect()
    await desktop.play()
    ib.bars = ib.reqRealTimeBars(desktop.spy, 5, "TRADES", useRTH=False)
    ib.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    await desktop.heard(ib)
    trade = ib.placeOrder(desktop.spy, LimitOrder("SELL", 10, 105.0))
    await desktop.heard(ib)
    desktop.gateway.controls.lose_server(20, data_kept=data_kept)
    await desktop.play(3)
    return desktop, ib, trade


async def test_fills_happen_while_the_link_is_down_but_nobody_is_told(desktop_with):
    desktop, ib, trade = await cut_off_with_a_fill(desktop_with, data_kept=True)
    assert desktop.gateway.ledger.quantity("SPY") == 0
    assert trade.orderStatus.status == "Submitted"
    assert ib.errors[-1][1] == 1100
    assert len(ib.bars) == 0


async def test_after_1102_the_fills_are_had_by_asking_only_and_bars_go_on(desktop_with):
    desktop, ib, trade = await cut_off_with_a_fill(desktop_with, data_kept=True)
    await desktop.play(3)
    assert [code for _, code, _ in ib.errors].count(1102) == 1
    assert trade.fills == []
    assert len(ib.bars) == 2  # of the steps that ended at 25 s and after
    await ib.reqExecutionsAsync(ExecutionFilter())
    assert [fill.execution.price for fill in trade.fills] == [105.0]


async def test_after_1101_market_data_has_to_be_asked_for_again(desktop_with):
    desktop, ib, _ = await cut_off_with_a_fill(desktop_with, data_kept=False)
    await desktop.play(3)
    assert [code for _, code, _ in ib.errors].count(1101) == 1
    assert len(ib.bars) == 0
    fresh = ib.reqRealTimeBars(desktop.spy, 5, "TRADES", useRTH=False)
    await desktop.heard(ib)
    await desktop.play(2)
    assert len(fresh) == 2


async def test_account_values_stand_still_while_the_link_is_down_and_come_after(desktop_with):
    desktop, ib, _ = await cut_off_with_a_fill(desktop_with, data_kept=True)
    assert [held.position for held in ib.portfolio()] == [10.0]
    await desktop.play(3)
    assert ib.portfolio() == []


async def test_an_order_placed_while_the_link_is_down_goes_out_when_it_is_back(desktop):
    ib = await desktop.connect()
    desktop.gateway.controls.lose_server(10)
    trade = ib.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    await desktop.heard(ib)
    assert desktop.gateway.ledger.executions == []
    await desktop.play(2)
    await desktop.play()
    assert [fill.execution.shares for fill in trade.fills] == [10.0]


async def test_who_connects_while_the_link_is_down_hears_2110_instead_of_farms(desktop, raw):
    desktop.gateway.controls.lose_server(1000)
    assert codes(await (await raw(desktop)).answers()) == [2110, 2199]


async def test_a_link_that_is_restored_twice_is_told_once(desktop, raw):
    client = await raw(desktop)
    await client.answers()
    desktop.gateway.controls.lose_server(1000)
    desktop.gateway.controls.restore_server()
    desktop.gateway.controls.restore_server(data_kept=False)
    assert codes(await client.answers()) == [1100, 1102]


@pytest.mark.parametrize(
    ("code", "farm", "text"),
    [
        (2103, "usfarm", "Market data farm connection is broken:usfarm"),
        (2105, "ushmds", "HMDS data farm connection is broken:ushmds"),
        (2107, "ushmds", "HMDS data farm connection is inactive but should be available upon demand.ushmds"),
        (2108, "usfarm", "Market data farm connection is inactive but should be available upon demand.usfarm"),
        (2157, "secdefil", "Sec-def data farm connection is broken:secdefil"),
    ],
)
async def test_a_farms_state_is_told_to_all_with_id_minus_1_and_to_who_comes_later(desktop, raw, code, farm, text):
    there = await raw(desktop, client_id=1)
    await there.answers()
    desktop.gateway.controls.farm_status(code, farm)
    told = (await there.answers())[0]
    assert told[:5] == ["4", "2", "-1", str(code), text]
    later = await (await raw(desktop, client_id=2)).answers()
    assert (code in codes(later), len(codes(later))) == (True, 4)


async def test_in_a_reset_window_the_link_flaps_and_the_gateway_restarts_at_its_end(desktop, raw):
    client = await raw(desktop)
    await client.answers()
    desktop.gateway.controls.reset_window(900)
    await desktop.play(179)
    assert codes(await client.answers()) == [1100, 1102] * 3
    await desktop.play()
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(client.reader.readexactly(1), 5)


async def test_the_servers_clock_may_be_wrong_and_the_markets_is_not(desktop):
    ib = await desktop.connect()
    desktop.gateway.controls.skew_clock(-90)
    assert (await ib.reqCurrentTimeAsync()).timestamp() == OPENS_AT + 5 - 90
    assert desktop.gateway.session.now() == OPENS_AT + 5
    ib.placeOrder(desktop.spy, MarketOrder("BUY", 1))
    await asyncio.wait_for(ib.reqCurrentTimeAsync(), 5)
    assert desktop.gateway.ledger.executions[0].at == OPENS_AT + 5


async def test_pacing_can_be_set_while_running(desktop, raw):
    client = await raw(desktop)
    await client.answers()
    desktop.gateway.controls.set_pacing(5)
    for _ in range(6):
        client.say(8, 1, 1)
    await client.heard(4)
    desktop.gateway.controls.set_pacing(5, "off")
    for _ in range(50):
        client.say(8, 1, 1)
    assert codes(await client.answers()) == []
