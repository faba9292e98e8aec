"""Market time: where the session stands, however fast it is played.

`RunningClock` follows the wall clock at a fixed speed, `ManualClock` moves only when told. Both stand still
until `start`, so that a client can subscribe before the first bar. Times are epoch seconds, UTC.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

SPEED_MIN, SPEED_MAX = 1.0, 5000.0


class MarketClock(Protocol):
    """What the gateway asks of a clock."""

    speed: float

    def now(self) -> float:
        """Market time."""

    def start(self) -> None:
        """Let market time run."""

    async def wait_until(self, at: float) -> None:
        """Return once market time has reached `at`."""


class RunningClock:
    """Market time = anchor + speed x wall seconds since the start."""

    def __init__(self, anchor: float, speed: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        if not SPEED_MIN <= speed <= SPEED_MAX:
            raise ValueError(f"speed: {speed:g} is not between {SPEED_MIN:g} and {SPEED_MAX:g}")
        self.speed = speed
        self._anchor = anchor
        self._monotonic = monotonic
        self._started_at: float | None = None
        self._started = asyncio.Event()

    def now(self) -> float:
        if self._started_at is None:
            return self._anchor
        return self._anchor + self.speed * (self._monotonic() - self._started_at)

    def start(self) -> None:
        if self._started_at is None:
            self._started_at = self._monotonic()
            self._started.set()

    async def wait_until(self, at: float) -> None:
        await self._started.wait()
        while (ahead_s := (at - self.now()) / self.speed) > 0:  # noqa: ASYNC110  time passes, nobody sets it
            await asyncio.sleep(ahead_s)


class ManualClock:
    """Market time moves only by `advance_to`: whoever holds it decides when the next step is played."""

    def __init__(self, anchor: float) -> None:
        self.speed = SPEED_MIN
        self._now = anchor
        self._moved = asyncio.Event()

    def now(self) -> float:
        return self._now

    def start(self) -> None:
        """Nothing to do: whoever holds this clock moves it."""

    def advance_to(self, at: float) -> None:
        """Move market time forward to `at`; never back."""
        if at > self._now:
            self._now = at
            self._moved.set()
            self._moved = asyncio.Event()

    async def wait_until(self, at: float) -> None:
        while self._now < at:
            await self._moved.wait()
