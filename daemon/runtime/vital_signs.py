"""The facts of one heartbeat: the world outside, the beliefs of the book, the process itself, and the verdict."""

from __future__ import annotations

import asyncio
from pathlib import Path

from msgspec import Struct, to_builtins

from daemon.runtime.clock import MarketClock
from daemon.runtime.connection import Connection
from daemon.runtime.feed import Feed
from daemon.runtime.holdings import day_profit, gross_exposure, holdings_of, trading_state
from daemon.runtime.inbox import Inbox
from daemon.runtime.loop import EngineLoop
from daemon.runtime.session import SessionKeeper
from daemon.runtime.surroundings import Surroundings
from daemon.runtime.verdict import Signs, Thresholds, Verdict, judge
from risk.trading_state import ACCOUNT
from shared.config import Config
from shared.io.journal import Journal

Facts = dict[str, object]


class Organs(Struct, frozen=True, kw_only=True):
    """The parts whose signs of life are read."""

    clock: MarketClock
    inbox: Inbox
    feed: Feed
    connection: Connection
    loop: EngineLoop
    journal: Journal
    session: SessionKeeper


class Measured(Struct, frozen=True, kw_only=True):
    """What the beating itself has measured: slowest durable write, its own lateness, the step of the wall's clock."""

    commit_s: float
    lag_s: float
    wall_step_s: float


