"""MQTT through a broker in this process: mirror, last will, signed commands, and a broker that comes and goes."""

import asyncio
import json
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asyncio_mqtt import Client

from daemon.control.control import Control
from daemon.control.mqtt_client import ask_over_mqtt
from shared.errors import BrokerUnavailable, ConfigError
from tests.control.builders import KEY, FakeGate, a_command, an_amqtt_broker, free_port
from tests.runtime.builders import a_config, eventually

ROOT = Path(__file__).parents[2]
BACK_OFF_S = (0.02, 0.1)
FACTS = {"state": "ACTIVE", "day_profit": float("nan"), "connection": "up", "reconciled": True, "note": "DU1234567"}


def a_mqtt_config(folder, port, **changes):
    secrets = folder / "secrets"
    secrets.mkdir(exist_ok=True)
    (secrets / "command_key").write_text(KEY)
    (secrets / "command_key").chmod(0o600)
    section = {"enabled": True, "port": port, "commands": True, **changes}
    return a_config(folder, mqtt=section, control={"enabled": False})


@asynccontextmanager
async def running(config, gate):
    control = Control(config, gate, release="1.0", back_off_s=BACK_OFF_S)
    await control.open()
    task = asyncio.create_task(control.run())
    try:
        yield control
    finally:
        task.cancel()
        async with asyncio.timeout(20):  # a cancel that is lost shows here, and not as a run that stands still
            await asyncio.gather(task, return_exceptions=True)
        await control.close()


@asynccontextmanager
async def watching(port, *topics):
    """A person at the broker: publishes, and hears the topics as (topic, text, retained)."""
    heard = []

    async def listen(messages):
        async for message in messages:
            heard.append(  # noqa: PERF401 - as they come, not at the end
                (str(message.topic), message.payload.decode(), bool(message.retain))
            )

    async with Client("127.0.0.1", port) as client, client.messages() as messages:
        task = asyncio.create_task(listen(messages))
        for topic in topics:
            await client.subscribe(topic, qos=1)
        try:
            yield client, heard
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def texts(heard, topic):
    return [text for at, text, _ in heard if at == topic]


def wall_now():
    return datetime.now(UTC)


async def test_a_heartbeat_is_kept_by_the_broker_without_nan_and_without_the_account(tmp_path):
    port = free_port()
    async with an_amqtt_broker(port), running(a_mqtt_config(tmp_path, port), FakeGate()) as control:
        control.beat(FACTS)
        await eventually(lambda: control.link.is_up)
        async with watching(port, "openbell/#") as (_, heard):
            await eventually(lambda: texts(heard, "openbell/state") and texts(heard, "openbell/availability"))
    state = json.loads(texts(heard, "openbell/state")[-1])
    assert state == {"state": "ACTIVE", "day_profit": None, "connection": "up", "reconciled": True, "note": "DU***67"}
    assert texts(heard, "openbell/availability") == ["online"]


async def test_a_daemon_that_leaves_says_offline_itself(tmp_path):
    port = free_port()
    async with an_amqtt_broker(port), watching(port, "openbell/availability") as (_, heard):
        async with running(a_mqtt_config(tmp_path, port), FakeGate()):
            await eventually(lambda: texts(heard, "openbell/availability") == ["online"])
        await eventually(lambda: texts(heard, "openbell/availability") == ["online", "offline"])


async def test_a_daemon_that_vanishes_is_reported_by_its_last_will(tmp_path):
    port = free_port()
    async with an_amqtt_broker(port), watching(port, "openbell/availability") as (_, heard):
        config = a_mqtt_config(tmp_path, port)
        relay = await asyncio.start_server(lambda r, w: _relay(r, w, port), "127.0.0.1", 0)
        between = relay.sockets[0].getsockname()[1]
        cut = a_config(tmp_path, mqtt={**config.mqtt.model_dump(), "port": between}, control={"enabled": False})
        async with running(cut, FakeGate()):
            await eventually(lambda: texts(heard, "openbell/availability") == ["online"])
            relay.close()
            _cut_all()
            await eventually(lambda: "offline" in texts(heard, "openbell/availability"))


_writers: list[asyncio.StreamWriter] = []


async def _relay(reader, writer, port):
    """A wire that can be cut without a farewell."""
    onward, outward = await asyncio.open_connection("127.0.0.1", port)
    _writers.extend([writer, outward])
    await asyncio.gather(_pump(reader, outward), _pump(onward, writer), return_exceptions=True)


async def _pump(reader, writer):
    while data := await reader.read(65_536):
        writer.write(data)
    writer.close()


