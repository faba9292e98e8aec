"""`--play FILE`: a recorded session served again. A client that asks the same gets the recorded answers.

Each message of the gateway belongs to the request that it answers or that last went before it (recorded_part.py),
and is sent again when that request is made again: after as much time as then, divided by `speed`. Request and order
ids are those of the client that asks now. The questions of connecting that a capture does not hold are answered with
nothing; any other request that was not recorded gets 321 and a log line.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from brokers.simulated.gateway.orders.refusals import invalid
from brokers.simulated.gateway.protocol.answers import NO_REQUEST, error, local_time
from brokers.simulated.gateway.protocol.wire import Unreadable, fields_of, frame, read_payload
from brokers.simulated.gateway.runtime.client import Client
from brokers.simulated.gateway.runtime.clock import wall_s
from brokers.simulated.gateway.runtime.connections import HANDSHAKE_S, HOST, read_offer
from brokers.simulated.gateway.runtime.message_ids import id_of, with_ids
from brokers.simulated.gateway.runtime.recorded_part import Part, meaning_of
from brokers.simulated.gateway.runtime.recording_file import START_API, Recording, read_recording

log = logging.getLogger(__name__)

WELCOME = (("15", "1", "DU0000001"), ("9", "1", "1"))
QUIET: dict[str, Callable[[str], tuple[object, ...]]] = {
    "5": lambda _: (53, 1),
    "6": lambda _: (54, 1, ""),
    "7": lambda req_id: (55, 1, req_id),
    "49": lambda _: (49, 1, int(wall_s())),
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
        self._tasks: dict[asyncio.Task[None], None] = {}

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
        self._tasks[task] = None
        try:
            client = await self._admit(reader, writer)
            if client is not None:
                await Replay(self._recording, client, self._speed).run(reader)
        except (Unreadable, ConnectionError, TimeoutError) as fault:
            log.warning("connection closed: %s", str(fault) or "no handshake in time")
        except asyncio.CancelledError:
            log.debug("connection closed: the recording is served no more")
        finally:
            self._tasks.pop(task, None)
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
            writer.write(frame((version, local_time(wall_s(), "%Y%m%d %H:%M:%S %Z"))))
            await writer.drain()
            payload = await read_payload(reader)
        fields = fields_of(payload) if payload is not None else []
        if fields[:1] != [START_API]:
            raise Unreadable("the first request after the handshake must be START_API")
        return Client(writer, int(fields[2]) if fields[2:] and fields[2].isdigit() else 0, version)


class Replay:
    """The recording as one client lives through it."""

    def __init__(self, recording: Recording, client: Client, speed: float) -> None:
        self._client = client
        self._speed = speed
        self._parts = [Part(one, recording.version) for one in recording.of(client.client_id)]
        self._ids: dict[str, str] = {}
        self._playing: dict[asyncio.Task[None], None] = {}

    async def run(self, reader: asyncio.StreamReader) -> None:
        """Until the client goes."""
        try:
            self._begin()
            while (payload := await read_payload(reader)) is not None:
                self._take(fields_of(payload))
                self._client.flush()
                await self._client.drain()
        finally:
            for task in self._playing:
                task.cancel()
            await asyncio.gather(*self._playing, return_exceptions=True)

    def _begin(self) -> None:
        """START_API has been said; a capture without one gets a welcome of its own."""
        starts = [(part, line) for part in self._parts if (line := part.first_of(START_API)) is not None]
        for part, line in starts:
            self._answer(part, line)
        for fields in () if starts else WELCOME:
            self._client.send_frame(frame(fields))
        self._client.flush()

    def _take(self, fields: list[str]) -> None:
        meaning = meaning_of(fields, self._client.version)
        for part in self._parts:
            line = part.find(meaning)
            if line is not None:
                there, here = id_of(part.lines[line].texts), id_of(fields)
                if there and here:
                    self._ids[there] = here
                    self._ids |= {stranger: here for stranger, known in part.aliases.items() if known == there}
                self._answer(part, line)
                return
        self._unexpected(fields)

    def _answer(self, part: Part, line: int) -> None:
        """Play what belongs to the request: at once what came at once, the rest at the recording's pace."""
        part.unsaid.remove(line)
        since, answers_to_it = part.lines[line].at, part.answers[line]
        while answers_to_it and _pause_s(since, part.lines[answers_to_it[0]].at) <= 0:
            self._say(part.lines[answers_to_it.pop(0)].texts)
        if answers_to_it:
            task = asyncio.create_task(self._answer_later(part, answers_to_it, since))
            self._playing[task] = None
            task.add_done_callback(self._playing.pop)

    async def _answer_later(self, part: Part, lines: list[int], since: float | None) -> None:
        for line in lines:
            at = part.lines[line].at
            await asyncio.sleep(_pause_s(since, at) / self._speed)
            since = at
            self._say(part.lines[line].texts)
            self._client.flush()

    def _say(self, fields: tuple[str, ...]) -> None:
        self._client.send_frame(frame(with_ids(fields, self._ids)))

    def _unexpected(self, fields: list[str]) -> None:
        kind, req_id = fields[0] if fields else "", id_of(fields)
        if kind in QUIET and not any(part.has(kind) for part in self._parts):
            self._client.send_frame(frame(tuple(str(value) for value in QUIET[kind](req_id))))
            return
        log.warning("client %d: request %s was not recorded", self._client.client_id, "|".join(fields[:8]))
        refusal = invalid(f"request {kind} was not recorded")
        self._client.send(error(int(req_id or NO_REQUEST), refusal.code, refusal.text))


def _pause_s(since: float | None, at: float | None) -> float:
    return 0.0 if since is None or at is None else at - since
