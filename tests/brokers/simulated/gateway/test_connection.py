import asyncio
import struct

import pytest
from ib_insync import IB, LimitOrder, MarketOrder, Stock
from ib_insync.client import Client

from brokers.simulated.gateway.protocol.wire import fields_of, frame, read_payload
from brokers.simulated.gateway.server import SimulatedGateway
from tests.brokers.simulated.gateway.scripted_market import OPENS_AT, ScriptedMarket, a_bar, flat


class Recorder:
    """A bare wrapper beneath ib_insync's Client: keeps every callback by name."""

    def __init__(self):
        self.calls = []
        self.arrived = asyncio.Event()

    def __getattr__(self, name):
        if name.startswith(("priceSizeTick", "tcpData", "_")):
            raise AttributeError(name)
        return lambda *args: self._take(name, args)

    def _take(self, name, args):
        self.calls.append((name, args))
        self.arrived.set()

    async def until(self, name):
        async with asyncio.timeout(5):
            while not any(call[0] == name for call in self.calls):
                self.arrived.clear()
                await self.arrived.wait()
        return next(call[1] for call in self.calls if call[0] == name)


async def raw_client(desktop, offer=b"v100..176", client_id=77):
    """A socket that has shaken hands; returns reader and writer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", desktop.gateway.port)
    writer.write(b"API\0" + struct.pack(">I", len(offer)) + offer)
    version = (await next_frame(reader))[0]
    writer.write(frame((71, 2, client_id, "")))
    return reader, writer, version


async def next_frame(reader):
    """The fields of the next message."""
    async with asyncio.timeout(5):
        payload = await read_payload(reader)
    assert payload is not None
    return fields_of(payload)


async def next_of(reader, kind):
    """The next message of that id; None when the connection ends before."""
    async with asyncio.timeout(5):
        while (payload := await read_payload(reader)) is not None:
            fields = fields_of(payload)
            if fields[0] == str(kind):
                return fields
    return None


async def test_ib_insync_connects_at_version_176_to_a_paper_account(desktop):
    ib = await desktop.connect()
    assert ib.client.serverVersion() == 176
    assert ib.managedAccounts() == ["DU7654321"]
    assert ib.client.getReqId() >= 1
    assert {value.value for value in ib.accountValues() if value.tag == "NetLiquidation"} == {"1000000.00"}


async def test_the_bare_client_with_a_wrapper_of_its_own_connects(desktop):
    wrapper = Recorder()
    client = Client(wrapper)
    await client.connectAsync("127.0.0.1", desktop.gateway.port, 5, 5)
    client.reqPositions()
    await wrapper.until("positionEnd")
    client.disconnect()
    assert await wrapper.until("managedAccounts") == ("DU7654321",)


async def test_the_gateway_says_that_it_is_simulated_and_where_its_clock_stands(desktop):
    wrapper = Recorder()
    client = Client(wrapper)
    await client.connectAsync("127.0.0.1", desktop.gateway.port, 5, 5)
    client.reqCurrentTime()
    await wrapper.until("currentTime")
    client.disconnect()
    codes = {args[1]: args[2] for name, args in wrapper.calls if name == "error"}
    assert {2104, 2106, 2158, 2199} <= codes.keys()
    assert codes[2199] == "SIMULATED gateway: clock=2013-10-08T13:30:05+00:00 speed=1.0"


async def test_the_market_clock_answers_req_current_time(desktop):
    ib = await desktop.connect()
    assert (await ib.reqCurrentTimeAsync()).timestamp() == OPENS_AT + 5


async def test_market_time_never_passes_a_step_that_is_not_played(desktop):
    desktop.clock.advance_to(OPENS_AT + 9)
    await desktop.connect()
    assert desktop.gateway.session.now() == OPENS_AT + 5


async def test_the_server_s_clock_runs_on_inside_a_step(desktop):
    desktop.clock.advance_to(OPENS_AT + 9)
    ib = await desktop.connect()
    assert (await ib.reqCurrentTimeAsync()).timestamp() == OPENS_AT + 9


async def test_the_server_s_clock_waits_at_the_end_of_a_step_for_a_gateway_that_has_fallen_behind(desktop):
    desktop.clock.advance_to(OPENS_AT + 60)
    assert desktop.gateway.session.server_time() == OPENS_AT + 10


async def test_a_second_connection_with_the_same_client_id_gets_326_and_is_closed(desktop):
    first = await desktop.connect(3)
    reader, writer, _ = await raw_client(desktop, client_id=3)
    error = await next_of(reader, 4)
    assert error[2:4] == ["-1", "326"]
    assert await next_of(reader, 9) is None
    writer.close()
    await desktop.heard(first)


async def test_the_handshake_comes_alone_and_nothing_follows_before_start_api(desktop):
    reader, writer = await asyncio.open_connection("127.0.0.1", desktop.gateway.port)
    writer.write(b"API\0" + struct.pack(">I", 9) + b"v100..226")
    first = await asyncio.wait_for(reader.read(4096), 5)
    assert fields_of(first[4:])[0] == "176"
    assert len(first) == 4 + struct.unpack(">I", first[:4])[0]
    writer.close()


@pytest.mark.parametrize("offer", [b"v100..156", b"v213..225", b"v160..170", b"nonsense"])
async def test_a_client_that_speaks_neither_157_nor_176_is_closed(desktop, offer):
    reader, writer = await asyncio.open_connection("127.0.0.1", desktop.gateway.port)
    writer.write(b"API\0" + struct.pack(">I", len(offer)) + offer)
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()


async def test_a_web_browser_is_closed(desktop):
    reader, writer = await asyncio.open_connection("127.0.0.1", desktop.gateway.port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\xff\xfe\0\0",
        b"",
        b"no id\0",
        frame((9, 8, "no number"))[4:],
        frame((3, 7))[4:],
        frame((999, 1))[4:],
    ],
)
async def test_a_garbled_request_gets_an_answer_and_disturbs_nobody(desktop, garbage):
    ib = await desktop.connect()
    reader, writer, _ = await raw_client(desktop)
    await next_of(reader, 9)
    writer.write(struct.pack(">I", len(garbage)) + garbage)
    writer.write(frame((49, 1)))
    assert await next_of(reader, 49)
    trade = ib.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    await desktop.heard(ib)
    assert trade.orderStatus.status == "Filled"
    writer.close()


async def test_an_unreadable_order_is_answered_with_320_for_its_id(desktop):
    reader, writer, _ = await raw_client(desktop)
    await next_of(reader, 9)
    writer.write(frame((3, 12, "abc")))
    writer.write(frame((49, 1)))
    errors = []
    while (fields := await next_frame(reader))[0] != "49":
        errors.append(fields[2:4])
    assert ["12", "320"] in errors
    writer.close()


async def test_a_frame_of_impossible_length_ends_only_that_connection(desktop):
    ib = await desktop.connect()
    reader, writer, _ = await raw_client(desktop)
    await next_of(reader, 9)
    writer.write(struct.pack(">I", 1 << 31) + b"x")
    assert await next_of(reader, 49) is None
    await desktop.heard(ib)
    writer.close()


async def test_requests_split_byte_by_byte_are_understood(desktop):
    reader, writer, _ = await raw_client(desktop)
    await next_of(reader, 9)
    for byte in frame((49, 1)):
        writer.write(bytes((byte,)))
        await writer.drain()
    assert (await next_of(reader, 49))[2] == str(int(OPENS_AT + 5))
    writer.close()


async def test_a_request_that_is_not_simulated_gets_321_not_silence(desktop):
    ib = await desktop.connect()
    depth = ib.reqMktDepth(desktop.spy)
    await desktop.heard(ib)
    assert depth is not None
    assert ib.errors[-1][1] == 321
    assert await asyncio.wait_for(ib.reqNewsProvidersAsync(), 5) == []


async def test_a_client_that_comes_back_finds_its_orders_fills_and_ids(desktop):
    before = await desktop.connect(7)
    filled = before.placeOrder(desktop.spy, MarketOrder("BUY", 10, orderRef="OB1:x:20131008:SPY-1:E"))
    resting = before.placeOrder(desktop.spy, LimitOrder("SELL", 10, 120.0, orderRef="OB1:x:20131008:SPY-1:T"))
    await desktop.heard(before)
    last_id = resting.order.orderId
    before.disconnect()
    await desktop.play(2)

    after = await desktop.connect(7)

    found = {trade.order.permId: trade for trade in after.openTrades()}
    assert found.keys() == {resting.order.permId}
    assert found[resting.order.permId].order.orderId == last_id
    assert found[resting.order.permId].order.orderRef == "OB1:x:20131008:SPY-1:T"
    assert [fill.execution.orderRef for fill in after.fills()] == ["OB1:x:20131008:SPY-1:E"]
    assert after.fills()[0].commissionReport.commission == 1.0
    completed = await after.reqCompletedOrdersAsync(False)
    assert [trade.order.permId for trade in completed] == [filled.order.permId]
    assert [(held.contract.symbol, held.position) for held in after.positions()] == [("SPY", 10.0)]
    assert after.client.getReqId() > last_id


async def test_another_client_sees_the_order_only_when_it_asks_for_all(desktop):
    owner, other = await desktop.connect(1), await desktop.connect(2)
    owner.placeOrder(desktop.spy, LimitOrder("BUY", 10, 90.0))
    await desktop.heard(owner)
    assert await other.reqOpenOrdersAsync() == []
    assert [trade.order.clientId for trade in await other.reqAllOpenOrdersAsync()] == [1]


async def test_orders_work_on_while_their_client_is_away(desktop_with):
    desktop = await desktop_with([flat(100.0), flat(100.0), a_bar(100, 106, 100, 106)])
    before = await desktop.connect(7)
    await desktop.play()
    before.placeOrder(desktop.spy, MarketOrder("BUY", 10))
    before.placeOrder(desktop.spy, LimitOrder("SELL", 10, 105.0))
    await desktop.heard(before)
    before.client.conn.transport.abort()
    await desktop.play(2)
    after = await desktop.connect(7)
    assert [(fill.execution.side, fill.execution.price) for fill in after.fills()] == [
        ("BOT", 100.01),
        ("SLD", 105.0),
    ]
    assert after.positions() == []


async def test_with_wait_for_client_the_clock_stands_until_bars_are_wanted():
    market = ScriptedMarket([flat(100.0)] * 20)
    async with SimulatedGateway(market, port=0, speed=5000.0, wait_for_client=True, gather_s=0.0) as gateway:
        ib = IB()
        await ib.connectAsync("127.0.0.1", gateway.port, clientId=1)
        assert (await ib.reqCurrentTimeAsync()).timestamp() == OPENS_AT - 60
        bars = ib.reqRealTimeBars(Stock("SPY", "SMART", "USD"), 5, "TRADES", useRTH=False)
        await asyncio.wait_for(gateway.closed.wait(), 10)
        await ib.reqCurrentTimeAsync()
        ib.disconnect()
    assert len(bars) == 20
