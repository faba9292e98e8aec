"""The few things the bar store asks of a disk, so that a test can let each of them fail or be the last."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from shared.errors import Refused

UNFINISHED = ".new"


class Disk(Protocol):
    """What may fail; every verb raises OSError."""

    def write(self, path: Path, content: bytes) -> None:
        """Write a file and bring it to the platter."""

    def rename(self, path: Path, target: Path) -> None: ...

    def sync_folder(self, folder: Path) -> None:
        """Make the renames in it survive a power cut."""

    def make_folder(self, folder: Path) -> None: ...


class RealDisk:
    """The disk of this machine."""

    def write(self, path: Path, content: bytes) -> None:
        with path.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def rename(self, path: Path, target: Path) -> None:
        path.replace(target)

    def sync_folder(self, folder: Path) -> None:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def make_folder(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)


class PassingDisk(RealDisk):
    """The disk of this machine, for more than is read again soon: what is written does not stay in memory.

    New memory for it takes longer than the disk does, and what is there has to make room.
    """

    def write(self, path: Path, content: bytes) -> None:
        super().write(path, content)
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def put(disk: Disk, path: Path, content: bytes) -> None:
    """The file has this content or, after an error or a kill, the one of before; the folder must exist."""
    draft = path.with_name(f".{path.name}{UNFINISHED}")
    try:
        disk.write(draft, content)
        disk.rename(draft, path)
    except OSError:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    disk.sync_folder(path.parent)


@contextmanager
def only_writer(folder: Path, file: str = "") -> Iterator[None]:
    """Hold the lock of the folder, or of one file in it, while the block runs; what a killed writer left is swept.

    The kernel lets go of the lock however its holder ends.

    Raises:
        Refused: somebody else writes there.
    """
    descriptor = os.open(folder / (f".{file}.lock" if file else ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            place = folder / file
            raise Refused(f"{place}: another process writes here, allowed: one at a time; wait for it") from None
        for draft in sorted(folder.glob(f".{file or '*'}{UNFINISHED}")):
            draft.unlink(missing_ok=True)
        yield
    finally:
        os.close(descriptor)
