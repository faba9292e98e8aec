"""Every few seconds one structured line: how the daemon does, and what it holds; to the log and to whoever listens.

systemd's watchdog is fed only if engine, broker probe and journal have all moved since the last beat (watchdog.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TypeVar

import structlog

from daemon.runtime import systemd
from daemon.runtime.surroundings import Surroundings
from daemon.runtime.vital_signs import Facts, Measured, Organs, VitalSigns
from daemon.runtime.watchdog import Pulse, Watchdog
from shared.commands import Command
from shared.config import Config
from shared.events import Event, OperatorCommanded
from shared.io.logging import HEARTBEAT

_log = structlog.get_logger("openbell")
_READY_POLL_S = 0.2  # whoever waits for the start need not wait for a beat
Sink = Callable[[Facts], None]
Source = Callable[[], Mapping[str, object]]
_Answer = TypeVar("_Answer")


class Heartbeat:
    """Beats for ever; each beat is one log line, one call of every sink and, if all is well, one to systemd.

    A sink takes the facts and returns at once; a source adds facts of its own (a top-level key each).
    """

    def __init__(
        self,
        *,
        config: Config,
        run_id: str,
        organs: Organs,
        surroundings: Surroundings,
        sinks: Sequence[Sink] = (),
        sources: Sequence[Source] = (),
    ) -> None:
        self._every_s = config.runtime.heartbeat_every_s
        self._organs = organs
        self._signs = VitalSigns(config=config, run_id=run_id, organs=organs, surroundings=surroundings)
        self._watchdog = Watchdog()
        self._sinks = tuple(sinks)
        self._sources = tuple(sources)
        self._faulty: set[int] = set()
        self._wall, self._notify = surroundings.wall, surroundings.notify
        self._last_beat: tuple[datetime, float] | None = None
        self._syncs = 0
        self._lag_s = 0.0
        self._is_ready = False
        self._wanted = asyncio.Event()

    async def run(self) -> None:
        """Beat every `heartbeat_every_s` wall seconds."""
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + self._every_s
            self.beat()
            while not self._is_ready and loop.time() < due_s - _READY_POLL_S:
                await asyncio.sleep(_READY_POLL_S)
                self._say_ready()
            with suppress(TimeoutError):  # nobody commanded anything: it is time by the clock
                async with asyncio.timeout_at(due_s):  # wait_for of 3.11 loses a cancel that comes with it
                    await self._wanted.wait()
            self._lag_s = max(0.0, loop.time() - due_s)

    def on_durable(self, handled: Sequence[tuple[Event, Sequence[Command]]], _took_s: float) -> None:
        """After a person's order the next beat comes at once: whoever looks then must not see what was before."""
        if any(isinstance(event, OperatorCommanded) for event, _ in handled):
            self._wanted.set()

    def beat(self) -> None:
        """One beat. A disk that does not answer shows here as JournalError, and ends the run."""
        self._wanted.clear()
        facts = self._signs.facts(self._measured())
        for source in self._sources:
            facts.update(self._guarded(source, source) or {})
        _log.info(HEARTBEAT, **facts)
        facts["at"] = self._wall().isoformat()  # the log stamps its own lines
        for sink in self._sinks:
            self._guarded(sink, partial(sink, dict(facts)))
        self._tell_systemd(facts)

    def _measured(self) -> Measured:
        now_s = asyncio.get_running_loop().time
        started_s = now_s()
        self._organs.journal.sync()
        self._syncs += 1
        commit_s = max(self._organs.loop.take_commit_s_max(), now_s() - started_s)
        return Measured(commit_s=commit_s, lag_s=self._lag_s, wall_step_s=self._wall_step_s())

    def _wall_step_s(self) -> float:
        """How much further than the monotonic clock the wall's went since the last beat."""
        now = (self._wall(), asyncio.get_running_loop().time())
        before, self._last_beat = self._last_beat, now
        if before is None:
            return 0.0
        return (now[0] - before[0]).total_seconds() - (now[1] - before[1])

    def _guarded(self, party: Sink | Source, call: Callable[[], _Answer]) -> _Answer | None:
        """A listener's fault is said once, until it works again; it never stops the beat."""
        try:
            answer = call()
        except Exception:  # noqa: BLE001 - whatever it is, it is logged and the heart goes on
            if id(party) not in self._faulty:
                self._faulty.add(id(party))
                _log.exception("heartbeat_not_passed_on", to=getattr(party, "__qualname__", type(party).__name__))
            return None
        self._faulty.discard(id(party))
        return answer

    def _say_ready(self) -> None:
        """READY=1 once; the recovered book still says what the last run knew, a live connection makes it this run's."""
        organs = self._organs
        if not self._is_ready and organs.connection.is_up and organs.loop.engine.book.is_reconciled:
            self._is_ready = self._notify(systemd.READY)

    def _tell_systemd(self, facts: Facts) -> None:
        organs = self._organs
        pulse = Pulse(
            handled=organs.loop.handled,
            loop_age_s=organs.loop.age_s(),
            probes_asked=organs.connection.probe.asked,
            is_up=organs.connection.is_up,
            journal_syncs=self._syncs,
        )
        may_feed = self._watchdog.may_feed(pulse)
        self._say_ready()
        if not self._is_ready:
            # Waiting for a gateway is no failure to start: ask for three more beats.
            self._notify(systemd.extension(self._every_s * 3))
        self._notify(systemd.status(status_line(facts)), *([systemd.ALIVE] if may_feed else []))


def status_line(facts: Facts) -> str:
    """What `systemctl status` shows: verdict, trading state, connection, what is held, the first cause."""
    held, causes = facts["positions"], facts["causes"]
    count = len(held) if isinstance(held, list) else 0
    first = f": {causes[0]}" if isinstance(causes, list) and causes else ""
    return f"{facts['verdict']}, {facts['state']}, broker {facts['connection']}, {count} positions{first}"
