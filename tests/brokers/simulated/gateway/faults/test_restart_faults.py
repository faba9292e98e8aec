"""Faults 11 to 18 and 52: restarts, the link to IB's servers, pace and clock."""

import pytest

from tests.brokers.simulated.gateway.faults.stage import codes, gone, resting, status
from tests.brokers.simulated.gateway.raw_client import RawClient, advanced, again
from tests.brokers.simulated.gateway.raw_client import codes as codes_of
from tests.brokers.simulated.gateway.scripted_market import a_bar, flat


async def test_fault_11_after_a_restart_ids_go_back_and_orders_are_unknown(desktop):
    ib = await desktop.connect()
    trade = await resting(desktop, ib)
    await resting(desktop, ib)
    before = ib.client.getReqId()
    desktop.gateway.faults.inject("restart_with_old_ids", roll_back_ids=2, for_s=20)
    await gone(ib)
    await advanced(desktop, 21)
    client = await again(desktop, client_id=1)
    (*_, next_id) = await client.heard(9)
    assert int(next_id[2]) <= trade.order.orderId < before
    client.say(5, 1)
    assert [fields[0] for fields in await client.heard(53)][-1] == "53"
    client.close()


async def test_fault_12_a_restart_may_come_back_with_the_orders_on_another_account(desktop):
    ib = await desktop.connect()
    trade = await resting(desktop, ib)
    desktop.gateway.faults.inject("restart_as_another", account="DU1234567", for_s=20)
    await gone(ib)
    await advanced(desktop, 21)
    client = await again(desktop, client_id=1)
    accounts = [fields for fields in await client.heard(9) if fields[0] == "15"]
    assert accounts == [["15", "1", "DU1234567"]]
    client.say(5, 1)
    orders = [fields for fields in await client.heard(53) if fields[0] == "5"]
    assert [fields[1] for fields in orders] == [str(trade.order.orderId)]
    assert "DU1234567" in orders[0]
    client.close()


async def test_fault_12_1300_says_on_which_port_tws_listens_from_now_on(desktop, raw, unused_tcp_port):
    client = await raw(desktop)
    await client.answers()
    desktop.gateway.faults.inject("restart_as_another", account="", port=unused_tcp_port)
    (told,) = [fields for fields in await client.rest() if fields[0] == "4"]
    assert told[3] == "1300"
    assert told[4].endswith(f" {unused_tcp_port}")
    assert desktop.gateway.port == unused_tcp_port
    other = await again(desktop)
    await other.heard(9)
    other.close()


async def test_fault_13_fills_between_1100_and_1102_have_to_be_asked_for(desktop_with):
    desktop = await desktop_with([flat(100.0), flat(100.0), a_bar(100, 100, 94, 94), *[flat(94.0)] * 20])
    await desktop.play()
    ib = await desktop.connect()
    trade = await resting(desktop, ib)
    desktop.gateway.faults.inject("lose_server", for_s=30)
    await desktop.play(3)
    assert desktop.gateway.ledger.quantity("SPY") == 10
    assert status(trade) == "Submitted"
    await desktop.play(6)
    assert [code for code in codes(ib) if code in {1100, 1101, 1102}] == [1100, 1102]
    assert trade.fills == []
    assert len(await ib.reqExecutionsAsync()) == 1
    assert sum(fill.execution.shares for fill in ib.fills()) == 10


async def test_fault_14_after_1101_streams_are_gone_until_they_are_asked_for_again(desktop):
    ib = await desktop.connect()
    bars = ib.reqRealTimeBars(desktop.spy, 5, "TRADES", useRTH=True)
    await desktop.heard(ib)
    await desktop.play()
    desktop.gateway.faults.inject("lose_data", for_s=10)
    await desktop.play(6)
    assert [code for code in codes(ib) if code in {1100, 1101, 1102}] == [1100, 1101]
    assert len(bars) == 1
    fresh = ib.reqRealTimeBars(desktop.spy, 5, "TRADES", useRTH=True)
    await desktop.heard(ib)
    await desktop.play()
    assert len(fresh) == 1


async def test_fault_14_after_a_1102_that_lies_streams_stay_silent(desktop):
    ib = await desktop.connect()
    bars = ib.reqRealTimeBars(desktop.spy, 5, "TRADES", useRTH=True)
    await desktop.heard(ib)
    desktop.gateway.faults.inject("lose_data", code=1102, for_s=10)
    await desktop.play(6)
    assert [code for code in codes(ib) if code in {1100, 1101, 1102}] == [1100, 1102]
    assert len(bars) == 0


@pytest.mark.parametrize(("code", "well"), [(2103, 2104), (2105, 2106), (2107, 2106), (2108, 2104)])
async def test_fault_15_a_farm_breaks_again_and_again_and_is_well_at_the_end(desktop, code, well):
    ib = await desktop.connect()
    ib.errors.clear()
    desktop.gateway.faults.inject("farm_storm", code=code, times=3, every_s=4, for_s=20)
    await advanced(desktop, 30)
    await desktop.heard(ib)
    assert codes(ib, -1) == [code, well, code, well, code, well]
    assert ib.isConnected()


async def test_fault_16_the_reset_window_flaps_then_restarts_and_refuses_for_a_minute(desktop):
    ib = await desktop.connect()
    ib.errors.clear()
    desktop.gateway.faults.inject("nightly_reset", for_s=600)
    await advanced(desktop, 590)
    await desktop.heard(ib)
    assert codes(ib, -1) == [1100, 1102, 1100, 1102]
    await advanced(desktop, 11)
    await gone(ib)
    with pytest.raises(ConnectionRefusedError):
        await RawClient.connected(desktop.gateway.port)
    await advanced(desktop, 61)
    client = await again(desktop)
    await client.heard(9)
    client.close()


async def test_fault_17_the_port_stays_closed_until_somebody_has_logged_in_a_day_later(desktop):
    ib = await desktop.connect()
    await resting(desktop, ib)
    desktop.gateway.faults.inject("wait_for_login")
    await gone(ib)
    await advanced(desktop, 4000)
    with pytest.raises(ConnectionRefusedError):
        await RawClient.connected(desktop.gateway.port)
    await advanced(desktop, 86_400)
    client = await again(desktop, client_id=1)
    await client.heard(9)
    client.close()


async def test_fault_18_too_many_messages_get_error_100_and_the_third_time_a_close(desktop, raw):
    client = await raw(desktop)
    await client.answers()
    desktop.gateway.faults.inject("reject_pace", limit=5)
    for _ in range(30):
        client.say(49, 1)
    said = await client.rest()
    assert codes_of(said) == [100, 100, 100]
    assert len([fields for fields in said if fields[0] == "49"]) == 15


async def test_fault_52_the_server_clock_is_wrong_for_a_while(desktop, raw):
    client = await raw(desktop)
    (*_, honest) = await client.answers()
    desktop.gateway.faults.inject("clock_skew", seconds=-90, for_s=30)
    (*_, skewed) = await client.answers()
    assert int(skewed[2]) == int(honest[2]) - 90
    await advanced(desktop, 31)
    (*_, after) = await client.answers()
    assert int(after[2]) == int(desktop.gateway.clock.now())
