"""What leaves when: exits, cancels and stops at once; entries when there is room; questions evenly.

TWS takes 50 messages a second of each client id and reads them in the order in which they come (TWS.md 3.36), so an
exit that must not wait needs a wire without a backlog. Every message of the order client is counted; entries leave
only while less than ENTRIES_PER_S have left within the last second, and wait here, where they can be withdrawn.
Nothing ever holds back an exit, a cancel or a stop: should they alone exceed the pace, TWS reads them later, which
`+PACEAPI` asks for, instead of cutting the line.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from brokers.ib.orders import Placed

MESSAGES_PER_S = 45
RESERVED_PER_S = 15
"""Kept free of entries, for exits, cancels, stops and questions."""
ENTRIES_PER_S = MESSAGES_PER_S - RESERVED_PER_S
WINDOW_S = 1.0


class Budget:
    """The messages of the last second; `now_s` is the event loop's clock. Pure."""

    def __init__(self) -> None:
        self._sent: deque[float] = deque()

    def note(self, now_s: float) -> None:
        """A message leaves."""
        self._sent.append(now_s)
        self._forget(now_s)

    def wait_s(self, wanted: int, limit: int, now_s: float) -> float:
        """How long until `wanted` more messages keep within `limit` a second; 0 if they do now."""
        self._forget(now_s)
        surplus = len(self._sent) + wanted - limit
        if surplus <= 0 or not self._sent:
            return 0.0
        return self._sent[min(surplus, len(self._sent)) - 1] + WINDOW_S - now_s

    def _forget(self, now_s: float) -> None:
        while self._sent and self._sent[0] <= now_s - WINDOW_S:
            self._sent.popleft()


class EntryLane:
    """Brackets on their way out, first in, first out; `send` writes a whole one to the wire."""

    def __init__(self, budget: Budget, send: Callable[[list[Placed]], None]) -> None:
        self._budget = budget
        self._send = send
        self._waiting: deque[list[Placed]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def waiting(self) -> list[Placed]:
        """What has not left yet, in its order."""
        return [placed for bracket in self._waiting for placed in bracket]

    def put(self, bracket: list[Placed]) -> None:
        """Send the bracket now or, behind those that wait, as soon as there is room."""
        self._waiting.append(bracket)
        if self._timer is None:
            self._pump()

    def withdraw(self, ref: str) -> list[str]:
        """Take the bracket that holds the order out of the lane; the references of its orders, none if it has left."""
        for bracket in self._waiting:
            refs = [placed.order.ref for placed in bracket]
            if ref in refs:
                self._waiting.remove(bracket)
                return refs
        return []

    def change(self, changed: Placed) -> bool:
        """Give an order that waits its new terms, in its place within its bracket; False if it has left."""
        for bracket in self._waiting:
            for index, placed in enumerate(bracket):
                if placed.order.ref == changed.order.ref:
                    changed.ib_order.transmit = placed.ib_order.transmit
                    bracket[index] = Placed(changed.order, changed.ib_order)
                    return True
        return False

    def clear(self) -> list[str]:
        """Throw everything away that has not left; the references."""
        refs = [placed.order.ref for placed in self.waiting()]
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return refs

    def _pump(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        while self._waiting:
            wait_s = self._budget.wait_s(len(self._waiting[0]), ENTRIES_PER_S, loop.time())
            if wait_s > 0:
                self._timer = loop.call_later(wait_s, self._pump)
                return
            self._send(self._waiting.popleft())
