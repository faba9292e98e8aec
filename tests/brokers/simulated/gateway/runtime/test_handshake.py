import asyncio
import logging
import struct

import pytest

from brokers.simulated.gateway.protocol.wire import FRAME_BYTES_MAX, frame
from brokers.simulated.gateway.server import SimulatedGateway
from tests.brokers.simulated.gateway.raw_client import RawClient
from tests.brokers.simulated.gateway.scripted_market import ScriptedMarket, flat


@pytest.mark.parametrize(
    ("offer", "version"),
    [
        (b"v100..157", "157"),
        (b"v157..176", "176"),
        (b"v157..178", "176"),
        (b"v100..226", "176"),
        (b"v100..170", "157"),
        (b"v176", "176"),
        (b"v100..226 +PACEAPI", "176"),
    ],
)
async def test_the_version_is_the_clients_newest_but_at_most_176_and_157_below_it(desktop, raw, offer, version):
    client = await raw(desktop, offer=offer)
    assert client.version == version
    await client.heard(9)


@pytest.mark.parametrize(("offer", "named"), [(b"v177..226", "177..226"), (b"v100..156", "100..156")])
async def test_a_client_without_a_common_version_is_closed_with_a_clear_line(desktop, raw, caplog, offer, named):
    client = await raw(desktop, offer=offer, start=False)
    assert await client.rest() == []
    assert f"it offers versions {named}, this gateway speaks 157 and 176" in caplog.text


async def test_messages_are_written_for_the_version_of_each_client(desktop, raw):
    """Error messages have the advanced reject field since 166 (TWS.md 2.3)."""
    old, new = await raw(desktop, offer=b"v100..157", client_id=1), await raw(desktop, client_id=2)
    (old_error, new_error) = [(await client.heard(4))[-1] for client in (old, new)]
    assert (len(old_error), len(new_error)) == (5, 6)


async def test_the_handshakes_answer_is_one_lone_segment_and_silence_follows_until_start_api(desktop):
    reader, writer = await asyncio.open_connection("127.0.0.1", desktop.gateway.port)
    writer.write(b"API\0" + struct.pack(">I", 9) + b"v100..226")
    answer = await asyncio.wait_for(reader.read(4096), 5)
    assert len(answer) == 4 + struct.unpack(">I", answer[:4])[0]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.05)
    writer.close()


@pytest.mark.parametrize(
    "instead",
    [
        frame((61, 1)),
        frame((71, 2)),
        frame(("71", 2, "nobody", "")),
        struct.pack(">I", FRAME_BYTES_MAX + 1),
    ],
)
async def test_what_comes_before_start_api_is_cut(desktop, raw, instead):
    client = await raw(desktop, start=False)
    await client.next()
    client.writer.write(instead)
    assert await client.rest() == []


async def test_capabilities_and_connect_options_are_known(desktop, raw):
    client = await raw(desktop, offer=b"v100..176 +PACEAPI", client_id=5)
    await client.heard(9)
    assert desktop.gateway.session.clients[5].options == "+PACEAPI"


async def test_a_connection_that_says_nothing_is_closed_in_time(desktop, caplog):
    desktop.gateway.connections.handshake_s = 0.05
    silent, writer = await asyncio.open_connection("127.0.0.1", desktop.gateway.port)
    assert await asyncio.wait_for(silent.read(), 5) == b""
    assert "no handshake within 0.05 s" in caplog.text
    writer.close()


async def test_no_more_than_64_connections_may_be_without_a_handshake_and_clients_are_not_disturbed(desktop):
    ib = await desktop.connect()
    idle = [await asyncio.open_connection("127.0.0.1", desktop.gateway.port) for _ in range(64)]
    await desktop.heard(ib)
    one_more, writer = await asyncio.open_connection("127.0.0.1", desktop.gateway.port)
    assert await asyncio.wait_for(one_more.read(), 5) == b""
    idle[0][1].close()
    await desktop.heard(ib)
    await desktop.connect(2)
    for _, stream in [*idle, (None, writer)]:
        stream.close()


async def test_a_handshake_byte_by_byte_is_a_handshake(desktop):
    reader, writer = await asyncio.open_connection("127.0.0.1", desktop.gateway.port)
    for byte in b"API\0" + struct.pack(">I", 9) + b"v100..176":
        writer.write(bytes((byte,)))
        await writer.drain()
    client = RawClient(reader, writer)
    assert (await client.next())[0] == "176"
    client.close()


async def test_a_frame_of_three_megabytes_ends_only_its_own_connection(desktop, raw, caplog):
    ib = await desktop.connect()
    hostile = await raw(desktop)
    await hostile.heard(9)
    hostile.writer.write(struct.pack(">I", 3 << 20) + b"x" * (3 << 20))
    assert "9" not in [fields[0] for fields in await hostile.rest()]
    await desktop.heard(ib)
    assert not [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]


class Kept(asyncio.Transport):
    """The writing side of a connection in memory: it keeps what is written."""

    def __init__(self):
        super().__init__()
        self.data, self.closed = b"", False

    def write(self, data):
        self.data += data

    def get_write_buffer_size(self):
        return 0

    def is_closing(self):
        return self.closed

    def close(self):
        self.closed = True

    def kinds(self):
        """Message ids in order; of the handshake's answer the version."""
        found, at = [], 0
        while at < len(self.data):
            (length,) = struct.unpack_from(">I", self.data, at)
            found.append(self.data[at + 4 :].partition(b"\0")[0].decode())
            at += 4 + length
        return found


async def test_a_client_in_memory_is_served_like_one_on_the_socket():
    """What the deterministic simulation does: a reader fed by hand and no socket anywhere."""
    async with SimulatedGateway(ScriptedMarket([flat(100.0)]), port=0) as gateway:
        loop, reader, kept = asyncio.get_running_loop(), asyncio.StreamReader(), Kept()
        writer = asyncio.StreamWriter(kept, asyncio.StreamReaderProtocol(asyncio.StreamReader()), reader, loop)
        reader.feed_data(b"API\0" + struct.pack(">I", 9) + b"v100..176" + frame((71, 2, 8, "")) + frame((49, 1)))
        reader.feed_eof()
        await asyncio.wait_for(gateway.serve(reader, writer), 5)
    assert kept.kinds() == ["176", "15", "9", "4", "4", "4", "4", "49"]
    assert kept.closed


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ((9, 8, 41, "no number"), ["41", "320"]),
        ((20, 42, "x"), ["42", "320"]),
        ((10, 5, 43, 0, "SPY"), ["43", "321"]),
        ((88, 44, 0, "SPY"), ["44", "321"]),
        ((65, 1, 0), ["-1", "321"]),
        ((999, 45), ["-1", "320"]),
        (("²", 46), ["-1", "320"]),
        ((9, 8, "²"), ["-1", "320"]),
        ((71, 2, 5, ""), ["-1", "321"]),
    ],
)
async def test_what_cannot_be_answered_gets_its_error_under_its_own_id_and_the_connection_stays(
    desktop, raw, request_, told
):
    client = await raw(desktop)
    await client.answers()
    client.say(*request_)
    assert [fields[2:4] for fields in (await client.answers())[:-1]] == [told]
