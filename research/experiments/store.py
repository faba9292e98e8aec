"""Outcomes as they come, one JSON line each, so that the same command goes on where it stopped."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from research.experiments.job import Outcome
from shared.errors import DataError, Refused

LOG = "outcomes.jsonl"
_DECODER = msgspec.json.Decoder(Outcome)


class Store:
    """The folder of one experiment, held against a second process that would write there."""

    def __init__(self, folder: Path, descriptor: int) -> None:
        self.folder = folder
        self._descriptor = descriptor
        self._done = {outcome.key: outcome for outcome in _sound_lines(folder / LOG) if outcome.state == "done"}

    def done(self, key: str) -> Outcome | None:
        """What an earlier run of the same configuration, data and code came to; failures are tried again."""
        return self._done.get(key)

    def keep(self, outcome: Outcome) -> None:
        """Durable when this returns."""
        os.write(self._descriptor, msgspec.json.encode(outcome) + b"\n")
        os.fdatasync(self._descriptor)


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    """The store in `folder`, made if need be; Refused while another process writes it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOG, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError as error:
        raise DataError(f"{folder}: cannot be written: {error.strerror}, allowed: a writable folder") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refused(f"{folder}: another experiment writes there, wait for it or choose another --out") from None
        _end_the_last_line(descriptor)
        yield Store(folder, descriptor)
    finally:
        os.close(descriptor)


def _end_the_last_line(descriptor: int) -> None:
    """A line that was torn by a kill stays alone on its line, and is passed over."""
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        os.write(descriptor, b"\n")


def _sound_lines(path: Path) -> Iterator[Outcome]:
    for line in path.read_bytes().splitlines():
        try:
            yield _DECODER.decode(line)
        except msgspec.DecodeError:
            continue
