"""One socket to TWS or a gateway: connect within a time, say in one line why not, leave without a trace.

ib_insync's Client does the framing, the handshake and the encoding. Its request throttle is switched off: it
is one queue for everything, so an exit would wait behind ninety data requests (TWS.md 4.18). lanes.py says when
what leaves; questions pass `Pacing`.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Callable
from typing import Any

from ib_insync.client import Client
from msgspec import Struct

from brokers.ib.codes import CLIENT_ID_IN_USE
from brokers.ib.decoder import RawDecoder
from brokers.ib.wrapper import Wrapper
from shared.errors import BrokerUnavailable, ClientIdTaken

QUESTIONS_AT_ONCE = 10
SERVER_VERSIONS = range(157, 177)
_CLOSE_S = 1.0
_LENGTH = struct.Struct(">I")

# What ib_insync would log, we report ourselves, once and in our words.
for _name in ("ib_insync.client", "ib_insync.Decoder"):
    logging.getLogger(_name).disabled = True


class Address(Struct, frozen=True, kw_only=True):
    """Where TWS or the gateway listens, and as whom we come."""

    host: str
    port: int
    client_id: int


class _RawClient(Client):
    MaxRequests = 0  # no throttle, see above

    def __init__(self, wrapper: Wrapper, on_send: Callable[[], None]) -> None:
        super().__init__(wrapper)  # type: ignore[no-untyped-call]  # ib_insync has no types here
        self.decoder: RawDecoder = RawDecoder(wrapper, 0)
        self._on_send = on_send
        # Too many messages are read later; without it they draw error 100, and the third time the line is cut.
        self.setConnectOptions("+PACEAPI")

    def sendMsg(self, msg: str) -> None:  # noqa: N802 - the parent's name
        self._on_send()
        super().sendMsg(msg)

    def _onSocketHasData(self, data: bytes) -> None:  # noqa: N802 - the parent's name
        """As the parent once the handshake is over, but without copying what is left after every message."""
        if not self.isReady():
            super()._onSocketHasData(data)  # type: ignore[no-untyped-call]  # ib_insync has no types here
            return
        held, at, self._data = self._data + data, 0, b""
        while self.isReady() and len(held) >= (begins := at + _LENGTH.size):
            ends = begins + _LENGTH.unpack_from(held, at)[0]
            if len(held) < ends:
                break
            at = ends
            self.decoder.read(held[begins:ends])
        if self.isReady():  # nobody has left meanwhile
            self._data = held[at:]


class Pacing:
    """Lets questions leave evenly, `per_s` each second, after a first burst of `at_once`."""

    def __init__(self, per_s: float, at_once: int = QUESTIONS_AT_ONCE) -> None:
        self._gap_s = 1.0 / per_s
        self._ahead_s = at_once * self._gap_s
        self._next_at = 0.0

    async def turn(self) -> None:
        """Return when the next question may leave."""
        now = asyncio.get_running_loop().time()
        at = max(now, self._next_at)
        self._next_at = at + self._gap_s
        wait_s = at - now - self._ahead_s
        if wait_s > 0:
            await asyncio.sleep(wait_s)


class Connection:
    """One socket, for one use. `client` has ib_insync's request methods (untyped, hence Any)."""

    def __init__(self, wrapper: Wrapper, address: Address, on_send: Callable[[], None] = lambda: None) -> None:
        self.client: Any = _RawClient(wrapper, on_send)
        self._where = f"{address.host}:{address.port}"
        self._address = address
        loop = asyncio.get_running_loop()
        # ib_insync asks the policy for the loop, not the running one.
        asyncio.set_event_loop(loop)
        self._refusal: asyncio.Future[str] = loop.create_future()
        self._closed = asyncio.Event()
        self.client.apiError.connect(self._on_error)
        self.client.conn.disconnected.connect(self._on_closed)

        self.last_error = ""
        self._is_id_taken = False

    @property
    def is_ready(self) -> bool:
        """Handshake done, socket open."""
        return bool(self.client.isReady())

    async def open(self, timeout_s: float) -> None:
        """Connect and shake hands. Raises BrokerUnavailable or ClientIdTaken, one line that names address and cause."""
        host, port, client_id = self._address.host, self._address.port, self._address.client_id
        attempt = asyncio.create_task(self.client.connectAsync(host, port, client_id, 0), name="connect")
        try:
            await asyncio.wait({attempt, self._refusal}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            reason = self._failure(attempt, timeout_s)
        finally:
            attempt.cancel()
            await asyncio.gather(attempt, return_exceptions=True)
        if reason:
            await self.close()
            kind = ClientIdTaken if self._is_id_taken else BrokerUnavailable
            raise kind(f"broker at {self._where}: {reason}")

    def note_code(self, code: int, text: str) -> None:
        """A code without an id that came before the handshake ended."""
        if code == CLIENT_ID_IN_USE:
            self._is_id_taken = True
            self._refuse(f"client id {self._address.client_id} is in use ({code} {text})")

    async def close(self) -> None:
        """Close the socket, by force if the peer does not take what is still to be sent."""
        transport = self.client.conn.transport
        if transport is None:
            return
        try:
            self.client.disconnect()
        except OSError:  # the peer has reset the connection in this instant
            transport.abort()
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._closed.wait()
        except TimeoutError:
            transport.abort()
            await self._closed.wait()

    def abort(self) -> None:
        """Drop the socket now; what was still to be sent is lost."""
        transport = self.client.conn.transport
        if transport is not None:
            transport.abort()

    def _failure(self, attempt: asyncio.Task[None], timeout_s: float) -> str:
        """Why the attempt failed; empty if it did not."""
        if attempt.done() and (error := attempt.exception()) is not None:
            if isinstance(error, ConnectionRefusedError):
                return "connection refused (is the gateway running?)"
            if isinstance(error, OSError):
                return f"cannot connect ({error.strerror or error})"
            return f"handshake failed ({error!r})"
        if self._refusal.done():
            return self._refusal.result()
        if not attempt.done():
            return f"no complete handshake within {timeout_s:g} s"
        version = self.client.serverVersion()
        if version not in SERVER_VERSIONS:
            return f"server version {version} is not supported, allowed: 157 to 176"
        return ""

    def _refuse(self, reason: str) -> None:
        if not self._refusal.done():
            self._refusal.set_result(reason)

    def _on_error(self, text: str) -> None:
        self.last_error = text
        self._refuse(f"closed the connection during the handshake ({text})")

    def _on_closed(self, _message: str) -> None:
        self._closed.set()
