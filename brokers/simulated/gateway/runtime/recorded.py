"""`--play FILE`: a recorded session served again. A client that asks the same gets the recorded answers.

Of every conversation the messages of the gateway follow in their order, each once all that the client had said
before it has been said again, in whatever order; between two of them as much time passes as in the recording,
divided by `speed`. Request and order ids are those of the client that asks now. The questions of connecting that a
capture does not hold are answered with nothing; any other request that was not recorded gets 321 and a log line.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec.structs import asdict

from brokers.simulated.gateway.orders.refusals import invalid
from brokers.simulated.gateway.protocol import answers
from brokers.simulated.gateway.protocol.reading import decode
from brokers.simulated.gateway.protocol.wire import Unreadable, fields_of, frame, read_payload
from brokers.simulated.gateway.runtime.client import Client
from brokers.simulated.gateway.runtime.connections import HANDSHAKE_S, HOST, read_offer
from brokers.simulated.gateway.runtime.recorded_ids import ids_in_answer, with_ids
from brokers.simulated.gateway.runtime.recording_file import START_API, Conversation, Recording, read_recording

log = logging.getLogger(__name__)

OURS = frozenset(("version", "req_id", "order_id", "parent_id", "raw", "client_id"))
"""Fields in which a request may differ from the recorded one."""
WELCOME = (("15", "1", "DU0000001"), ("9", "1", "1"))
QUIET: dict[str, Callable[[str], tuple[object, ...]]] = {
    "5": lambda _: (53, 1),
    "6": lambda _: (54, 1, ""),
    "7": lambda req_id: (55, 1, req_id),
    "49": lambda _: (49, 1, int(time.time())),
    "61": lambda _: (62, 1),
    "76": lambda req_id: (74, 1, req_id),
    "99": lambda _: (102,),
}
"""What answers the questions of connecting where a recording knows nothing of the kind."""


class RecordedGateway:
    """Serves one recording on 127.0.0.1, to every client from its beginning. Raises ConfigError if unreadable."""

    def __init__(self, path: Path, *, port: int = 4010, speed: float = 1.0) -> None:
        self.port = port
        self._recording = read_recording(path)
        self._speed = speed
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            client = await self._admit(reader, writer)
            if client is not None:
                await Replay(self._recording, client, self._speed).run(reader)
        except (Unreadable, ConnectionError, TimeoutError) as fault:
            log.warning("connection closed: %s", str(fault) or "no handshake in time")
        except asyncio.CancelledError:
            log.debug("connection closed: the recording is served no more")
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _admit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Client | None:
        version = self._recording.version
        async with asyncio.timeout(HANDSHAKE_S):
            offer = await read_offer(reader)
            if offer is None:
                return None
            if not offer.lowest <= version <= offer.highest:
                log.warning(
                    "client refused: it offers %d..%d, the recording is %d", offer.lowest, offer.highest, version
                )
                return None
            writer.write(frame((version, answers.local_time(time.time(), "%Y%m%d %H:%M:%S %Z"))))
            await writer.drain()
            payload = await read_payload(reader)
        fields = fields_of(payload) if payload is not None else []
        if fields[:1] != [START_API]:
            raise Unreadable("the first request after the handshake must be START_API")
        return Client(writer, int(fields[2]) if fields[2:] and fields[2].isdigit() else 0, version)


class Part:
    """One conversation on its way: what the client has said of it, and how far the answers have come."""

    def __init__(self, conversation: Conversation, version: int) -> None:
        self.lines = conversation.lines
        self.said = {at: asyncio.Event() for at, line in enumerate(self.lines) if line.dir == "client"}
        self._meanings = {at: meaning_of(list(self.lines[at].texts), version) for at in self.said}

    def find(self, meaning: object) -> int | None:
        """The first line with this meaning that the client has not said yet."""
        unsaid = (at for at, said in self.said.items() if not said.is_set())
        return next((at for at in unsaid if self._meanings[at] == meaning), None)

    def has(self, kind: str) -> bool:
        return any(self.lines[at].kind == kind for at in self.said)


class Replay:
    """The recording as one client lives through it."""

    def __init__(self, recording: Recording, client: Client, speed: float) -> None:
        self._client = client
        self._speed = speed
        self._parts = [Part(one, recording.version) for one in recording.of(client.client_id)]
        self._ids: dict[str, str] = {}

    async def run(self, reader: asyncio.StreamReader) -> None:
        """Until the client goes."""
        playing = [asyncio.create_task(self._play(part)) for part in self._parts]
        try:
            self._begin()
            while (payload := await read_payload(reader)) is not None:
                self._take(fields_of(payload))
                self._client.flush()
                await self._client.drain()
        finally:
            for task in playing:
                task.cancel()
            await asyncio.gather(*playing, return_exceptions=True)

    def _begin(self) -> None:
        """START_API has been said; a capture without one gets a welcome of its own."""
        started = False
        for part in self._parts:
            at = next((at for at in part.said if part.lines[at].kind == START_API), None)
            if at is not None:
                part.said[at].set()
                started = True
        for fields in () if started else WELCOME:
            self._client.send_frame(frame(fields))
        self._client.flush()

    def _take(self, fields: list[str]) -> None:
        meaning = meaning_of(fields, self._client.version)
        for part in self._parts:
            at = part.find(meaning)
            if at is not None:
                self._ids |= _ids(list(part.lines[at].texts), fields, self._client.version)
                part.said[at].set()
                return
        self._unexpected(fields)

    def _unexpected(self, fields: list[str]) -> None:
        kind = fields[0] if fields else ""
        req_id = id_of(fields, self._client.version)
        if kind in QUIET and not any(part.has(kind) for part in self._parts):
            self._client.send_frame(frame(tuple(str(value) for value in QUIET[kind](req_id))))
            return
        log.warning("client %d: request %s was not recorded", self._client.client_id, "|".join(fields[:8]))
        refusal = invalid(f"request {kind} was not recorded")
        self._client.send(answers.error(int(req_id or -1), refusal.code, refusal.text))

    async def _play(self, part: Part) -> None:
        """The gateway's lines, each when it is its turn; what a capture begins with answers nothing and is left out."""
        since: float | None = None
        first = min(part.said, default=len(part.lines))
        for at, line in enumerate(part.lines[first:], start=first):
            if line.dir == "client":
                await part.said[at].wait()
            else:
                if since is not None and line.at is not None and line.at > since:
                    await asyncio.sleep((line.at - since) / self._speed)
                self._say(part, at)
            since = line.at if line.at is not None else since

    def _say(self, part: Part, at: int) -> None:
        fields = part.lines[at].texts
        asked = [line for line in part.lines[:at] if line.dir == "client" and line.kind != START_API]
        for stranger in ids_in_answer(fields):
            if (
                stranger not in self._ids and len(asked) == 1
            ):  # a capture whose answer has another id than its only question
                recorded = id_of(list(asked[0].texts), self._client.version)
                self._ids[stranger] = self._ids.get(recorded, stranger)
        self._client.send_frame(frame(with_ids(fields, self._ids)))
        self._client.flush()


def meaning_of(fields: list[str], version: int) -> object:
    """What a request asks for, whatever ids it uses; two spellings of the same request mean the same."""
    try:
        request = decode(fields, version)
    except (Unreadable, KeyError):
        return tuple(fields)
    return type(request), {name: value for name, value in asdict(request).items() if name not in OURS}


def id_of(fields: list[str], version: int) -> str:
    """The request or order id; empty where a request has none."""
    try:
        request = decode(fields, version)
    except (Unreadable, KeyError):
        return ""
    value = getattr(request, "order_id", getattr(request, "req_id", ""))
    return str(value)


def _ids(recorded: list[str], asked: list[str], version: int) -> dict[str, str]:
    there, here = id_of(recorded, version), id_of(asked, version)
    return {there: here} if there and here else {}
