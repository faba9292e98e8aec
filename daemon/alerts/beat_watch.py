"""What successive heartbeats give reason to say; pure, the clock is the beats' own count and uptime."""

from __future__ import annotations

import re

from daemon.alerts.catalogue import Severity
from daemon.alerts.message import Alarm
from daemon.runtime.verdict import CLOCK_STEP_S_MAX, Level

_CLEAR_BEATS = 3
_DEGRADED_S = 900.0
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
Facts = dict[str, object]


class BeatWatch:
    """Says a critical verdict at once and again for every new cause, a lasting degraded one once, and the all-clear."""

    def __init__(self) -> None:
        self._said: dict[str, None] = {}
        self._clear_beats = 0
        self._degraded_since_s: float | None = None
        self._has_said_degraded = False

    def judge(self, facts: Facts) -> list[Alarm]:
        """The alarms of this beat."""
        causes = [str(cause) for cause in _list(facts.get("causes"))]
        is_critical = facts.get("verdict") == Level.CRITICAL.value
        found = self._critical(causes) if is_critical else self._recovered()
        found += self._degraded(facts, causes)
        step_s = facts.get("wall_step_s")
        if isinstance(step_s, int | float) and abs(step_s) > CLOCK_STEP_S_MAX:
            text = f"the wall's clock stepped by {step_s:+.1f} s (it was set, or the machine slept)"
            found.append(Alarm(severity=Severity.NOTICE, code="clock_stepped", text=text))
        return found

    def _critical(self, causes: list[str]) -> list[Alarm]:
        self._clear_beats = 0
        kinds = dict.fromkeys(_NUMBER.sub("#", cause) for cause in causes)
        news = [kind for kind in kinds if kind not in self._said]
        if not news and self._said:
            return []
        self._said.update(kinds)
        return [Alarm(severity=Severity.PAGE, code="verdict_critical", text="; ".join(causes))]

    def _recovered(self) -> list[Alarm]:
        if not self._said:
            return []
        self._clear_beats += 1
        if self._clear_beats < _CLEAR_BEATS:
            return []
        self._said, self._clear_beats = {}, 0
        text = "what made the verdict critical is over"
        return [Alarm(severity=Severity.NOTICE, code="verdict_recovered", text=text)]

    def _degraded(self, facts: Facts, causes: list[str]) -> list[Alarm]:
        """Said once if it lasts, while the market is open: outside it silence and resets are everyday."""
        uptime_s = facts.get("uptime_s")
        if facts.get("verdict") != Level.DEGRADED.value or not facts.get("session_open"):
            self._degraded_since_s, self._has_said_degraded = None, False
            return []
        now_s = float(uptime_s) if isinstance(uptime_s, int | float) else 0.0
        if self._degraded_since_s is None:
            self._degraded_since_s = now_s
        if self._has_said_degraded or now_s - self._degraded_since_s < _DEGRADED_S:
            return []
        self._has_said_degraded = True
        return [Alarm(severity=Severity.NOTICE, code="verdict_degraded", text="; ".join(causes))]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
