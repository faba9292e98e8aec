"""A journal's rows into a new SQLite file: the backup of a journal on a server, readable by every command."""

from __future__ import annotations

from pathlib import Path

from shared.io.journal_database import ReadableDatabase
from shared.io.journal_rows import Run
from shared.io.journal_sqlite import SqliteWriter

_PAGE = 500
_COLUMNS = {
    "runs": (*Run.__struct_fields__, "digest"),
    "events": ("seq", "run_id", "received_at", "kind", "payload", "chain"),
    "commands": ("seq", "position", "kind", "payload"),
    "snapshots": ("id", "run_id", "seq", "payload", "digest"),
}
_ORDER = {"runs": "id", "events": "seq", "commands": "seq, position", "snapshots": "id"}


def copy_rows(source: ReadableDatabase, path: Path) -> None:
    """All rows as they are, chain and digests included, up to the last event there was at the beginning.

    Raises:
        JournalError: the file could not be written. Refused: the source could not be read.
    """
    last = next(source.rows("SELECT coalesce(max(seq), 0) FROM events"))[0]
    target = SqliteWriter.create(path)
    try:
        for table in _COLUMNS:
            _copy_table(source, target, table, last)
    finally:
        target.close()


def _copy_table(source: ReadableDatabase, target: SqliteWriter, table: str, last_seq: int) -> None:
    columns = _COLUMNS[table]
    within = "after_seq <= ?" if table == "runs" else "seq <= ?"
    names, places = ", ".join(columns), ", ".join("?" for _ in columns)
    select = f"SELECT {names} FROM {table} WHERE {within} ORDER BY {_ORDER[table]} LIMIT ? OFFSET ?"  # noqa: S608 - ours
    done = 0
    while page := list(source.rows(select, (last_seq, _PAGE, done))):
        with target.transaction():
            target.write(f"INSERT INTO {table} ({names}) VALUES ({places})", page)  # noqa: S608 - names of ours
        done += len(page)
