"""Faults 1 to 9: coming in, and the socket."""

import asyncio
import struct

import ib_async
import ib_insync
import pytest

from tests.brokers.simulated.gateway.faults.stage import gone, happened
from tests.brokers.simulated.gateway.raw_client import RawClient, advanced, again, codes


async def test_fault_1_the_port_is_refused_and_open_again_later(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("refuse_connections", for_s=30)
    await gone(ib)
    with pytest.raises(ConnectionRefusedError):
        await RawClient.connected(desktop.gateway.port)
    await advanced(desktop, 31)
    other = await again(desktop)
    await other.heard(9)
    other.close()


async def test_fault_1_connections_that_stand_may_be_left_alone(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("refuse_connections", drop=False)
    with pytest.raises(ConnectionRefusedError):
        await RawClient.connected(desktop.gateway.port)
    await desktop.heard(ib)


async def test_fault_2_a_handshake_is_accepted_and_never_answered(desktop, raw):
    desktop.gateway.faults.inject("mute_handshake", times=1)
    mute = await raw(desktop, start=False)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(mute.reader.read(1), 0.05)
    await (await raw(desktop, client_id=2)).heard(9)


@pytest.mark.parametrize(("what", "missing"), [("accounts", {"15"}), ("next_id", {"9"}), ("both", {"9", "15"})])
async def test_fault_3_a_client_gets_its_version_but_not_what_it_waits_for(desktop, raw, what, missing):
    desktop.gateway.faults.inject("withhold_on_connect", what=what)
    client = await raw(desktop)
    assert {"9", "15"} - {fields[0] for fields in await client.answers()} == missing
    ready = await raw(desktop, client_id=78)
    assert {"9", "15"} <= {fields[0] for fields in await ready.answers()}


@pytest.mark.parametrize(("reason", "told"), [("326", [326]), ("none", [])])
async def test_fault_4_a_client_that_connects_is_closed_at_once(desktop, raw, reason, told):
    desktop.gateway.faults.inject("close_on_connect", reason=reason, for_s=30)
    assert codes(await (await raw(desktop)).rest()) == told
    await advanced(desktop, 31)
    await (await raw(desktop)).heard(9)


async def connecting(desktop, library, client_id):
    """A library's connect that gives up after 0.3 s."""
    ib = library.IB()
    await ib.connectAsync("127.0.0.1", desktop.gateway.port, clientId=client_id, timeout=0.3)
    return ib


async def test_fault_5_without_positionend_ib_insync_connects_all_the_same(desktop):
    desktop.gateway.faults.inject("swallow_position_end")
    ib = await connecting(desktop, ib_insync, 2)
    assert ib.isConnected()
    assert happened(desktop) == ["swallow_position_end"]
    ib.disconnect()


async def test_fault_6_without_execdetailsend_ib_insync_does_not_connect(desktop):
    desktop.gateway.faults.inject("swallow_executions_end")
    with pytest.raises(TimeoutError):
        await connecting(desktop, ib_insync, 2)
    assert happened(desktop) == ["swallow_executions_end"]


async def test_fault_6_without_execdetailsend_ib_async_connects_all_the_same(desktop):
    desktop.gateway.faults.inject("swallow_executions_end")
    ib = await connecting(desktop, ib_async, 2)
    assert ib.isConnected()
    ib.disconnect()


async def test_fault_6_is_over_when_it_is_cleared(desktop, raw):
    client = await raw(desktop)
    desktop.gateway.faults.inject("swallow_executions_end")
    client.say(7, 3, 11, 0, "", "", "", "", "", "")
    assert "55" not in [fields[0] for fields in await client.answers()]
    desktop.gateway.faults.clear()
    client.say(7, 3, 12, 0, "", "", "", "", "", "")
    assert (await client.heard(55))[-1] == ["55", "1", "12"]


async def test_fault_7_a_frozen_tws_leaves_the_socket_open_and_says_everything_afterwards(desktop, raw):
    client = await raw(desktop)
    await client.answers()
    desktop.gateway.faults.inject("freeze", for_s=20)
    client.say(49, 1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.reader.read(1), 0.05)
    await advanced(desktop, 21)
    assert (await client.heard(49))[-1][0] == "49"


async def test_fault_8_a_connection_ends_in_the_middle_of_a_frame(desktop, raw):
    client = await raw(desktop)
    await client.answers()
    desktop.gateway.faults.inject("drop_connection", client=77, how="mid_frame")
    (length,) = struct.unpack(">I", await client.reader.readexactly(4))
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await client.reader.readexactly(length)


@pytest.mark.parametrize("how", ["fin", "rst"])
async def test_fault_8_only_the_client_that_is_meant_loses_its_connection(desktop, how):
    first, second = await desktop.connect(1), await desktop.connect(2)
    desktop.gateway.faults.inject("drop_connection", client=1, how=how)
    await gone(first)
    await desktop.heard(second)
    assert second.isConnected()


async def test_fault_9_chopped_packets_and_a_frame_of_three_megabytes_change_nothing(desktop):
    ib = await desktop.connect()
    desktop.gateway.faults.inject("chop_frames", big_frame=True)
    await desktop.heard(ib)
    trade = ib.placeOrder(desktop.spy, ib_insync.MarketOrder("BUY", 10))
    await desktop.heard(ib)
    assert trade.orderStatus.status == "Filled"
    assert [len(text) for _, code, text in ib.errors if code == 2100] == [3_000_000]


@pytest.mark.parametrize("how", ["unknown_id", "short", "garbage"])
async def test_fault_10_a_malformed_message_comes_once(desktop, raw, how):
    client = await raw(desktop)
    await client.answers()
    desktop.gateway.faults.inject("malformed_message", how=how, message="error", nth=1)
    client.say(1, 11, 5, *("",) * 12, 0, "", 0, 0, "")
    client.say(1, 11, 6, *("",) * 12, 0, "", 0, 0, "")
    spoiled, *_ = said = [fields for fields in await client.answers() if fields[0] != "49"]
    expected = {"unknown_id": ["199", "1", "?"], "short": ["4", "2"], "garbage": ["4", "2", "5", "abc"]}[how]
    assert spoiled[:4] == expected
    assert said[-1][:4] == ["4", "2", "6", "200"]


async def test_of_a_message_that_one_fault_has_cut_short_another_can_spoil_no_number(desktop, raw):
    """brutal 110749: the gateway itself failed."""
    client = await raw(desktop)
    await client.answers()
    for how in ("short", "garbage"):
        desktop.gateway.faults.inject("malformed_message", how=how, message="error", nth=1)
    client.say(1, 11, 5, *("",) * 12, 0, "", 0, 0, "")
    (spoiled,) = [fields for fields in await client.answers() if fields[0] != "49"]
    assert spoiled == ["4", "2"]
