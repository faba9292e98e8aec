"""The append-only record of every run: one event and the commands it led to, in one durable transaction.

SQLite in WAL mode with synchronous=FULL: when `append` returns, the rows survive kill -9 and a power cut. One
process writes (a lock file beside the database); anybody may read while it does, through `JournalReader`.

Tables (append-only by trigger):
  runs       one line per start of the daemon, with the configuration it ran under
  events     seq rises by one over all runs; payload is the event's MessagePack (shared/messages.py)
  commands   what event `seq` led to, in order
  snapshots  the engine's bytes after event `seq`; each run writes one before its first event
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Self

from msgspec import Struct
from msgspec.structs import astuple, replace

from shared.commands import Command
from shared.errors import NotFound, Refused
from shared.events import Event
from shared.messages import encode, kind_of

SCHEMA_VERSION = 1
_APPLICATION_ID = 0x4F42_4A31  # "OBJ1", so that `file` and we can tell a journal from any other database
_BUSY_MS = 5_000

_SCHEMA = """
CREATE TABLE runs (
  id TEXT PRIMARY KEY, started_at TEXT NOT NULL, mode TEXT NOT NULL CHECK (mode IN ('paper', 'live')),
  config_json TEXT NOT NULL, base_dir TEXT NOT NULL, code_version TEXT NOT NULL,
  strategy_hashes TEXT NOT NULL, after_seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE events (
  seq INTEGER PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs (id), received_at TEXT NOT NULL,
  kind TEXT NOT NULL, payload BLOB NOT NULL);
CREATE INDEX events_by_run ON events (run_id, seq);
CREATE TABLE commands (
  seq INTEGER NOT NULL REFERENCES events (seq), position INTEGER NOT NULL, kind TEXT NOT NULL,
  payload BLOB NOT NULL, PRIMARY KEY (seq, position)) WITHOUT ROWID;
CREATE TABLE snapshots (
  id INTEGER PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs (id), seq INTEGER NOT NULL,
  payload BLOB NOT NULL);
"""
_TABLES = ("runs", "events", "commands", "snapshots")
_GUARD = """
CREATE TRIGGER {table}_{verb}_refused BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
"""


class Run(Struct, frozen=True, kw_only=True):
    """One start of the daemon. `started_at` is wall time (ISO, UTC); `after_seq` the last event before it."""

    id: str
    started_at: str
    mode: str
    config_json: str
    base_dir: str
    code_version: str
    strategy_hashes: str
    after_seq: int = 0


class Snapshot(Struct, frozen=True, kw_only=True):
    """The engine's bytes after event `seq`, written by run `run_id`."""

    run_id: str
    seq: int
    payload: bytes


class Record(Struct, frozen=True, kw_only=True):
    """One journalled event with the commands it led to, all as bytes."""

    seq: int
    run_id: str
    received_at: str
    kind: str
    payload: bytes
    commands: tuple[bytes, ...]


def run_id_of(started_at: datetime, pid: int) -> str:
    """A run's name: when (wall time, UTC, milliseconds) and which process; names sort by time."""
    return f"{started_at:%Y%m%dT%H%M%S}{started_at.microsecond // 1000:03d}Z-{pid}"


class JournalReader:
    """Read-only view of a journal; works while a daemon writes, and never locks it out."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path

    @classmethod
    def open(cls, path: Path) -> Self:
        """The journal at `path`.

        Raises:
            NotFound: there is none. Refused: the file is not a journal this release can read.
        """
        if not path.is_file():
            raise NotFound(f"{path}: no journal here; `openbell run` writes one")
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        with _readable(path):
            _check_schema(connection, path)
        return cls(connection, path)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def runs(self) -> list[Run]:
        """Every run, oldest first."""
        rows = self._connection.execute("SELECT * FROM runs ORDER BY id")
        return [Run(**dict(zip(Run.__struct_fields__, row, strict=True))) for row in rows]

    def run(self, run_id: str) -> Run:
        """The run of that name; NotFound if there is none."""
        for run in self.runs():
            if run.id == run_id:
                return run
        raise NotFound(f"{self.path}: no run {run_id!r}; `openbell audit` lists every run")

    def last_seq(self) -> int:
        """Number of the last event, 0 in an empty journal."""
        return int(self._connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0])

    def last_received_at(self) -> datetime | None:
        """When the last event happened (market time), None in an empty journal."""
        row = self._connection.execute("SELECT received_at FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        return datetime.fromisoformat(row[0]) if row else None

    def records(self, *, after_seq: int = 0, run_id: str | None = None) -> Iterator[Record]:
        """Events with their commands, in order, later than `after_seq`; of one run, or of all."""
        rows = self._connection.execute(
            "SELECT seq, run_id, received_at, kind, payload FROM events "
            "WHERE seq > ?1 AND (?2 IS NULL OR run_id = ?2) ORDER BY seq",
            (after_seq, run_id),
        )
        for seq, run, received_at, kind, payload in rows:
            commands = self._connection.execute("SELECT payload FROM commands WHERE seq = ? ORDER BY position", (seq,))
            yield Record(
                seq=seq,
                run_id=run,
                received_at=received_at,
                kind=kind,
                payload=payload,
                commands=tuple(command for (command,) in commands),
            )

    def events_of_kind(self, kind: str, *, run_id: str | None = None) -> Iterator[bytes]:
        """Payloads of one kind of event, in order; of one run, or of all."""
        rows = self._connection.execute(
            "SELECT payload FROM events WHERE kind = ?1 AND (?2 IS NULL OR run_id = ?2) ORDER BY seq",
            (kind, run_id),
        )
        return (payload for (payload,) in rows)

    def last_commands(self, count: int, kinds: Sequence[str]) -> list[tuple[str, bytes]]:
        """The last commands of these kinds as (time of their event, payload), newest first."""
        rows = self._connection.execute(
            "SELECT events.received_at, commands.payload FROM commands JOIN events USING (seq) WHERE "
            "instr(?, ' ' || commands.kind || ' ') ORDER BY seq DESC, position DESC LIMIT ?",
            (f" {' '.join(kinds)} ", count),
        )
        return list(rows)

    def last_snapshot(self) -> Snapshot | None:
        """The newest snapshot, or None in a new journal."""
        return self._snapshot("ORDER BY id DESC", ())

    def start_snapshot(self, run_id: str) -> Snapshot | None:
        """The snapshot a run wrote before its first event."""
        return self._snapshot("WHERE run_id = ? ORDER BY id", (run_id,))

    def _snapshot(self, which: str, values: tuple[str, ...]) -> Snapshot | None:
        query = f"SELECT run_id, seq, payload FROM snapshots {which} LIMIT 1"  # noqa: S608 - two constants above
        row = self._connection.execute(query, values).fetchone()
        return Snapshot(run_id=row[0], seq=row[1], payload=row[2]) if row else None


class Journal(JournalReader):
    """The one writer. `append` has returned = the rows are on disk."""

    def __init__(self, connection: sqlite3.Connection, path: Path, lock_file: int) -> None:
        super().__init__(connection, path)
        self._lock_file = lock_file
        self._run_id = ""
        self._seq = self.last_seq()

    @classmethod
    def create(cls, path: Path, mode: str) -> Self:
        """Open the journal at `path` for writing, or make a new one.

        Raises:
            Refused: another daemon writes it, it belongs to the other mode, is damaged or of another release.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        lock_file = _lock(path)
        try:
            connection = sqlite3.connect(path, isolation_level=None)
            with _readable(path):
                _prepare(connection, path)
                _check_mode(connection, path, mode)
        except BaseException:
            os.close(lock_file)
            raise
        return cls(connection, path, lock_file)

    def start_run(self, run: Run, snapshot: bytes) -> None:
        """Note a new run and the engine's state it starts from; later events belong to it."""
        with self._transaction():
            values = astuple(replace(run, after_seq=self._seq))
            self._connection.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
            self._insert_snapshot(run.id, snapshot)
        self._run_id = run.id

    def append(self, event: Event, commands: Sequence[Command]) -> int:
        """Write the event and its commands in one transaction, durable on return; the event's number."""
        return self.append_all([(event, commands)])

    def append_all(self, records: Sequence[tuple[Event, Sequence[Command]]]) -> int:
        """Write several events with their commands in one transaction, durable on return; the last event's number."""
        with self._transaction():
            for seq, (event, commands) in enumerate(records, start=self._seq + 1):
                self._insert(seq, event, commands)
        self._seq += len(records)
        return self._seq

    def _insert(self, seq: int, event: Event, commands: Sequence[Command]) -> None:
        self._connection.execute(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?)",
            (seq, self._run_id, event.received_at.isoformat(), kind_of(event), encode(event)),
        )
        self._connection.executemany(
            "INSERT INTO commands VALUES (?, ?, ?, ?)",
            [(seq, place, kind_of(command), encode(command)) for place, command in enumerate(commands)],
        )

    def write_snapshot(self, payload: bytes) -> None:
        """Keep the engine's state after the last appended event."""
        with self._transaction():
            self._insert_snapshot(self._run_id, payload)

    def sync(self) -> None:
        """Bring the write-ahead log into the database file: real work, the proof that the disk answers."""
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Let go of the file and of its lock; harmless when done twice."""
        super().close()
        if self._lock_file >= 0:
            os.close(self._lock_file)
            self._lock_file = -1

    def _insert_snapshot(self, run_id: str, payload: bytes) -> None:
        self._connection.execute(
            "INSERT INTO snapshots (run_id, seq, payload) VALUES (?, ?, ?)", (run_id, self._seq, payload)
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def writer_of(path: Path) -> int | None:
    """The process id of the daemon that writes the journal at `path`; None if none lives."""
    try:
        pid = int(path.with_name(path.name + ".lock").read_text())
        os.kill(pid, 0)
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return None
    except PermissionError:  # it lives under another user
        return pid
    return pid


def _lock(path: Path) -> int:
    """Hold the lock file for as long as the process lives; the kernel frees it even after kill -9."""
    lock_path = path.with_name(path.name + ".lock")
    lock_file = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(lock_file, 32, 0).decode(errors="replace").strip() or "unknown"
        os.close(lock_file)
        raise Refused(f"{path}: another daemon (pid {holder}) is writing this journal") from error
    os.ftruncate(lock_file, 0)
    os.pwrite(lock_file, f"{os.getpid()}\n".encode(), 0)
    return lock_file


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Durability settings, schema of a new file, integrity of an old one."""
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    is_new = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if not is_new:
        _check_schema(connection, path)
        verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if verdict != "ok":
            raise Refused(f"{path}: damaged ({verdict}); put back a backup, or move it away")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    if is_new:
        verbs = ("UPDATE", "DELETE")
        guards = "".join(_GUARD.format(table=table, verb=verb) for table in _TABLES for verb in verbs)
        marks = f"PRAGMA application_id = {_APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION};"
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} {guards} {marks} COMMIT;")


def _check_schema(connection: sqlite3.Connection, path: Path) -> None:
    application, version = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    if application != _APPLICATION_ID:
        raise Refused(f"{path}: is a database, but not a journal of Openbell")
    if version != SCHEMA_VERSION:
        raise Refused(f"{path}: journal version {version}, this release reads {SCHEMA_VERSION}")


def _check_mode(connection: sqlite3.Connection, path: Path, mode: str) -> None:
    with closing(connection.execute("SELECT DISTINCT mode FROM runs WHERE mode <> ?", (mode,))) as rows:
        other = rows.fetchone()
    if other is not None:
        raise Refused(f"{path}: holds {other[0]} runs, mode is {mode}; the two never share a journal")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Say in one line that a file is no (sound) database."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise Refused(f"{path}: cannot be read as a journal ({error})") from error
