"""The heart at work: take an event, let the engine decide, make both durable, then act."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec.structs import replace

from daemon.runtime.clock import MarketClock
from daemon.runtime.engine_port import Engine
from daemon.runtime.executor import Executor
from daemon.runtime.inbox import Inbox
from shared.commands import Command
from shared.errors import InvariantViolated
from shared.events import Event, OperatorCommanded
from shared.io.journal import Journal, JournalError

OnDurable = Callable[[Sequence[tuple[Event, Sequence[Command]]], float], None]
"""Hears of events with their commands once all is carried out, and how long the durable write took; never raises."""
BATCH_S, BATCH_MAX = 0.005, 100
"""How long a backlog is handled, and how much of it at most, before it is made durable and carried out."""


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
        self.on_durable: list[OnDurable] = []

    async def run(self) -> None:
        """Handle events for ever: what has piled up is made durable together, then others have their turn."""
        while True:
            await self._work_off([await self._inbox.take()])
            await asyncio.sleep(0)

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
        await self._work_off([event], alone=True)

    async def _work_off(self, events: list[Event], *, alone: bool = False) -> None:
        """Handle, make durable, carry out. A backlog shares one durable write, for at most BATCH_S of handling."""
        loop = asyncio.get_running_loop()
        self._busy_since = began = loop.time()
        handled: list[tuple[Event, list[Command]]] = []
        awaited: list[asyncio.Future[None]] = []
        while events:
            event = events.pop()
            if (future := self._awaited.get(id(event))) is not None:
                awaited.append(future)
            event = self._stamped(event)
            handled.append((event, self.engine.handle(event)))
            may_go_on = not alone and len(handled) < BATCH_MAX and loop.time() - began < BATCH_S
            if may_go_on and (waiting := self._inbox.take_waiting()) is not None:
                events.append(waiting)
        took_s = self._make_durable(handled)
        for _, commands in handled:
            await self._executor.execute(commands)
        self._count(len(handled))
        for hear in self.on_durable:
            hear(handled, took_s)
        for future in awaited:
            if not future.done():
                future.set_result(None)

    def _make_durable(self, handled: list[tuple[Event, list[Command]]]) -> float:
        """Write all of it at once; how long that took, in seconds."""
        now_s = asyncio.get_running_loop().time
        started_s = now_s()
        try:
            self._journal.append_all(handled)
        except JournalError as error:
            raise InvariantViolated(f"{error}, nothing was sent") from error
        took_s = now_s() - started_s
        self._commit_s_max = max(self._commit_s_max, took_s)
        return took_s

    def _count(self, events: int) -> None:
        self.handled += events
        self._since_snapshot += events
        if self._since_snapshot >= self._snapshot_every_events:
            self.write_snapshot()
        self._busy_since = None

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
