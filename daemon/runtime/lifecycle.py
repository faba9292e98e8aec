"""One run from start to end: begin once the broker was seen, work, leave nothing exposed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path

import structlog
from msgspec import Struct

from brokers.port import Broker
from daemon.runtime import systemd
from daemon.runtime.action_keeper import ActionKeeper
from daemon.runtime.companion import Companion, Companions
from daemon.runtime.engine_port import Engine
from daemon.runtime.heartbeat import Heartbeat
from daemon.runtime.holdings import day_profit, holdings_of
from daemon.runtime.notices import Notices
from daemon.runtime.plan_keeper import PlanKeeper
from daemon.runtime.reports import Reporter
from daemon.runtime.surroundings import Surroundings
from daemon.runtime.timers import Timers
from daemon.runtime.version import code_version, strategy_hashes
from daemon.runtime.vital_signs import Organs
from shared.commands import Notify
from shared.config import Config
from shared.errors import Refused
from shared.events import RunStarted, StopRequested
from shared.io.journal import Run, run_id_of
from shared.orders import Leg

_log = structlog.get_logger("openbell")
STOP_S = 5.0
SETTLE_AT_CLOSE_S = 30.0
_BACK_IN_TIME_S_MAX = 60.0
_CLOCK_SET_BACK_S_MAX = 12 * 3600.0
"""A clock that is behind the journal's last event by at most so much is believed to have been wrong then."""
_POLL_S = 0.02


class Ending(Struct, frozen=True, kw_only=True):
    """How a run ended: exit code, and the line that says so."""

    exit_code: int
    summary: str