def _cut_all():
    for writer in _writers:
        writer.transport.abort()
    _writers.clear()


async def test_a_signed_command_is_carried_out_and_answered(tmp_path):
    port, gate = free_port(), FakeGate()
    config = a_mqtt_config(tmp_path, port)
    async with an_amqtt_broker(port), running(config, gate) as control:
        await eventually(lambda: control.link.is_up)
        reply = await ask_over_mqtt(config, verb="halt", scope="strategy:sma", actor="me", wait_s=5)
    assert (reply.accepted, reply.state) == (True, "HALTED")
    assert gate.orders == [("halt", "strategy:sma", "mqtt:me")]
    assert len(gate.events[0].nonce) == 32


async def test_the_same_command_twice_is_carried_out_once(tmp_path):
    port, gate = free_port(), FakeGate()
    async with an_amqtt_broker(port), running(a_mqtt_config(tmp_path, port), gate) as control:
        await eventually(lambda: control.link.is_up)
        async with watching(port, "openbell/reply") as (client, heard):
            message = a_command(now=wall_now())
            await client.publish("openbell/command", message, qos=1)
            await client.publish("openbell/command", message, qos=1)
            await eventually(lambda: len(heard) == 2)
    replies = [json.loads(text) for text in texts(heard, "openbell/reply")]
    assert [reply["accepted"] for reply in replies] == [True, False]
    assert "nonce" in replies[1]["reason"]
    assert replies[0]["id"] == replies[1]["id"] == json.loads(message)["id"]
    assert len(gate.events) == 1


async def test_a_command_of_an_earlier_run_is_not_carried_out_again(tmp_path):
    port, gate = free_port(), FakeGate()
    message = a_command(now=wall_now())
    gate.spent.add(json.loads(message)["nonce"])
    async with an_amqtt_broker(port), running(a_mqtt_config(tmp_path, port), gate) as control:
        await eventually(lambda: control.link.is_up)
        async with watching(port, "openbell/reply") as (client, heard):
            await client.publish("openbell/command", message, qos=1)
            await eventually(lambda: heard)
    assert "nonce" in json.loads(heard[0][1])["reason"]
    assert gate.events == []


async def test_a_retained_command_that_waits_for_a_new_daemon_is_refused(tmp_path):
    port, gate = free_port(), FakeGate()
    async with an_amqtt_broker(port), watching(port, "openbell/reply") as (client, heard):
        await client.publish("openbell/command", a_command(now=wall_now()), qos=1, retain=True)
        async with running(a_mqtt_config(tmp_path, port), gate):
            await eventually(lambda: heard)
    assert "retained" in json.loads(heard[0][1])["reason"]
    assert gate.events == []


@pytest.mark.parametrize("junk", [b"", b"halt", b"\xff" * 100, b"{}", b"x" * 5_000])
async def test_junk_on_the_command_topic_is_answered_and_changes_nothing(tmp_path, junk):
    port, gate = free_port(), FakeGate()
    async with an_amqtt_broker(port), running(a_mqtt_config(tmp_path, port), gate) as control:
        await eventually(lambda: control.link.is_up)
        async with watching(port, "openbell/reply") as (client, heard):
            await client.publish("openbell/command", junk, qos=1)
            await eventually(lambda: heard)
    assert json.loads(heard[0][1])["accepted"] is False
    assert gate.events == []


async def test_a_flood_of_forged_commands_is_counted_and_a_real_one_still_gets_through(tmp_path):
    port, gate = free_port(), FakeGate()
    config = a_mqtt_config(tmp_path, port)
    async with an_amqtt_broker(port), running(config, gate) as control:
        await eventually(lambda: control.link.is_up)
        async with watching(port, "openbell/reply") as (client, heard):
            await asyncio.gather(*(client.publish("openbell/command", b"forged", qos=1) for _ in range(60)))
            reply = await ask_over_mqtt(config, verb="halt", scope="account", actor="me", wait_s=5)
    assert reply.accepted
    assert len(gate.events) == 1
    assert len(heard) <= 21


async def test_a_broker_that_is_never_there_changes_nothing(tmp_path):
    async with running(a_mqtt_config(tmp_path, free_port()), FakeGate()) as control:
        control.beat(FACTS)
        await eventually(lambda: control.link.losses >= 3)
        control.beat({**FACTS, "state": "HALTED"})
        assert not control.link.is_up
        assert control.link.connects == 0


