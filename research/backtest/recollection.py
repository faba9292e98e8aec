"""What a daemon's strategies took over at its starts, handed to the engine of a replay at the same rows.

A live start may go on from the stored bars (`StrategiesWarmed`); a replay of its journal's rows alone would remember
less and decide otherwise.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from research.backtest.session_driver import Handler
from shared.commands import Command
from shared.events import BarsClosed, Event, StrategiesWarmed


class Recollection:
    """Listens to a driver: before the first row that is newer than a memory the engine is handed that memory."""

    def __init__(self, engine: Handler, memories: Sequence[StrategiesWarmed]) -> None:
        self._engine = engine
        self._waiting = deque(memories)

    def happened(self, event: Event) -> None:
        """Called before the engine hears `event`. What it says of a memory is a notice and nothing to carry out."""
        if not isinstance(event, BarsClosed):
            return
        while self._waiting and event.closed_at > self._waiting[0].closed_at:
            self._engine.handle(self._waiting.popleft())

    def decided(self, command: Command) -> None:
        """Commands are none of its business."""
