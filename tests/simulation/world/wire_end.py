"""One end of a connection in memory: an asyncio transport whose bytes travel with a delay, in order, until something
stops them.

A stall holds what is under way and delivers it later; a deaf line (half open) swallows everything and tells nobody; a
reset loses what is under way. Bytes that a process has written before it was killed still arrive: its kernel has them.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.simulation.world.process import OWNER, Killed

if TYPE_CHECKING:
    from tests.simulation.world.network import Wire

KERNEL_BYTES = 2 << 20
"""What the kernels of both sides hold before a writer feels that nobody reads."""
HIGH_WATER_BYTES = 64 << 10


class WireEnd(asyncio.Transport):
    """What the protocol on one side writes to; what the other side wrote is delivered to it in its own context."""

    def __init__(self, wire: Wire, loop: asyncio.AbstractEventLoop, context: contextvars.Context) -> None:
        super().__init__()
        self.wire = wire
        self.context = context
        self.peer: WireEnd
        self.protocol: Any = None
        self.on_bytes: Callable[[bytes], None] = lambda _: None
        """Hears what this side writes, the moment it writes."""
        self.on_delivery: Callable[[bytes], None] = lambda _: None
        """Hears what this side is handed, before its protocol is."""
        self.is_held = self.is_deaf = False
        self._loop = loop
        self._under_way: deque[tuple[float, bytes | None]] = deque()
        self.bytes_under_way = 0
        self._arrives_at = 0.0
        self._pump: asyncio.TimerHandle | None = None
        self._is_reading = True
        self._is_closing = self._is_lost = False
        self._is_paused = False
        self._has_said_all = self._was_finished = False

    # ------------------------------------------------------------------ writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Bytes for the other side; nothing after `close`."""
        if self._is_closing or self._has_said_all or not data:
            return
        packet = bytes(data)
        self.on_bytes(packet)
        owner = self.context.get(OWNER)
        if owner is not None and not owner.is_alive:
            raise Killed  # whoever heard it has ended this process: nothing has left
        self.peer.take(packet)
        if not self._is_paused and self.get_write_buffer_size() > HIGH_WATER_BYTES:
            self._is_paused = True
            self.protocol.pause_writing()

    def take(self, packet: bytes | None) -> None:
        """From the other side, under way now; None is its FIN, after which nothing comes."""
        if self.is_deaf or self._is_lost or self._was_finished:
            return
        self._was_finished = packet is None
        self._arrives_at = max(self._arrives_at, self._loop.time() + self.wire.latency_s())
        self._under_way.append((self._arrives_at, packet))
        self.bytes_under_way += len(packet or b"")
        self._schedule()

    def get_write_buffer_size(self) -> int:
        return max(0, self.peer.bytes_under_way - KERNEL_BYTES)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """They are fixed."""

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        """FIN: the other side is told that nothing more comes from here."""
        if not self._has_said_all:
            self._has_said_all = True
            self.peer.take(None)

    # ------------------------------------------------------------------ delivery

    def hold(self) -> None:
        """What is under way to this side stays so until `release`."""
        self.is_held = True

    def release(self) -> None:
        self.is_held = False
        self._schedule()

    def pause_reading(self) -> None:
        self._is_reading = False

    def resume_reading(self) -> None:
        self._is_reading = True
        self._schedule()

    def is_reading(self) -> bool:
        return self._is_reading

    def _schedule(self) -> None:
        if self._pump is None and self._under_way and self._is_reading and not self.is_held:
            due_s = max(self._under_way[0][0], self._loop.time())
            self._pump = self._loop.call_at(due_s, self._deliver, context=self.context)

    def _deliver(self) -> None:
        self._pump = None
        if self._is_lost or self.is_held or not self._is_reading or not self._under_way:
            return
        _, packet = self._under_way.popleft()
        self.bytes_under_way -= len(packet or b"")
        self.peer.relieved()
        if packet is None:
            self._hear_the_end()
            return
        self.on_delivery(packet)
        self.protocol.data_received(packet)
        self._schedule()

    def relieved(self) -> None:
        """The other side has read some of what we wrote."""
        if self._is_paused and not self._is_lost and self.get_write_buffer_size() <= HIGH_WATER_BYTES // 4:
            self._is_paused = False
            self.protocol.resume_writing()

    def _hear_the_end(self) -> None:
        """The other side's FIN: as asyncio's own transports, close unless the protocol wants to go on."""
        if not self.protocol.eof_received():
            self.close()

    # ------------------------------------------------------------------ ending

    def close(self) -> None:
        """Say what is left, then FIN."""
        if self._is_closing:
            return
        self._is_closing = True
        self.write_eof()
        self._loop.call_soon(self._lost, None, context=self.context)

    def abort(self) -> None:
        """RST: what is under way either way is lost."""
        if self._is_lost:
            return
        self._is_closing = True
        self.peer.reset_by_peer()
        self._loop.call_soon(self._lost, None, context=self.context)

    def reset_by_peer(self) -> None:
        """RST has come (unless the line is deaf: then nothing comes any more)."""
        if self.is_deaf or self._is_lost:
            return
        self._is_closing = True
        self._forget()
        due_s = self._loop.time() + self.wire.latency_s()
        self._loop.call_at(due_s, self._lost, ConnectionResetError("Connection reset by peer"), context=self.context)

    def die(self) -> None:
        """The process behind this end was killed: its kernel sends FIN, and nothing is heard here any more."""
        if self._is_lost:
            return
        self.write_eof()
        self._is_closing = self._is_lost = True
        self._forget()
        self.wire.ended(self)

    def _lost(self, error: Exception | None) -> None:
        if self._is_lost:
            return
        self._is_lost = True
        self._forget()
        self.wire.ended(self)
        self.protocol.connection_lost(error)

    def _forget(self) -> None:
        self._under_way.clear()
        self.bytes_under_way = 0
        if self._pump is not None:
            self._pump.cancel()
            self._pump = None

    # ------------------------------------------------------------------ facts

    def is_closing(self) -> bool:
        return self._is_closing

    def get_protocol(self) -> Any:
        return self.protocol

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def get_extra_info(self, name: str, default: object = None) -> Any:
        match name:
            case "socket":
                return self.wire.socket
            case "peername" | "sockname":
                return self.wire.address
            case _:
                return default
