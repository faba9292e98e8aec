"""The append-only record of every run: one event and the commands it led to, in one durable transaction.

When `append` returns, the rows survive kill -9 and a power cut. One process writes; anybody may read while it does,
through `JournalReader`. A `Path` is a SQLite file (shared/io/journal_sqlite.py), a `PostgresPlace` a schema on a
server (shared/io/journal_postgres.py); everything else is the same, and so are the tests.

Tables (append-only by trigger):
  runs       one line per start of the daemon, with the configuration it ran under
  events     seq rises by one over all runs; payload is the event's MessagePack (shared/messages.py)
  commands   what event `seq` led to, in order
  snapshots  the engine's bytes after event `seq`; each run writes one before its first event
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

from msgspec.structs import astuple, replace

from shared.commands import Command
from shared.errors import NotFound, Refused
from shared.events import Event
from shared.io import journal_sqlite
from shared.io.journal_database import Database, JournalError, JournalPlace, ReadableDatabase, Row
from shared.io.journal_rows import (
    SCHEMA_VERSION,
    Record,
    Run,
    Snapshot,
    link,
    run_digest,
    run_id_of,
    snapshot_digest,
)
from shared.messages import encode, kind_of

__all__ = [
    "SCHEMA_VERSION",
    "Journal",
    "JournalError",
    "JournalPlace",
    "JournalReader",
    "Record",
    "Run",
    "Snapshot",
    "run_id_of",
    "writer_of",
]

_PAGE = 500
_RUN_COLUMNS = ", ".join(Run.__struct_fields__)


class JournalReader:
    """Read-only view of a journal; works while a daemon writes, and never locks it out."""

    def __init__(self, database: ReadableDatabase) -> None:
        self._database = database

    @classmethod
    def open(cls, place: JournalPlace) -> Self:
        """The journal at `place`.

        Raises:
            NotFound: there is none. Refused: it is not a journal this release can read, or cannot be reached.
        """
        return cls(_opened(place))

    @property
    def place(self) -> str:
        """Where it is, as messages say it: a path, or a URL without user and password."""
        return self._database.place

    @property
    def version(self) -> int:
        """The version of its tables; a writer brings an older one up to date."""
        return self._database.version

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def storage_faults(self) -> list[str]:
        """What the database finds wrong with its own files, one line each."""
        return self._database.storage_faults()

    def copy_to(self, path: Path) -> None:
        """Write the whole journal, as it is now, into a new SQLite file, whatever database it is kept in."""
        self._database.copy_to(path)

    def runs(self) -> list[Run]:
        """Every run, oldest first."""
        rows = self._database.rows(f"SELECT {_RUN_COLUMNS} FROM runs ORDER BY id")  # noqa: S608 - names of ours
        return [Run(**dict(zip(Run.__struct_fields__, row, strict=True))) for row in rows]

    def run(self, run_id: str) -> Run:
        """The run of that name; NotFound if there is none."""
        for run in self.runs():
            if run.id == run_id:
                return run
        raise NotFound(f"{self.place}: no run {run_id!r}; `openbell audit` lists every run")

    def last_seq(self, until: datetime | None = None) -> int:
        """Number of the last event, or of the last that came by `until` (UTC); 0 if there is none."""
        if until is None:
            return int(next(self._database.rows("SELECT coalesce(max(seq), 0) FROM events"))[0])
        # ISO texts in UTC sort by time, with and without microseconds.
        query = "SELECT coalesce(max(seq), 0) FROM events WHERE received_at <= ?"
        return int(next(self._database.rows(query, (until.isoformat(),)))[0])

    def runs_among(self, first_seq: int, last_seq: int) -> list[Run]:
        """The runs that wrote any of these events, oldest first."""
        query = "SELECT DISTINCT run_id FROM events WHERE seq BETWEEN ? AND ?"
        wrote = {run_id for (run_id,) in self._database.rows(query, (first_seq, last_seq))}
        return [run for run in self.runs() if run.id in wrote]

    def last_received_at(self) -> datetime | None:
        """When the last event happened (market time), None in an empty journal."""
        rows = self._database.rows("SELECT received_at FROM events ORDER BY seq DESC LIMIT 1")
        return next((datetime.fromisoformat(at) for (at,) in rows), None)

    def records(self, *, after_seq: int = 0, run_id: str | None = None) -> Iterator[Record]:
        """Events with their commands, in order, later than `after_seq`; of one run, or of all."""
        chain = "chain" if self.version > 1 else "x''"
        query = (
            f"SELECT seq, run_id, received_at, kind, payload, {chain} FROM events "  # noqa: S608 - one of two words
            "WHERE seq > ? AND run_id = coalesce(?, run_id) ORDER BY seq LIMIT ?"
        )
        while page := list(self._database.rows(query, (after_seq, run_id, _PAGE))):
            after_seq = page[-1][0]
            commands = self._commands(page[0][0], after_seq)
            for seq, run, received_at, kind, payload, linked in page:
                yield Record(
                    seq=seq,
                    run_id=run,
                    received_at=received_at,
                    kind=kind,
                    payload=payload,
                    commands=tuple(commands.get(seq, ())),
                    chain=linked,
                )

    def _commands(self, first: int, last: int) -> dict[int, list[bytes]]:
        query = "SELECT seq, payload FROM commands WHERE seq BETWEEN ? AND ? ORDER BY seq, position"
        found: dict[int, list[bytes]] = {}
        for seq, payload in self._database.rows(query, (first, last)):
            found.setdefault(seq, []).append(payload)
        return found

    def events_of_kind(self, kind: str, *, run_id: str | None = None) -> Iterator[bytes]:
        """Payloads of one kind of event, in order; of one run, or of all."""
        query = (
            "SELECT seq, payload FROM events WHERE seq > ? AND kind = ? AND run_id = coalesce(?, run_id) "
            "ORDER BY seq LIMIT ?"
        )
        after_seq = 0
        while page := list(self._database.rows(query, (after_seq, kind, run_id, _PAGE))):
            after_seq = page[-1][0]
            yield from (payload for _, payload in page)

    def last_events(self, kinds: Sequence[str], count: int, *, until_seq: int) -> list[bytes]:
        """Payloads of the last `count` events of these kinds up to event `until_seq`, in order."""
        wanted = ", ".join("?" for _ in kinds)
        query = f"SELECT payload FROM events WHERE seq <= ? AND kind IN ({wanted}) ORDER BY seq DESC LIMIT ?"  # noqa: S608 - question marks
        return [payload for (payload,) in self._database.rows(query, (until_seq, *kinds, count))][::-1]

    def last_commands(self, count: int, kinds: Sequence[str]) -> list[tuple[str, bytes]]:
        """The last commands of these kinds as (time of their event, payload), newest first."""
        wanted = ", ".join("?" for _ in kinds)
        query = (
            "SELECT events.received_at, commands.payload FROM commands JOIN events ON events.seq = commands.seq "  # noqa: S608 - question marks
            f"WHERE commands.kind IN ({wanted}) ORDER BY commands.seq DESC, commands.position DESC LIMIT ?"
        )
        rows = self._database.rows(query, (*kinds, count))
        return [(at, payload) for at, payload in rows]

    def last_snapshot(self) -> Snapshot | None:
        """The newest snapshot, or None in a new journal."""
        rows = self._database.rows("SELECT run_id, seq, payload FROM snapshots ORDER BY id DESC LIMIT 1")
        return next((_snapshot(row) for row in rows), None)

    def start_snapshot(self, run_id: str) -> Snapshot | None:
        """The snapshot a run wrote before its first event."""
        query = "SELECT run_id, seq, payload FROM snapshots WHERE run_id = ? ORDER BY id LIMIT 1"
        return next((_snapshot(row) for row in self._database.rows(query, (run_id,))), None)

    def snapshots(self) -> Iterator[tuple[Snapshot, bytes]]:
        """Every snapshot with the digest it was written with, oldest first; needs version 2."""
        last = 0
        query = "SELECT id, run_id, seq, payload, digest FROM snapshots WHERE id > ? ORDER BY id LIMIT 1"
        while row := next(self._database.rows(query, (last,)), None):  # one at a time: each may be megabytes
            last = row[0]
            yield _snapshot(row[1:4]), row[4]

    def run_digests(self) -> dict[str, bytes]:
        """The digest each run was written with; needs version 2."""
        return dict(self._database.rows("SELECT id, digest FROM runs"))


class Journal(JournalReader):
    """The one writer. `append` has returned = the rows are on disk."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._database: Database = database
        self._run_id = ""
        self._seq = self.last_seq()
        self._chain = next((chain for (chain,) in database.rows(_LAST_CHAIN)), b"")

    @classmethod
    def create(cls, place: JournalPlace, mode: str) -> Self:
        """Open the journal at `place` for writing, or make a new one; one of an older version is brought up to date.

        Raises:
            Refused: another daemon writes it, it belongs to the other mode, is damaged or of another release, or
                cannot be written or reached.
        """
        database = _created(place)
        try:
            _check_mode(database, mode)
            return cls(database)
        except BaseException:
            database.close()
            raise

    def start_run(self, run: Run, snapshot: bytes) -> None:
        """Note a new run and the engine's state it starts from; later events belong to it."""
        run = replace(run, after_seq=self._seq)
        places = ", ".join("?" for _ in Run.__struct_fields__)
        with self._database.transaction():
            insert = f"INSERT INTO runs ({_RUN_COLUMNS}, digest) VALUES ({places}, ?)"  # noqa: S608 - names of ours
            self._database.write(insert, [(*astuple(run), run_digest(run))])
            self._insert_snapshot(run.id, snapshot)
        self._run_id = run.id

    def append(self, event: Event, commands: Sequence[Command]) -> int:
        """Write the event and its commands in one transaction, durable on return; the event's number.

        Raises:
            JournalError: it could not be written, and nothing of it was.
        """
        return self.append_all([(event, commands)])

    def append_all(self, records: Sequence[tuple[Event, Sequence[Command]]]) -> int:
        """Write several events with their commands in one transaction, durable on return; the last event's number."""
        events: list[Row] = []
        commands: list[Row] = []
        chain = self._chain
        for seq, (event, of_event) in enumerate(records, start=self._seq + 1):
            record = _record(seq, self._run_id, event, of_event)
            chain = link(chain, record)
            events.append((seq, record.run_id, record.received_at, record.kind, record.payload, chain))
            payloads = enumerate(zip(of_event, record.commands, strict=True))
            commands += [(seq, position, kind_of(command), payload) for position, (command, payload) in payloads]
        with self._database.transaction():
            self._database.write(_INSERT_EVENT, events)
            self._database.write(_INSERT_COMMAND, commands)
        self._seq += len(records)
        self._chain = chain
        return self._seq

    def write_snapshot(self, payload: bytes) -> None:
        """Keep the engine's state after the last appended event."""
        with self._database.transaction():
            self._insert_snapshot(self._run_id, payload)

    def sync(self) -> None:
        """Real work of the disk or server: the proof that it answers; JournalError if it does not."""
        self._database.sync()

    def _insert_snapshot(self, run_id: str, payload: bytes) -> None:
        snapshot = Snapshot(run_id=run_id, seq=self._seq, payload=payload)
        self._database.write(_INSERT_SNAPSHOT, [(*astuple(snapshot), snapshot_digest(snapshot))])


