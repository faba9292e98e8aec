"""The pace of IB's history farm (TWS.md 3.36), kept over threads and over runs.

TWS counts when it reads a question, for the login and not for the process. So a question counts from the moment in
which its answer shows that it was read, until then as asked just now; and each is written down before it leaves, for
a fetch that was killed and begun again must know what the one before has asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from msgspec import Struct

from brokers.ib.history_pacing import MARGIN_S, WINDOW_S, Asked, HistoryLedger
from research.ingest.sources.clock import PaceClock
from shared.errors import DataError
from shared.io.whole_file import write_whole

WAIT_S_MIN = 0.01


class _Entry(Struct):
    at_s: float
    asked: Asked
    is_open: bool = False


class HistoryPace:
    """All limits from the first question on, the sixty in ten minutes too; `path` keeps what was asked."""

    def __init__(self, path: Path, clock: PaceClock) -> None:
        self._path = path
        self._clock = clock
        self._lock = Lock()
        self._entries: list[_Entry] | None = None

    @contextmanager
    def turn(self, series: str, question: str, speed: float = 1.0) -> Iterator[None]:
        """Wait until the question may leave; the block asks it. `speed` is that of the clock, and widens the margin.

        Raises:
            DataError: what is asked cannot be written down.
        """
        entry = self._taken(Asked(series, question), MARGIN_S * speed)
        try:
            yield
        finally:
            with self._lock:
                entry.at_s, entry.is_open = max(entry.at_s, self._clock.now_s()), False

    def _taken(self, asked: Asked, margin_s: float) -> _Entry:
        while True:
            with self._lock:
                now_s = self._clock.now_s()
                entries = _read(self._path, now_s) if self._entries is None else self._entries
                self._entries = [each for each in entries if each.is_open or each.at_s > now_s - WINDOW_S - margin_s]
                allowed_at_s = _allowed_at_s(self._entries, asked, now_s, margin_s)
                if allowed_at_s <= now_s:
                    entry = _Entry(now_s, asked, is_open=True)
                    self._entries.append(entry)
                    self._write(self._entries)
                    return entry
            self._clock.sleep(max(WAIT_S_MIN, allowed_at_s - now_s))

    def _write(self, entries: list[_Entry]) -> None:
        text = json.dumps([[each.at_s, each.asked.series, each.asked.question] for each in entries])
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, text)
        except OSError as error:
            raise DataError(f"{self._path}: cannot be written: {error.strerror}, allowed: a writable folder") from None


def _allowed_at_s(entries: list[_Entry], asked: Asked, now_s: float, margin_s: float) -> float:
    ledger = HistoryLedger(margin_s=margin_s)
    ledger.is_strict = True
    for each in sorted(entries, key=lambda entry: entry.at_s):
        ledger.take(each.asked, max(each.at_s, now_s) if each.is_open else each.at_s)
    return ledger.allowed_at_s(asked, now_s)


def _read(path: Path, now_s: float) -> list[_Entry]:
    """What the run before has asked; what lies ahead of the clock is another market's time.

    A file that is none says nothing: it is written whole, so it was never ours.
    """
    try:
        told = [(float(at_s), str(series), str(question)) for at_s, series, question in json.loads(path.read_bytes())]
    except (OSError, ValueError, TypeError):
        return []
    return [_Entry(at_s, Asked(series, question)) for at_s, series, question in told if at_s <= now_s]
