"""One structured line every few seconds: how the daemon does, and what it holds.

systemd's watchdog is fed only if, since the last beat, the engine's loop was not stuck, the question for the
broker's time was asked (or a connection is being tried), and the journal could be written.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import structlog
from msgspec import Struct, to_builtins

from daemon.runtime import systemd
from daemon.runtime.clock import MarketClock
from daemon.runtime.connection import Connection
from daemon.runtime.feed import Feed
from daemon.runtime.holdings import day_profit, gross_exposure, holdings_of, trading_state
from daemon.runtime.inbox import Inbox
from daemon.runtime.loop import EngineLoop
from daemon.runtime.session import SessionKeeper
from shared.config import Config
from shared.io.journal import Journal
from shared.io.logging import HEARTBEAT

_log = structlog.get_logger("openbell")
_STUCK_S = 5.0


class Organs(Struct, frozen=True, kw_only=True):
    """The parts whose signs of life are read."""

    clock: MarketClock
    inbox: Inbox
    feed: Feed
    connection: Connection
    loop: EngineLoop
    journal: Journal
    session: SessionKeeper


class Heartbeat:
    """Beats for ever; each beat is one log line and, if all is well, one to systemd."""

    def __init__(self, *, config: Config, run_id: str, organs: Organs) -> None:
        self._config = config
        self._run_id = run_id
        self._organs = organs
        self._questions_seen = -1
        self._lag_s = 0.0
        self._is_ready = False

    async def run(self) -> None:
        """Beat every `heartbeat_every_s` wall seconds."""
        every_s = self._config.runtime.heartbeat_every_s
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + every_s
            self.beat()
            await asyncio.sleep(every_s)
            self._lag_s = max(0.0, loop.time() - due_s)

    def beat(self) -> None:
        """One beat. A disk that does not answer shows here as sqlite3.Error, and ends the run."""
        started = time.perf_counter()
        self._organs.journal.sync()
        commit_s = max(self._organs.loop.take_commit_s_max(), time.perf_counter() - started)
        _log.info(HEARTBEAT, **self._head(), **self._outside(), **self._beliefs(), **self._inside(commit_s))
        self._tell_systemd()

    def _head(self) -> dict[str, object]:
        book = self._organs.loop.engine.book
        return {
            "mode": self._config.mode,
            "run": self._run_id,
            "state": trading_state(book),
            "reconciled": book.is_reconciled,
        }

    def _outside(self) -> dict[str, object]:
        """The world: connection, market time, session hours, the four ages in seconds (None = never seen)."""
        organs, now_s = self._organs, asyncio.get_running_loop().time()
        probe, market_at = organs.connection.probe, organs.clock.now()
        seen_at, hours = organs.feed.last_bar_at, organs.session.hours
        return {
            "connection": organs.connection.state.value,
            "market_at": market_at.isoformat(timespec="seconds"),
            "session": None if hours is None else f"{hours.session}",
            "opens_at": None if hours is None else hours.opens_at.isoformat(),
            "closes_at": None if hours is None else hours.closes_at.isoformat(),
            "loop_age_s": round(organs.loop.age_s(), 3),
            "probe_age_s": None if probe.answered_s is None else round(now_s - probe.answered_s, 1),
            "data_age_s": None if seen_at is None else round((market_at - seen_at).total_seconds(), 1),
            "clock_offset_s": round(probe.clock_offset_s, 1),
        }

    def _beliefs(self) -> dict[str, object]:
        """The book: what is held, what protects it, what works, and the money in currency."""
        book = self._organs.loop.engine.book
        exposure = gross_exposure(book, self._config.universe.symbols)
        return {
            "positions": [to_builtins(held) for held in holdings_of(book)],
            "unprotected": len(book.unprotected_plans()),
            "working": [f"{ref} {order.status.value} {order.remaining}" for ref, order in book.orders.items()],
            "unknown": len(book.unknown_orders()),
            "locks": {symbol: lock.cause for symbol, lock in book.locks.items()},
            "equity": book.equity,
            "day_profit": day_profit(book),
            "gross_exposure": round(exposure, 2),
        }

    def _inside(self, commit_s: float) -> dict[str, object]:
        """The process itself."""
        organs = self._organs
        return {
            "events": organs.loop.handled,
            "queue": len(organs.inbox),
            "conflated": organs.inbox.conflated,
            "bars_late": organs.feed.counts.late,
            "bars_impossible": organs.feed.counts.impossible,
            "commit_ms": round(commit_s * 1000, 2),
            "lag_ms": round(self._lag_s * 1000, 1),
            "memory_mb": _memory_mb(),
        }

    def _tell_systemd(self) -> None:
        asked = self._organs.connection.probe.asked
        has_asked = asked != self._questions_seen or not self._organs.connection.is_up
        self._questions_seen = asked
        if not self._is_ready and self._organs.loop.engine.book.is_reconciled:
            self._is_ready = systemd.notify("READY=1")
        if not self._is_ready:
            # Waiting for a gateway is no failure to start: ask for three more beats.
            systemd.notify(f"EXTEND_TIMEOUT_USEC={int(self._config.runtime.heartbeat_every_s * 3e6)}")
        if has_asked and self._organs.loop.age_s() < _STUCK_S:
            systemd.notify("WATCHDOG=1")


def _memory_mb() -> float:
    """Resident memory of this process now (proc(5): the second field of statm counts pages)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)
