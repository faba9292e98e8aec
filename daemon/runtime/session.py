"""Keeps the engine's SessionScheduled current: the session that runs, and after its close the next."""

from __future__ import annotations

from datetime import timedelta

from daemon.runtime.clock import AHEAD_S_MAX, MarketClock
from daemon.runtime.inbox import Inbox
from daemon.runtime.quiet import quiet_windows, window_at
from shared.config_sections import SessionConfig
from shared.events import QuietWindow, SessionScheduled
from shared.sessions import SessionHours, session_at_or_after

# Market seconds in which the last row and the last fills of a session arrive before the next is announced;
# less than AHEAD_S_MAX, because after the close nothing may show that a simulated market's time goes on.
SETTLE_S = 10.0
assert SETTLE_S < AHEAD_S_MAX


class SessionKeeper:
    """Knows the hours of the session that was announced last."""

    def __init__(self, section: SessionConfig, clock: MarketClock, inbox: Inbox) -> None:
        self._section = section
        self._clock = clock
        self._inbox = inbox
        self.hours: SessionHours | None = None
        self.quiet: tuple[QuietWindow, ...] = ()

    def scheduled(self) -> SessionScheduled:
        """The event that tells of the session that runs now or comes next."""
        now = self._clock.now()
        self.hours = session_at_or_after(self._section.calendar, now)
        self.quiet = quiet_windows(self._section, now, self.hours.closes_at)
        return SessionScheduled(
            received_at=self._clock.now(),
            session=self.hours.session,
            opens_at=self.hours.opens_at,
            closes_at=self.hours.closes_at,
            quiet=self.quiet,
        )

    def quiet_now(self) -> QuietWindow | None:
        """The quiet window in which the market's clock stands."""
        return window_at(self.quiet, self._clock.now())

    async def run(self) -> None:
        """Announce each next session, for ever; the first one was announced with `scheduled`."""
        while True:
            await self.over()
            self._inbox.put(self.scheduled())

    async def over(self) -> None:
        """Return once the session is over and its last row and fills have had time to arrive."""
        assert self.hours is not None
        await self._clock.sleep_until(self.hours.closes_at + timedelta(seconds=SETTLE_S))
