"""The journal on a PostgreSQL server: a schema of its own, append-only by triggers, one writer by advisory lock.

A commit is waited for until the server has it on disk (synchronous_commit; a server with fsync off is refused). A
server that does not answer within the times below is lost: the run ends, and the next start reconciles.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg import sql as composing

from shared.errors import NotFound, Refused
from shared.io.journal_copy import copy_rows
from shared.io.journal_database import JournalError, PostgresPlace, Row
from shared.io.journal_rows import SCHEMA_VERSION

_CONNECT_S = 10
_ANSWER_MS = 10_000
_WRITER = re.compile(r"openbell pid (\d+)")
_TABLES = ("runs", "events", "commands", "snapshots", "journal_version")
_SCHEMA = """
CREATE TABLE journal_version (version INTEGER NOT NULL);
CREATE TABLE runs (
  id TEXT COLLATE "C" PRIMARY KEY, started_at TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('paper', 'live')), config_json TEXT NOT NULL, base_dir TEXT NOT NULL,
  code_version TEXT NOT NULL, strategy_hashes TEXT NOT NULL, after_seq BIGINT NOT NULL, digest BYTEA NOT NULL);
CREATE TABLE events (
  seq BIGINT PRIMARY KEY, run_id TEXT COLLATE "C" NOT NULL REFERENCES runs (id), received_at TEXT NOT NULL,
  kind TEXT NOT NULL, payload BYTEA NOT NULL, chain BYTEA NOT NULL);
CREATE INDEX events_by_run ON events (run_id, seq);
CREATE TABLE commands (
  seq BIGINT NOT NULL REFERENCES events (seq), position INTEGER NOT NULL, kind TEXT NOT NULL,
  payload BYTEA NOT NULL, PRIMARY KEY (seq, position));
CREATE TABLE snapshots (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run_id TEXT COLLATE "C" NOT NULL REFERENCES runs (id),
  seq BIGINT NOT NULL, payload BYTEA NOT NULL, digest BYTEA NOT NULL);
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'the journal is append-only'; END $$;
"""
_GUARD = """
CREATE TRIGGER {table}_change_refused BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
_LOCK_KEY = "hashtextextended('openbell journal ' || current_schema(), 0)"
_HOLDER = f"""
SELECT activity.application_name FROM pg_locks AS locks JOIN pg_stat_activity AS activity ON activity.pid = locks.pid
WHERE locks.locktype = 'advisory' AND locks.granted AND activity.datname = current_database()
AND ((locks.classid::bigint << 32) | locks.objid::bigint) = {_LOCK_KEY}
"""  # noqa: S608 - constants


