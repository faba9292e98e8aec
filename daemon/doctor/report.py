"""All checks of a configuration: the machine first, then what it talks to."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from brokers.ib.probe import Visit, visit
from daemon.doctor import gateway_checks, machine_checks
from daemon.doctor.check import Check, Finding, Level, Line, fail, judged, ok, skip
from daemon.doctor.gateway_checks import Visited
from daemon.doctor.machine import MachineFacts, look
from daemon.doctor.mqtt_probe import MqttAddress, knock
from daemon.runtime.clock import wall_now
from shared.config import Config
from shared.errors import OpenbellError
from shared.io.secrets import read_secret

_SPARE = 1_000
"""Added to the client ids while our own daemon uses them."""
_IDS = frozenset({"client_id", "data_client_id"})


async def diagnose(config: Config, *, step_s: float = 8.0) -> list[Line]:
    """One line per check; `step_s` is how long one answer of the gateway may take."""
    machine = look(config)
    mqtt, gateway = await asyncio.gather(_mqtt(config), visit(_plan(machine), wall=wall_now, step_s=step_s))
    visited = judged(gateway_checks.CHECKS, Visited(config=config, gateway=gateway))
    if machine.writer is not None:
        visited = [_of_our_daemon(line) if line.name in _IDS else line for line in visited]
    return [*judged(machine_checks.CHECKS, machine), *judged([_MQTT], mqtt), *visited]


def worst(lines: list[Line]) -> Level:
    levels = {line.level for line in lines}
    return next(level for level in (Level.FAIL, Level.WARN, Level.OK) if level in levels or level is Level.OK)


def _plan(machine: MachineFacts) -> Visit:
    config = machine.config
    spare = 0 if machine.writer is None else _SPARE
    return Visit(
        host=config.broker.host,
        port=config.broker.port,
        client_id=config.broker.client_id + spare,
        data_client_id=config.broker.data_client_id + spare,
        account=config.account,
        universe=config.universe_of(),
    )


def _of_our_daemon(line: Line) -> Line:
    return replace(line, level=Level.SKIP, text="our own daemon uses it", remedy="")


async def _mqtt(config: Config) -> Finding:
    section = config.mqtt
    if not section.enabled:
        return skip("mqtt.enabled = false")
    try:
        password = read_secret(section.password_secret, config.base_dir) if section.username else ""
    except OpenbellError as error:
        return fail(str(error))
    address = MqttAddress(
        host=section.host,
        port=section.port,
        tls=section.tls,
        ca_file=str(config.base_dir / section.ca_file) if section.ca_file else "",
        username=section.username,
        password=password,
    )
    wrong = await knock(address)
    return fail(wrong) if wrong else ok(f"{section.host}:{section.port} lets us in")


def _as_found(finding: Finding) -> Finding:
    return finding


_MQTT: Check[Finding] = Check(
    name="mqtt",
    judge=_as_found,
    remedy="start the broker, correct mqtt.host, port, tls, username and the secret named by mqtt.password_secret",
)
