"""The wall's time, or that of a simulated gateway once it has told its own: its history farm paces by market time."""

from __future__ import annotations

from datetime import datetime
from threading import Lock

from research.ingest.sources.clock import PaceClock


class FollowingClock:
    """A PaceClock on top of another one; without `may_follow` it is the other one."""

    def __init__(self, wall: PaceClock, *, may_follow: bool) -> None:
        self._wall = wall
        self._may_follow = may_follow
        self._lock = Lock()
        self._told: tuple[float, float] | None = None
        """Market time, and the wall's at which it was told."""
        self.speed = 1.0
        """Market seconds per second of the wall."""

    def observe(self, at: datetime, speed: float) -> None:
        """The gateway has told its time; a later telling corrects what ran ahead, but never sets it back."""
        if self._may_follow:
            with self._lock:
                latest_s = at.timestamp() if self._told is None else max(at.timestamp(), self._now_s())
                self._told = (latest_s, self._wall.now_s())
                self.speed = speed if speed > 0 else 1.0

    def now_s(self) -> float:
        with self._lock:
            return self._now_s()

    def sleep(self, seconds: float) -> None:
        self._wall.sleep(seconds / self.speed)

    def _now_s(self) -> float:
        wall_s = self._wall.now_s()
        if self._told is None:
            return wall_s
        told_s, told_at_s = self._told
        return told_s + (wall_s - told_at_s) * self.speed
