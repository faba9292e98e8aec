"""A socket that speaks the protocol and nothing else: it reads only when the test says so."""

import asyncio
import struct

from brokers.simulated.gateway.protocol.wire import fields_of, frame, read_payload

TIMEOUT_S = 5.0


class RawClient:
    """`say` sends a request, `heard` reads up to a message, `rest` reads to the end of the connection."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer
        self.version = None

    @classmethod
    async def connected(cls, port, *, offer=b"v100..176", client_id=77, start=True):
        client = cls(*await asyncio.open_connection("127.0.0.1", port))
        client.writer.write(b"API\0" + struct.pack(">I", len(offer)) + offer)
        if start:
            client.version = (await client.next())[0]
            client.say(71, 2, client_id, "")
        return client

    def say(self, *fields):
        self.writer.write(frame(fields))

    async def next(self):
        """The next message's fields; None when the connection has ended."""
        async with asyncio.timeout(TIMEOUT_S):
            payload = await read_payload(self.reader)
        return None if payload is None else fields_of(payload)

    async def heard(self, kind):
        """All messages up to the first of this id, which comes last; fails if the connection ends before."""
        said = []
        while (fields := await self.next()) is not None:
            said.append(fields)
            if fields[0] == str(kind):
                return said
        raise AssertionError(f"the connection ended after {said}")

    async def rest(self):
        """Every whole message until the connection ends."""
        said = []
        while (fields := await self.next()) is not None:
            said.append(fields)
        return said

    async def answers(self):
        """The messages that had been sent before a question asked now, and its answer."""
        self.say(49, 1)
        return await self.heard(49)

    def close(self):
        self.writer.close()


def codes(said):
    """The error codes among messages, in order."""
    return [int(fields[3]) for fields in said if fields[0] == "4"]


async def advanced(desktop, seconds):
    """Let so many market seconds pass; what is due happens, steps are played as they end."""
    at = desktop.clock.now() + seconds
    desktop.clock.advance_to(at)
    async with asyncio.timeout(5):
        await desktop.gateway.session.played_to(at - 5)
    for _ in range(5):
        await asyncio.sleep(0)


async def again(desktop, **how):
    """A connection as soon as somebody listens."""
    async with asyncio.timeout(5):
        while True:
            try:
                return await RawClient.connected(desktop.gateway.port, **how)
            except OSError:
                await asyncio.sleep(0.01)
