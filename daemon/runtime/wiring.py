"""Builds the parts of the daemon from the configuration and runs them."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import structlog

from brokers.port import Broker, BrokerListener, Clock
from daemon.runtime.action_keeper import ActionKeeper, actions_of
from daemon.runtime.clock import MarketClock, wall_now
from daemon.runtime.connection import Connection
from daemon.runtime.engine_port import BuildEngine, Engine
from daemon.runtime.executor import Executor
from daemon.runtime.feed import Feed, Intervals
from daemon.runtime.guard import check_start, live_facts
from daemon.runtime.ib_broker import ib_broker
from daemon.runtime.inbox import Inbox
from daemon.runtime.last_words import last_words
from daemon.runtime.lifecycle import Daemon, Ending, log_path
from daemon.runtime.loop import EngineLoop
from daemon.runtime.notices import Notices
from daemon.runtime.people import companions_of
from daemon.runtime.plan_keeper import PlanKeeper, check_plan
from daemon.runtime.recovery import recover
from daemon.runtime.reports import Reporter
from daemon.runtime.session import SessionKeeper
from daemon.runtime.stored_start import StoredStart
from daemon.runtime.surroundings import Surroundings
from daemon.runtime.timers import Timers
from daemon.runtime.version import code_version
from daemon.runtime.vital_signs import Organs
from shared.config import Config
from shared.errors import OpenbellError
from shared.events import BarsClosed, Event
from shared.io.journal import Journal
from shared.io.journal_place import open_journal
from shared.io.logging import bind_run, hide, set_up_logging
from shared.market import Bar, BarRow

_log = structlog.get_logger("openbell")
BuildBroker = Callable[[Config, BrokerListener, Clock], Broker]


class Callbacks:
    """The listener the broker gets: each call goes to the part that cares."""

    def __init__(self, feed: Feed, clock: MarketClock) -> None:
        self._feed = feed
        self._clock = clock
        self.forward: Callable[[Event], None]

    def on_event(self, event: Event) -> None:
        self.forward(event)

    def on_bar(self, symbol: str, opened_at: datetime, interval_s: int, bar: Bar) -> None:
        self._feed.on_bar(symbol, opened_at, interval_s, bar)

    def on_quote(self, symbol: str, bid: float, ask: float, at: datetime) -> None:
        self._feed.on_quote(symbol, bid, ask, at)

    def on_clock(self, market_at: datetime, speed: float) -> None:
        self._clock.follow(market_at, speed)


def assemble(
    config: Config,
    journal: Journal,
    build_engine: BuildEngine,
    build_broker: BuildBroker,
    surroundings: Surroundings | None = None,
) -> Daemon:
    """All parts of one run around the recovered engine; needs a running event loop. The default is the real world."""
    surroundings = surroundings or Surroundings()
    clock, inbox = _market_clock(config, surroundings), Inbox(config.runtime.inbox_size_max)
    rehearse(build_engine(config), config)
    to_tell = last_words(journal)
    engine = recover(journal, config, build_engine, code_version(), to_tell.append)
    feed = _feed(config, clock, inbox)
    feed.resume(engine.book.last_row_at)
    callbacks = Callbacks(feed, clock)
    broker = build_broker(config, callbacks, clock.now)
    reporter = Reporter(broker=broker, inbox=inbox, clock=clock, every_s=config.runtime.reconcile_every_s)
    timers, session, notices = Timers(clock, inbox), SessionKeeper(config.session, clock, inbox), Notices()
    connection = Connection(
        config=config,
        broker=broker,
        clock=clock,
        inbox=inbox,
        feed=feed,
        reporter=reporter,
        session=session,
        notices=notices,
        stored_start=StoredStart(config, build_engine, notices),
        account_id=engine.book.account.account_id if engine.book.account else "",
    )
    callbacks.forward = connection.on_event
    loop = EngineLoop(
        engine=engine,
        journal=journal,
        inbox=inbox,
        executor=Executor(broker=broker, reporter=reporter, timers=timers, inbox=inbox, clock=clock, notices=notices),
        clock=clock,
        snapshot_every_events=config.runtime.snapshot_every_events,
    )
    organs = Organs(
        clock=clock, inbox=inbox, feed=feed, connection=connection, loop=loop, journal=journal, session=session
    )
    return Daemon(
        config=config,
        broker=broker,
        organs=organs,
        reporter=reporter,
        timers=timers,
        companions=companions_of(config, notices, loop, clock, surroundings),
        surroundings=surroundings,
        notices=notices,
        to_tell=to_tell,
        plan_keeper=PlanKeeper(config, clock, inbox, surroundings.wall) if config.nightly.plan == "require" else None,
        action_keeper=_action_keeper(config, clock, inbox, notices, loop),
    )


def _feed(config: Config, clock: MarketClock, inbox: Inbox) -> Feed:
    return Feed(
        universe=config.universe_of(),
        intervals=Intervals(config.session.calendar, config.bars.interval_s),
        clock=clock,
        inbox=inbox,
        row_grace_s=config.bars.row_grace_s,
    )


def _action_keeper(
    config: Config, clock: MarketClock, inbox: Inbox, notices: Notices, loop: EngineLoop
) -> ActionKeeper | None:
    return ActionKeeper(config, clock, inbox, notices, lambda: loop.engine.book) if config.bars.actions else None


def _market_clock(config: Config, surroundings: Surroundings) -> MarketClock:
    may_follow = config.mode == "paper" and config.broker.follow_gateway_clock
    return MarketClock(may_follow=may_follow, monotonic=asyncio.get_running_loop().time, wall=surroundings.wall)


def rehearse(engine: Engine, config: Config) -> None:
    """Show a throw-away engine two rows: its kernels are compiled before the market waits for them."""
    nothing = np.full(len(config.universe.symbols), np.nan)
    row = BarRow(open=nothing, high=nothing, low=nothing, close=nothing, volume=nothing)
    for day in (1, 2):
        at = datetime(2000, 1, day, tzinfo=UTC)
        engine.handle(
            BarsClosed(received_at=at, closed_at=at, interval_s=config.bars.interval_s, row=row, warm_up=True)
        )


def run_daemon(config: Config, *, until_close: bool, live_flag: bool) -> Ending:
    """One whole run against Interactive Brokers (or whoever speaks its protocol).

    Raises:
        OpenbellError: of whatever kind ended it; the same line is in the log.
    """
    arming = check_start(config, live_flag=live_flag, today=wall_now().date(), environ=os.environ)
    check_plan(config)
    if config.bars.actions:
        actions_of(config)
    set_up_logging(log_path(config))
    hide(config.account)
    if arming is not None:
        _log.warning("live_trading", **live_facts(config, arming))
    try:
        return asyncio.run(_run(config, until_close=until_close))
    except OpenbellError as error:
        _log.critical("run_ended", error=type(error).__name__, reason=str(error))
        raise
    except Exception:
        _log.critical("run_ended", exc_info=True)
        raise


async def _run(config: Config, *, until_close: bool) -> Ending:
    from daemon.engine.assembly import build_engine

    journal = open_journal(config)
    try:
        daemon = assemble(config, journal, build_engine, ib_broker)
    except BaseException:
        journal.close()
        raise
    gc.collect()
    gc.freeze()  # what was loaded at the start is no garbage: a collection that looks at it again takes tens of ms
    bind_run(daemon.run_id, code_version())
    risk = config.risk
    _log.info("limits", owner=risk.owner, reviewed_on=risk.reviewed_on, reason=risk.reason)
    return await daemon.run(until_close=until_close)
