"""What is to happen at an instant of market time: one heap, so that every delay follows the session's clock."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable


class Agenda:
    """Callbacks by market time (epoch seconds); equal instants in the order in which they were put down."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._entries: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = itertools.count()

    def at(self, instant: float, call: Callable[[], None]) -> None:
        """Call once market time has reached `instant`; a past instant means as soon as possible."""
        heapq.heappush(self._entries, (instant, next(self._serial), call))

    def after(self, delay_s: float, call: Callable[[], None]) -> None:
        """Call `delay_s` market seconds from now."""
        self.at(self._now() + delay_s, call)

    def next_at(self) -> float | None:
        """The instant of the first entry; None when nothing is to happen."""
        return self._entries[0][0] if self._entries else None

    def run_until(self, instant: float) -> None:
        """Call everything due by `instant`, also what those calls put down for before it."""
        while self._entries and self._entries[0][0] <= instant:
            heapq.heappop(self._entries)[2]()
