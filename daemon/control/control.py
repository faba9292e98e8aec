"""Everything by which a person reaches one running daemon, as one part for the daemon's wiring."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from daemon.control.control_socket import ControlSocket, socket_path
from daemon.control.gate import ControlGate
from daemon.control.mirror import MqttMirror, Topics, discovery_of
from daemon.control.mqtt_client import mqtt_place
from daemon.control.mqtt_commands import MqttCommands
from daemon.control.switchboard import Switchboard
from daemon.control.verbs import scope_fault
from daemon.runtime.companion import Companion
from daemon.runtime.surroundings import Surroundings
from shared.config import Config
from shared.io.mqtt_port import BACK_OFF_S, Link, MqttMessage
from shared.io.secrets import read_secret

_log = structlog.get_logger("openbell")


class Control:
    """`bind` before trading begins, then `open`, `run` beside the loop, `beat` with each heartbeat, `close` at the end.

    Nothing that happens to socket or broker after `bind` raises into the daemon.

    Raises:
        ConfigError: a key is missing or short, a file of authorities is none.
    """

    def __init__(
        self,
        config: Config,
        gate: ControlGate,
        *,
        release: str = "",
        surroundings: Surroundings | None = None,
        back_off_s: tuple[float, float] = BACK_OFF_S,
    ) -> None:
        self._facts: dict[str, object] = {}
        self._gate = gate
        self._surroundings = surroundings or Surroundings()
        self._scope_fault = scope_fault(config)
        self._switchboard = Switchboard(gate=gate, scope_fault=self._scope_fault, facts=lambda: self._facts)
        self._socket = ControlSocket(socket_path(config), self._switchboard) if config.control.enabled else None
        self.link: Link | None = None
        self._mirror: MqttMirror | None = None
        self._commands: MqttCommands | None = None
        if config.mqtt.enabled:
            self._set_up_mqtt(config, release, back_off_s)

    def _set_up_mqtt(self, config: Config, release: str, back_off_s: tuple[float, float]) -> None:
        section, topics = config.mqtt, Topics(config.mqtt.topic)
        around = self._surroundings
        self.link = link = around.open_link(
            mqtt_place(config),
            client_id=f"openbell-{config.mode}-{around.entropy(4).hex()}",
            hello=topics.online,
            will=topics.offline,
            topics=(topics.command,) if section.commands else (),
            on_message=self._take,
            back_off_s=back_off_s,
        )
        discovery = None
        if section.home_assistant:
            every_s = config.runtime.heartbeat_every_s
            discovery = discovery_of(topics, mode=config.mode, release=release, heartbeat_every_s=every_s)
        self._mirror = MqttMirror(link, topics, discovery)
        if section.commands:
            self._commands = MqttCommands(
                key=read_secret(section.command_key_secret, config.base_dir),
                gate=self._gate,
                switchboard=self._switchboard,
                scope_fault=self._scope_fault,
                say=lambda text: link.send(topics.reply, text),
                wall_now=around.wall,
            )

    def bind(self) -> None:
        """Take the socket's file. Raises what ControlSocket.bind raises."""
        if self._socket is not None:
            self._socket.bind()

    async def open(self) -> None:
        """Answer at the socket; takes its file if that was not done before."""
        if self._socket is not None:
            await self._socket.open()

    async def run(self) -> None:
        """Keep MQTT up and work off commands, until cancelled."""
        works = [part.run() for part in (self._mirror, self._commands) if part is not None]
        tasks = [asyncio.create_task(work) for work in works]
        try:
            await asyncio.gather(*tasks)
            await asyncio.Event().wait()  # without MQTT the socket serves by itself
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def beat(self, facts: Mapping[str, object]) -> None:
        """The facts of a heartbeat: for the mirror, and for whoever asks for `status`."""
        self._facts = dict(facts)
        if self._mirror is None:
            return
        try:
            self._mirror.beat(facts)
        except Exception:  # noqa: BLE001 - a fact that no JSON can hold must not end the heartbeat
            _log.exception("mqtt.unpublishable")

    async def close(self) -> None:
        """Give the socket back."""
        if self._socket is not None:
            await self._socket.close()

    def companion(self) -> Companion:
        """This as one of the daemon's companions; `bind` is for the caller, before anything is traded."""

        async def run() -> None:
            await self.open()
            await self.run()

        async def farewell(_reason: str) -> None:
            await self.close()

        return Companion(name="control", sink=self.beat, run=run, farewell=farewell)

    def _take(self, message: MqttMessage) -> None:
        if self._commands is not None:
            self._commands.take(message)
