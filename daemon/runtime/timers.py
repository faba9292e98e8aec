"""The engine's timers: SetTimer in, TimerFired out, on the market's clock or on the wall's."""

from __future__ import annotations

import asyncio

from daemon.runtime.clock import MarketClock
from daemon.runtime.inbox import Inbox
from shared.commands import SetTimer
from shared.events import TimerFired

_POLL_S_MIN = 0.001


class Timers:
    """Handles of the event loop, no tasks: a plan's timer may outlive the plan by an hour. Set again, it moves."""

    def __init__(self, clock: MarketClock, inbox: Inbox) -> None:
        self._clock = clock
        self._inbox = inbox
        self._running: dict[str, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._running)

    def set(self, command: SetTimer) -> None:
        """Start the timer, or start it anew."""
        self._drop(command.timer_id)
        if command.clock == "market":
            self._wait(command.timer_id, self._clock.elapsed_s() + command.after_s)
        else:
            loop = asyncio.get_running_loop()
            self._running[command.timer_id] = loop.call_later(command.after_s, self._fire, command.timer_id)

    def close(self) -> None:
        """Stop all timers; none fires any more."""
        for timer_id in list(self._running):
            self._drop(timer_id)

    def _drop(self, timer_id: str) -> None:
        handle = self._running.pop(timer_id, None)
        if handle is not None:
            handle.cancel()

    def _wait(self, timer_id: str, due_s: float) -> None:
        """Look again when the market's clock should have come there: its speed may change meanwhile."""
        left_s = (due_s - self._clock.elapsed_s()) / self._clock.speed
        wait_s = max(left_s, _POLL_S_MIN) if left_s > 0 else 0.0
        self._running[timer_id] = asyncio.get_running_loop().call_later(wait_s, self._look, timer_id, due_s)

    def _look(self, timer_id: str, due_s: float) -> None:
        if self._clock.elapsed_s() < due_s:
            self._wait(timer_id, due_s)
        else:
            self._fire(timer_id)

    def _fire(self, timer_id: str) -> None:
        del self._running[timer_id]
        self._inbox.put(TimerFired(received_at=self._clock.now(), timer_id=timer_id))
