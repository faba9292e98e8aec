"""A gate that stands for the daemon, signed commands, and MQTT brokers on loopback."""

import asyncio
import socket
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import msgspec
from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker

from daemon.control.envelope import signed
from daemon.control.switchboard import Switchboard
from daemon.control.verbs import scope_fault
from shared.io.mqtt_port import MqttPlace
from tests.runtime.builders import a_config

KEY = "0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
ENTROPY = bytes(range(26))


class FakeGate:
    """Takes every event and says HALTED; `refuses` is raised instead, `is_stuck` never answers."""

    def __init__(self):
        self.events = []
        self.spent = set()
        self.refuses = None
        self.is_stuck = False

    def now(self):
        return NOW

    async def submit(self, event):
        self.events.append(event)
        if self.is_stuck:
            await asyncio.Event().wait()
        if self.refuses is not None:
            raise self.refuses
        return "HALTED"

    def state(self):
        return "ACTIVE"

    def is_spent(self, nonce):
        return nonce in self.spent

    @property
    def orders(self):
        """What reached the engine, as (verb, scope, actor)."""
        return [(event.verb, event.scope, event.actor) for event in self.events]


def a_switchboard(folder, gate, **changes):
    settings = {"gate": gate, "scope_fault": scope_fault(a_config(folder)), "facts": lambda: {"positions": []}}
    return Switchboard(**{**settings, **changes})


def a_command(verb="halt", scope="account", *, actor="me", key=KEY, now=NOW, entropy=ENTROPY):
    """A signed command as it goes over the wire."""
    return msgspec.json.encode(signed(verb=verb, scope=scope, actor=actor, key=key.encode(), now=now, entropy=entropy))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def a_place(port, **changes):
    return MqttPlace(**{"host": "127.0.0.1", "port": port, **changes})


_SHUTDOWN_S = 2.0
_EVERYBODY = {
    "listeners": {"default": {"type": "external", "bind": "127.0.0.1"}},
    "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
}


@asynccontextmanager
async def an_amqtt_broker(port):
    """A broker in this process that lets everybody in, and whose clients lose their connections when it goes.

    The sockets are ours: amqtt ends a client's session before it stops to listen, and waits for the client's keepalive
    where the cancel of its reader meets a message (a race of asyncio.wait_for in Python 3.11).
    """
    broker, ends = Broker(_EVERYBODY), set()

    async def connected(reader, writer):
        ends.add(writer.transport)
        try:
            await broker.external_connected(StreamReaderAdapter(reader), StreamWriterAdapter(writer), "default")
        finally:
            ends.discard(writer.transport)
            writer.transport.abort()

    await broker.start()
    server = await asyncio.start_server(connected, "127.0.0.1", port)
    try:
        yield broker
    finally:
        server.close()
        for transport in list(ends):
            transport.abort()
        await server.wait_closed()
        with suppress(TimeoutError):
            async with asyncio.timeout(_SHUTDOWN_S):
                await broker.shutdown()