async def test_a_broker_that_goes_and_comes_back_shows_the_newest_heartbeat(tmp_path):
    port = free_port()
    async with running(a_mqtt_config(tmp_path, port), FakeGate()) as control:
        async with an_amqtt_broker(port):
            control.beat(FACTS)
            await eventually(lambda: control.link.is_up)
        await eventually(lambda: not control.link.is_up)
        control.beat({**FACTS, "state": "REDUCING"})
        control.beat({**FACTS, "state": "HALTED"})
        async with an_amqtt_broker(port):
            await eventually(lambda: control.link.connects == 2)
            async with watching(port, "openbell/#") as (_, heard):
                await eventually(lambda: texts(heard, "openbell/state") and texts(heard, "openbell/availability"))
    assert json.loads(texts(heard, "openbell/state")[-1])["state"] == "HALTED"
    assert texts(heard, "openbell/availability")[-1] == "online"


async def test_a_broker_that_has_forgotten_everything_is_told_again(tmp_path):
    port = free_port()
    async with running(a_mqtt_config(tmp_path, port), FakeGate()) as control:
        async with an_amqtt_broker(port), watching(port, "openbell/state") as (_, before):
            control.beat(FACTS)
            await eventually(lambda: before)
        async with an_amqtt_broker(port), watching(port, "openbell/state") as (_, after):
            await eventually(lambda: after)
    assert after[0][1] == before[0][1]


async def test_home_assistant_finds_the_device_with_four_readings_and_no_button(tmp_path):
    port = free_port()
    config = a_mqtt_config(tmp_path, port, home_assistant=True)
    async with an_amqtt_broker(port), running(config, FakeGate()) as control:
        await eventually(lambda: control.link.is_up)
        async with watching(port, "homeassistant/#") as (_, heard):
            await eventually(lambda: heard)
    topic, text, is_retained = heard[0]
    found = json.loads(text)
    assert (topic, is_retained) == ("homeassistant/device/openbell_paper_openbell/config", True)
    assert [part["platform"] for part in found["components"].values()] == [
        "sensor",
        "sensor",
        "binary_sensor",
        "binary_sensor",
    ]
    assert {part["expire_after"] for part in found["components"].values()} == {1}  # three beats of 0.05 s, rounded up
    assert found["availability_topic"] == "openbell/availability"
    assert len({part["unique_id"] for part in found["components"].values()}) == 4


async def test_without_home_assistant_nothing_is_announced(tmp_path):
    port = free_port()
    async with an_amqtt_broker(port), running(a_mqtt_config(tmp_path, port), FakeGate()) as control:
        control.beat(FACTS)
        async with watching(port, "#") as (_, heard):
            await eventually(lambda: texts(heard, "openbell/state"))
    assert [topic for topic, _, _ in heard if topic.startswith("homeassistant")] == []


async def test_a_daemon_that_takes_no_commands_is_said_not_to_answer(tmp_path):
    port, gate = free_port(), FakeGate()
    config = a_mqtt_config(tmp_path, port, commands=False)
    async with an_amqtt_broker(port), running(config, gate) as control:
        await eventually(lambda: control.link.is_up)
        with pytest.raises(BrokerUnavailable, match=r"no reply on openbell/reply within 0\.3 s"):
            await ask_over_mqtt(config, verb="halt", scope="account", actor="me", wait_s=0.3)
    assert gate.events == []


async def test_a_person_without_a_broker_gets_one_line(tmp_path):
    with pytest.raises(BrokerUnavailable, match=r"mqtt 127\.0\.0\.1:\d+: .*refused"):
        await ask_over_mqtt(a_mqtt_config(tmp_path, free_port()), verb="halt", scope="account", actor="me")


async def test_commands_need_a_key_that_cannot_be_guessed(tmp_path):
    config = a_mqtt_config(tmp_path, 1883)
    (tmp_path / "secrets" / "command_key").write_text("hunter2hunter2")
    with pytest.raises(ConfigError, match="has 14 characters, must have at least 32"):
        Control(config, FakeGate())


async def test_a_file_of_authorities_that_is_none_is_one_clear_line(tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(ConfigError, match=r"mqtt\.ca_file: .*a PEM file is expected"):
        Control(a_mqtt_config(tmp_path, 1883, tls=True, ca_file="ca.pem"), FakeGate())


def test_the_library_that_was_renamed_says_so_in_nobodys_log():
    code = (
        "import logging; logging.basicConfig(); import shared.io.mqtt; "
        "logging.getLogger('mqtt').warning('something else')"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == ""
    assert ran.stderr.splitlines() == ["WARNING:mqtt:something else"]
