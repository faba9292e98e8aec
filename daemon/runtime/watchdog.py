"""Whether systemd's watchdog may be fed: only if loop, broker probe and journal have all advanced since the last beat.

A watchdog that is fed by a timer keeps a dead strategy loop alive (RELIABILITY.md 6). An idle loop has advanced, and
so has a probe while the connection is being tried: silence at the other end is no reason to kill this one.
"""

from __future__ import annotations

from msgspec import Struct

from daemon.runtime.verdict import STUCK_S

SYNCHRONISING_BEATS_MAX = 12
"""How long a fresh connection may ask for reports and history before its first probe; every question has its limit."""


class Pulse(Struct, frozen=True, kw_only=True):
    """What moves while the daemon lives: counters since the start, and how long the event in hand has taken."""

    handled: int
    loop_age_s: float
    probes_asked: int
    is_up: bool
    journal_syncs: int


class Watchdog:
    """Compares each beat's pulse with the one before."""

    def __init__(self) -> None:
        self._before = Pulse(handled=0, loop_age_s=0.0, probes_asked=0, is_up=False, journal_syncs=0)
        self._beats_without_probe = 0
        self._is_fresh = True

    def may_feed(self, now: Pulse) -> bool:
        """Whether everything that has to move has moved since the last call."""
        before, self._before = self._before, now
        loop_moved = now.loop_age_s < STUCK_S or now.handled > before.handled
        return self._probe_moved(before, now) and loop_moved and now.journal_syncs > before.journal_syncs

    def _probe_moved(self, before: Pulse, now: Pulse) -> bool:
        if not now.is_up or now.probes_asked > before.probes_asked:
            self._beats_without_probe, self._is_fresh = 0, not now.is_up
            return True
        self._beats_without_probe += 1
        return self._is_fresh and self._beats_without_probe <= SYNCHRONISING_BEATS_MAX
