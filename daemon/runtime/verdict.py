"""One word on how the daemon does, with the causes in words: a pure function over what a heartbeat has seen.

`critical` asks for a person now: something held may be unprotected, or nobody watches over it. `degraded` means that
Openbell has noticed something and has already acted (or waits); `ok` that there is nothing to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

STUCK_S = 5.0
CLOCK_STEP_S_MAX = 1.0
_CLOCK_OFFSET_S = (2.0, 30.0)
"""Degraded, critical; the broker tells its time in whole seconds, so that up to one second is no difference."""
_SILENCE_S_DEGRADED = 30.0
_LAG_MS_MAX = 250.0
_COMMIT_MS_MAX = 250.0
_DISK_MB = (1_000.0, 100.0)
_QUEUE_SHARE_MAX = 0.5


class Level(StrEnum):
    """How bad it is, from nothing to say to a person is needed now."""

    OK = "ok"
    DEGRADED = "degraded"
    CRITICAL = "critical"


_ORDER = tuple(Level)


class Signs(Struct, frozen=True, kw_only=True):
    """What a heartbeat has seen; ages in seconds, None = never.

    `quiet` says why silence is expected, empty if it is not. `silence_s` is the time without a bar in market seconds,
    of which `followed_speed` pass in one of the wall's; None = no simulated market is followed. `wall_step_s` is how
    much further (or less far) than the monotonic clock the wall's clock went since the last beat. `locks` is symbol to
    cause, `latches` scope to rules, `data_quality` symbol ('' = all) to what the data are worth.
    """

    is_up: bool
    is_reconciled: bool
    quiet: str
    is_session_open: bool
    has_positions: bool
    loop_age_s: float
    probe_age_s: float | None
    silence_s: float
    clock_offset_s: float
    wall_step_s: float
    followed_speed: float | None
    unprotected: int
    unknown: int
    locks: dict[str, str]
    latches: dict[str, list[str]]
    halted: list[str]
    data_quality: dict[str, str]
    queue: int
    lag_ms: float
    commit_ms: float
    disk_free_mb: float


class Thresholds(Struct, frozen=True, kw_only=True):
    """What the configuration says about lateness."""

    probe_age_s_max: float
    silence_s_max: float
    queue_max: int


class Verdict(Struct, frozen=True, kw_only=True):
    """The worst level of all causes, and every cause, the worst first."""

    level: Level
    causes: tuple[str, ...]


def judge(signs: Signs, limits: Thresholds) -> Verdict:
    """Every cause is named, not only the worst."""
    found = [
        *_process(signs, limits),
        *_broker(signs, limits),
        *_data(signs, limits),
        *_clock(signs),
        *_exposure(signs),
    ]
    found.sort(key=lambda cause: -_ORDER.index(cause[0]))  # stable: within a level in the order of the tables
    return Verdict(level=found[0][0] if found else Level.OK, causes=tuple(text for _, text in found))


_Cause = tuple[Level, str]


def _process(signs: Signs, limits: Thresholds) -> Iterator[_Cause]:
    if signs.loop_age_s >= STUCK_S:
        yield Level.CRITICAL, f"loop stuck on one event for {signs.loop_age_s:.0f} s"
    if signs.disk_free_mb < _DISK_MB[0]:
        level = Level.CRITICAL if signs.disk_free_mb < _DISK_MB[1] else Level.DEGRADED
        yield level, f"disk of state_dir nearly full: {signs.disk_free_mb:.0f} MB free"
    if signs.queue > limits.queue_max * _QUEUE_SHARE_MAX:
        yield Level.DEGRADED, f"{signs.queue} events wait for the engine, room for {limits.queue_max}"
    if signs.lag_ms > _LAG_MS_MAX:
        yield Level.DEGRADED, f"process late by {signs.lag_ms:.0f} ms"
    if signs.commit_ms > _COMMIT_MS_MAX:
        yield Level.DEGRADED, f"journal slow: {signs.commit_ms:.0f} ms for one durable write"


def _broker(signs: Signs, limits: Thresholds) -> Iterator[_Cause]:
    if not signs.is_up:
        if signs.quiet:
            yield Level.DEGRADED, f"broker not connected, as expected: {signs.quiet}"
        elif signs.is_session_open or signs.has_positions:
            yield Level.CRITICAL, "broker not connected"
        else:
            yield Level.DEGRADED, "broker not connected, the market is closed and nothing is held"
        return
    if signs.probe_age_s is not None and signs.probe_age_s > limits.probe_age_s_max:
        yield Level.CRITICAL, f"broker has not told its time for {signs.probe_age_s:.0f} s"
    if not signs.is_reconciled:
        yield Level.DEGRADED, "not reconciled with the broker yet"


def _data(signs: Signs, limits: Thresholds) -> Iterator[_Cause]:
    """Silence is judged while the session is open and the line is up: else it is expected, or named already."""
    for symbol, quality in signs.data_quality.items():
        yield Level.DEGRADED, f"market data of {symbol or 'all instruments'}: {quality}"
    if signs.halted:
        yield Level.DEGRADED, f"halted by the exchange: {', '.join(signs.halted)}"
    if not signs.is_session_open or not signs.is_up or signs.quiet:
        return
    pace = max(1.0, signs.followed_speed or 1.0)
    if signs.silence_s > limits.silence_s_max * pace:
        yield Level.CRITICAL, f"no market data for {signs.silence_s:.0f} s"
    elif signs.silence_s > _SILENCE_S_DEGRADED * pace:
        yield Level.DEGRADED, f"no market data for {signs.silence_s:.0f} s"


def _clock(signs: Signs) -> Iterator[_Cause]:
    if abs(signs.wall_step_s) > CLOCK_STEP_S_MAX:
        yield Level.DEGRADED, f"wall clock stepped by {signs.wall_step_s:+.1f} s (set, or the machine slept)"
    offset_s = abs(signs.clock_offset_s)
    if signs.followed_speed is None and offset_s > _CLOCK_OFFSET_S[0]:
        level = Level.CRITICAL if offset_s > _CLOCK_OFFSET_S[1] else Level.DEGRADED
        yield level, f"clock differs from the broker's by {signs.clock_offset_s:+.1f} s"


def _exposure(signs: Signs) -> Iterator[_Cause]:
    if signs.unprotected:
        yield Level.CRITICAL, f"positions without a whole stop: {signs.unprotected}"
    for scope, rules in signs.latches.items():
        yield Level.DEGRADED, f"limit latched for {scope}: {', '.join(rules)}"
    for symbol, why in signs.locks.items():
        yield Level.DEGRADED, f"{symbol} locked: {why}"
    if signs.unknown:
        yield Level.DEGRADED, f"orders of unknown fate: {signs.unknown}"
