"""What is to happen at an instant of market time: one heap, so that every delay follows the session's clock.

playback.py runs it: before the first step, between and inside steps, after the close. What is due before a
step's end happens before that step is played, what is due at its end right after.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable


class Agenda:
    """Callbacks by market time (epoch seconds); equal instants in the order in which they were put down."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.on_earlier: Callable[[], None] = lambda: None
        """Called when an entry comes before all others: whoever waits for the first one must look again."""
        self._now = now
        self._entries: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = itertools.count()
        self._running_at: float | None = None

    def at(self, instant: float, call: Callable[[], None]) -> None:
        """Call once market time has reached `instant`; a past instant means as soon as possible."""
        entry = (instant, next(self._serial), call)
        heapq.heappush(self._entries, entry)
        if self._entries[0] is entry:
            self.on_earlier()

    def after(self, delay_s: float, call: Callable[[], None]) -> None:
        """Call `delay_s` market seconds from now."""
        self.at(self.instant() + delay_s, call)

    def instant(self) -> float:
        """Now; inside a call the instant at which that one was due, however late it is made."""
        return self._now() if self._running_at is None else self._running_at

    def next_at(self) -> float | None:
        """The instant of the first entry; None when nothing is to happen."""
        return self._entries[0][0] if self._entries else None

    def run_until(self, instant: float) -> None:
        """Call everything due by `instant`, also what those calls put down for before it."""
        while self._entries and self._entries[0][0] <= instant:
            self._running_at, _, call = heapq.heappop(self._entries)
            try:
                call()
            finally:
                self._running_at = None
