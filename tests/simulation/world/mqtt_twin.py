"""An MQTT broker in memory for the daemon's own MqttLink: only asyncio-mqtt's client, which uses threads, is replaced.

At least once, retained messages, wills, wildcards. A broker that is away refuses; a line that is cut says so to the
client and publishes its will, one that a client closes does not. A process that is killed has its lines cut.
"""

from __future__ import annotations

import asyncio
import contextvars
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Self

from asyncio_mqtt import MqttError
from msgspec import Struct

from shared.io.mqtt import MqttLink
from shared.io.mqtt_port import MqttMessage, MqttPlace, OpenLink, Retained
from tests.simulation.world.process import OWNER

Hear = Callable[[MqttMessage], None]


class Arrived(Struct, frozen=True, kw_only=True):
    """A message as asyncio-mqtt hands it out."""

    topic: str
    payload: bytes
    retain: bool


class MqttTwin:
    """`delay_s` is how long each way to the broker or back takes. `kept` are the retained messages, by topic."""

    def __init__(self, delay_s: float = 0.001) -> None:
        self.delay_s = delay_s
        self.kept: dict[str, bytes] = {}
        self.is_up = True
        self.is_stalled = False
        """It stands, but answers nobody: what is asked of it runs into its time-out."""
        self._clients: dict[str, TwinClient] = {}
        self._people: list[tuple[str, Hear, contextvars.Context]] = []

    @property
    def open_link(self) -> OpenLink:
        """The daemon's link to this broker, whatever place it names."""
        return partial(MqttLink, open_client=self._client)

    @property
    def client_ids(self) -> list[str]:
        """Who is connected, the oldest first."""
        return list(self._clients)

    # ------------------------------------------------------------------ what happens to it

    def down(self) -> None:
        """Gone: every line is cut without a will being published, nobody gets in; what it has kept it keeps."""
        self.is_up = False
        for client in list(self._clients.values()):
            self._forget(client, "the broker has gone")

    def up(self) -> None:
        """Back."""
        self.is_up, self.is_stalled = True, False

    def drop(self) -> None:
        """Every line is cut; the wills are published."""
        for client in list(self._clients.values()):
            self.cut(client, "the line was cut")

    # ------------------------------------------------------------------ people at it

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """As somebody else who is connected; an empty retained message makes the broker forget."""
        if not self.is_up:
            return
        if retain and payload:
            self.kept[topic] = payload
        elif retain:
            self.kept.pop(topic, None)
        for client in list(self._clients.values()):
            client.deliver(topic, payload, is_retained=False)
        message = MqttMessage(topic=topic, payload=payload, is_retained=False)
        for pattern, hear, context in self._people:
            if fits(pattern, topic):
                context.run(hear, message)

    def listen(self, pattern: str, hear: Hear) -> None:
        """Hear what comes from now on, and first what is kept, in the context of who listens."""
        self._people.append((pattern, hear, contextvars.copy_context()))
        for topic, payload in self.kept.items():
            if fits(pattern, topic):
                hear(MqttMessage(topic=topic, payload=payload, is_retained=True))

    # ------------------------------------------------------------------ clients

    def admit(self, client: TwinClient) -> None:
        """Raise MqttError if there is no broker; a client of the same id is thrown out, its will published."""
        if not self.is_up:
            raise MqttError("[Errno 111] Connection refused")
        if (older := self._clients.get(client.client_id)) is not None:
            self.cut(older, "another client of the same id has come")
        self._clients[client.client_id] = client

    def release(self, client: TwinClient) -> None:
        """A client says good-bye: no will."""
        self._forget(client, "it has left")

    def cut(self, client: TwinClient, why: str) -> None:
        """A client vanishes: its will is published."""
        if self._forget(client, why) and client.will is not None:
            self.publish(client.will.topic, client.will.payload.encode(), retain=True)

    def _forget(self, client: TwinClient, why: str) -> bool:
        """Whether it was connected."""
        if self._clients.get(client.client_id) is not client:
            return False
        del self._clients[client.client_id]
        client.end(why)
        return True

    def _client(
        self, _place: MqttPlace, client_id: str, _tls: ssl.SSLContext | None, will: Retained | None
    ) -> TwinClient:
        return TwinClient(self, client_id, will)


