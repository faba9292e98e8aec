"""`async with SimulatedGateway(market, speed=120, port=0) as gateway:` is the door for Python.

`gateway.port`, `.ledger`, `.clock`, `.session`, `.controls` and `.faults` are what a test reads and turns. What runs
behind it is in runtime/; `serve` takes a connection that is no socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from brokers.simulated.gateway.accounts.ledger import Ledger, Record
from brokers.simulated.gateway.accounts.ledger_file import LedgerFile
from brokers.simulated.gateway.faults.plan import FaultPlan
from brokers.simulated.gateway.faults.switchboard import Switchboard
from brokers.simulated.gateway.runtime.clock import MarketClock, RunningClock
from brokers.simulated.gateway.runtime.connections import Connections
from brokers.simulated.gateway.runtime.controls import Controls
from brokers.simulated.gateway.runtime.nights import play_days
from brokers.simulated.gateway.runtime.playback import reach
from brokers.simulated.gateway.runtime.recording import Recorder
from brokers.simulated.gateway.runtime.restoring import begins_at, restored_market, restored_session
from brokers.simulated.gateway.runtime.settings import settings_of
from brokers.simulated.gateway.runtime.state_file import StateFile
from brokers.simulated.market.source import MarketSource
from shared.errors import ConfigError

log = logging.getLogger(__name__)


class SimulatedGateway:
    """A TWS on 127.0.0.1 with one market, one login and up to 32 clients; `settings` are those of Settings.

    Raises ConfigError with one line per wrong setting, or when the state file cannot be read.
    """

    def __init__(self, market: MarketSource, clock: MarketClock | None = None, **settings: Any) -> None:  # noqa: ANN401 - Settings checks them
        self.settings = settings_of(settings)
        if not isinstance(self.settings.faults, FaultPlan | None):
            raise ConfigError(f"setting faults: {self.settings.faults!r}, allowed is a FaultPlan (plan_of) or None")
        self._state_file = StateFile(self.settings.state_path) if self.settings.state_path else None
        state = self._state_file.load() if self._state_file else None
        begins_on = restored_market(market, state)
        self.clock = clock or RunningClock(begins_at(begins_on, state, self.settings.lead_in_s), self.settings.speed)
        self.session = restored_session(begins_on, self.clock, self.settings, state)
        self.connections = Connections(self.session)
        self.controls = Controls(self.session, self.connections)
        self.faults = Switchboard(self.session, self.controls, self.connections, self.settings.fault_log_path)
        self.closed = asyncio.Event()
        """Set when the last trading day has been played to its end."""
        self.failed: BaseException | None = None
        """Why the market stands still for good, if it does."""
        self._stack = contextlib.AsyncExitStack()
        self._ledger_file: LedgerFile | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._starting: asyncio.TimerHandle | None = None

    @property
    def port(self) -> int:
        return self.connections.port

    @property
    def ledger(self) -> Ledger:
        return self.session.ledger

    # ------------------------------------------------------------------ life

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            await self._open(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _open(self, stack: contextlib.AsyncExitStack) -> None:
        """Whatever is opened here is closed in the opposite order, also when a later opening fails."""
        if self.settings.ledger_path is not None:
            self._ledger_file = stack.enter_context(LedgerFile(self.settings.ledger_path))
            self.session.on_records = self._write_records
            stack.callback(self.dump)
        if self.settings.record_path is not None:
            recorder = stack.enter_context(Recorder(self.settings.record_path, self.session))
            self.connections.on_admit = recorder.follow
        if self._state_file is not None:
            stack.callback(self._state_file.save, self.session)
        stack.callback(self.faults.close)
        if self.settings.faults is not None:
            self.faults.arm(self.settings.faults)
        await self.connections.listen()
        stack.push_async_callback(self._stop)
        self._tasks.append(asyncio.create_task(self._play()))
        if self._state_file is not None:
            self._tasks.append(asyncio.create_task(self._state_file.follow(self.session)))
        if self.settings.wait_for_client:
            self.session.on_bars_wanted = self._gather
        else:
            self._start()

    async def _stop(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.connections.close()
        self.session.settle()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client's connection, until it ends; for transports that are not the TCP port, such as memory."""
        await self.connections.serve(reader, writer)

    def dump(self) -> None:
        """Write an account line for each account into the ledger file, if there is one."""
        if self._ledger_file is not None:
            for ledger in self.session.accounts:
                self._ledger_file.summary(ledger)

    def _write_records(self, records: Sequence[Record]) -> None:
        assert self._ledger_file is not None
        self._ledger_file.append(records)

    # ------------------------------------------------------------------ market

    async def _play(self) -> None:
        try:
            await play_days(self.session, self.controls)
            self.closed.set()
            await reach(self.session, float("inf"))
        except Exception as fault:
            log.exception("the market stands still")
            self.failed = fault
            self.session.on_failure(fault)
            self.closed.set()
            raise

    def _gather(self) -> None:
        """Start the clock when the burst of subscriptions seems to be over."""
        if self._starting is not None:
            self._starting.cancel()
        self._starting = asyncio.get_running_loop().call_later(self.settings.gather_s, self._start)

    def _start(self) -> None:
        self.session.on_bars_wanted = lambda: None
        self.clock.start()
        self.session.tell_all(self.session.notice())
        self.session.flush()
