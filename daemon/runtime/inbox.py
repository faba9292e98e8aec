"""The one bounded queue between the outside and the engine.

Under load market data gives way: the oldest waiting row of bars or account report is dropped for the newer,
and counted. Order events are never dropped or merged: if they alone overfill the inbox, all are kept and
trading is halted by an event of actor "inbox".
"""

from __future__ import annotations

import asyncio
from collections import deque

from shared.events import AccountReported, BarsClosed, Event, OperatorCommanded

HALT_ACTOR = "inbox"


class Inbox:
    """First in, first out, one reader; `put` never waits and may be called from any callback."""

    def __init__(self, size_max: int) -> None:
        self._size_max = size_max
        self._waiting: deque[Event] = deque()
        self._filled = asyncio.Event()
        self._has_halted = False
        self.conflated = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, event: Event) -> None:
        """Queue the event; if the inbox is full, at the cost of older market data or of trading."""
        if len(self._waiting) >= self._size_max and not self._make_room():
            self._halt(event)
        self._waiting.append(event)
        self._filled.set()

    def put_first(self, event: Event) -> None:
        """Queue a person's order ahead of everything that waits: a kill must not stand in line."""
        self._waiting.appendleft(event)
        self._filled.set()

    async def take(self) -> Event:
        """The oldest event, waiting for one if need be."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        return self._waiting.popleft()

    def take_waiting(self) -> Event | None:
        """The oldest event if one waits."""
        return self._waiting.popleft() if self._waiting else None

    def _make_room(self) -> bool:
        """Drop the oldest piece of market data that waits; False if there is none."""
        for index, event in enumerate(self._waiting):
            if isinstance(event, BarsClosed | AccountReported):
                del self._waiting[index]
                self.conflated += 1
                return True
        return False

    def _halt(self, cause: Event) -> None:
        """Once: the halt goes to the front, so that the backlog is handled without new entries."""
        if self._has_halted:
            return
        self._has_halted = True
        self._waiting.appendleft(
            OperatorCommanded(received_at=cause.received_at, verb="halt", scope="account", actor=HALT_ACTOR)
        )
