"""The journal in a SQLite file: WAL mode, synchronous=FULL, one writer by a lock file beside it.

The lock file holds the writer's process id and, while rows may stand in the write-ahead log only, the word `wal`:
a log that has vanished since then took acknowledged rows with it, which SQLite itself would not notice.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from shared.errors import NotFound, Refused
from shared.io.journal_database import JournalError, Row
from shared.io.journal_rows import SCHEMA_VERSION
from shared.io.journal_sqlite_schema import APPLICATION_ID, STEPS, bring_up_to_date, create_tables

_BUSY_MS = 5_000
_OWNER_ONLY = 0o600
_LOG_IN_USE = "wal"
Connect = Callable[[Path], sqlite3.Connection]
"""Opens the file for writing, without transactions of its own making."""


def connected(path: Path) -> sqlite3.Connection:
    """A connection through the operating system's own files."""
    return sqlite3.connect(path, isolation_level=None)


class SqliteDatabase:
    """A file open for reading only."""

    def __init__(self, connection: sqlite3.Connection, path: Path, version: int) -> None:
        self._connection = connection
        self._path = path
        self.place = str(path)
        self.version = version

    @classmethod
    def open(cls, path: Path) -> Self:
        """The journal at `path`.

        Raises:
            NotFound: there is none. Refused: the file is not a journal this release can read.
        """
        with _readable(path):
            if not path.is_file():
                raise NotFound(f"{path}: no journal here; `openbell run` writes one")
            connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
            try:
                connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
                version = _version(connection, path)
            except BaseException:
                connection.close()
                raise
        return cls(connection, path, version)

    def rows(self, sql: str, values: Sequence[object] = ()) -> Iterator[Row]:
        with _readable(self._path):
            found = self._connection.execute(sql, tuple(values)).fetchall()
        return iter(found)

    def storage_faults(self) -> list[str]:
        found = [str(row[0]) for row in self.rows("PRAGMA integrity_check(10)") if row[0] != "ok"]
        orphans = [f"a row of {row[0]} belongs to nothing in {row[2]}" for row in self.rows("PRAGMA foreign_key_check")]
        return [" ".join(text.split()) for text in found + orphans]

    def copy_to(self, path: Path) -> None:
        """Write the whole journal, as it is now, into a new file.

        Raises:
            JournalError: it could not be written.
        """
        try:
            self._connection.execute("VACUUM INTO ?", (str(path),))
        except sqlite3.Error as error:
            raise JournalError(f"{path}: cannot be written ({error})") from error

    def close(self) -> None:
        self._connection.close()


