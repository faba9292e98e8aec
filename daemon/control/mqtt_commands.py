"""Signed commands over MQTT: judged, carried out one after the other, and each answered on the reply topic."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime

import msgspec
import structlog

from daemon.control.envelope import KEY_CHARS_MIN, Denied, Envelope, Judge
from daemon.control.gate import ControlGate
from daemon.control.switchboard import Switchboard
from daemon.control.verbs import Reply, ScopeFault
from shared.errors import ConfigError
from shared.io.mqtt_port import MqttMessage
from shared.io.redaction import cleaned_text

_log = structlog.get_logger("openbell")
_WAITING_MAX = 100
_DENIALS_MAX, _DENIALS_WINDOW_S = 20, 10.0
"""More bad messages than that in that time are counted, neither answered nor logged one by one."""


class MqttCommands:
    """`take` only takes note; `run` works. `say` publishes a reply."""

    def __init__(
        self,
        *,
        key: str,
        gate: ControlGate,
        switchboard: Switchboard,
        scope_fault: ScopeFault,
        say: Callable[[str], None],
        wall_now: Callable[[], datetime],
    ) -> None:
        self._gate = gate
        self._judge = Judge(key=checked_key(key), scope_fault=scope_fault, is_spent=self._is_spent)
        self._switchboard = switchboard
        self._say = say
        self._wall_now = wall_now
        self._waiting: asyncio.Queue[MqttMessage] = asyncio.Queue(_WAITING_MAX)
        self._spent_here: dict[str, None] = {}
        self._denied_at: deque[float] = deque(maxlen=_DENIALS_MAX)
        self.unanswered = 0

    def take(self, message: MqttMessage) -> None:
        """One message of the command topic; too many at once are dropped and counted."""
        try:
            self._waiting.put_nowait(message)
        except asyncio.QueueFull:
            self.unanswered += 1

    async def run(self) -> None:
        """Work off what arrives, until cancelled."""
        while True:
            message = await self._waiting.get()
            try:
                await self.handle(message)
            except Exception:  # noqa: BLE001 - one message must not end what the next one may need
                _log.exception("control.failed")

    async def handle(self, message: MqttMessage) -> None:
        """Judge one message, carry it out, answer."""
        verdict = self._judge.judge(message.payload, is_retained=message.is_retained, now=self._wall_now())
        if isinstance(verdict, Denied):
            self._deny(verdict)
            return
        self._spent_here[verdict.nonce] = None
        reply = await self._obeyed(verdict)
        self._answer(msgspec.structs.replace(reply, id=verdict.id))

    async def _obeyed(self, command: Envelope) -> Reply:
        actor = f"mqtt:{command.actor}"
        return await self._switchboard.obey(verb=command.verb, scope=command.scope, actor=actor, nonce=command.nonce)

    def _is_spent(self, nonce: str) -> bool:
        return nonce in self._spent_here or self._gate.is_spent(nonce)

    def _deny(self, denied: Denied) -> None:
        now_s = asyncio.get_running_loop().time()
        is_flood = len(self._denied_at) == _DENIALS_MAX and now_s - self._denied_at[0] < _DENIALS_WINDOW_S
        if is_flood:
            self.unanswered += 1
            return
        self._denied_at.append(now_s)
        if self.unanswered:
            _log.warning("control.flood", unanswered=self.unanswered)
            self.unanswered = 0
        reply = self._switchboard.refused(denied.reason, "mqtt")
        self._answer(msgspec.structs.replace(reply, id=denied.id))

    def _answer(self, reply: Reply) -> None:
        self._say(cleaned_text(msgspec.json.encode(reply, enc_hook=str).decode()))


def checked_key(key: str) -> bytes:
    """The key as bytes.

    Raises:
        ConfigError: there is none, or it is short enough to be guessed.
    """
    if len(key) < KEY_CHARS_MIN:
        raise ConfigError(
            f"mqtt.command_key_secret: the key has {len(key)} characters, must have at least {KEY_CHARS_MIN}; "
            "make one with: openssl rand -hex 32"
        )
    return key.encode()
