"""What a fault has done and when: the log of a run, readable again as a script that repeats it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from msgspec import Struct

from shared.errors import ConfigError

NEW_YORK = ZoneInfo("America/New_York")
COMMENT_KEYS = ("when", "number", "detail", "event")
"""What a line says for people only; the other keys are those of a script."""


class FaultHappened(Struct, frozen=True, kw_only=True):
    """One occurrence, or the end of one that lasted. `at` is market time in epoch seconds.

    `rule` has the keys of a script that repeats this one occurrence; it is empty at an end.
    """

    at: float
    number: int
    name: str
    detail: str
    rule: dict[str, Any]

    def line(self) -> str:
        """As one line of JSON."""
        when = datetime.fromtimestamp(self.at, NEW_YORK).isoformat(timespec="milliseconds")
        event = "happened" if self.rule else "ended"
        comment = {"when": when, "event": event, "number": self.number, "name": self.name, "detail": self.detail}
        return json.dumps(comment | self.rule)


class FaultLog:
    """With a path, every entry is in the file at once; what the file held before is gone.

    Raises ConfigError if it cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        self.entries: list[FaultHappened] = []
        self._file: TextIO | None = None
        if path is not None:
            try:
                self._file = path.open("w", encoding="utf-8", buffering=1)
            except OSError as fault:
                raise ConfigError(f"fault log: {path} cannot be written: {fault.strerror}") from None

    def append(self, entry: FaultHappened) -> None:
        self.entries.append(entry)
        if self._file is not None:
            self._file.write(entry.line() + "\n")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
