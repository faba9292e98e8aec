import asyncio

import pytest
from ib_insync import LimitOrder, MarketOrder

from brokers.simulated.gateway.protocol.wire import frame
from brokers.simulated.gateway.runtime.clock import ManualClock
from brokers.simulated.gateway.runtime.message_rate import MessageRate
from brokers.simulated.gateway.server import SimulatedGateway
from tests.brokers.simulated.gateway.raw_client import RawClient, codes
from tests.brokers.simulated.gateway.scripted_market import OPENS_AT, STEP_S, ScriptedMarket, flat

SPY = (0, "SPY", "STK", "", 0, "", "", "SMART", "", "USD", "", "")


async def test_32_clients_are_served_and_the_33rd_is_refused(desktop, raw):
    first = [await raw(desktop, client_id=number) for number in range(32)]
    for client in first:
        await client.heard(9)
    assert codes(await (await raw(desktop, client_id=32)).rest()) == [507]
    first[3].close()
    await first[0].answers()
    await (await raw(desktop, client_id=33)).heard(9)


async def test_an_id_is_free_again_when_its_client_has_gone(desktop, raw):
    gone = await raw(desktop, client_id=3)
    await gone.heard(9)
    gone.close()
    other = await raw(desktop, client_id=4)
    await other.answers()
    await (await raw(desktop, client_id=3)).heard(9)


async def test_every_client_has_order_ids_of_its_own(desktop, raw):
    ib = await desktop.connect(1)
    trade = ib.placeOrder(desktop.spy, LimitOrder("BUY", 1, 90.0))
    await desktop.heard(ib)
    used = trade.order.orderId
    other, back = await raw(desktop, client_id=2), await raw(desktop, client_id=1, offer=b"v100..176")
    assert (await other.heard(9))[-1][2] == "1"
    assert codes(await back.rest()) == [326]
    assert desktop.gateway.session.desk.next_valid_id(1) == used + 1


async def test_the_master_client_hears_of_everybodys_orders_and_executions(desktop_with, raw):
    desktop = await desktop_with(master_client_id=9)
    await desktop.play()
    master, owner = await raw(desktop, client_id=9), await desktop.connect(1)
    await master.heard(9)
    owner.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    await desktop.heard(owner)
    heard = [fields[0] for fields in await master.answers()]
    assert {"5", "3", "11", "59"} <= set(heard)


async def test_the_master_client_hears_its_own_orders_once(desktop_with):
    desktop = await desktop_with(master_client_id=9)
    await desktop.play()
    master = await desktop.connect(9)
    executions = []
    master.execDetailsEvent += lambda _, fill: executions.append(fill)
    master.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    await desktop.heard(master)
    assert len(executions) == 1


async def test_another_client_than_the_master_hears_nothing_of_foreign_orders(desktop_with, raw):
    desktop = await desktop_with(master_client_id=9)
    await desktop.play()
    other, owner = await raw(desktop, client_id=2), await desktop.connect(1)
    await other.heard(9)
    owner.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    await desktop.heard(owner)
    assert {fields[0] for fields in await other.answers()} & {"3", "5", "11", "59"} == set()


async def test_accounts_are_listed_with_a_comma_at_the_end_if_there_are_several(desktop_with, raw):
    desktop = await desktop_with(accounts=("DU1000001", "DU1000002"))
    client = await raw(desktop)
    assert (await client.heard(15))[-1] == ["15", "1", "DU1000001,DU1000002,"]


# ---------------------------------------------------------------- slow readers


def subscribe(client):
    client.say(50, 3, 500, *SPY, 5, "TRADES", 0, "")


async def test_a_client_that_does_not_read_is_cut_and_the_others_lose_nothing(desktop_with, raw, caplog):
    desktop = await desktop_with([flat(100.0)] * 40)
    slow, reads = await raw(desktop, client_id=1), await raw(desktop, client_id=2)
    for client in (slow, reads):
        await client.heard(9)
        subscribe(client)
        await client.answers()
    desktop.gateway.session.clients[1].unread_bytes_max = 1 << 16
    slow.writer.transport.pause_reading()
    flood = b"\0" * (1 << 23)  # more than any kernel buffer takes
    desktop.gateway.controls.send_raw(1, flood)
    await desktop.play(20)
    assert "client 1 cut: it has more than 65536 bytes unread" in caplog.text
    assert [fields[0] for fields in await reads.answers()].count("50") == 20
    assert 1 not in desktop.gateway.session.clients