class SqliteWriter(SqliteDatabase):
    """The one who writes the file."""

    def __init__(self, connection: sqlite3.Connection, path: Path, lock_file: int) -> None:
        super().__init__(connection, path, SCHEMA_VERSION)
        self._lock_file = lock_file

    @classmethod
    def create(cls, path: Path, connect: Connect = connected) -> Self:
        """Open the file for writing, bring it up to date, or make a new one; `connect` chooses the file layer.

        Raises:
            Refused: another daemon writes it, it is damaged, not ours, of another release, or cannot be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock_file = _lock(path)
        except OSError as error:
            raise Refused(f"{path}: cannot be written ({error.strerror}); check state_dir and its owner") from error
        try:
            _refuse_a_lost_log(path, lock_file)
            with _readable(path):
                path.touch(mode=_OWNER_ONLY)  # it names the account
                connection = _prepared(path, connect, lock_file)
        except BaseException:
            os.close(lock_file)
            raise
        _sync_folders(path)  # before the note, which would miss a log whose name a power cut took
        _note(lock_file, _LOG_IN_USE)
        return cls(connection, path, lock_file)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise JournalError(f"{self.place}: cannot be written ({error})") from error
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        """SQLite has done it by itself after a full disk; then there is nothing left to roll back."""
        if self._connection.in_transaction:
            with suppress(sqlite3.Error):  # the disk again: the next start finds the row or none of it
                self._connection.execute("ROLLBACK")

    def write(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        self._connection.executemany(sql, [tuple(row) for row in rows])

    def sync(self) -> None:
        """Bring the write-ahead log into the database file."""
        try:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:
            raise JournalError(f"{self.place}: cannot be written ({error})") from error

    def close(self) -> None:
        if self._lock_file < 0:
            return
        is_folded_in = _fold_in(self._connection, self._lock_file)
        super().close()
        if not is_folded_in and not _log_of(self._path).exists():
            _note(self._lock_file, "")
        os.close(self._lock_file)
        self._lock_file = -1

    def __del__(self) -> None:
        """Who forgets to close: the connection would fold the log in by itself, and the note would still name it."""
        if self._lock_file >= 0:  # a closed one may be collected in any thread
            self.close()


def writer_of(path: Path) -> int | None:
    """The process id of the daemon that writes the journal at `path`; None if none lives."""
    try:
        pid = int(_lock_path(path).read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None
    except OSError as error:
        raise Refused(f"{_lock_path(path)}: cannot be read ({error.strerror})") from error
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:  # it lives under another user
        return pid
    return pid


def _lock_path(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _lock(path: Path) -> int:
    """Hold the lock file for as long as the process lives; the kernel frees it even after kill -9."""
    lock_file = os.open(_lock_path(path), os.O_RDWR | os.O_CREAT, _OWNER_ONLY)
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = (os.pread(lock_file, 32, 0).decode(errors="replace").split() or ["unknown"])[0]
        os.close(lock_file)
        raise Refused(f"{path}: another daemon (pid {holder}) is writing this journal") from error
    return lock_file


def _note(lock_file: int, word: str) -> None:
    """Write process id and word over what the lock file held."""
    line = f"{os.getpid()} {word}".rstrip() + "\n"
    os.ftruncate(lock_file, 0)
    os.pwrite(lock_file, line.encode(), 0)


def _fold_in(connection: sqlite3.Connection, lock_file: int) -> bool:
    """Bring all of the log into the file, then take back the note for good, and only then may the log be removed.

    In any other order a kill or a power cut in between leaves a note that misses a log which held nothing. False where
    a reader or the disk prevents it; the note then stays.
    """
    try:
        (is_busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if is_busy:
            return False
        _note(lock_file, "")
        os.fsync(lock_file)
    except (sqlite3.Error, OSError):
        return False
    return True


def _sync_folders(path: Path) -> None:
    """Make the names durable that lead to the file, whoever made them and when.

    A file system that cannot do that for a folder is passed over, as SQLite does.
    """
    for folder in path.absolute().parents:
        with suppress(OSError):
            number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(number)
            finally:
                os.close(number)


def _refuse_a_lost_log(path: Path, lock_file: int) -> None:
    before = os.pread(lock_file, 64, 0).decode(errors="replace").split()
    is_there = path.is_file() and path.stat().st_size > 0
    if _LOG_IN_USE in before[1:] and is_there and not _log_of(path).exists():
        raise Refused(
            f"{_log_of(path)}: is gone although the last daemon (pid {before[0]}) did not end in order, its latest "
            f"rows were there; put it back, or remove {_lock_path(path)} to go on with what is left"
        )
    _note(lock_file, " ".join(before[1:]))  # the holder from now on; what is known of the log stays


def _prepared(path: Path, connect: Connect, lock_file: int) -> sqlite3.Connection:
    connection = connect(path)
    try:
        _prepare(connection, path)
    except BaseException:
        _fold_in(connection, lock_file)  # closing does it anyway and removes the log
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Durability settings, schema of a new file, integrity and version of an old one."""
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    is_new = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    version = SCHEMA_VERSION if is_new else _version(connection, path)
    if not is_new:
        verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if verdict != "ok":
            what = " ".join(str(verdict).split())
            raise Refused(f"{path}: damaged ({what}); put back a backup, or move it away")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    if is_new:
        create_tables(connection)
    bring_up_to_date(connection, version)


def _version(connection: sqlite3.Connection, path: Path) -> int:
    application, version = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    if application != APPLICATION_ID:
        raise Refused(f"{path}: is a database, but not a journal of Openbell")
    if version != SCHEMA_VERSION and version not in STEPS:
        raise Refused(f"{path}: journal version {version}, this release reads {min(STEPS)} to {SCHEMA_VERSION}")
    return int(version)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Say in one line that a file is no (sound) database, or is not ours to read."""
    try:
        yield
    except sqlite3.Error as error:
        raise Refused(f"{path}: cannot be read as a journal ({error})") from error
    except OSError as error:
        raise Refused(f"{path}: cannot be read as a journal ({error.strerror})") from error
