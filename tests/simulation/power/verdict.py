"""One crash state, opened by the product as its next start would: what is broken about it, if anything.

The rows are compared byte by byte with what the story wrote, so that a lost, doubled, half or foreign row cannot hide.
What needs the engine (verify, recovery) is done once for each content that comes up.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from daemon.engine.assembly import build_engine
from daemon.runtime.journal_files import snapshot_fault
from daemon.runtime.recovery import recover
from shared.errors import OpenbellError
from shared.io.journal import Journal, JournalReader
from shared.io.journal_database import Row
from shared.io.journal_sqlite import SqliteDatabase, SqliteWriter
from shared.io.journal_verify import verify
from tests.simulation.power.operations import Content, Recording
from tests.simulation.power.story import BACKUP, CODE, JOURNAL, QUERIES, digest_of

Rows = dict[str, list[Row]]
_GARBAGE = bytes(range(256)) * 128


class Found(Struct, frozen=True, kw_only=True):
    """What a state turned out to be: the number of its content (None if it is none of the story's), and every fault."""

    content: int | None
    faults: tuple[str, ...]


class Judge:
    """Opens states of one recording in a folder of its own, preferably in memory."""

    def __init__(self, recording: Recording, folder: Path) -> None:
        self._recording = recording
        self._folder = folder / "state of the disk"
        self._numbers = {content: number for number, content in enumerate(recording.contents)}
        self._whole: dict[int, tuple[str, ...]] = {}
        self._backups: dict[bytes, tuple[str, ...]] = {}

    @property
    def recovered(self) -> int:
        """How many different contents were recovered from."""
        return len(self._whole)

    def judge(self, image: Mapping[str, bytes | bytearray | None], owed_at: int) -> Found:
        """Write the image out, start on it twice, and hold what is found against what was promised by then."""
        self._lay_out(image)
        try:
            first, again = self._opened(), self._opened()
        except OpenbellError as error:
            return Found(content=None, faults=(f"does not start: {error}",))
        content = self._content_of(first)
        owed = self._recording.promised_by(owed_at)
        faults = [
            *([] if again == first else ["a second start finds other rows than the first"]),
            *self._backup_faults(image.get(BACKUP), is_owed=owed.has_backup),
        ]
        if content is None:
            return Found(content=None, faults=(*faults, self._explained(first)))
        if content < owed.content:
            faults.append(f"acknowledged rows are lost: {_lost(self._recording, content, owed.content)}")
        return Found(content=content, faults=(*faults, *self._of_content(content)))

    def _lay_out(self, image: Mapping[str, bytes | bytearray | None]) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        for path, content in sorted(image.items()):
            if content is None:
                (self._folder / path).mkdir(parents=True, exist_ok=True)
        for path, content in image.items():
            if content is not None:
                (self._folder / path).parent.mkdir(parents=True, exist_ok=True)
                (self._folder / path).write_bytes(content)
        if JOURNAL + "-wal" in image:  # nobody syncs it, so it holds anything
            (self._folder / (JOURNAL + "-shm")).write_bytes(_GARBAGE)

    def _opened(self) -> Rows:
        database = SqliteWriter.create(self._folder / JOURNAL)
        try:
            return _rows_of(database)
        finally:
            database.close()

    def _content_of(self, rows: Rows) -> int | None:
        counts = Content(**{table: len(found) for table, found in rows.items()})
        number = self._numbers.get(counts)
        is_as_written = all(found == self._recording.rows[table][: len(found)] for table, found in rows.items())
        return number if is_as_written else None

    def _explained(self, rows: Rows) -> str:
        counts = ", ".join(f"{len(found)} {table}" for table, found in rows.items())
        for table, found in rows.items():
            for place, row in enumerate(found):
                if place >= len(self._recording.rows[table]) or row != self._recording.rows[table][place]:
                    return f"row {place + 1} of {table} is not what was written ({counts})"
        return f"half a transaction: no transaction ends at {counts}"

    def _of_content(self, number: int) -> tuple[str, ...]:
        if number not in self._whole:
            self._whole[number] = tuple(self._faults_of_content(self._recording.contents[number]))
        return self._whole[number]

    def _faults_of_content(self, content: Content) -> Iterator[str]:
        of_snapshot = snapshot_fault if self._recording.engines else _no_fault
        with JournalReader.open(self._folder / JOURNAL) as journal:
            yield from (f"verify: {finding}" for finding in verify(journal, of_snapshot).findings)
        if content.events not in self._recording.engines or content.runs == 0:
            return
        try:
            digests = [self._recovered(), self._recovered()]
        except OpenbellError as error:
            yield f"recovery: {error}"
            return
        if digests[0] != self._recording.engines[content.events]:
            yield f"the recovered engine is not the one that saw these {content.events} events"
        if digests[1] != digests[0]:
            yield "a second recovery gives another engine than the first"

    def _recovered(self) -> bytes:
        with Journal.create(self._folder / JOURNAL, "paper") as journal:
            return digest_of(recover(journal, self._recording.config, build_engine, CODE))

    def _backup_faults(self, backup: bytes | bytearray | None, *, is_owed: bool) -> tuple[str, ...]:
        if backup is None:
            return ("the backup is lost although it was said to be written",) if is_owed else ()
        key = bytes(backup)
        if key not in self._backups:
            self._backups[key] = tuple(self._faults_of_backup())
        return self._backups[key]

    def _faults_of_backup(self) -> Iterator[str]:
        try:
            database = SqliteDatabase.open(self._folder / BACKUP)
        except OpenbellError as error:
            yield f"backup: {error}"
            return
        try:
            yield from (f"backup: {fault}" for fault in database.storage_faults())
            if self._content_of(_rows_of(database)) is None:
                yield "backup: its rows are not those of a moment of the journal"
        finally:
            database.close()


def _no_fault(*_: object) -> None:
    """Snapshots that no engine wrote are not held against one."""


def _rows_of(database: SqliteDatabase) -> Rows:
    return {table: list(database.rows(query)) for table, query in QUERIES.items()}


def _lost(recording: Recording, content: int, owed: int) -> str:
    there, promised = recording.contents[content], recording.contents[owed]
    counts = [(name, getattr(promised, name) - getattr(there, name)) for name in Content.__struct_fields__]
    return ", ".join(f"{count} {name}" for name, count in counts if count)