async def play_with_a_client_that_does_not_read(waits_s):
    """Two steps of market time with a client whose socket is full; returns how many steps were played."""
    clock = ManualClock(OPENS_AT - 60)
    settings = {"port": 0, "wait_for_slow_s": waits_s}
    async with SimulatedGateway(ScriptedMarket([flat(100.0)] * 40), clock, **settings) as gateway:
        slow = await RawClient.connected(gateway.port, client_id=1)
        await slow.heard(9)
        slow.writer.transport.pause_reading()
        gateway.session.clients[1].send_frame(b"\0" * (1 << 23))
        gateway.session.flush()
        clock.advance_to(OPENS_AT + 2 * STEP_S)
        for _ in range(20):
            await asyncio.sleep(0)
        slow.close()
        return gateway.session.next_step_at - OPENS_AT


async def test_the_market_does_not_wait_for_a_slow_reader():
    assert await play_with_a_client_that_does_not_read(0.0) >= 2 * STEP_S


async def test_the_market_waits_for_a_slow_reader_if_it_is_set_to():
    assert await play_with_a_client_that_does_not_read(5.0) == STEP_S


async def test_a_client_that_floods_without_reading_is_held_at_its_own_socket_and_the_others_are_answered(desktop, raw):
    flood, other = await raw(desktop, client_id=1), await raw(desktop, client_id=2)
    for client in (flood, other):
        await client.answers()
    flood.writer.transport.pause_reading()
    question = frame((20, 9, *SPY, 0, "", "1 min", "1 D", 0, "TRADES", 1, 0, ""))
    flood.writer.write(question * 20_000)
    unread = 0
    for _ in range(50):
        await other.answers()
        unread = max(unread, desktop.gateway.session.clients[1]._writer.transport.get_write_buffer_size())
    assert 0 < unread < 1 << 20


async def test_what_a_client_had_on_its_way_when_it_was_reset_is_never_read(desktop, raw):
    client = await raw(desktop)
    await client.answers()
    client.say(58, 1)
    client.say(49, 1)
    served = desktop.gateway.session.clients[77]
    answered = served.frames_sent
    desktop.gateway.controls.drop(how="rst")
    for _ in range(10):
        await asyncio.sleep(0)
    assert served.frames_sent == answered


async def test_a_read_only_gateway_refuses_orders(desktop_with):
    desktop = await desktop_with(read_only=True)
    ib = await desktop.connect()
    await desktop.play()
    ib.placeOrder(desktop.spy, MarketOrder("BUY", 1))
    await desktop.heard(ib)
    assert ib.errors[-1][1] == 321
    assert desktop.gateway.session.desk.orders == {}


# ---------------------------------------------------------------- pacing


async def test_beyond_50_messages_a_second_error_100_and_at_the_third_breach_the_end(desktop_with, raw):
    desktop = await desktop_with(pacing="reject")
    client = await raw(desktop)
    await client.heard(9)
    for _ in range(200):
        client.say(49, 1)
    said = await client.rest()
    assert [fields[3:5] for fields in said if fields[0] == "4" and fields[3] == "100"] == [
        ["100", f"Max rate of messages per second has been exceeded:max=50 rec=51 ({breach})"] for breach in (1, 2, 3)
    ]
    assert [fields[0] for fields in said].count("49") == 150


async def test_fifty_messages_in_each_second_are_no_breach(desktop_with, raw):
    desktop = await desktop_with(pacing="reject")
    client = await raw(desktop)
    await client.heard(9)
    for second in range(4):
        desktop.clock.advance_to(OPENS_AT + second * 1.001)
        for _ in range(49):
            client.say(49, 1)
        assert codes(await client.answers()) in ([], [2104, 2106, 2158, 2199])


async def test_silent_pacing_answers_later_and_says_nothing(desktop_with, raw):
    desktop = await desktop_with(pacing="silent")
    client = await raw(desktop)
    await client.heard(9)
    for _ in range(60):
        client.say(8, 1, 1)
    for _ in range(50):
        await client.heard(9)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.heard(9), 0.05)
    desktop.clock.advance_to(OPENS_AT - 58)
    await client.heard(9)


async def test_a_client_that_asks_to_be_paced_is_never_rejected(desktop_with, raw):
    desktop = await desktop_with(pacing="reject")
    client = await raw(desktop, offer=b"v100..176 +PACEAPI")
    await client.heard(9)
    for _ in range(60):
        client.say(49, 1)
    await client.heard(49)
    desktop.clock.advance_to(OPENS_AT)
    said = [await client.heard(49) for _ in range(59)]
    assert 100 not in [code for part in said for code in codes(part)]


def test_a_message_waits_until_the_oldest_of_the_last_second_is_a_second_old():
    rate = MessageRate()
    for at in (0.0, 0.2):
        rate.count(at)
    assert rate.wait_s(0.5, 2) == 0.5
    assert rate.wait_s(1.1, 2) == 0.0
