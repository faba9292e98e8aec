"""What Python itself does to files while a journal is recorded: the lock file, folders, a backup's last steps."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.simulation.power.operations import Cut, FolderSynced, Made, Removed, Renamed, Synced, Wrote
from tests.simulation.power.recorder import Recorder


class _Calls:
    """Each verb carries out the real call, then writes it down."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._open: dict[int, str] = {}
        self._real = {name: getattr(os, name) for name in _NAMES}

    def open(self, path: Any, flags: int, *rest: Any, **more: Any) -> int:
        was_there = Path(path).exists()
        number: int = self._real["open"](path, flags, *rest, **more)
        if (name := self._recorder.name_of(path)) is not None:
            self._open[number] = name
            if not was_there:
                self._recorder.operations.append(Made(name))
        return number

    def close(self, number: int) -> None:
        self._open.pop(number, None)
        self._real["close"](number)

    def pwrite(self, number: int, data: bytes, offset: int) -> int:
        written: int = self._real["pwrite"](number, data, offset)
        if (name := self._open.get(number)) is not None:
            self._recorder.operations.append(Wrote(name, offset, data[:written]))
        return written

    def ftruncate(self, number: int, size: int) -> None:
        self._real["ftruncate"](number, size)
        if (name := self._open.get(number)) is not None:
            self._recorder.operations.append(Cut(name, size))

    def fsync(self, number: int) -> None:
        self._real["fsync"](number)
        if (name := self._open.get(number)) is not None:
            is_folder = (self._recorder.root / name).is_dir()
            self._recorder.operations.append(FolderSynced(name) if is_folder else Synced(name))

    def mkdir(self, path: Any, *rest: Any, **more: Any) -> None:
        self._real["mkdir"](path, *rest, **more)
        if (name := self._recorder.name_of(path)) is not None:
            self._recorder.operations.append(Made(name, is_folder=True))

    def unlink(self, path: Any, *rest: Any, **more: Any) -> None:
        self._real["unlink"](path, *rest, **more)
        if (name := self._recorder.name_of(path)) is not None:
            self._recorder.operations.append(Removed(name))

    def replace(self, source: Any, target: Any, **more: Any) -> None:
        self._real["replace"](source, target, **more)
        old, new = self._recorder.name_of(source), self._recorder.name_of(target)
        if old is not None and new is not None:
            self._recorder.operations.append(Renamed(old, new))


_NAMES = ("open", "close", "pwrite", "ftruncate", "fsync", "mkdir", "unlink", "replace")


@contextmanager
def recorded_calls(recorder: Recorder) -> Iterator[None]:
    """While the block lasts, the calls of `os` that change files are written down."""
    calls = _Calls(recorder)
    with patch.multiple(os, **{name: getattr(calls, name) for name in _NAMES}):
        yield
