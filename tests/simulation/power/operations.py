"""What a process did to its files, in order, and what it had promised by then. Paths count from the recorded folder."""

from __future__ import annotations

from bisect import bisect_right
from typing import TypeAlias

from msgspec import Struct

from shared.config import Config
from shared.io.journal_database import Row


class Wrote(Struct, frozen=True):
    """Bytes went into a file."""

    path: str
    offset: int
    data: bytes


class Cut(Struct, frozen=True):
    """A file was truncated, or grown with zeros, to `size` bytes."""

    path: str
    size: int


class Synced(Struct, frozen=True):
    """All bytes of the file are durable; its name need not be."""

    path: str


class Made(Struct, frozen=True):
    """A file or folder came into being."""

    path: str
    is_folder: bool = False


class Removed(Struct, frozen=True):
    """A name was taken away."""

    path: str


class Renamed(Struct, frozen=True):
    """A file took another name within its folder, whoever had it before."""

    path: str
    to: str


class FolderSynced(Struct, frozen=True):
    """All names within the folder are durable; the recorded folder itself is `.`."""

    path: str


Operation: TypeAlias = Wrote | Cut | Synced | Made | Removed | Renamed | FolderSynced


class Content(Struct, frozen=True):
    """How many rows of each table a journal holds; the rows are always the first so many of the whole story."""

    runs: int
    events: int
    commands: int
    snapshots: int


class Promise(Struct, frozen=True):
    """After `operations` operations the transactions up to number `content` were acknowledged, and this backup too."""

    operations: int
    content: int
    has_backup: bool = False


class Recording(Struct, frozen=True, kw_only=True):
    """A story: what was durable `before`, what was done to it, and what may come out of it.

    `contents` are the only contents a journal may ever have, one after each transaction; `rows` the whole story's by
    table. `engines` maps a number of events to the digest of the engine that saw exactly those; empty where no engine
    was at work.
    """

    name: str
    before: dict[str, bytes]
    operations: list[Operation]
    promises: list[Promise]
    contents: list[Content]
    rows: dict[str, list[Row]]
    engines: dict[int, bytes]
    config: Config

    def promised_by(self, operations: int) -> Promise:
        """What was acknowledged once so many operations were done."""
        place = bisect_right(self.promises, operations, key=lambda promise: promise.operations)
        return self.promises[place - 1] if place else Promise(0, 0)
