"""The engine's timers: SetTimer in, TimerFired out, on the market's clock or on the wall's."""

from __future__ import annotations

import asyncio

from daemon.runtime.clock import MarketClock
from daemon.runtime.inbox import Inbox
from shared.commands import SetTimer
from shared.events import TimerFired


class Timers:
    """One task per running timer; setting a timer again moves it."""

    def __init__(self, clock: MarketClock, inbox: Inbox) -> None:
        self._clock = clock
        self._inbox = inbox
        self._running: dict[str, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._running)

    def set(self, command: SetTimer) -> None:
        """Start the timer, or start it anew."""
        self._drop(command.timer_id)
        task = asyncio.create_task(self._run(command), name=f"timer {command.timer_id}")
        self._running[command.timer_id] = task

    def close(self) -> None:
        """Stop all timers; none fires any more."""
        for timer_id in list(self._running):
            self._drop(timer_id)

    def _drop(self, timer_id: str) -> None:
        task = self._running.pop(timer_id, None)
        if task is not None:
            task.cancel()

    async def _run(self, command: SetTimer) -> None:
        if command.clock == "market":
            await self._clock.sleep(command.after_s)
        else:
            await asyncio.sleep(command.after_s)
        del self._running[command.timer_id]
        self._inbox.put(TimerFired(received_at=self._clock.now(), timer_id=command.timer_id))
