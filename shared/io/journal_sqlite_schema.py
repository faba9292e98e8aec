"""The journal's tables in SQLite and the numbered steps from older versions; each step is one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from shared.io.journal_rows import SCHEMA_VERSION, Record, Run, Snapshot, link, run_digest, snapshot_digest

APPLICATION_ID = 0x4F42_4A31  # "OBJ1", so that `file` and we can tell a journal from any other database

_TABLES = ("runs", "events", "commands", "snapshots")
_SCHEMA = """
CREATE TABLE runs (
  id TEXT PRIMARY KEY, started_at TEXT NOT NULL, mode TEXT NOT NULL CHECK (mode IN ('paper', 'live')),
  config_json TEXT NOT NULL, base_dir TEXT NOT NULL, code_version TEXT NOT NULL,
  strategy_hashes TEXT NOT NULL, after_seq INTEGER NOT NULL, digest BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE events (
  seq INTEGER PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs (id), received_at TEXT NOT NULL,
  kind TEXT NOT NULL, payload BLOB NOT NULL, chain BLOB NOT NULL);
CREATE INDEX events_by_run ON events (run_id, seq);
CREATE TABLE commands (
  seq INTEGER NOT NULL REFERENCES events (seq), position INTEGER NOT NULL, kind TEXT NOT NULL,
  payload BLOB NOT NULL, PRIMARY KEY (seq, position)) WITHOUT ROWID;
CREATE TABLE snapshots (
  id INTEGER PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs (id), seq INTEGER NOT NULL,
  payload BLOB NOT NULL, digest BLOB NOT NULL);
"""
_GUARD = """
CREATE TRIGGER {table}_{verb}_refused BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
"""


def create_tables(connection: sqlite3.Connection) -> None:
    """All tables of the present version in an empty file."""
    marks = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION};"
    connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} {_guards()} {marks} COMMIT;")


def bring_up_to_date(connection: sqlite3.Connection, version: int) -> None:
    """Every step from `version` to the present one; each is carried out wholly or not at all."""
    for step in range(version, SCHEMA_VERSION):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for table in _TABLES:
                for verb in ("UPDATE", "DELETE"):
                    connection.execute(f"DROP TRIGGER IF EXISTS {table}_{verb}_refused")
            STEPS[step](connection)
            for guard in _guards().split("END;")[:-1]:
                connection.execute(f"{guard} END;")
            connection.execute(f"PRAGMA user_version = {step + 1}")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def _guards() -> str:
    return "".join(_GUARD.format(table=table, verb=verb) for table in _TABLES for verb in ("UPDATE", "DELETE"))


def _add_the_chain(connection: sqlite3.Connection) -> None:
    """Version 1 to 2: digests of runs and snapshots, and the chain over all events."""
    for table, column in (("runs", "digest"), ("events", "chain"), ("snapshots", "digest")):
        connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} BLOB NOT NULL DEFAULT x''")
    columns = ", ".join(Run.__struct_fields__)
    for row in connection.execute(f"SELECT {columns} FROM runs").fetchall():  # noqa: S608 - names of ours
        run = Run(**dict(zip(Run.__struct_fields__, row, strict=True)))
        connection.execute("UPDATE runs SET digest = ? WHERE id = ?", (run_digest(run), run.id))
    for (number,) in connection.execute("SELECT id FROM snapshots").fetchall():
        row = connection.execute("SELECT run_id, seq, payload FROM snapshots WHERE id = ?", (number,)).fetchone()
        kept = Snapshot(run_id=row[0], seq=row[1], payload=row[2])
        connection.execute("UPDATE snapshots SET digest = ? WHERE id = ?", (snapshot_digest(kept), number))
    chain = b""
    for (seq,) in connection.execute("SELECT seq FROM events ORDER BY seq").fetchall():
        chain = link(chain, _record(connection, seq))
        connection.execute("UPDATE events SET chain = ? WHERE seq = ?", (chain, seq))


def _record(connection: sqlite3.Connection, seq: int) -> Record:
    query = "SELECT run_id, received_at, kind, payload FROM events WHERE seq = ?"
    run_id, received_at, kind, payload = connection.execute(query, (seq,)).fetchone()
    commands = connection.execute("SELECT payload FROM commands WHERE seq = ? ORDER BY position", (seq,))
    return Record(
        seq=seq,
        run_id=run_id,
        received_at=received_at,
        kind=kind,
        payload=payload,
        commands=tuple(command for (command,) in commands),
    )


STEPS: dict[int, Callable[[sqlite3.Connection], None]] = {1: _add_the_chain}
"""From which version, what is done to reach the next."""
