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

import structlog
from msgspec import Struct

from shared.errors import BrokerUnavailable, ConfigError
from shared.io.secrets import Secret


def _is_not_the_farewell(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("We renamed asyncio-mqtt to aiomqtt")


logging.getLogger("mqtt").addFilter(_is_not_the_farewell)

from asyncio_mqtt import Client, MqttError, Will  # noqa: E402 - the filter must stand before it speaks

_log = structlog.get_logger("openbell")
KEEP_ALIVE_S = 15
BACK_OFF_S = (1.0, 60.0)
"""The first wait after a loss and the longest; each is twice the one before."""
_STABLE_S = 30.0
_HANDSHAKE_S = 10.0
_WAITING_MAX = 100
_AT_LEAST_ONCE = 1


class MqttPlace(Struct, frozen=True, kw_only=True):
    """A broker and how it lets us in. TLS checks the server's name against `ca_file`, or the system's authorities."""

    host: str
    port: int
    tls: bool = False
    ca_file: str = ""
    username: str = ""
    password: Secret = Secret("")

    def __str__(self) -> str:
        return f"mqtt {self.host}:{self.port}"


class MqttMessage(Struct, frozen=True, kw_only=True):
    """What arrived; `is_retained` = the broker had kept it from before we came."""

    topic: str
    payload: bytes
    is_retained: bool


class Retained(Struct, frozen=True, kw_only=True):
    """A message the broker keeps for whoever comes later."""

    topic: str
    payload: str


class MqttLink:
    """One connection that comes back for ever, and never makes anybody wait or fail.

    `hello` is published after each connect, `will` by the broker when we vanish and by us when we leave. Of retained
    messages the newest of each topic is published, and again after each connect; others are dropped while there is no
    connection.
    """

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
    ) -> None:
        self._place = place
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
        """Publish it retained as soon as possible; an older one of its topic that waits is forgotten."""
        self._kept[message.topic] = message.payload
        self._stale[message.topic] = None
        self._wake.set()

    def send(self, topic: str, payload: str) -> None:
        """Publish it once if there is a connection."""
        if self.is_up:
            self._once.append((topic, payload))
            self._wake.set()

    async def run(self) -> None:
        """Connect, serve, and come back after each loss, until cancelled."""
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
            self.is_up = False
            self.losses += 1
            if loop.time() - began_s > _STABLE_S:
                wait_s = self._back_off_s[0]
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, self._back_off_s[1])

    async def _serve(self) -> None:
        """One connection, from hello to loss."""
        await _shake_hands(self._place, self._tls)
        async with self._client() as client, client.messages(queue_maxsize=_WAITING_MAX) as arriving:
            for topic in self._topics:
                await client.subscribe(topic, qos=_AT_LEAST_ONCE)
            if self._hello is not None:
                await self._publish(client, self._hello.topic, self._hello.payload, retain=True)
            self._once.clear()
            self._stale = dict.fromkeys(self._kept)
            self._wake.set()
            self.is_up = True
            self.connects += 1
            _log.info("mqtt.up", place=str(self._place))
            reading = asyncio.create_task(self._read(arriving))
            writing = asyncio.create_task(self._write(client))
            try:
                done, _ = await asyncio.wait((reading, writing), return_when=asyncio.FIRST_COMPLETED)
                for task in done:
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
        async for message in arriving:  # type: ignore[attr-defined]
            if self._on_message is not None:
                payload = message.payload if isinstance(message.payload, bytes) else b""
                self._on_message(
                    MqttMessage(topic=str(message.topic), payload=payload, is_retained=bool(message.retain))
                )

    async def _write(self, client: Client) -> None:
        while True:
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

    def _client(self) -> Client:
        return _client(self._place, self._client_id, self._tls, self._will)


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


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
