"""Sockets in memory: who listens where, the connections that stand, and what can be done to them."""

from __future__ import annotations

import asyncio
import contextvars
import os
import random
import struct
from collections.abc import Callable
from typing import Any

from tests.simulation.world.process import OWNER, Process
from tests.simulation.world.wire_end import WireEnd

Address = tuple[str, int]


class _Socket:
    """What asyncio's and the control socket's code asks of a socket: an address, options, who is at the other end."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def getsockname(self) -> Address:
        return self._address

    def setsockopt(self, *_: object) -> None:
        """Nothing of it matters in memory."""

    def getsockopt(self, *_: object) -> bytes:
        """SO_PEERCRED: the other end runs under our own user."""
        return struct.pack("3i", 1, os.geteuid(), os.getegid())


class Wire:
    """One connection: `client` is the end that connected, `server` the one that accepted."""

    def __init__(self, network: Network, address: Address) -> None:
        self.address = address
        self.socket = _Socket(address)
        self.slow_s: tuple[float, float] | None = None
        self.label = ""
        """What the world calls it: the client id, once it is known."""
        self.on_ended: Callable[[], None] = lambda: None
        """Hears that either end has closed."""
        self.client: WireEnd
        self.server: WireEnd
        self._network = network
        self._open = 2

    @property
    def is_open(self) -> bool:
        return self._open > 0

    def latency_s(self) -> float:
        return self._network.latency_s(self.slow_s)

    def ended(self, _: WireEnd) -> None:
        self._open -= 1
        if self._open:
            self.on_ended()
        else:
            self._network.forget(self)

    def each_end(self) -> tuple[WireEnd, WireEnd]:
        return self.client, self.server


class _Server(asyncio.AbstractServer):
    """The listener of one address."""

    def __init__(self, network: Network, address: Address, factory: Callable[[], Any]) -> None:
        self.address = address
        self.factory = factory
        self.context = contextvars.copy_context()
        self.sockets = (_Socket(address),)
        self.owner = OWNER.get()
        self._network = network

    def close(self) -> None:
        self._network.unlisten(self)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    async def start_serving(self) -> None:
        """It serves from the beginning."""

    async def serve_forever(self) -> None:
        await asyncio.Event().wait()

    def is_serving(self) -> bool:
        return self._network.is_listening(self)

    async def wait_closed(self) -> None:
        """It closes at once."""


class Network:
    """Everything between the daemon, the gateway and the people of one run. `latency` is (shortest, longest) in
    seconds.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, chance: random.Random, latency: tuple[float, float]) -> None:
        self.wires: dict[Wire, None] = {}
        self.on_connect: Callable[[Wire], None] = lambda _: None
        self._loop = loop
        self._chance = chance
        self._latency = latency
        self._servers: dict[Address, _Server] = {}
        self._next_port = 40_000

    # ------------------------------------------------------------------ the loop's door

    def listen(self, factory: Callable[[], Any], address: Address) -> _Server:
        """Raises OSError when the address is taken."""
        host, port = address
        if not port and not host.startswith("/"):
            self._next_port += 1
            address = (host, self._next_port)
        if address in self._servers:
            raise OSError(98, f"Address already in use: {address}")
        server = _Server(self, address, factory)
        self._servers[address] = server
        if server.owner is not None:
            server.owner.on_end.append(server.close)
        return server

    async def connect(self, factory: Callable[[], Any], address: Address) -> tuple[WireEnd, Any]:
        """Raises ConnectionRefusedError where nobody listens."""
        await asyncio.sleep(self.latency_s())
        server = self._servers.get(address)
        if server is None:
            raise ConnectionRefusedError(111, f"Connect call failed {address}")
        wire = Wire(self, address)
        wire.client = WireEnd(wire, self._loop, contextvars.copy_context())
        wire.server = WireEnd(wire, self._loop, server.context)
        wire.client.peer, wire.server.peer = wire.server, wire.client
        self.wires[wire] = None
        for end in wire.each_end():
            owner: Process | None = end.context.get(OWNER)
            if owner is not None:
                owner.on_end.append(end.die)
        self.on_connect(wire)
        protocol = wire.client.protocol = factory()
        wire.server.protocol = server.context.run(server.factory)
        self._loop.call_soon(wire.server.protocol.connection_made, wire.server, context=server.context)
        protocol.connection_made(wire.client)
        return wire.client, protocol

    # ------------------------------------------------------------------ the world's door

    def latency_s(self, slow: tuple[float, float] | None = None) -> float:
        """The next packet's time on its way, in seconds."""
        shortest, longest = slow or self._latency
        return shortest if shortest == longest else self._chance.uniform(shortest, longest)

    def bytes_under_way(self) -> int:
        """What has been written and not yet been handed over, of lines that work."""
        return sum(end.bytes_under_way for wire in self.wires for end in wire.each_end())

    def unlisten(self, server: _Server) -> None:
        if self._servers.get(server.address) is server:
            del self._servers[server.address]

    def is_listening(self, server: _Server) -> bool:
        return self._servers.get(server.address) is server

    def forget(self, wire: Wire) -> None:
        self.wires.pop(wire, None)
        for end in wire.each_end():
            owner: Process | None = end.context.get(OWNER)
            if owner is not None and end.die in owner.on_end:
                owner.on_end.remove(end.die)


def reset(wire: Wire) -> None:
    """RST to both sides, as a middlebox does it."""
    for end in wire.each_end():
        end.reset_by_peer()


def finish(wire: Wire) -> None:
    """FIN to both sides."""
    for end in wire.each_end():
        end.take(None)


def deafen(wire: Wire) -> None:
    """Half open: nothing passes any more, nobody is told."""
    for end in wire.each_end():
        end.is_deaf = True


def give_up(wire: Wire) -> None:
    """A half-open connection ends: both kernels' keepalives have gone unanswered."""
    for end in wire.each_end():
        end.is_deaf = False
    reset(wire)


def stall(wire: Wire, for_s: float, loop: asyncio.AbstractEventLoop) -> None:
    """Everything is held, then delivered."""
    for end in wire.each_end():
        end.hold()
        loop.call_later(for_s, end.release)
