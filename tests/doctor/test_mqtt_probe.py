"""An MQTT broker that is not there, is none, or does not let us in."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from daemon.doctor.mqtt_probe import MqttAddress, knock
from daemon.doctor.report import diagnose
from tests.runtime.builders import a_config


@asynccontextmanager
async def a_server(answer: bytes, heard: list[bytes] | None = None):
    async def serve(reader, writer):
        said = await reader.read(1_000)
        if heard is not None:
            heard.append(said)
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield MqttAddress(host="127.0.0.1", port=server.sockets[0].getsockname()[1])


async def test_a_broker_that_lets_us_in():
    async with a_server(b"\x20\x02\x00\x00") as address:
        assert await knock(address) == ""


async def test_the_login_is_a_connect_of_mqtt_3_1_1():
    heard: list[bytes] = []
    async with a_server(b"\x20\x02\x00\x00", heard) as address:
        named = MqttAddress(host=address.host, port=address.port, username="u", password="pw")
        assert await knock(named) == ""
    # Written by hand after MQTT 3.1.1, section 3.1: header, name, level 4, flags, keep alive 10, id, user, password.
    assert heard == [b"\x10\x22\x00\x04MQTT\x04\xc2\x00\x0a\x00\x0fopenbell-doctor\x00\x01u\x00\x02pw"]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"\x20\x02\x00\x04", "user name or password is wrong"),
        (b"\x20\x02\x00\x05", "not authorized"),
        (b"\x20\x02\x00\x63", "refused with 99"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "speaks another protocol than MQTT"),
        (b"", "closes the connection (no MQTT broker, or TLS is wanted)"),
    ],
)
async def test_a_broker_that_does_not_let_us_in(answer, text):
    async with a_server(answer) as address:
        assert await knock(address) == f"127.0.0.1:{address.port}: {text}"


async def test_a_broker_that_is_not_there():
    assert "127.0.0.1:1: " in await knock(MqttAddress(host="127.0.0.1", port=1))


async def test_the_doctor_tells_it(tmp_path):
    async with a_server(b"\x20\x02\x00\x05") as address:
        config = a_config(tmp_path, mqtt={"enabled": True, "port": address.port}, broker={"port": 1})
        lines = {line.name: line for line in await diagnose(config, step_s=0.5)}
    assert lines["mqtt"].level == "fail"
    assert lines["mqtt"].text.endswith("not authorized")


def test_a_password_is_not_shown():
    assert "hunter2" not in repr(MqttAddress(host="h", port=1, password="hunter2"))
