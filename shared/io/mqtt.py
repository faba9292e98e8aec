"""MQTT behind a small port, and the only file that knows asyncio-mqtt.

asyncio-mqtt 0.16.2 is the last release under that name and says so, once, when it is imported; that one line is kept
out of the log. It needs paho-mqtt below 2. Its connect works in a thread, all else in the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog

from shared.errors import BrokerUnavailable, ConfigError
from shared.io.mqtt_port import BACK_OFF_S, MqttMessage, MqttPlace, Retained


def _is_not_the_farewell(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("We renamed asyncio-mqtt to aiomqtt")


logging.getLogger("mqtt").addFilter(_is_not_the_farewell)

from asyncio_mqtt import Client, MqttError, Will  # noqa: E402 - the filter must stand before it speaks

_log = structlog.get_logger("openbell")
KEEP_ALIVE_S = 15
_STABLE_S = 30.0
_HANDSHAKE_S = 10.0
_WAITING_MAX = 100
_AT_LEAST_ONCE = 1


def _client(place: MqttPlace, client_id: str, tls: ssl.SSLContext | None, will: Retained | None = None) -> Client:
    return Client(
        place.host,
        place.port,
        username=place.username or None,
        password=str(place.password) or None,
        client_id=client_id,
        tls_context=tls,
        will=None if will is None else Will(will.topic, will.payload.encode(), qos=_AT_LEAST_ONCE, retain=True),
        keepalive=KEEP_ALIVE_S,
    )


OpenClient = Callable[[MqttPlace, str, ssl.SSLContext | None, Retained | None], Any]
"""Makes a client of asyncio-mqtt, or what has its shape, from place, client id, TLS context and will."""


class MqttLink:
    """The Link of mqtt_port.py over a socket; TLS checks the server's name."""

    def __init__(  # noqa: PLR0913 - one name per thing that is configured
        self,
        place: MqttPlace,
        *,
        client_id: str,
        hello: Retained | None = None,
        will: Retained | None = None,
        topics: tuple[str, ...] = (),
        on_message: Callable[[MqttMessage], None] | None = None,
        back_off_s: tuple[float, float] = BACK_OFF_S,
        open_client: OpenClient = _client,
    ) -> None:
        self._place = place
        self._open_client = open_client
        self._tls = tls_context(place)
        self._client_id = client_id
        self._hello = hello
        self._will = will
        self._topics = topics
        self._on_message = on_message
        self._back_off_s = back_off_s
        self._kept: dict[str, str] = {}
        self._stale: dict[str, None] = {}
        self._once: deque[tuple[str, str]] = deque(maxlen=_WAITING_MAX)
        self._wake = asyncio.Event()
        self.is_up = False
        self.connects = self.losses = 0

    def keep(self, message: Retained) -> None:
        self._kept[message.topic] = message.payload
        self._stale[message.topic] = None
        self._wake.set()

    def send(self, topic: str, payload: str) -> None:
        if self.is_up:
            self._once.append((topic, payload))
            self._wake.set()

    async def run(self) -> None:
        wait_s = self._back_off_s[0]
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            try:
                await self._serve()
            except (MqttError, OSError, ValueError) as error:  # ssl.SSLError is an OSError; paho raises ValueError
                _log.warning("mqtt.lost", place=str(self._place), reason=_one_line(error), again_in_s=wait_s)
            except Exception:  # noqa: BLE001 - a fault of a library must not end the daemon that trades
                _log.exception("mqtt.failed", place=str(self._place), again_in_s=wait_s)
            _heed_a_cancel()
            self.is_up = False
            self.losses += 1
            if loop.time() - began_s > _STABLE_S:
                wait_s = self._back_off_s[0]
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, self._back_off_s[1])

    async def _serve(self) -> None:
        """One connection, from hello to loss."""
        await _shake_hands(self._place, self._tls)
        async with (
            self._open_client(self._place, self._client_id, self._tls, self._will) as client,
            client.messages(queue_maxsize=_WAITING_MAX) as arriving,
        ):
            for topic in self._topics:
                await client.subscribe(topic, qos=_AT_LEAST_ONCE)
            if self._hello is not None:
                await self._publish(client, self._hello.topic, self._hello.payload, retain=True)
            _heed_a_cancel()
            self._once.clear()
            self._stale = dict.fromkeys(self._kept)
            self._wake.set()
            self.is_up = True
            self.connects += 1
            _log.info("mqtt.up", place=str(self._place))
            reading = asyncio.create_task(self._read(arriving))
            writing = asyncio.create_task(self._write(client))
            try:
                await asyncio.wait((reading, writing), return_when=asyncio.FIRST_COMPLETED)
                for task in filter(asyncio.Task.done, (reading, writing)):
                    task.result()
            except asyncio.CancelledError:
                await self._leave(client)
                raise
            finally:
                self.is_up = False
                for task in (reading, writing):
                    task.cancel()
                await asyncio.gather(reading, writing, return_exceptions=True)

    async def _read(self, arriving: object) -> None:
        async for message in arriving:  # type: ignore[attr-defined]  # asyncio-mqtt has no types
            if self._on_message is not None:
                payload = message.payload if isinstance(message.payload, bytes) else b""
                self._on_message(
                    MqttMessage(topic=str(message.topic), payload=payload, is_retained=bool(message.retain))
                )

    async def _write(self, client: Client) -> None:
        """Until the connection ends; asyncio-mqtt waits with wait_for, which may swallow the cancel that says so."""
        while self.is_up:
            await self._wake.wait()
            self._wake.clear()
            while self._once:
                topic, payload = self._once.popleft()
                await self._publish(client, topic, payload)
            while self._stale:
                topic = next(iter(self._stale))
                del self._stale[topic]
                await self._publish(client, topic, self._kept[topic], retain=True)

    async def _leave(self, client: Client) -> None:
        """A broker publishes no will for a client that says good-bye: we do."""
        if self._will is not None:
            with suppress(MqttError, OSError, ValueError):
                await self._publish(client, self._will.topic, self._will.payload, retain=True, timeout_s=1)

    async def _publish(
        self, client: Client, topic: str, payload: str, *, retain: bool = False, timeout_s: int = 10
    ) -> None:
        await client.publish(topic, payload.encode(), qos=_AT_LEAST_ONCE, retain=retain, timeout=timeout_s)


