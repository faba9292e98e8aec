"""A run takes wall clock, process, chance and its ways out from what it was handed, and from nowhere else."""

import asyncio
from datetime import UTC, datetime

import msgspec
import pytest

from daemon.control.envelope import signed
from daemon.runtime.lifecycle import log_path
from daemon.runtime.surroundings import Surroundings
from shared.io.logging import set_up_logging
from tests.control.builders import ENTROPY, KEY
from tests.runtime.builders import a_config, at, eventually
from tests.runtime.test_lifecycle import Running, records_of
from tests.simulation.world.channel import CatchingChannel
from tests.simulation.world.mqtt_twin import MqttTwin

WALL = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)


class Invented:
    """Surroundings that no process has, and what a run told them."""

    def __init__(self):
        self.told = []
        self.pager = CatchingChannel()
        self.twin = MqttTwin()
        self.world = Surroundings(
            wall=lambda: WALL,
            pid=77,
            entropy=lambda count: bytes(range(count)),
            open_link=self.twin.open_link,
            channels=self.pager.channels,
            notify=self._notify,
            memory_mb=lambda: 12.34,
            disk_free_mb=lambda _: 4567.8,
            task_count=lambda: 9,
        )

    def _notify(self, *lines):
        self.told += lines
        return True


@pytest.fixture
def config(tmp_path):
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "command_key").write_text(KEY)
    (secrets / "command_key").chmod(0o600)
    config = a_config(tmp_path, mqtt={"enabled": True, "commands": True})
    set_up_logging(log_path(config), stderr_is_terminal=False)
    return config


async def a_run(config, invented, meanwhile):
    """The run after it has streamed, done what is asked of it meanwhile, and ended in order."""
    run = Running(config, at(0), invented.world)
    work = asyncio.create_task(run.daemon.run(until_close=False))
    await run.until_subscribed()
    await meanwhile(run)
    run.daemon.request_stop("SIGTERM")
    await asyncio.wait([work], timeout=20)
    work.result()
    return run


async def test_a_heartbeat_tells_the_memory_disk_tasks_and_wall_time_it_was_handed(config):
    invented, beats = Invented(), []
    invented.twin.listen("openbell/state", lambda message: beats.append(message.payload.decode()))

    async def meanwhile(_run):
        await eventually(lambda: beats)

    await a_run(config, invented, meanwhile)
    told = ('"memory_mb":12.3', '"disk_free_mb":4567.8', '"tasks":9', f'"at":"{WALL.isoformat()}"', '"wall_step_s":')
    assert [part for part in told if part not in beats[0]] == []


async def test_a_run_is_named_after_the_wall_time_and_process_it_was_handed(config):
    async def meanwhile(_run):
        pass

    run = await a_run(config, Invented(), meanwhile)
    _, runs, _ = records_of(config)
    assert [(each.id, each.started_at) for each in runs] == [(run.daemon.run_id, WALL.isoformat())]
    assert run.daemon.run_id == "20010203T040506000Z-77"


async def test_the_service_manager_it_was_handed_hears_ready_and_stopping(config):
    invented = Invented()

    async def meanwhile(_run):
        await eventually(lambda: "READY=1" in invented.told)

    await a_run(config, invented, meanwhile)
    assert "STOPPING=1" in invented.told
    assert invented.told.index("READY=1") < invented.told.index("STOPPING=1")


async def test_the_mqtt_broker_it_was_handed_knows_its_client_and_carries_its_commands(config):
    invented, replies = Invented(), []
    invented.twin.listen("openbell/reply", lambda message: replies.append(message.payload))

    async def meanwhile(run):
        await _halted(run, invented)
        assert invented.twin.client_ids == ["openbell-paper-00010203"]
        await eventually(lambda: replies)

    await a_run(config, invented, meanwhile)
    assert b'"accepted":true' in replies[0]
    assert b'"state":"HALTED"' in replies[0]


async def test_an_alert_goes_to_the_channel_it_was_handed_at_the_time_of_its_wall(config):
    invented = Invented()

    async def meanwhile(run):
        await _halted(run, invented)
        await eventually(lambda: invented.pager.arrived)

    await a_run(config, invented, meanwhile)
    assert invented.pager.arrived[0].at == WALL.isoformat()


async def _halted(run, invented):
    """Send the command to halt, once there is somebody to hear it."""
    await eventually(lambda: run.book.is_reconciled and "openbell/availability" in invented.twin.kept)
    command = signed(verb="halt", scope="account", actor="me", key=KEY.encode(), now=WALL, entropy=ENTROPY)
    invented.twin.publish("openbell/command", msgspec.json.encode(command))
