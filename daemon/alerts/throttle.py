"""How often a person is spoken to: the same thing once per `repeat_after_s`, at most so many messages an hour.

A page is never capped away. What was kept quiet is counted, and the count is told: with the next message of the same
key, or when its time is over; what the cap swallowed is told as one line once there is room.
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from daemon.alerts.catalogue import Severity
from daemon.alerts.message import Alarm

_HOUR_S = 3_600.0


class Admitted(Struct, frozen=True):
    """An alarm that may go out, and how often the same was kept quiet since it last did."""

    alarm: Alarm
    repeats: int


class _Told(Struct):
    alarm: Alarm
    told_s: float
    held: int = 0


class Throttle:
    """Pure: `now_s` is a monotonic clock's and comes with every call."""

    def __init__(self, *, repeat_after_s: float, per_hour_max: int) -> None:
        self._repeat_after_s = repeat_after_s
        self._per_hour_max = per_hour_max
        self._told: dict[str, _Told] = {}
        self._sent_s: deque[float] = deque()
        self._merged: dict[str, int] = {}

    def admit(self, alarm: Alarm, now_s: float) -> Admitted | None:
        """Whether the alarm goes out now; None if it is counted instead."""
        told = self._told.get(alarm.key)
        if told is not None and now_s - told.told_s < self._repeat_after_s:
            told.held += 1
            return None
        if alarm.severity is not Severity.PAGE and not self._has_room(now_s):
            self._merged[alarm.code] = self._merged.get(alarm.code, 0) + 1
            return None
        return self._tell(alarm, now_s, 0 if told is None else told.held)

    def due(self, now_s: float) -> list[Admitted]:
        """What has to be told without news: counts whose time is over, and what the cap has merged."""
        found: list[Admitted] = []
        for key, told in list(self._told.items()):
            if now_s - told.told_s < self._repeat_after_s:
                continue
            if told.held == 0:
                del self._told[key]
            elif told.alarm.severity is Severity.PAGE or self._has_room(now_s):
                found.append(self._tell(told.alarm, now_s, told.held))
        if self._merged and self._has_room(now_s):
            counts = ", ".join(f"{code} {count}" for code, count in self._merged.items())
            text = f"not told one by one, because of alerts.per_hour_max = {self._per_hour_max}: {counts}"
            self._merged = {}
            alarm = Alarm(severity=Severity.NOTICE, code="alerts_merged", text=text)
            found.append(self._tell(alarm, now_s, 0))
        return found

    def _tell(self, alarm: Alarm, now_s: float, repeats: int) -> Admitted:
        self._told[alarm.key] = _Told(alarm=alarm, told_s=now_s)
        self._sent_s.append(now_s)
        return Admitted(alarm, repeats)

    def _has_room(self, now_s: float) -> bool:
        while self._sent_s and now_s - self._sent_s[0] >= _HOUR_S:
            self._sent_s.popleft()
        return len(self._sent_s) < self._per_hour_max
