"""A file layer for SQLite that writes down what SQLite does to the disk, and a connection over it for the journal.

The standard library's sqlite3 cannot choose its file layer, so the connection is apsw's, with the few verbs that the
journal calls. SQLite's own layer syncs the folder with the first sync of a new rollback journal or write-ahead log
(os_unix.c, UNIXFILE_DIRSYNC); that happens below us and is written down as such.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import apsw

from shared.io.journal_sqlite import Connect
from tests.simulation.power.operations import Cut, FolderSynced, Made, Operation, Removed, Synced, Wrote

_BASE = "unix"
_WITH_FOLDER = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL
_numbers = itertools.count(1)


class Recorder:
    """Keeps the operations under one folder; what happens elsewhere is none of its business."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.operations: list[Operation] = []

    def name_of(self, path: str | Path) -> str | None:
        """The path as operations say it; None outside the folder, and for the shared memory beside a database."""
        path = Path(path)
        if path == self.root:
            return "."
        inside = path.is_relative_to(self.root) and not path.name.endswith("-shm")
        return path.relative_to(self.root).as_posix() if inside else None


class _File(apsw.VFSFile):
    def __init__(self, recorder: Recorder, path: str, filename: Any, flags: list[int]) -> None:
        name, was_there = recorder.name_of(path), Path(path).exists()
        super().__init__(_BASE, filename, flags)
        self._recorder = recorder
        self._name = name
        self._syncs_folder = bool(flags[0] & _WITH_FOLDER)
        if not was_there:
            self._did(Made)

    def _did(self, kind: Callable[..., Operation], *facts: object) -> None:
        if self._name is not None:
            self._recorder.operations.append(kind(self._name, *facts))

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - apsw's name
        super().xWrite(data, offset)
        self._did(Wrote, offset, bytes(data))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - apsw's name
        super().xTruncate(newsize)
        self._did(Cut, newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802 - apsw's name
        super().xSync(flags)
        self._did(Synced)
        if self._syncs_folder and self._name is not None:
            self._recorder.operations.append(FolderSynced(Path(self._name).parent.as_posix()))
            self._syncs_folder = False


class _Layer(apsw.VFS):
    def __init__(self, recorder: Recorder, name: str) -> None:
        super().__init__(name, _BASE)
        self._recorder = recorder

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - apsw's name
        if name is None:  # a temporary file of SQLite's own
            return apsw.VFSFile(_BASE, None, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        return _File(self._recorder, path, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - apsw's name and signature
        super().xDelete(filename, syncdir)
        name = self._recorder.name_of(filename)
        if name is not None:
            self._recorder.operations.append(Removed(name))
            if syncdir:
                self._recorder.operations.append(FolderSynced(Path(name).parent.as_posix()))


class _Rows:
    """What a statement found, all of it."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows = iter(rows)

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        return list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows


class _Connection:
    """The part of sqlite3.Connection that the journal uses, with its errors; `instead` replaces whole statements."""

    def __init__(self, path: Path, layer: str, instead: Mapping[str, str]) -> None:
        self._instead = instead
        with _as_sqlite3():
            self._connection = apsw.Connection(str(path), vfs=layer)

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, sql: str, values: Sequence[Any] = ()) -> _Rows:
        with _as_sqlite3():
            return _Rows(list(self._connection.execute(self._instead.get(sql, sql), tuple(values))))

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        with _as_sqlite3():
            for row in rows:
                self._connection.execute(sql, tuple(row))

    def executescript(self, sql: str) -> None:
        self.execute(sql)

    def close(self) -> None:
        with _as_sqlite3():
            self._connection.close()


@contextmanager
def _as_sqlite3() -> Iterator[None]:
    try:
        yield
    except apsw.Error as error:
        raise sqlite3.DatabaseError(str(error)) from error


@contextmanager
def recording_connect(recorder: Recorder, instead: Mapping[str, str] | None = None) -> Iterator[Connect]:
    """How the journal's writer connects so that `recorder` hears of it; `instead` replaces whole statements."""
    name = f"recording-{next(_numbers)}"
    layer = _Layer(recorder, name)
    try:
        yield lambda path: cast("sqlite3.Connection", _Connection(path, name, instead or {}))
    finally:
        layer.unregister()
