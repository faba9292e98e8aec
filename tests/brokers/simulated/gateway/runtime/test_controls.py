import asyncio
import struct

import pytest
from ib_insync import LimitOrder, MarketOrder

from tests.brokers.simulated.gateway.raw_client import RawClient, advanced, again, codes
from tests.brokers.simulated.gateway.scripted_market import OPENS_AT, flat

SPY = (0, "SPY", "STK", "", 0, "", "", "SMART", "", "USD", "", "")


# ------------------------------------------------------------------ coming in


async def test_the_port_is_refused_and_open_again_later_while_others_stay(desktop):
    ib = await desktop.connect()
    desktop.gateway.controls.refuse_connections(30)
    with pytest.raises(ConnectionRefusedError):
        await RawClient.connected(desktop.gateway.port)
    await advanced(desktop, 29)
    with pytest.raises(ConnectionRefusedError):
        await RawClient.connected(desktop.gateway.port)
    await advanced(desktop, 2)
    other = await again(desktop)
    await other.heard(9)
    await desktop.heard(ib)
    other.close()


async def test_a_port_that_somebody_else_has_taken_is_tried_again_until_it_is_free(desktop):
    desktop.gateway.controls.refuse_connections(30)
    squatter = await asyncio.start_server(lambda *_: None, "127.0.0.1", desktop.gateway.port)
    await advanced(desktop, 31)
    await asyncio.sleep(0)
    squatter.close()
    await squatter.wait_closed()
    await advanced(desktop, 6)
    other = await again(desktop)
    await other.heard(9)
    other.close()


async def test_a_muted_handshake_is_never_answered_and_the_next_one_is(desktop, raw):
    desktop.gateway.controls.mute_handshake(1)
    mute = await raw(desktop, start=False)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(mute.reader.read(1), 0.05)
    await (await raw(desktop, client_id=2)).heard(9)


@pytest.mark.parametrize(("kind", "number"), [("managedAccounts", "15"), ("nextValidId", "9")])
async def test_what_is_withheld_on_connecting_is_missing_once(desktop, raw, kind, number):
    desktop.gateway.controls.withhold_on_connect({kind})
    first, second = await raw(desktop, client_id=1), await raw(desktop, client_id=2)
    assert number not in [fields[0] for fields in await first.answers()]
    assert number in [fields[0] for fields in await second.answers()]


async def test_with_the_end_of_positions_withheld_ib_insync_waits_and_others_do_not(desktop, raw):
    desktop.gateway.controls.withhold_on_connect({"positionEnd"})
    client = await raw(desktop)
    client.say(61, 1)
    assert "62" not in [fields[0] for fields in await client.answers()]
    client.say(61, 1)
    assert "62" in [fields[0] for fields in await client.answers()]


async def test_the_id_of_a_client_that_has_crashed_lingers(desktop, raw):
    desktop.gateway.controls.linger(60)
    crashed, other = await raw(desktop, client_id=1), await raw(desktop, client_id=2)
    await crashed.heard(9)
    crashed.writer.transport.abort()
    await other.answers()
    assert codes(await (await raw(desktop, client_id=1)).rest()) == [326]
    await advanced(desktop, 61)
    await (await raw(desktop, client_id=1)).heard(9)


# ------------------------------------------------------------------ sockets


async def test_a_frozen_gateway_keeps_the_socket_open_and_says_everything_later(desktop):
    ib = await desktop.connect()
    desktop.gateway.controls.freeze(20)
    trade = ib.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ib.reqCurrentTimeAsync(), 0.05)
    assert ib.isConnected()
    assert trade.orderStatus.status == "PendingSubmit"
    await advanced(desktop, 21)
    await desktop.heard(ib)
    assert trade.orderStatus.status == "Filled"


async def test_the_market_goes_on_while_the_gateway_is_frozen(desktop_with):
    desktop = await desktop_with([flat(100.0)] * 10)
    ib = await desktop.connect()
    await desktop.play()
    trade = ib.placeOrder(desktop.spy, LimitOrder("SELL", 10, 99.99))
    trade2 = ib.placeOrder(desktop.spy, LimitOrder("SELL", 10, 120.0))
    await desktop.heard(ib)
    desktop.gateway.controls.freeze(12)
    await advanced(desktop, 10)
    assert desktop.gateway.session.next_step_at >= OPENS_AT + 10
    await advanced(desktop, 10)
    await desktop.heard(ib)
    assert [one.orderStatus.status for one in (trade, trade2)] == ["Filled", "Submitted"]


async def test_a_dropped_client_sees_the_end_after_whole_messages(desktop, raw):
    client, other = await raw(desktop, client_id=1), await raw(desktop, client_id=2)
    await client.answers()
    desktop.gateway.controls.drop(1, "fin")
    assert await client.rest() == []
    await other.answers()


async def test_a_reset_is_a_connection_reset_by_peer(desktop, raw):
    client = await raw(desktop)
    await client.answers()
    desktop.gateway.controls.drop(how="rst")
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(client.reader.readexactly(1), 5)


