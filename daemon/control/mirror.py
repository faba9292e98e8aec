"""Heartbeats over MQTT: state and availability, and how Home Assistant finds them."""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec

from shared.io.mqtt_port import Link, Retained
from shared.io.redaction import cleaned_text

ONLINE, OFFLINE = "online", "offline"
DISCOVERY = "homeassistant/device/{device}/config"
_BEATS_OF_PATIENCE = 3


class Topics:
    """The topics of one daemon; `root` is mqtt.topic of the configuration."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.state = f"{root}/state"
        self.availability = f"{root}/availability"
        self.command = f"{root}/command"
        self.reply = f"{root}/reply"

    @property
    def online(self) -> Retained:
        return Retained(topic=self.availability, payload=ONLINE)

    @property
    def offline(self) -> Retained:
        """The last will."""
        return Retained(topic=self.availability, payload=OFFLINE)


class MqttMirror:
    """Shows the heartbeats to whoever watches the broker; what happens there changes nothing here."""

    def __init__(self, link: Link, topics: Topics, discovery: Retained | None = None) -> None:
        self._link = link
        self._topics = topics
        if discovery is not None:
            link.keep(discovery)

    async def run(self) -> None:
        """Keep the link up, until cancelled."""
        await self._link.run()

    def beat(self, facts: Mapping[str, object]) -> None:
        """Publish the facts, retained; NaN is null, account numbers and secrets are masked."""
        text = cleaned_text(msgspec.json.encode(dict(facts), enc_hook=str).decode())
        self._link.keep(Retained(topic=self._topics.state, payload=text))


def discovery_of(topics: Topics, *, mode: str, release: str, heartbeat_every_s: float) -> Retained:
    """Home Assistant's device discovery: four readings, unavailable after three missed heartbeats.

    There is no halt button: a button sends one fixed text, and a text that works twice is no signed command.
    """
    device = f"openbell_{mode}_" + "".join(each if each.isalnum() else "_" for each in topics.root)
    patience_s = max(1, round(heartbeat_every_s * _BEATS_OF_PATIENCE))

    def reading(platform: str, name: str, template: str, **more: object) -> dict[str, object]:
        key = name.lower().replace(" ", "_")
        about = {"platform": platform, "name": name, "unique_id": f"{device}_{key}", "value_template": template}
        return {**about, "expire_after": patience_s, **more}

    def is_true(condition: str) -> str:
        return f"{{{{ 'ON' if {condition} else 'OFF' }}}}"

    connected = is_true("value_json.connection == 'up'")
    config = {
        "device": {
            "identifiers": [device],
            "name": f"Openbell {mode}",
            "manufacturer": "Openbell",
            "sw_version": release,
        },
        "origin": {"name": "openbell", "sw_version": release},
        "components": {
            "state": reading("sensor", "Trading state", "{{ value_json.state }}"),
            "profit": reading("sensor", "Day profit", "{{ value_json.day_profit }}", state_class="measurement"),
            "connected": reading("binary_sensor", "Connected", connected, device_class="connectivity"),
            "reconciled": reading("binary_sensor", "Reconciled", is_true("value_json.reconciled")),
        },
        "state_topic": topics.state,
        "availability_topic": topics.availability,
        "payload_available": ONLINE,
        "payload_not_available": OFFLINE,
        "qos": 1,
    }
    return Retained(topic=DISCOVERY.format(device=device), payload=json.dumps(config))