class PostgresDatabase:
    """One connection to the journal's schema."""

    def __init__(self, connection: psycopg.Connection[Row], place: PostgresPlace) -> None:
        self._connection = connection
        self.place = str(place)
        self.version = SCHEMA_VERSION

    @classmethod
    def open(cls, place: PostgresPlace) -> Self:
        """The journal at `place`, for reading only.

        Raises:
            NotFound: there is none. Refused: the server cannot be reached, or holds another version.
        """
        with _reachable(place):
            connection = _connected(place, "openbell reader")
            try:
                connection.execute("SET default_transaction_read_only = on")
                _require_journal(connection, place)
            except BaseException:
                connection.close()
                raise
        return cls(connection, place)

    @classmethod
    def create(cls, place: PostgresPlace) -> Self:
        """The journal at `place` for writing; its schema and tables are made where they are not.

        Raises:
            Refused: another daemon writes it, it is not ours, of another release, or the server cannot be used.
        """
        with _reachable(place):
            connection = _connected(place, f"openbell pid {os.getpid()}")
            try:
                _prepare(connection, place)
            except BaseException:
                connection.close()
                raise
        return cls(connection, place)

    def rows(self, sql: str, values: Sequence[object] = ()) -> Iterator[Row]:
        try:
            return iter(self._connection.execute(_query(sql), tuple(values)).fetchall())
        except psycopg.Error as error:
            raise Refused(f"{self.place}: cannot be read as a journal ({_line(error)})") from error

    def storage_faults(self) -> list[str]:
        """None that a client could see: pages carry the server's own checksums, rows their keys."""
        return []

    def copy_to(self, path: Path) -> None:
        copy_rows(self, path)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        try:
            # One round trip instead of one for each statement.
            with self._connection.pipeline(), self._connection.transaction():
                yield
        except psycopg.Error as error:
            raise JournalError(f"{self.place}: cannot be written ({_line(error)})") from error

    def write(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        for values in rows:
            self._connection.execute(_query(sql), tuple(values))

    def sync(self) -> None:
        """Ask the server for a number: its commits have been on its disk all the time."""
        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error as error:
            raise JournalError(f"{self.place}: cannot be written ({_line(error)})") from error

    def close(self) -> None:
        self._connection.close()


def writer_of(place: PostgresPlace) -> int | None:
    """The process id of the daemon that holds the journal's lock, wherever it runs; None if nobody does."""
    with _reachable(place):
        connection = _connected(place, "openbell reader")
        try:
            holder = connection.execute(_query(_HOLDER)).fetchone()
        finally:
            connection.close()
    found = _WRITER.fullmatch(holder[0]) if holder else None
    return int(found[1]) if found else None


def _connected(place: PostgresPlace, name: str) -> psycopg.Connection[Row]:
    connection = psycopg.connect(
        place.url,
        password=place.password or None,
        autocommit=True,
        application_name=name,
        connect_timeout=_CONNECT_S,
        tcp_user_timeout=_ANSWER_MS,
        keepalives_idle=_CONNECT_S,
        options=f"-c statement_timeout={_ANSWER_MS} -c lock_timeout={_ANSWER_MS} -c synchronous_commit=on",
    )
    # No temporary or public object can stand before ours.
    path = composing.SQL("SET search_path TO {}, pg_temp").format(composing.Identifier(place.schema))
    connection.execute(path)
    return connection


def _prepare(connection: psycopg.Connection[Row], place: PostgresPlace) -> None:
    if _one(connection, "SHOW fsync") != "on":
        raise Refused(f"{place}: the server runs with fsync off, a power cut could take acknowledged rows; turn it on")
    schema = composing.Identifier(place.schema)
    connection.execute(composing.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema))
    if not _one(connection, f"SELECT pg_try_advisory_lock({_LOCK_KEY})"):
        holder = connection.execute(_query(_HOLDER)).fetchone()
        found = _WRITER.fullmatch(holder[0]) if holder else None
        raise Refused(f"{place}: another daemon (pid {found[1] if found else 'unknown'}) is writing this journal")
    if not _has_journal(connection, place):
        if _one(connection, "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"):
            raise Refused(f"{place}: holds tables, but not a journal of Openbell")
        guards = "".join(_GUARD.format(table=table) for table in _TABLES)
        mark = f"INSERT INTO journal_version VALUES ({SCHEMA_VERSION});"  # noqa: S608 - a number of ours
        with connection.transaction():
            connection.execute(_query(f"{_SCHEMA}{mark}{guards}"))


def _require_journal(connection: psycopg.Connection[Row], place: PostgresPlace) -> None:
    if not _has_journal(connection, place):
        raise NotFound(f"{place}: no journal here; `openbell run` writes one")


def _has_journal(connection: psycopg.Connection[Row], place: PostgresPlace) -> bool:
    if _one(connection, "SELECT to_regclass('journal_version') IS NULL"):
        return False
    version = _one(connection, "SELECT version FROM journal_version")
    if version != SCHEMA_VERSION:
        raise Refused(f"{place}: journal version {version}, this release reads {SCHEMA_VERSION}")
    return True


def _one(connection: psycopg.Connection[Row], sql: str) -> Any:  # noqa: ANN401 - whatever the column is
    row = connection.execute(_query(sql)).fetchone()
    return row[0] if row else None


def _query(sql: str) -> bytes:
    """Our SQL holds no question mark but those that stand for values. As bytes psycopg takes any text for a query."""
    return sql.replace("?", "%s").encode()


def _line(error: psycopg.Error) -> str:
    """The server's answer on one line."""
    return " ".join(str(error).split()) or type(error).__name__


@contextmanager
def _reachable(place: PostgresPlace) -> Iterator[None]:
    """Say in one line that the server cannot be used."""
    try:
        yield
    except psycopg.Error as error:
        raise Refused(f"{place}: cannot be used ({_line(error)})") from error
