"""Pages that have not got out yet, in a small file, so that a restart does not swallow them."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from daemon.alerts.message import Message

Pending = dict[str, list[Message]]
"""By the channel's name, oldest first."""


class Spool:
    """Written whole each time: a handful of messages; to a temporary name, synced, renamed."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def write(self, pending: Pending) -> None:
        """Keep exactly these; raises OSError."""
        kept = {name: messages for name, messages in pending.items() if messages}
        if not kept:
            self._file.unlink(missing_ok=True)
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(msgspec.json.encode(kept))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._file)

    def read(self) -> Pending:
        """What the last run left; nothing if there is no file.

        Raises:
            ValueError: the file is damaged; it was put aside under the name the text tells.
        """
        try:
            content = self._file.read_bytes()
        except FileNotFoundError:
            return {}
        try:
            return msgspec.json.decode(content, type=Pending)
        except msgspec.DecodeError:
            aside = self._file.with_suffix(".damaged")
            self._file.replace(aside)
            raise ValueError(f"{self._file.name}: is damaged, put aside as {aside.name}") from None
