"""Backup and export: written under a temporary name, synced, proved readable, then put in place."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from daemon.engine.assembly import build_engine
from shared.errors import InvariantViolated, OpenbellError, Refused
from shared.io.journal import JournalReader, Run, Snapshot
from shared.io.journal_audit import config_of
from shared.io.journal_verify import Verdict, verify


def snapshot_fault(run: Run, snapshot: Snapshot) -> str | None:
    """Whether an engine of the run's configuration takes the snapshot; the reason if not.

    A strategy's memory that other code kept is no fault of the journal: it is of its time.
    """
    try:
        build_engine(config_of(run)).restore_what_fits(snapshot.payload)
    except (OpenbellError, ValueError, TypeError) as error:  # msgspec's and pydantic's errors are ValueErrors
        return " ".join(str(error).split())
    return None


def back_up(journal: JournalReader, target: Path) -> Verdict:
    """Copy the journal into the new file `target`, restore it in a test and keep it only if it is whole.

    Raises:
        Refused: `target` exists or cannot be written. InvariantViolated: the copy is not whole.
    """
    with _new_file(target) as draft:
        journal.copy_to(draft)
        with JournalReader.open(draft) as copy:
            verdict = verify(copy, snapshot_fault)
        if verdict.findings:
            raise InvariantViolated(f"{target}: not written, the copy is not whole: {verdict.findings[0]}")
    return verdict


def write_lines(lines: Iterable[str], target: Path) -> int:
    """Write the lines into the new file `target`; how many there were."""
    count = 0
    with _new_file(target) as draft, draft.open("w", encoding="utf-8") as file:
        for line in lines:
            file.write(line + "\n")
            count += 1
    return count


@contextmanager
def _new_file(target: Path) -> Iterator[Path]:
    """A draft beside `target` that takes its name at the end, only if all went well."""
    if target.exists():
        raise Refused(f"{target}: is there already, name another file")
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        draft.touch(mode=0o600)
        draft.unlink()
        yield draft
        draft.chmod(0o600)  # it may name the account
        _synced(draft)
        draft.replace(target)
        _synced(target.parent)
    except OSError as error:
        raise Refused(f"{target}: cannot be written ({error.strerror})") from error
    finally:
        for left in (draft, *(draft.with_name(draft.name + end) for end in ("-wal", "-shm", ".lock"))):
            with suppress(OSError):
                left.unlink(missing_ok=True)


def _synced(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
