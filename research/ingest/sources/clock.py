"""The time that sources wait by; tests hand in one that is turned by hand."""

from __future__ import annotations

import time
from threading import Event
from typing import Protocol

from shared.errors import DataError


class Stopped(DataError):  # noqa: N818 - it says what is the case
    """Whoever waited is to wait no longer: the run ends."""


class PaceClock(Protocol):
    """Seconds of the epoch, so that what is kept on disk means the same in the next run."""

    def now_s(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class WallClock:
    """This machine's. After `stop` nobody sleeps any more, and nobody asks: `sleep` raises Stopped."""

    def __init__(self) -> None:
        self._stopped = Event()

    def now_s(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        if self._stopped.wait(max(0.0, seconds)):
            raise Stopped("stopped before it was asked")

    def stop(self) -> None:
        self._stopped.set()