async def test_a_reset_inside_a_frame_leaves_part_of_it(desktop, raw):
    client = await raw(desktop)
    await client.answers()
    desktop.gateway.controls.drop(how="mid_frame")
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(client.reader.readexactly(4 + 64), 5)


async def test_ib_insync_hears_of_a_reset_and_its_order_works_on(desktop):
    ib = await desktop.connect()
    ib.placeOrder(desktop.spy, LimitOrder("BUY", 10, 90.0))
    await desktop.heard(ib)
    gone = asyncio.Event()
    ib.disconnectedEvent += gone.set
    desktop.gateway.controls.drop(how="rst")
    await asyncio.wait_for(gone.wait(), 5)
    back = await desktop.connect()
    assert [trade.order.lmtPrice for trade in back.openTrades()] == [90.0]


async def test_chopped_traffic_is_read_as_if_it_were_whole(desktop):
    desktop.gateway.controls.chop()
    ib = await desktop.connect()
    trade = ib.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    await desktop.heard(ib)
    assert trade.orderStatus.status == "Filled"
    desktop.gateway.controls.chop(on=False)
    await desktop.heard(ib)


async def test_chopped_traffic_leaves_in_pieces_that_no_field_fits_into(desktop, raw):
    desktop.gateway.controls.chop()
    client = await raw(desktop)
    await client.heard(9)
    served = desktop.gateway.session.clients[77]
    sizes, write = [], served._writer.write

    def measured(data):
        sizes.append(len(data))
        write(data)

    served._writer.write = measured
    await client.answers()
    assert max(sizes) <= 34
    assert len(sizes) > 3


async def test_raw_bytes_reach_one_client_as_they_are(desktop, raw):
    client, other = await raw(desktop, client_id=1), await raw(desktop, client_id=2)
    await client.answers()
    await other.answers()
    desktop.gateway.controls.send_raw(1, struct.pack(">I", 6) + b"999\0x\0")
    assert await client.next() == ["999", "x"]
    assert await other.answers() == [["49", "1", str(int(OPENS_AT + 5))]]


# ------------------------------------------------------------------ restarts


async def test_a_restart_resets_everybody_and_keeps_orders_ids_and_positions(desktop):
    ib = await desktop.connect()
    ib.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    resting = ib.placeOrder(desktop.spy, LimitOrder("BUY", 10, 90.0))
    await desktop.heard(ib)
    perm_id, next_id = resting.order.permId, resting.order.orderId + 1
    gone = asyncio.Event()
    ib.disconnectedEvent += gone.set
    desktop.gateway.controls.restart(10)
    await asyncio.wait_for(gone.wait(), 5)
    with pytest.raises(ConnectionRefusedError):
        await RawClient.connected(desktop.gateway.port)
    await advanced(desktop, 11)
    back = await desktop.connect()
    assert [trade.order.permId for trade in back.openTrades()] == [perm_id]
    assert back.client.getReqId() >= next_id
    assert [held.position for held in back.positions()] == [10.0]


async def test_orders_that_were_never_transmitted_die_in_a_restart(desktop):
    ib = await desktop.connect()
    ib.placeOrder(desktop.spy, LimitOrder("BUY", 10, 90.0, transmit=False))
    await desktop.heard(ib)
    assert len(desktop.gateway.session.desk.orders) == 1
    gone = asyncio.Event()
    ib.disconnectedEvent += gone.set
    desktop.gateway.controls.restart(0)
    assert len(desktop.gateway.session.desk.orders) == 0
    await asyncio.wait_for(gone.wait(), 5)


async def test_a_restart_may_forget_orders_and_roll_ids_back(desktop):
    ib = await desktop.connect()
    for _ in range(4):
        last = ib.placeOrder(desktop.spy, LimitOrder("BUY", 10, 90.0))
    await desktop.heard(ib)
    desktop.gateway.controls.restart(0, forget_orders=True, roll_back_ids=3)
    await advanced(desktop, 1)
    (await again(desktop, client_id=99)).close()
    back = await desktop.connect()
    assert back.openTrades() == []
    assert desktop.gateway.session.desk.next_valid_id(1) == last.order.orderId + 1 - 3


async def test_a_restart_may_bring_another_account(desktop, raw):
    ib = await desktop.connect()
    ib.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    await desktop.heard(ib)
    desktop.gateway.controls.restart(0, account="DU9999999")
    await advanced(desktop, 1)
    (await again(desktop, client_id=99)).close()
    back = await desktop.connect()
    assert back.managedAccounts() == ["DU9999999"]
    assert [(held.account, held.position) for held in back.positions()] == [("DU9999999", 10.0)]


async def test_a_tws_that_moves_its_port_says_1300_closes_and_listens_there(desktop, raw):
    client = await raw(desktop)
    await client.answers()
    free = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = free.sockets[0].getsockname()[1]
    free.close()
    desktop.gateway.controls.move_port(port)
    (told,) = await client.rest()
    assert (told[3], str(port) in told[4]) == ("1300", True)
    moved = await again(desktop)
    assert desktop.gateway.port == port
    moved.close()
