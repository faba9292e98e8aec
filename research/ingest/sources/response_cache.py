"""Answers kept on disk, so that a second run asks only for what has become old.

The name of a file is the SHA-256 of what was asked, without secrets; its first line repeats the question and the
instant, so that two questions are never taken for one and a file cut short is no answer.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from research.ingest.sources.clock import PaceClock
from shared.errors import DataError
from shared.io.whole_file import write_whole


class ResponseCache:
    """The answers of one source in one folder."""

    def __init__(self, folder: Path, clock: PaceClock) -> None:
        self._folder = folder
        self._clock = clock

    def get(self, question: str, max_age_s: float) -> str | None:
        """The answer, unless there is none, it is older than `max_age_s` seconds, or it is damaged."""
        try:
            head, _, body = self._path(question).read_bytes().decode().partition("\n")
            facts = json.loads(head)
            asked, at_s, size = facts["question"], float(facts["at_s"]), int(facts["size"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        age_s = self._clock.now_s() - at_s
        is_good = asked == question and size == len(body) and 0.0 <= age_s <= max_age_s
        return body if is_good else None

    def put(self, question: str, body: str) -> None:
        """Keep the answer; DataError if the disk does not take it."""
        head = json.dumps({"question": question, "at_s": self._clock.now_s(), "size": len(body)})
        path = self._path(question)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, f"{head}\n{body}")
        except OSError as error:
            raise DataError(f"{path}: cannot be written: {error.strerror}, allowed: a writable folder") from None

    def _path(self, question: str) -> Path:
        name = hashlib.sha256(question.encode()).hexdigest()
        return self._folder / name[:2] / f"{name}.txt"
