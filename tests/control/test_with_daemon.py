"""The three kills on the whole daemon and the simulated wire; the broker's own ledger is the judge."""

import asyncio
import json

import pytest

from daemon.control.control_socket import socket_path
from daemon.control.mqtt_client import ask_over_mqtt
from daemon.control.socket_client import ask_daemon
from tests.control.builders import KEY, an_amqtt_broker, free_port
from tests.control.test_mqtt import texts, watching
from tests.runtime.builders import eventually
from tests.scenarios.conftest import floor_with  # noqa: F401 - the fixture
from tests.scenarios.floor import CALM, UP, prices


@pytest.fixture
async def holding(floor_with):  # noqa: F811 - pytest's fixture by import
    """The daemon is long and protected."""
    floor = await floor_with(prices(CALM, CALM, UP))
    await floor.start()
    await _bought(floor)
    return floor


async def _bought(floor):
    await floor.play(4)
    await floor.until(lambda: floor.shares > 0 and floor.stops() == floor.shares)


def over_socket(floor, verb, scope="account"):
    return asyncio.to_thread(ask_daemon, socket_path(floor.config), verb=verb, scope=scope, wait_s=10)


def with_mqtt(floor, port):
    """Changes of the configuration; the key is in its place."""
    secrets = floor.folder / "secrets"
    secrets.mkdir(exist_ok=True)
    (secrets / "command_key").write_text(KEY)
    (secrets / "command_key").chmod(0o600)
    return {"mqtt": {"enabled": True, "port": port, "commands": True}}


async def test_flatten_over_the_socket_leaves_nothing_at_the_broker(holding):
    reply = await over_socket(holding, "flatten")
    assert (reply.accepted, reply.state) == (True, "HALTED")
    await holding.until(lambda: holding.shares == 0 and not holding.resting())
    await holding.play(3)  # the price still says long
    assert holding.shares == 0
    assert holding.resting() == []


async def test_halt_keeps_the_stop_and_lets_nothing_more_in(floor_with):  # noqa: F811 - pytest's fixture by import
    floor = await floor_with(prices(CALM, CALM, UP))
    await floor.start()
    reply = await over_socket(floor, "halt")
    assert reply.state == "HALTED"
    await floor.play(5)
    assert floor.shares == 0
    assert floor.sent() == []


async def test_a_halt_outlives_the_daemon(holding):
    await over_socket(holding, "halt", "instrument:SPY")
    await holding.stop()
    await holding.start()
    status = await over_socket(holding, "status")
    assert status.state == "ACTIVE, instrument:SPY HALTED"
    assert holding.stops() == holding.shares > 0


async def test_status_shows_the_last_heartbeat(holding):
    async with asyncio.timeout(10):
        while not (status := await over_socket(holding, "status")).facts.get("positions"):  # noqa: ASYNC110 - it is asked
            await asyncio.sleep(0.01)  # until the next heartbeat
    assert [held["symbol"] for held in status.facts["positions"]] == ["SPY"]
    assert status.facts["reconciled"] is True


async def test_a_verb_given_before_the_broker_is_there_is_the_first_thing_done(floor_with):  # noqa: F811
    floor = await floor_with(prices(CALM, CALM, UP))
    gateway_port, floor.gateway_port = floor.gateway.port, free_port()
    await floor.start(reconciled=False, broker={"port": floor.gateway_port})
    await eventually(socket_path(floor.config).exists)
    reply = asyncio.create_task(over_socket(floor, "halt"))
    relay = await asyncio.start_server(lambda r, w: _relay(r, w, gateway_port), "127.0.0.1", floor.gateway_port)
    assert (await reply).state == "HALTED"
    await floor.back()
    await floor.play(5)
    assert floor.shares == 0
    await floor.stop()
    relay.close()


async def _relay(reader, writer, port):
    onward, outward = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(_pump(reader, outward), _pump(onward, writer), return_exceptions=True)


async def _pump(reader, writer):
    while data := await reader.read(65_536):
        writer.write(data)
    writer.close()


async def test_flatten_over_mqtt_leaves_nothing_at_the_broker(floor_with):  # noqa: F811 - pytest's fixture by import
    floor, port = await floor_with(prices(CALM, CALM, UP)), free_port()
    async with an_amqtt_broker(port):
        await floor.start(**with_mqtt(floor, port))
        await _bought(floor)
        async with watching(port, "openbell/state") as (_, heard):
            await eventually(lambda: '"positions":[{' in "".join(texts(heard, "openbell/state")))
        reply = await ask_over_mqtt(floor.config, verb="flatten", scope="account", actor="me", wait_s=10)
        assert (reply.accepted, reply.state) == (True, "HALTED")
        await floor.until(lambda: floor.shares == 0 and not floor.resting())
        await floor.stop()
    state = json.loads(texts(heard, "openbell/state")[-1])
    assert state["connection"] == "up"
    assert "DU7654321" not in texts(heard, "openbell/state")[-1]


async def test_without_its_mqtt_broker_the_daemon_trades_as_ever(floor_with):  # noqa: F811 - pytest's fixture by import
    floor = await floor_with(prices(CALM, CALM, UP))
    await floor.start(**with_mqtt(floor, free_port()))
    await _bought(floor)
    await floor.agreed()


async def test_an_mqtt_broker_that_goes_away_changes_nothing_in_trading(floor_with):  # noqa: F811
    floor, port = await floor_with(prices(CALM, CALM, UP)), free_port()
    async with an_amqtt_broker(port):
        await floor.start(**with_mqtt(floor, port))
        async with watching(port, "openbell/availability") as (_, heard):
            await eventually(lambda: texts(heard, "openbell/availability") == ["online"])
    await _bought(floor)
    await floor.agreed()
    assert (await over_socket(floor, "status")).accepted
