"""Market time: where the session stands, however fast it is played.

`RunningClock` follows the wall clock at a speed, `ManualClock` is the virtual clock: it moves only when its
holder says so. Times are epoch seconds, UTC.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Protocol

SPEED_MIN, SPEED_MAX = 1.0, 5000.0


def wall_s() -> float:
    """The wall's time, in epoch seconds: for what was recorded in real time and is served in real time."""
    return time.time()


class MarketClock(Protocol):
    """What the gateway asks of a clock. One task waits on it, the one that plays the market."""

    speed: float

    def now(self) -> float:
        """Market time."""

    def start(self) -> None:
        """Let market time run."""

    async def wait_until(self, at: float) -> None:
        """Return once market time has reached `at`, or earlier when somebody calls `wake`."""

    def wake(self) -> None:
        """End the wait: what is waited for may have changed."""

    def skip_to(self, at: float) -> None:
        """Pass over the time until `at`, if this clock may."""

    def set_speed(self, speed: float) -> None:
        """From now on so many market seconds a second."""

    def paced_s(self) -> float:
        """The seconds in which a client's messages are counted: the wall's, or a virtual clock's own."""

    async def pause(self, delay_s: float) -> None:
        """Return after so many of those seconds."""


class RunningClock:
    """Market time = anchor + speed x wall seconds since the start; stands still until `start`."""

    def __init__(self, anchor: float, speed: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        if not SPEED_MIN <= speed <= SPEED_MAX:
            raise ValueError(f"speed: {speed:g} is not between {SPEED_MIN:g} and {SPEED_MAX:g}")
        self.speed = speed
        self._anchor = anchor
        self._monotonic = monotonic
        self._started_at: float | None = None
        self._woken = asyncio.Event()

    def now(self) -> float:
        if self._started_at is None:
            return self._anchor
        return self._anchor + self.speed * (self._monotonic() - self._started_at)

    def start(self) -> None:
        if self._started_at is None:
            self._started_at = self._monotonic()
            self.wake()

    async def wait_until(self, at: float) -> None:
        timer = None
        ahead_s = (at - self.now()) / self.speed
        if ahead_s <= 0:
            return
        if self._started_at is not None and math.isfinite(at):
            timer = asyncio.get_running_loop().call_later(ahead_s, self.wake)
        try:
            await self._woken.wait()
        finally:
            self._woken.clear()
            if timer is not None:
                timer.cancel()

    def wake(self) -> None:
        self._woken.set()

    def skip_to(self, at: float) -> None:
        self._anchor += max(at - self.now(), 0.0)
        self.wake()

    def set_speed(self, speed: float) -> None:
        self._anchor = self.now()
        if self._started_at is not None:
            self._started_at = self._monotonic()
        self.speed = speed
        self.wake()

    def paced_s(self) -> float:
        return self._monotonic()

    async def pause(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)


class ManualClock:
    """The virtual clock: market time moves only by `advance_to`, so its holder decides when a step is played."""

    def __init__(self, anchor: float) -> None:
        self.speed = SPEED_MIN
        self._now = anchor
        self._woken = asyncio.Event()
        self._moved = asyncio.Event()

    def now(self) -> float:
        return self._now

    def start(self) -> None:
        """Nothing to do: whoever holds this clock moves it."""

    def advance_to(self, at: float) -> None:
        """Move market time forward to `at`; never back."""
        if at > self._now:
            self._now = at
            self.wake()
            self._moved.set()
            self._moved = asyncio.Event()

    async def wait_until(self, at: float) -> None:
        if self._now < at:
            self._woken.clear()
            await self._woken.wait()

    def wake(self) -> None:
        self._woken.set()

    def skip_to(self, at: float) -> None:
        """Nothing is passed over: whoever holds this clock moves it."""

    def set_speed(self, speed: float) -> None:
        """Nothing to do, as above."""

    def paced_s(self) -> float:
        return self._now

    async def pause(self, delay_s: float) -> None:
        until = self._now + delay_s
        while self._now < until:
            await self._moved.wait()