_LAST_CHAIN = "SELECT chain FROM events ORDER BY seq DESC LIMIT 1"
_INSERT_EVENT = "INSERT INTO events (seq, run_id, received_at, kind, payload, chain) VALUES (?, ?, ?, ?, ?, ?)"
_INSERT_COMMAND = "INSERT INTO commands (seq, position, kind, payload) VALUES (?, ?, ?, ?)"
_INSERT_SNAPSHOT = "INSERT INTO snapshots (run_id, seq, payload, digest) VALUES (?, ?, ?, ?)"


def writer_of(place: JournalPlace) -> int | None:
    """The process id of the daemon that writes the journal at `place`; None if none lives."""
    if isinstance(place, Path):
        return journal_sqlite.writer_of(place)
    from shared.io import journal_postgres

    return journal_postgres.writer_of(place)


def _opened(place: JournalPlace) -> ReadableDatabase:
    if isinstance(place, Path):
        return journal_sqlite.SqliteDatabase.open(place)
    from shared.io import journal_postgres

    return journal_postgres.PostgresDatabase.open(place)


def _created(place: JournalPlace) -> Database:
    if isinstance(place, Path):
        return journal_sqlite.SqliteWriter.create(place)
    from shared.io import journal_postgres

    return journal_postgres.PostgresDatabase.create(place)


def _check_mode(database: Database, mode: str) -> None:
    other = next(database.rows("SELECT DISTINCT mode FROM runs WHERE mode <> ?", (mode,)), None)
    if other is not None:
        raise Refused(f"{database.place}: holds {other[0]} runs, mode is {mode}; the two never share a journal")


def _record(seq: int, run_id: str, event: Event, commands: Sequence[Command]) -> Record:
    return Record(
        seq=seq,
        run_id=run_id,
        received_at=event.received_at.isoformat(),
        kind=kind_of(event),
        payload=encode(event),
        commands=tuple(encode(command) for command in commands),
    )


def _snapshot(row: tuple[object, ...]) -> Snapshot:
    run_id, seq, payload = row
    assert isinstance(run_id, str)
    assert isinstance(seq, int)
    assert isinstance(payload, bytes)
    return Snapshot(run_id=run_id, seq=seq, payload=payload)
