"""A source's own rate, kept over all threads that ask it."""

from __future__ import annotations

from threading import Lock

from research.ingest.sources.clock import PaceClock


class TokenBucket:
    """`per_minute` requests a minute, of which `at_once` may leave together after a pause.

    A turn is given to whoever came first: each later one waits behind it, so that no thread starves.
    """

    def __init__(self, per_minute: float, at_once: int, clock: PaceClock) -> None:
        assert per_minute > 0
        assert at_once >= 1
        self._gap_s = 60.0 / per_minute
        self._at_once = at_once
        self._clock = clock
        self._lock = Lock()
        self._full_at_s = clock.now_s()
        """When the bucket will be full again if nobody asks."""

    def turn(self) -> None:
        """Return when the next request may leave."""
        with self._lock:
            now_s = self._clock.now_s()
            self._full_at_s = max(self._full_at_s, now_s) + self._gap_s
            wait_s = self._full_at_s - now_s - self._at_once * self._gap_s
        if wait_s > 0:
            self._clock.sleep(wait_s)

    def pause(self, seconds: float) -> None:
        """The source has said that it wants to be left alone so long: nobody's turn comes before."""
        with self._lock:
            self._full_at_s = max(self._full_at_s, self._clock.now_s() + seconds + self._at_once * self._gap_s)
