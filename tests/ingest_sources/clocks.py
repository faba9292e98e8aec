"""Time that passes only where somebody sleeps."""

from datetime import UTC, datetime
from threading import Lock

NOW = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)


class HandTurned:
    """A PaceClock; `slept` is every wait in order."""

    def __init__(self, at=NOW):
        self._now_s = at.timestamp()
        self._lock = Lock()
        self.slept = []

    def now_s(self):
        return self._now_s

    def sleep(self, seconds):
        with self._lock:
            self.slept.append(seconds)
            self._now_s += seconds

    def pass_by(self, seconds):
        self._now_s += seconds
