"""`--record FILE`: the wire traffic of every client as JSON lines, scrubbed, for recorded.py to play.

A line has `at` (market time, epoch seconds), `client`, `version`, `dir` (`client` or `server`) and `fields`. Account
ids are replaced by DU0000001 and so on, wherever they stand; addresses and host names are never written.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import msgspec

from brokers.simulated.gateway.protocol.wire import fields_of

if TYPE_CHECKING:
    from brokers.simulated.gateway.runtime.client import Client
    from brokers.simulated.gateway.runtime.session import Session

LENGTH_BYTES = 4


class Recorder:
    """Appends; every message is a line, and the file is whole up to the last flush."""

    def __init__(self, path: Path, session: Session) -> None:
        self._file = path.open("ab")
        self._session = session

    def follow(self, client: Client) -> None:
        """Record this client from now on, beginning with the START_API it has sent."""
        client.tap = self._take
        self._write(client, "client", ["71", "2", str(client.client_id), ""])

    def _take(self, client: Client, direction: str, data: bytes) -> None:
        """A payload of the client's, or a frame of ours."""
        payload = data if direction == "client" else data[LENGTH_BYTES:]
        self._write(client, direction, fields_of(payload))

    def _write(self, client: Client, direction: str, fields: list[str]) -> None:
        entry = {
            "at": round(self._session.instant(), 3),
            "client": client.client_id,
            "version": client.version,
            "dir": direction,
            "fields": [self._scrubbed(field) for field in fields],
        }
        self._file.write(msgspec.json.encode(entry) + b"\n")

    def _scrubbed(self, field: str) -> str:
        for number, name in enumerate(self._session.accounts.names, start=1):
            field = field.replace(name, f"DU{number:07d}")
        return field

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
