"""The daemon's clock: the wall's, or, on paper, a simulated gateway's, whose market runs in its own time.

Following, market time = latest observation + speed x elapsed monotonic time, but never more than AHEAD_S_MAX
beyond the latest observation: if the gateway falls behind its own speed, prices must not look stale for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

AHEAD_S_MAX = 15.0
_POLL_S_MIN = 0.001
_SLICE_S_MAX = 30.0
"""So late at most is it noticed that the wall's clock was set forward; the nearer the time, the sooner."""
_FOLLOWING_SLICE_S_MAX = 5.0
"""So late at most is it noticed that a gateway that is followed runs its market at another speed."""
_CATCH_UP_SPEED = 0.5
"""How fast time runs while the wall is behind what was told already. Standing still, nothing would grow old: a lost
stop would count as on its way until the wall has caught up.
"""


def wall_now() -> datetime:
    """The wall's time, aware, in UTC."""
    return datetime.now(UTC)


def stopwatch_s() -> float:
    """Seconds from some moment on, never backward: for what is measured where no event loop runs."""
    return time.monotonic()


class MarketClock:
    """Aware UTC, never decreasing; lengths of time come from `elapsed_s`, which no wall step touches."""

    def __init__(
        self, *, may_follow: bool, monotonic: Callable[[], float], wall: Callable[[], datetime] = wall_now
    ) -> None:
        self._may_follow = may_follow
        self._monotonic = monotonic
        self._wall = wall
        self._latest: datetime | None = None
        self._latest_mark = 0.0
        self._born = monotonic()
        self._observed_at: datetime | None = None
        self._observed_mark = 0.0
        self._elapsed_before_s = 0.0
        self._followed_from: datetime | None = None
        self.speed = 1.0

    @property
    def is_following(self) -> bool:
        return self._followed_from is not None

    def now(self) -> datetime:
        """Market time."""
        reading, mark = self._extrapolated() if self._observed_at is not None else self._wall(), self._monotonic()
        if self._latest is not None:
            passed_s = 0.0 if self.is_following else (mark - self._latest_mark) * _CATCH_UP_SPEED
            reading = max(reading, self._latest + timedelta(seconds=passed_s))
        self._latest, self._latest_mark = reading, mark
        return reading

    def not_before(self, at: datetime) -> None:
        """From now on never tell a time before `at` (the journal's last event)."""
        self._latest, self._latest_mark = max(at, self.now()), self._monotonic()

    def follow(self, market_at: datetime, speed: float) -> None:
        """A simulated gateway tells its market's time and speed; ignored where following is not allowed.

        The first time is a jump, backward or forward; from then on time only runs forward.
        """
        if not self._may_follow:
            return
        self.speed = speed
        if self._followed_from is None:
            self._elapsed_before_s = self._monotonic() - self._born
            self._followed_from = market_at
            self._latest = None
        self._take(market_at)

    def observe(self, at: datetime) -> None:
        """The market has been seen at `at` (a bar's end, the gateway's clock): reckon from here."""
        if self._observed_at is not None and at > self._observed_at:
            self._take(at)

    def elapsed_s(self) -> float:
        """Seconds of market time since the clock was made: a stopwatch that never runs backward."""
        if self._followed_from is None:
            return self._monotonic() - self._born
        return self._elapsed_before_s + (self.now() - self._followed_from).total_seconds()

    async def sleep(self, market_s: float) -> None:
        """Return after so many seconds of market time."""
        due_s = self.elapsed_s() + market_s
        while (left_s := due_s - self.elapsed_s()) > 0:  # noqa: ASYNC110 - time itself is awaited
            await asyncio.sleep(max(left_s / self.speed, _POLL_S_MIN))

    async def sleep_until(self, at: datetime) -> None:
        """Return once market time has reached `at`."""
        while (left_s := (at - self.now()).total_seconds()) > 0:
            # In slices: the wall's clock may be set, and the market's time may be learned meanwhile.
            longest_s = self._slice_s(left_s / self.speed)
            await asyncio.sleep(min(max(left_s / self.speed, _POLL_S_MIN), longest_s))

    def _slice_s(self, left_s: float) -> float:
        """How long to sleep before the next look at the clock, with so many wall seconds to go."""
        if not self._may_follow:
            return min(max(left_s / 10, 1.0), _SLICE_S_MAX)
        return min(max(left_s / 10, 1.0), _FOLLOWING_SLICE_S_MAX) if self.is_following else 1.0

    def _take(self, at: datetime) -> None:
        self._observed_at = at
        self._observed_mark = self._monotonic()

    def _extrapolated(self) -> datetime:
        assert self._observed_at is not None
        ahead_s = (self._monotonic() - self._observed_mark) * self.speed
        return self._observed_at + timedelta(seconds=min(ahead_s, AHEAD_S_MAX))
