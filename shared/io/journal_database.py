"""What the journal asks of a database: rows, transactions, one writer. SQLite and PostgreSQL each answer it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct

from shared.errors import InvariantViolated

Row = tuple[Any, ...]


class JournalError(InvariantViolated):
    """The journal cannot be written (disk full, locked, server lost): nothing may be sent, the run ends."""


class PostgresPlace(Struct, frozen=True, kw_only=True):
    """A journal on a PostgreSQL server, in a schema of its own. `url` holds no password."""

    url: str
    schema: str
    password: str = ""

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        server = parts.netloc.rpartition("@")[2]
        return f"{urlunsplit((parts.scheme, server, parts.path, '', ''))} schema {self.schema}"

    def __repr__(self) -> str:
        return f"PostgresPlace({self})"  # a traceback may print it: no password


JournalPlace = Path | PostgresPlace


class ReadableDatabase(Protocol):
    """One open connection. SQL is the part that both speak, with `?` for values."""

    place: str
    version: int

    def rows(self, sql: str, values: Sequence[object] = ()) -> Iterator[Row]:
        """What a query finds.

        Raises:
            Refused: the rows cannot be read (damaged, server lost).
        """
        ...

    def storage_faults(self) -> list[str]:
        """What the database finds wrong with its own files, one line each; empty where it is sound."""
        ...

    def copy_to(self, path: Path) -> None:
        """Write the whole journal, as it is now, into a new SQLite file.

        Raises:
            JournalError: it could not be written.
        """
        ...

    def close(self) -> None:
        """Let go of everything, the writer's lock too; harmless when done twice."""
        ...


class Database(ReadableDatabase, Protocol):
    """The writer's connection."""

    def transaction(self) -> AbstractContextManager[None]:
        """All writes within are durable at its end, or none is.

        Raises:
            JournalError: they could not be written.
        """
        ...

    def write(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Carry out one statement for each row of values, within a transaction."""
        ...

    def sync(self) -> None:
        """Real work: the proof that disk or server answers; JournalError if not."""
        ...