class TwinClient:
    """One connection, in the shape of asyncio_mqtt.Client as far as MqttLink uses it, MqttError included."""

    def __init__(self, broker: MqttTwin, client_id: str, will: Retained | None) -> None:
        self.client_id, self.will = client_id, will
        self._broker = broker
        self._lost = ""
        self._patterns: list[str] = []
        self._arrived: deque[Arrived] = deque()
        self._waiting_max = 0
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        await asyncio.sleep(self._broker.delay_s)
        self._broker.admit(self)
        if (process := OWNER.get()) is not None:
            process.on_end.append(lambda: self._broker.cut(self, "its process has ended"))
        return self

    async def __aexit__(self, *_: object) -> None:
        """A connection that was lost says so here, too."""
        if self._lost:
            raise MqttError(self._lost)
        self._broker.release(self)

    @asynccontextmanager
    async def messages(self, *, queue_maxsize: int = 0) -> AsyncIterator[AsyncIterator[Arrived]]:
        """What arrives; more than `queue_maxsize` waiting messages are dropped, 0 = none is."""
        self._waiting_max = queue_maxsize
        yield self._messages()

    async def _messages(self) -> AsyncIterator[Arrived]:
        while True:
            while self._arrived:
                yield self._arrived.popleft()
            if self._lost:
                raise MqttError("Disconnected during message iteration")
            self._news.clear()
            await self._news.wait()

    async def subscribe(
        self,
        topic: str,
        qos: int = 0,
        timeout: float = 10,  # noqa: ASYNC109 - as Client has it
    ) -> None:
        """Hear the topic from now on, and first what the broker has kept of it."""
        del qos
        await self._answered(timeout)
        self._patterns.append(topic)
        for kept, payload in self._broker.kept.items():
            if fits(topic, kept):
                self._take(Arrived(topic=kept, payload=payload, retain=True))

    async def publish(
        self,
        topic: str,
        payload: bytes,
        qos: int = 0,
        retain: bool = False,
        timeout: float = 10,  # noqa: ASYNC109 - as Client has it
    ) -> None:
        """Returns once the broker has confirmed it."""
        del qos
        if self._lost:
            raise MqttError("Could not publish message")
        await asyncio.sleep(self._broker.delay_s)
        if self._is_heard():
            self._broker.publish(topic, payload, retain=retain)
        await self._answered(timeout)

    def deliver(self, topic: str, payload: bytes, *, is_retained: bool) -> None:
        """The broker hands it on, once however many patterns fit."""
        if any(fits(pattern, topic) for pattern in self._patterns):
            self._take(Arrived(topic=topic, payload=payload, retain=is_retained))

    def end(self, why: str) -> None:
        """The connection is no more."""
        self._lost = why
        self._news.set()

    def _take(self, message: Arrived) -> None:
        if not self._waiting_max or len(self._arrived) < self._waiting_max:
            self._arrived.append(message)
            self._news.set()

    def _is_heard(self) -> bool:
        return not self._lost and not self._broker.is_stalled

    async def _answered(self, timeout_s: float) -> None:
        """The broker's answer; asyncio-mqtt, too, waits for it where the line was lost meanwhile."""
        if not self._is_heard():
            await asyncio.sleep(timeout_s)
            raise MqttError("Operation timed out")
        await asyncio.sleep(self._broker.delay_s)


def fits(pattern: str, topic: str) -> bool:
    """Whether a topic fits a filter (MQTT 3.1.1, 4.7): `+` is one level, `#` all that follow and the level above."""
    wanted, given = pattern.split("/"), topic.split("/")
    for place, level in enumerate(wanted):
        if level == "#":
            return True
        if place >= len(given) or level not in {"+", given[place]}:
            return False
    return len(wanted) == len(given)