class VitalSigns:
    """Reads the organs; changes nothing."""

    def __init__(self, *, config: Config, run_id: str, organs: Organs, surroundings: Surroundings) -> None:
        every_s = config.runtime.heartbeat_every_s
        self._config = config
        self._run_id = run_id
        self._organs = organs
        self._surroundings = surroundings
        self._began_s = asyncio.get_running_loop().time()
        self._state_dir = _existing(config.base_dir / config.state_dir)
        self._limits = Thresholds(
            # A probe leaves every beat and may take its time-out: later than two of both is silence.
            probe_age_s_max=2 * (every_s + config.broker.request_timeout_s),
            silence_s_max=max(config.risk.price_age_max_s, 60.0),
            queue_max=config.runtime.inbox_size_max,
        )

    def facts(self, measured: Measured) -> Facts:
        """Everything one heartbeat tells, JSON types only."""
        signs = self._signs(measured)
        head, inside = self._head(judge(signs, self._limits)), self._inside(signs)
        return {**head, **self._outside(signs), **self._trust(), **self._beliefs(), **inside}

    def _head(self, verdict: Verdict) -> Facts:
        book = self._organs.loop.engine.book
        return {
            "verdict": verdict.level.value,
            "causes": list(verdict.causes),
            "mode": self._config.mode,
            "run": self._run_id,
            "every_s": self._config.runtime.heartbeat_every_s,
            "uptime_s": round(asyncio.get_running_loop().time() - self._began_s),
            "state": trading_state(book),
            "reconciled": book.is_reconciled,
            "stopping": book.is_stopping,
        }

    def _outside(self, signs: Signs) -> Facts:
        """The world: connection, market time, session hours, the four ages in seconds (None = never seen)."""
        organs = self._organs
        market_at, seen_at, hours = organs.clock.now(), organs.feed.last_bar_at, organs.session.hours
        return {
            "connection": organs.connection.state.value,
            "reconnects": organs.connection.reconnects,
            "market_at": market_at.isoformat(timespec="seconds"),
            "session": None if hours is None else f"{hours.session}",
            "session_open": signs.is_session_open,
            "opens_at": None if hours is None else hours.opens_at.isoformat(),
            "closes_at": None if hours is None else hours.closes_at.isoformat(),
            "quiet": signs.quiet or None,
            "loop_age_s": round(signs.loop_age_s, 3),
            "probe_age_s": None if signs.probe_age_s is None else round(signs.probe_age_s, 1),
            "data_age_s": None if seen_at is None else round((market_at - seen_at).total_seconds(), 1),
            "clock_offset_s": round(signs.clock_offset_s, 1),
        }

    def _trust(self) -> Facts:
        """What is not to be relied on: locks with cause and age, latched limits, halts, data quality."""
        book, now = self._organs.loop.engine.book, self._organs.clock.now()
        return {
            "locks": {
                symbol: f"{lock.cause} (for {(now - lock.since).total_seconds():.0f} s)"
                for symbol, lock in book.locks.items()
            },
            "latches": {
                _scope_name(scope): [latch.text for latch in latches]
                for scope, latches in book.breakers.latched.items()
                if latches
            },
            "halted": list(book.market.halted),
            "data_quality": dict(book.market.quality),
        }

    def _beliefs(self) -> Facts:
        """The book: what is held, what protects it, what works, and the money in currency."""
        book = self._organs.loop.engine.book
        exposure = gross_exposure(book, self._config.universe.symbols)
        equity, limit = book.equity, self._config.risk.max_gross_exposure
        return {
            "positions": [to_builtins(held) for held in holdings_of(book)],
            "unprotected": len(book.unprotected_plans()),
            "working": [f"{ref} {order.status.value} {order.remaining}" for ref, order in book.orders.items()],
            "unknown": len(book.unknown_orders()),
            "equity": equity,
            "day_profit": day_profit(book),
            "gross_exposure": round(exposure, 2),
            "exposure_limit": None if equity is None else round(equity * limit, 2),
            "round_trips": len(book.round_trips),
            "slippage": round(book.watch.slippage, 2),
        }

    def _inside(self, signs: Signs) -> Facts:
        """The process itself."""
        organs = self._organs
        return {
            "events": organs.loop.handled,
            "queue": signs.queue,
            "conflated": organs.inbox.conflated,
            "bars_late": organs.feed.counts.late,
            "bars_impossible": organs.feed.counts.impossible,
            "commit_ms": round(signs.commit_ms, 2),
            "lag_ms": round(signs.lag_ms, 1),
            "wall_step_s": round(signs.wall_step_s, 2),
            "memory_mb": round(self._surroundings.memory_mb(), 1),
            "tasks": self._surroundings.task_count(),
            "disk_free_mb": round(signs.disk_free_mb, 1),
        }

    def _signs(self, measured: Measured) -> Signs:
        organs, book = self._organs, self._organs.loop.engine.book
        return Signs(
            is_up=organs.connection.is_up,
            is_reconciled=book.is_reconciled,
            quiet=_quiet(organs.session),
            is_session_open=self._is_session_open(),
            has_positions=bool(book.positions()),
            loop_age_s=organs.loop.age_s(),
            probe_age_s=self._probe_age_s(),
            silence_s=self._silence_s(),
            clock_offset_s=organs.connection.probe.clock_offset_s,
            wall_step_s=measured.wall_step_s,
            followed_speed=organs.clock.speed if organs.clock.is_following else None,
            unprotected=len(book.unprotected_plans()),
            unknown=len(book.unknown_orders()),
            locks={symbol: lock.cause for symbol, lock in book.locks.items()},
            latches={scope: [latch.rule for latch in found] for scope, found in book.breakers.latched.items() if found},
            halted=list(book.market.halted),
            data_quality=dict(book.market.quality),
            queue=len(organs.inbox),
            lag_ms=measured.lag_s * 1000,
            commit_ms=measured.commit_s * 1000,
            disk_free_mb=self._surroundings.disk_free_mb(self._state_dir),
        )

    def _is_session_open(self) -> bool:
        hours = self._organs.session.hours
        return hours is not None and hours.opens_at <= self._organs.clock.now() < hours.closes_at

    def _probe_age_s(self) -> float | None:
        answered_s = self._organs.connection.probe.answered_s
        return None if answered_s is None else asyncio.get_running_loop().time() - answered_s

    def _silence_s(self) -> float:
        """Market seconds without a bar; what went before the open or before the last connect does not count."""
        hours, book = self._organs.session.hours, self._organs.loop.engine.book
        seen_at, now = self._organs.feed.last_bar_at, self._organs.clock.now()
        marks = (seen_at, book.connected_at, None if hours is None else hours.opens_at)
        known = [mark for mark in marks if mark is not None]
        return max(0.0, (now - max(known)).total_seconds()) if known else 0.0


def _quiet(session: SessionKeeper) -> str:
    window = session.quiet_now()
    return "" if window is None else f"{window.reason} until {window.ends_at:%H:%M} UTC"


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _scope_name(scope: str) -> str:
    """The log hides the value of a key named account, whatever it is."""
    return "account-wide" if scope == ACCOUNT else scope
