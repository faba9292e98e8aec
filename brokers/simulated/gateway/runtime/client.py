"""One connected client: its socket's writing side and what it has subscribed to."""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
import struct
from collections.abc import Callable, Iterable, Iterator

from brokers.simulated.gateway.protocol.message import Message
from brokers.simulated.gateway.runtime.subscriptions import Subscriptions

log = logging.getLogger(__name__)

UNREAD_BYTES_MAX = 16 << 20
"""What may lie unread for one client: a long history is half of that."""
DRAIN_S = 10.0
ODD_PIECES = (1, 2, 3, 5, 8, 13, 21, 1, 1, 34)
"""Bytes per packet while traffic is chopped: fields, lengths and frames are cut anywhere."""
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER on, for 0 s: closing sends RST instead of FIN."""

Tap = Callable[["Client", str, bytes], None]


class Client:
    """Frames collect in `send` and leave together in `flush`: one system call per burst."""

    def __init__(self, writer: asyncio.StreamWriter, client_id: int, version: int = 176) -> None:
        self.client_id = client_id
        self.version = version
        """The server version agreed with this client: it decides how messages are written."""
        self.options = ""
        """Connect options and optional capabilities, as the client wrote them."""
        self.on_send: Callable[[Client, Message], Iterable[Message]] | None = None
        """What really leaves instead of a message, while a fault is armed."""
        self.tap: Tap | None = None
        """Is shown every frame that leaves (direction `server`)."""
        self.withheld: set[str] = set()
        """Messages by name that are swallowed once."""
        self.is_held = False
        """While held nothing leaves; it collects, and a client that misses too much is cut."""
        self.is_chopped = False
        self.is_gone = False
        """Whether this side has ended the connection: what the client still has on its way is not read."""
        self.unread_bytes_max = UNREAD_BYTES_MAX
        self.subscriptions = Subscriptions()
        self.market_data_type = 1
        self.frames_sent = 0
        self._writer = writer
        self._frames: list[bytes] = []
        self._held_bytes = 0

    def send(self, message: Message) -> None:
        if self.on_send is None and not self.withheld:
            self.send_frame(message.encode(self.version))
            return
        for sent in (message,) if self.on_send is None else self.on_send(self, message):
            if sent.name in self.withheld:
                self.withheld.discard(sent.name)
            else:
                self.send_frame(sent.encode(self.version))

    def send_frame(self, frame: bytes) -> None:
        """Bytes that are no message of ours: an empty answer, a recording, or a fault."""
        if self.tap is not None:
            self.tap(self, "server", frame)
        self._frames.append(frame)

    def flush(self) -> None:
        """Hand what has collected to the socket; a client that does not read is cut."""
        if not self._frames:
            return
        if self.is_held:
            self._hold()
            return
        if not self._writer.is_closing():
            self._write(b"".join(self._frames))
            self.frames_sent += len(self._frames)
        self._frames.clear()
        self._held_bytes = 0

    @property
    def is_behind(self) -> bool:
        """Whether anything waits for the client to read."""
        return self._writer.transport.get_write_buffer_size() > 0

    async def drain(self, wait_s: float = DRAIN_S) -> None:
        """Wait until the socket takes more; a client that does not read for `wait_s` wall seconds is cut."""
        if self.is_held or not self.is_behind:
            return
        try:
            async with asyncio.timeout(wait_s):
                await self._writer.drain()
        except TimeoutError:
            self.cut(f"did not read for {wait_s:g} s")
        except ConnectionError:
            pass  # the reading side has seen the end as well and unregisters the client

    def cut(self, reason: str) -> None:
        log.warning("client %d cut: it %s", self.client_id, reason)
        self._frames.clear()
        self.is_gone = True
        self._writer.transport.abort()

    def close(self) -> None:
        """Say what is left to say, then FIN."""
        self.is_held = False
        self.flush()
        self.is_gone = True
        self._writer.close()

    def reset(self, *, inside_frame: bool = False) -> None:
        """RST, as a process that dies; `inside_frame` sends the beginning of a frame first."""
        if inside_frame:
            self.is_held = False
            self.send_frame(struct.pack(">I", 64) + b"4\x002\x00")
        self.flush()
        connected = self._writer.get_extra_info("socket")
        if connected is not None:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.is_gone = True
        self._writer.transport.abort()

    def _hold(self) -> None:
        self._held_bytes = sum(map(len, self._frames))
        if self._held_bytes > self.unread_bytes_max:
            self.cut(f"has more than {self.unread_bytes_max} bytes unread")

    def _write(self, data: bytes) -> None:
        for piece in _pieces(data) if self.is_chopped else (data,):
            self._writer.write(piece)
        if self._writer.transport.get_write_buffer_size() > self.unread_bytes_max:
            self.cut(f"has more than {self.unread_bytes_max} bytes unread")


def _pieces(data: bytes) -> Iterator[bytes]:
    at = 0
    for length in itertools.cycle(ODD_PIECES):
        if at >= len(data):
            return
        yield data[at : at + length]
        at += length
