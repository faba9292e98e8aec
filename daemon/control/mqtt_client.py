"""A person's end of MQTT: sign a command, send it, wait for the reply that bears its id."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from daemon.control.envelope import signed
from daemon.control.mirror import Topics
from daemon.control.mqtt_commands import checked_key
from daemon.control.verbs import Reply
from daemon.runtime.surroundings import Surroundings
from shared.config import Config
from shared.errors import BrokerUnavailable
from shared.io.mqtt import ask_once
from shared.io.mqtt_port import MqttPlace
from shared.io.secrets import read_secret

WAIT_S = 15.0


def mqtt_place(config: Config) -> MqttPlace:
    """The broker of [mqtt]; a relative ca_file starts from config.toml's folder."""
    section = config.mqtt
    return MqttPlace(
        host=section.host,
        port=section.port,
        tls=section.tls,
        ca_file=str(config.base_dir / Path(section.ca_file)) if section.ca_file else "",
        username=section.username,
        password=read_secret(section.password_secret, config.base_dir),
    )


async def ask_over_mqtt(config: Config, *, verb: str, scope: str, actor: str, wait_s: float = WAIT_S) -> Reply:
    """The daemon's reply.

    Raises:
        ConfigError: the key is missing or short.
        BrokerUnavailable: no broker, or no reply within `wait_s`; an ACL that denies the command says nothing.
    """
    key = checked_key(read_secret(config.mqtt.command_key_secret, config.base_dir))
    topics = Topics(config.mqtt.topic)
    around = Surroundings()
    envelope = signed(verb=verb, scope=scope, actor=actor, key=key, now=around.wall(), entropy=around.entropy(26))

    def fits(payload: bytes) -> bool:
        return envelope.id in payload.decode(errors="replace")

    place = mqtt_place(config)
    try:
        async with asyncio.timeout(wait_s):
            answer = await ask_once(
                place,
                client_id=f"openbell-command-{around.entropy(4).hex()}",
                question=(topics.command, msgspec.json.encode(envelope).decode()),
                reply_topic=topics.reply,
                fits=fits,
            )
    except TimeoutError:
        raise BrokerUnavailable(
            f"{place}: no reply on {topics.reply} within {wait_s:g} s; the daemon is not there or takes no commands, "
            "or the broker's ACL keeps them apart"
        ) from None
    return msgspec.json.decode(answer, type=Reply)
