"""One word on how the daemon does: each row is one thing that is wrong with an otherwise healthy daemon."""

import pytest
from msgspec.structs import replace

from daemon.runtime.verdict import Level, Signs, Thresholds, judge

LIMITS = Thresholds(probe_age_s_max=40.0, silence_s_max=120.0, queue_max=1000)
HEALTHY = Signs(
    is_up=True,
    is_reconciled=True,
    quiet="",
    is_session_open=True,
    has_positions=True,
    loop_age_s=0.0,
    probe_age_s=3.0,
    silence_s=5.0,
    clock_offset_s=0.4,
    wall_step_s=0.0,
    followed_speed=None,
    unprotected=0,
    unknown=0,
    locks={},
    latches={},
    halted=[],
    data_quality={},
    queue=0,
    lag_ms=1.0,
    commit_ms=3.0,
    disk_free_mb=50_000.0,
)


def test_a_healthy_daemon_is_ok_and_has_nothing_to_say():
    verdict = judge(HEALTHY, LIMITS)
    assert (verdict.level, verdict.causes) == (Level.OK, ())


@pytest.mark.parametrize(
    ("wrong", "level", "cause"),
    [
        ({"loop_age_s": 5.0}, "critical", "loop stuck on one event for 5 s"),
        ({"unprotected": 1}, "critical", "positions without a whole stop: 1"),
        ({"is_up": False}, "critical", "broker not connected"),
        ({"is_up": False, "quiet": "daily restart"}, "degraded", "broker not connected, as expected: daily restart"),
        ({"probe_age_s": 41.0}, "critical", "broker has not told its time for 41 s"),
        ({"is_reconciled": False}, "degraded", "not reconciled with the broker yet"),
        ({"silence_s": 31.0}, "degraded", "no market data for 31 s"),
        ({"silence_s": 121.0}, "critical", "no market data for 121 s"),
        ({"silence_s": 900.0, "followed_speed": 5.0}, "critical", "no market data for 900 s"),
        ({"data_quality": {"SPY": "delayed"}}, "degraded", "market data of SPY: delayed"),
        ({"data_quality": {"": "competing"}}, "degraded", "market data of all instruments: competing"),
        ({"halted": ["IBM"]}, "degraded", "halted by the exchange: IBM"),
        ({"clock_offset_s": -2.5}, "degraded", "clock differs from the broker's by -2.5 s"),
        ({"clock_offset_s": 31.0}, "critical", "clock differs from the broker's by +31.0 s"),
        ({"wall_step_s": -1.5}, "degraded", "wall clock stepped by -1.5 s (set, or the machine slept)"),
        ({"wall_step_s": 3600.0}, "degraded", "wall clock stepped by +3600.0 s (set, or the machine slept)"),
        ({"latches": {"account": ["max_day_loss"]}}, "degraded", "limit latched for account: max_day_loss"),
        ({"locks": {"SPY": "broker holds 5 more"}}, "degraded", "SPY locked: broker holds 5 more"),
        ({"unknown": 2}, "degraded", "orders of unknown fate: 2"),
        ({"queue": 501}, "degraded", "501 events wait for the engine, room for 1000"),
        ({"lag_ms": 251.0}, "degraded", "process late by 251 ms"),
        ({"commit_ms": 300.0}, "degraded", "journal slow: 300 ms for one durable write"),
        ({"disk_free_mb": 999.0}, "degraded", "disk of state_dir nearly full: 999 MB free"),
        ({"disk_free_mb": 99.0}, "critical", "disk of state_dir nearly full: 99 MB free"),
    ],
)
def test_what_is_wrong_is_named_and_weighed(wrong, level, cause):
    verdict = judge(replace(HEALTHY, **wrong), LIMITS)
    assert (verdict.level, verdict.causes) == (level, (cause,))


@pytest.mark.parametrize(
    "harmless",
    [
        {"silence_s": 80_000.0, "is_session_open": False},
        {"silence_s": 400.0, "quiet": "nightly reset"},
        {"silence_s": 140.0, "followed_speed": 5.0},
        {"clock_offset_s": 900.0, "followed_speed": 60.0},
        {"clock_offset_s": 1.0},
        {"wall_step_s": 0.9},
        {"probe_age_s": None},
    ],
)
def test_what_is_expected_is_no_cause(harmless):
    assert judge(replace(HEALTHY, **harmless), LIMITS).level is Level.OK


def test_a_lost_line_asks_for_nobody_while_the_market_is_closed_and_nothing_is_held():
    away = replace(HEALTHY, is_up=False, is_session_open=False, has_positions=False)
    assert judge(away, LIMITS).level is Level.DEGRADED
    assert judge(replace(away, has_positions=True), LIMITS).level is Level.CRITICAL


def test_every_cause_is_named_the_worst_first():
    verdict = judge(replace(HEALTHY, unknown=1, unprotected=2), LIMITS)
    assert verdict.level is Level.CRITICAL
    assert verdict.causes == ("positions without a whole stop: 2", "orders of unknown fate: 1")
