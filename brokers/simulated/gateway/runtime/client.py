"""One connected client: its socket's writing side and what it has subscribed to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from msgspec import Struct, field

from brokers.simulated.gateway.data.listing import Listed
from brokers.simulated.gateway.protocol.message import Message

log = logging.getLogger(__name__)

WRITE_BYTES_MAX = 16 << 20
DRAIN_S = 10.0


class TickSubscription(Struct):
    """A reqMktData; `sent` holds the last value per tick type, because only changes are sent."""

    stock: Listed
    sent: dict[int, float] = field(default_factory=dict)


class Subscriptions(Struct):
    """What a client wants to be told without asking again; keys are request ids."""

    bars: dict[int, Listed] = field(default_factory=dict)
    ticks: dict[int, TickSubscription] = field(default_factory=dict)
    summaries: dict[int, tuple[str, ...]] = field(default_factory=dict)
    account_multi: dict[int, str] = field(default_factory=dict)
    position_multi: set[int] = field(default_factory=set)
    positions: bool = False
    account: bool = False

    def uses(self, req_id: int) -> bool:
        """Whether a market data subscription has this request id."""
        return req_id in self.bars or req_id in self.ticks


class Client:
    """Frames collect in `send` and leave together in `flush`: one system call per burst."""

    def __init__(self, writer: asyncio.StreamWriter, client_id: int, version: int = 176) -> None:
        self.client_id = client_id
        self.version = version
        """The server version agreed with this client: it decides how messages are written."""
        self.on_send: Callable[[Client, Message], Iterable[Message]] | None = None
        """What really leaves instead of a message, while a fault is armed."""
        self.subscriptions = Subscriptions()
        self.market_data_type = 1
        self.frames_sent = 0
        self._writer = writer
        self._frames: list[bytes] = []

    def send(self, message: Message) -> None:
        for sent in (message,) if self.on_send is None else self.on_send(self, message):
            self._frames.append(sent.encode(self.version))

    def send_frame(self, frame: bytes) -> None:
        """Bytes that are no message of ours: an empty answer, a recording, or a fault."""
        self._frames.append(frame)

    def flush(self) -> None:
        """Hand what has collected to the socket; a client that does not read is cut at WRITE_BYTES_MAX."""
        if not self._frames or self._writer.is_closing():
            self._frames.clear()
            return
        self._writer.write(b"".join(self._frames))
        self.frames_sent += len(self._frames)
        self._frames.clear()
        if self._writer.transport.get_write_buffer_size() > WRITE_BYTES_MAX:
            self.cut(f"has more than {WRITE_BYTES_MAX} bytes unread")

    async def drain(self) -> None:
        """Wait until the socket takes more: the market waits for a slow reader, not for a dead one."""
        try:
            async with asyncio.timeout(DRAIN_S):
                await self._writer.drain()
        except TimeoutError:
            self.cut(f"did not read for {DRAIN_S:g} s")
        except ConnectionError:
            pass  # the reading side has seen the end as well and unregisters the client

    def cut(self, reason: str) -> None:
        log.warning("client %d cut: it %s", self.client_id, reason)
        self._writer.transport.abort()

    def close(self) -> None:
        self.flush()
        self._writer.close()