async def ask_once(
    place: MqttPlace, *, client_id: str, question: tuple[str, str], reply_topic: str, fits: Callable[[bytes], bool]
) -> bytes:
    """Subscribe, publish the question (topic, text), and return the first reply that `fits`; the caller sets the time.

    Raises:
        BrokerUnavailable: there is no broker, or it does not let us in.
    """
    tls = tls_context(place)
    client = _client(place, client_id, tls)
    try:
        await _shake_hands(place, tls)
        async with client, client.messages() as arriving:
            await client.subscribe(reply_topic, qos=_AT_LEAST_ONCE)
            await client.publish(question[0], question[1].encode(), qos=_AT_LEAST_ONCE)
            async for message in arriving:
                if isinstance(message.payload, bytes) and not message.retain and fits(message.payload):
                    return message.payload
    except (MqttError, OSError, ValueError) as error:
        raise BrokerUnavailable(f"{place}: {_one_line(error)}") from error
    raise BrokerUnavailable(f"{place}: closed the connection")


def tls_context(place: MqttPlace) -> ssl.SSLContext | None:
    """TLS 1.2 or newer with the server's name checked; None without TLS.

    Raises:
        ConfigError: the file of authorities cannot be used.
    """
    if not place.tls:
        return None
    try:
        return ssl.create_default_context(cafile=place.ca_file or None)
    except OSError as error:
        raise ConfigError(f"mqtt.ca_file: {place.ca_file}: {_one_line(error)}, a PEM file is expected") from error


async def _shake_hands(place: MqttPlace, tls: ssl.SSLContext | None) -> None:
    """Try TLS once by ourselves: after a handshake that fails paho leaves its socket open, once for each attempt."""
    if tls is None:
        return
    try:
        async with asyncio.timeout(_HANDSHAKE_S):
            _, writer = await asyncio.open_connection(place.host, place.port, ssl=tls)
    except TimeoutError:
        raise OSError(f"no TLS handshake within {_HANDSHAKE_S:g} s") from None
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def _heed_a_cancel() -> None:
    """Go if told to: asyncio-mqtt swallows a cancel where an answer, or the loss of the line, comes with it."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