class Daemon:
    """Owns the tasks of one run."""

    def __init__(  # noqa: PLR0913 - what wiring.py has put together, by name
        self,
        *,
        config: Config,
        broker: Broker,
        organs: Organs,
        reporter: Reporter,
        timers: Timers,
        companions: Sequence[Companion],
        surroundings: Surroundings,
        notices: Notices,
        to_tell: Sequence[Notify] = (),
        plan_keeper: PlanKeeper | None = None,
        action_keeper: ActionKeeper | None = None,
    ) -> None:
        self._config = config
        self._broker = broker
        self._organs = organs
        self._reporter = reporter
        self._timers = timers
        self._companions = Companions(companions)
        self._surroundings = surroundings
        self._notices = notices
        self._to_tell = to_tell
        self._plan_keeper = plan_keeper
        self._action_keeper = action_keeper
        self.run_id = run_id_of(surroundings.wall(), surroundings.pid)
        self._begun = asyncio.Event()
        self._stop_wanted = asyncio.Event()
        self._signal = ""

    @property
    def engine(self) -> Engine:
        """The engine at work; its book may be read."""
        return self._organs.loop.engine

    @property
    def is_up(self) -> bool:
        """Whether the broker is connected."""
        return self._organs.connection.is_up

    @property
    def is_streaming(self) -> bool:
        """Whether, since the last connect, everything was asked and the data streams run."""
        return self._organs.connection.is_streaming

    @property
    def is_idle(self) -> bool:
        """Whether every event that came so far has been handled."""
        return not len(self._organs.inbox) and self._organs.loop.age_s() == 0

    async def run(self, *, until_close: bool) -> Ending:
        """Work until a signal or, with `until_close`, until the session is over and all is settled.

        Raises:
            ConfigError: the broker's account must not be traded, no plan to trade by, or a table is unreadable.
            Refused: the journal is ahead of the market's time.
            InvariantViolated: and whatever else a task died of; the journal is intact.
        """
        self._listen_to_signals()
        organs = self._organs
        beside = self._companions
        heartbeat = Heartbeat(
            config=self._config,
            run_id=self.run_id,
            organs=organs,
            surroundings=self._surroundings,
            sinks=beside.sinks,
            sources=beside.sources,
        )
        organs.loop.on_durable.append(heartbeat.on_durable)
        beside.start()
        for notice in self._to_tell:
            self._notices.tell(notice)
        reason = ""
        tasks = [
            _task("connection", organs.connection.run(self._begin)),
            _task("loop", self._after_begin(organs.loop.run)),
            _task("reports", self._reporter.run()),
            _task("heartbeat", heartbeat.run()),
        ]
        if self._action_keeper is not None:
            tasks.append(_task("actions", self._after_begin(self._action_keeper.run)))
        ends = [_task("signal", self._stop_wanted.wait())]
        if until_close:
            ends.append(_task("close", self._after_begin(self._closed_and_settled)))
        else:
            tasks.append(_task("session", self._after_begin(organs.session.run)))
            if self._plan_keeper is not None:
                tasks.append(_task("plan", self._after_begin(self._plan_keeper.run)))
        try:
            await asyncio.wait([*tasks, *ends], return_when=asyncio.FIRST_COMPLETED)
            _raise_of([*tasks, *ends])
            ending = await self._stop()
            _raise_of(tasks)
            heartbeat.beat()
        except Exception as error:
            reason = str(error) or type(error).__name__
            raise
        else:
            return ending
        finally:
            try:
                await self._leave([*tasks, *ends])
            finally:
                await beside.leave(reason)

    async def _begin(self) -> None:
        """Start the run in the journal, once the market's time is known; nothing is written before."""
        if self._begun.is_set():
            return
        organs = self._organs
        self._refuse_the_past()
        day_plan = None if self._plan_keeper is None else self._plan_keeper.at_start()
        rescaled = [] if self._action_keeper is None else self._action_keeper.at_start()
        run = Run(
            id=self.run_id,
            started_at=self._surroundings.wall().isoformat(),
            mode=self._config.mode,
            config_json=self._config.model_dump_json(),
            base_dir=str(self._config.base_dir.resolve()),
            code_version=code_version(),
            strategy_hashes=strategy_hashes(self._config),
        )
        organs.journal.start_run(run, organs.loop.engine.snapshot())
        await organs.loop.step(RunStarted(received_at=organs.clock.now(), run_id=run.id))
        await organs.loop.step(organs.session.scheduled())
        for event in rescaled:
            await organs.loop.step(event)
        if day_plan is not None:
            await organs.loop.step(day_plan)
        self._begun.set()

    def _refuse_the_past(self) -> None:
        last = self._organs.journal.last_received_at()
        if last is None:
            return
        now, place = self._organs.clock.now(), self._organs.journal.place
        behind_s = (last - now).total_seconds()
        text = f"{place}: ends at {last:%Y-%m-%d %H:%M:%S} UTC, but the market's time is {now:%Y-%m-%d %H:%M:%S}"
        if behind_s > (_BACK_IN_TIME_S_MAX if self._organs.clock.is_following else _CLOCK_SET_BACK_S_MAX):
            raise Refused(f"{text}; for an older session use another state_dir")
        if behind_s > _BACK_IN_TIME_S_MAX:  # positions in the market are not left alone because a clock was wrong
            text += "; the clock was set: time runs at half speed until it has caught up, check it"
            self._notices.tell(Notify(level="critical", code="clock_behind_journal", text=text))
        self._organs.clock.not_before(last)

    async def _after_begin(self, run: Callable[[], Coroutine[None, None, None]]) -> None:
        await self._begun.wait()
        await run()

    async def _closed_and_settled(self) -> None:
        """The session is over, the broker was asked after it, nothing is left open; or it took too long."""
        await self._organs.session.over()
        loop = asyncio.get_running_loop()
        until_s = loop.time() + SETTLE_AT_CLOSE_S
        while not await self._is_settled() and loop.time() < until_s:  # noqa: ASYNC110 - each look asks anew
            await asyncio.sleep(_POLL_S * 10)

    async def _is_settled(self) -> bool:
        if self._organs.connection.is_up:
            await self._reporter.report()
            await self._drained()
        book = self._organs.loop.engine.book
        return book.is_reconciled and not book.unprotected_plans() and not book.unknown_orders()

    async def _stop(self) -> Ending:
        """Pull entries, keep protection, ask a last time, keep a snapshot."""
        why = self._signal or "session closed"
        self._surroundings.notify(systemd.STOPPING, systemd.status(f"stopping ({why})"))
        organs = self._organs
        if self._begun.is_set():
            organs.inbox.put(StopRequested(received_at=organs.clock.now(), reason=why))
            await self._quiet()
            if organs.connection.is_up:
                await self._reporter.report()
            await self._drained()
            await _until(lambda: not organs.connection.is_up or not self._bare(), STOP_S)
            organs.loop.write_snapshot()
        return self._ending()

    async def _quiet(self) -> None:
        """Wait until no entry works any more, at most STOP_S: what is left is the next run's to settle."""
        await self._drained()
        await _until(lambda: not self._organs.connection.is_up or not self._entries(), STOP_S)

    def _bare(self) -> int:
        return len(self._organs.loop.engine.book.unprotected_plans())

    def _entries(self) -> list[str]:
        orders = self._organs.loop.engine.book.orders
        return [ref for ref, order in orders.items() if order.leg is Leg.ENTRY]

    async def _drained(self) -> None:
        """Wait until every event that came so far has been handled, at most STOP_S."""
        await _until(lambda: self.is_idle, STOP_S)

    def _ending(self) -> Ending:
        book = self._organs.loop.engine.book
        bare, held, entries = self._bare(), holdings_of(book), self._entries()
        profit = day_profit(book)
        parts = [
            f"run {self.run_id} stopped ({self._signal or 'session closed'})",
            f"round trips today: {len(book.round_trips)}",
            "day profit: " + ("unknown" if profit is None else f"{profit:+.2f} {self._config.universe.currency}"),
            "positions: " + ("; ".join(str(holding) for holding in held) or "none"),
            *([f"entries still working: {', '.join(entries)}"] if entries else []),
            f"unprotected positions: {bare}",
        ]
        is_settled = book.is_reconciled or bool(self._signal)  # a signal may come while nobody answers
        code = 130 if self._signal == signal.SIGINT.name else 0
        return Ending(exit_code=code if bare == 0 and is_settled else 1, summary="; ".join(parts))

    async def _leave(self, tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._timers.close()
        self._organs.feed.close()
        await self._broker.disconnect()
        self._organs.journal.close()

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.request_stop, number.name)

    def request_stop(self, why: str) -> None:
        """End the run in good order; `why` names the signal."""
        self._signal = why
        self._stop_wanted.set()


def journal_path(config: Config) -> Path:
    """Where a configuration's journal is, relative to config.toml's folder; paper and live each have one."""
    return config.base_dir / config.state_dir / config.mode / "journal.sqlite"


def log_path(config: Config) -> Path:
    """Where a configuration's log lines go. Relative to config.toml's folder."""
    return config.base_dir / config.log_dir / f"openbell-{config.mode}.jsonl"


async def _until(holds: Callable[[], bool], seconds: float) -> None:
    """Wait until the condition holds, at most so long."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + seconds
    while not holds() and loop.time() < until_s:  # noqa: ASYNC110 - what is awaited is a belief, not an event
        await asyncio.sleep(_POLL_S)


def _raise_of(tasks: list[asyncio.Task[None]]) -> None:
    """Raise what the first of the tasks died of, if one did."""
    for task in tasks:
        if task.done():
            task.result()


def _task(name: str, work: Coroutine[None, None, object]) -> asyncio.Task[None]:
    return asyncio.create_task(_alone(work), name=name)


async def _alone(work: Coroutine[None, None, object]) -> None:
    await work
