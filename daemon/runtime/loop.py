"""The heart at work: take an event, let the engine decide, make both durable, then act."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from datetime import datetime

from msgspec.structs import replace

from daemon.runtime.clock import MarketClock
from daemon.runtime.engine_port import Engine
from daemon.runtime.executor import Executor
from daemon.runtime.inbox import Inbox
from shared.errors import InvariantViolated
from shared.events import Event, OperatorCommanded
from shared.io.journal import Journal


class EngineLoop:
    """The only caller of `Engine.handle` while a run lasts.

    `received_at` of what the engine sees never decreases and is never ahead of the clock: an event stamped
    before the clock began to follow the gateway's market gets the time at which it is handled.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        journal: Journal,
        inbox: Inbox,
        executor: Executor,
        clock: MarketClock,
        snapshot_every_events: int,
    ) -> None:
        self.engine = engine
        self._journal = journal
        self._inbox = inbox
        self._executor = executor
        self._clock = clock
        self._snapshot_every_events = snapshot_every_events
        self._since_snapshot = 0
        self._latest: datetime | None = None
        self._awaited: dict[int, asyncio.Future[None]] = {}
        self._busy_since: float | None = None
        self._commit_s_max = 0.0
        self.handled = 0

    async def run(self) -> None:
        """Handle events for ever."""
        while True:
            await self.step(await self._inbox.take())

    async def submit(self, event: OperatorCommanded) -> None:
        """Handle the event before all that waits; return once it is durable and carried out."""
        done = asyncio.get_running_loop().create_future()
        self._awaited[id(event)] = done
        self._inbox.put_first(event)
        try:
            await done
        finally:
            self._awaited.pop(id(event), None)

    async def step(self, event: Event) -> None:
        """One event, from handling to the last command carried out.

        Raises:
            InvariantViolated: the engine says so, or the journal cannot be written (then nothing was sent).
        """
        self._busy_since = asyncio.get_running_loop().time()
        awaited = self._awaited.get(id(event))
        event = self._stamped(event)
        commands = self.engine.handle(event)
        started = time.perf_counter()
        try:
            self._journal.append(event, commands)
        except sqlite3.Error as error:
            path = self._journal.path
            raise InvariantViolated(f"{path}: cannot be written ({error}), nothing was sent") from error
        self._commit_s_max = max(self._commit_s_max, time.perf_counter() - started)
        await self._executor.execute(commands)
        self._since_snapshot += 1
        if self._since_snapshot >= self._snapshot_every_events:
            self.write_snapshot()
        self.handled += 1
        self._busy_since = None
        if awaited is not None and not awaited.done():
            awaited.set_result(None)

    def write_snapshot(self) -> None:
        """Keep the engine's state, so that a restart has less to handle again."""
        self._journal.write_snapshot(self.engine.snapshot())
        self._since_snapshot = 0

    def age_s(self) -> float:
        """Wall seconds for which the event in hand has been worked on; 0 while waiting for one."""
        return 0.0 if self._busy_since is None else asyncio.get_running_loop().time() - self._busy_since

    def take_commit_s_max(self) -> float:
        """The slowest durable write since the last call, in seconds."""
        slowest, self._commit_s_max = self._commit_s_max, 0.0
        return slowest

    def _stamped(self, event: Event) -> Event:
        now = self._clock.now()
        at = min(event.received_at, now)
        if self._latest is not None:
            at = max(at, self._latest)
        self._latest = at
        return event if at == event.received_at else replace(event, received_at=at)
