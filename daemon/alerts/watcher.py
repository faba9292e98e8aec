"""The outside watcher: another process, better another host, that notices when heartbeats stop (F21, I18).

A daemon that was killed cannot say so. The watcher follows the log that the heartbeats go to (or MQTT) and judges
silence by its own monotonic clock, so that a clock set wrong at either end neither hides nor invents one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Protocol

from daemon.alerts.catalogue import Severity
from daemon.alerts.desk import AlertDesk
from daemon.alerts.message import Alarm
from daemon.alerts.mqtt_follower import KEPT_BY_BROKER
from daemon.runtime.status import INTERVALS_MAX, heartbeat_of, interval_s, last_heartbeats

_POLL_S_MAX = 1.0
Beat = dict[str, object]


class Follower(Protocol):
    """Where heartbeats come from."""

    def fresh(self) -> list[Beat]:
        """The beats since the last call; called in a thread."""

    def close(self) -> None:
        """Let go of what is open."""


class LogFollower:
    """Heartbeats that were appended to a log since the last look, over its rotation and its absence."""

    def __init__(self, log_file: Path) -> None:
        self._path = log_file
        self._file: TextIOWrapper | None = None
        self._inode = 0

    def fresh(self) -> list[Beat]:
        """The beats written since the last call; at the first call the newest one of the log."""
        found: list[Beat] = []
        if self._file is None:
            found = last_heartbeats(self._path, 1)
            self._open(at_end=True)
        elif self._is_replaced():
            found = self._rest()
            self._open(at_end=False)
        return found + self._rest()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self, *, at_end: bool) -> None:
        self.close()
        try:
            self._file = self._path.open(encoding="utf-8", errors="replace")
        except OSError:
            return  # not there yet, or for a moment: looked for again
        self._inode = self._path.stat().st_ino
        if at_end:
            self._file.seek(0, 2)

    def _is_replaced(self) -> bool:
        assert self._file is not None
        try:
            facts = self._path.stat()
        except OSError:
            return False
        return facts.st_ino != self._inode or facts.st_size < self._file.tell()

    def _rest(self) -> list[Beat]:
        found: list[Beat] = []
        while self._file is not None:
            place = self._file.tell()
            line = self._file.readline()
            if not line.endswith("\n"):
                self._file.seek(place)  # half a line is read again once it is whole
                break
            if (beat := heartbeat_of(line)) is not None:
                found.append(beat)
        return found


class SilenceWatch:
    """Pure: beats and a monotonic clock in, alarms out. Silence of three intervals is one alarm, its end another."""

    def __init__(self, *, every_s: float, now_s: float) -> None:
        self._every_s = every_s
        self._seen_s = now_s
        self._last: Beat | None = None
        self._is_lost = False
        self._has_said_stopped = False

    def on_beat(self, beat: Beat, now_s: float, age_s: float = 0.0) -> Alarm | None:
        """A beat that was written `age_s` before now has been seen."""
        self._last, self._seen_s, self._every_s = beat, now_s - max(0.0, age_s), interval_s(beat)
        if age_s > 0 or not (self._is_lost or self._has_said_stopped):
            return None
        self._is_lost = self._has_said_stopped = False
        text = f"heartbeats come again: {describe_beat(beat)}"
        return Alarm(severity=Severity.NOTICE, code="heartbeat_back", text=text)

    def check(self, now_s: float) -> Alarm | None:
        """The alarm that is due for silence, if one is; a daemon that was told to stop is not missed."""
        silence_s = now_s - self._seen_s
        if (
            self._is_lost
            or self._has_said_stopped
            or silence_s < INTERVALS_MAX * self._every_s - pause_s(self._every_s)
        ):
            return None
        if self._last is not None and self._last.get("stopping"):
            self._has_said_stopped = True
            text = f"stopped as it was told: {describe_beat(self._last)}"
            return Alarm(severity=Severity.NOTICE, code="daemon_stopped", text=text)
        self._is_lost = True
        last = "none was ever seen" if self._last is None else f"the last one said {describe_beat(self._last)}"
        text = f"no heartbeat for {silence_s:.0f} s; {last}. Stops rest at the broker; look at process and host"
        return Alarm(severity=Severity.PAGE, code="heartbeat_lost", text=text)


def pause_s(every_s: float) -> float:
    """How long the watcher sleeps between looks; taken off the limit, so that three intervals are never exceeded."""
    return min(_POLL_S_MAX, every_s / 4)


async def watch(
    follower: Follower, desk: AlertDesk, *, every_s: float, say: Callable[[str], None], wall: Callable[[], datetime]
) -> None:
    """Follow the heartbeats for ever; every alarm goes to the desk and, as a line, to `say`."""
    now_s = asyncio.get_running_loop().time
    silence = SilenceWatch(every_s=every_s, now_s=now_s())
    is_first = True
    while True:
        for beat in await asyncio.to_thread(follower.fresh):
            is_old = is_first or beat.get(KEPT_BY_BROKER) is True
            age_s = _age_s(beat, wall()) if is_old else 0.0
            _pass_on(silence.on_beat(beat, now_s(), age_s), desk, say)
        is_first = False
        _pass_on(silence.check(now_s()), desk, say)
        desk.tick()
        await asyncio.sleep(pause_s(every_s))


def _pass_on(alarm: Alarm | None, desk: AlertDesk, say: Callable[[str], None]) -> None:
    if alarm is not None:
        say(f"{alarm.severity.value}: {alarm.code}: {alarm.text}")
        desk.tell(alarm)


def _age_s(beat: Beat, now: datetime) -> float:
    """How old a beat from the log is by the wall's clock; 0 if it does not say."""
    try:
        return (now - datetime.fromisoformat(str(beat["at"])).astimezone(UTC)).total_seconds()
    except (KeyError, ValueError):
        return 0.0


def describe_beat(beat: Beat) -> str:
    positions = beat.get("positions")
    held = [f"{each['symbol']} {each['quantity']:+}" for each in positions] if isinstance(positions, list) else []
    causes = beat.get("causes")
    why = f" ({'; '.join(map(str, causes))})" if isinstance(causes, list) and causes else ""
    return (
        f"{beat.get('verdict', 'nothing')}{why}, {beat.get('state')}, broker {beat.get('connection')}, "
        f"positions {', '.join(held) or 'none'}, at {str(beat.get('at'))[:19]} UTC"
    )
