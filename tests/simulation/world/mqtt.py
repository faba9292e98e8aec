"""The MQTT side of a run: the broker, what the daemon says through it, and signed commands of a person."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path

import msgspec

from daemon.control.envelope import Envelope, signed
from daemon.control.mirror import Topics
from shared.io.mqtt_port import MqttMessage, OpenLink
from tests.simulation.history import OperatorAsked
from tests.simulation.plan import Operator
from tests.simulation.world.lines import Lines
from tests.simulation.world.mqtt_twin import MqttTwin
from tests.simulation.world.recorder import Recorder

KEY = "simulated-command-key-0123456789abcdef"
KEY_FILE = "command_key"
PREFIX = "openbell"
_ENTROPY = 26


class MqttSide:
    """One broker; everything that is published is searched for secrets."""

    def __init__(self, recorder: Recorder, lines: Lines, chance: random.Random) -> None:
        self._recorder, self._lines, self._chance = recorder, lines, chance
        self._twin = MqttTwin()
        self._topics = Topics(PREFIX)
        self._last: Envelope | None = None
        self._strange: dict[str, str] = {}
        self._twin.listen("#", self._hear)

    @property
    def open_link(self) -> OpenLink:
        """For Surroundings."""
        return self._twin.open_link

    def go_down(self) -> None:
        """The broker is away."""
        self._twin.down()

    def come_back(self) -> None:
        self._twin.up()

    def command(self, order: Operator, now: datetime) -> None:
        """Publish a signed command; `now` is the person's clock."""
        envelope = signed(
            verb=order.verb,
            scope=order.scope,
            actor="operator",
            key=KEY.encode(),
            now=now,
            entropy=self._chance.randbytes(_ENTROPY),
        )
        self._last = envelope
        self._twin.publish(self._topics.command, msgspec.json.encode(envelope))

    def strange(self, what: str, now: datetime) -> bool:
        """Publish a command that has to be refused (plan.MqttFault); False where the moment is none for it."""
        envelope = self._last
        if what == "retained" and self._twin.client_ids:
            return False  # who listens gets it as a fresh one, and may carry it out
        if what != "replayed":
            key = KEY if what == "retained" else KEY[::-1]
            entropy = self._chance.randbytes(_ENTROPY)
            envelope = signed(
                verb="resume", scope="account", actor="operator", key=key.encode(), now=now, entropy=entropy
            )
        if envelope is None:
            return False
        self._strange[envelope.id] = what
        self._twin.publish(self._topics.command, msgspec.json.encode(envelope), retain=what == "retained")
        return True

    def _judge_reply(self, text: str) -> None:
        reply = msgspec.json.decode(text)
        what = self._strange.get(reply["id"])
        if what is not None and reply["accepted"]:
            self._recorder.checked("command", "I14", False, f"a {what} command was carried out")

    def _hear(self, message: MqttMessage) -> None:
        text = message.payload.decode(errors="replace")
        if message.topic != self._topics.command:
            self._lines.search(f"mqtt {message.topic}", text)
        if message.topic == self._topics.reply:
            recorder = self._recorder
            self._judge_reply(text)
            recorder.add(OperatorAsked(at=recorder.now(), process=recorder.process, verb="", scope="mqtt", reply=text))


def keep_key(folder: Path) -> None:
    """Put the key where the daemon looks for its secrets, beside config.toml."""
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700)
    path = secrets / KEY_FILE
    path.write_text(KEY)
    path.chmod(0o600)
