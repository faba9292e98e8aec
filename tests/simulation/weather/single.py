"""One incident by itself, of every kind but the gateway's own faults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from tests.simulation.plan import ClockStep, Crash, DiskFault, Incident, MqttFault, NetworkFault, Stop
from tests.simulation.weather.chances import between, weighted, whether
from tests.simulation.weather.persons import anything
from tests.simulation.weather.span import CRASH_WAITS_S, UNIT_RESTART_S
from tests.simulation.weather.stage import Stage

Where: TypeAlias = Literal["step", "before_commit", "after_commit", "sending"]
Disturbance: TypeAlias = Literal["reset", "close", "deaf", "stall", "slow"]
Line: TypeAlias = Literal["orders", "data", "both"]
Spoiling: TypeAlias = Literal["full", "broken", "slow"]
Silence: TypeAlias = Literal["down", "channel_down"]
NETWORK: dict[Disturbance, float] = {
    "reset": 0.25,
    "close": 0.15,
    "deaf": 0.2,
    "stall": 0.2,
    "slow": 0.2,
}
LINES: dict[Line, float] = {"orders": 0.5, "data": 0.2, "both": 0.3}
LASTS_S = {"reset": (0.0, 0.0), "close": (0.0, 0.0), "deaf": (5.0, 600.0), "stall": (0.2, 180.0), "slow": (10.0, 600.0)}
CRASHES: dict[Where, float] = {"step": 0.4, "before_commit": 0.2, "after_commit": 0.2, "sending": 0.2}
NTH: dict[Where, int] = {"step": 400, "before_commit": 12, "after_commit": 12, "sending": 6}
DOWN_S = (0.1, 600.0)
SILENCES: tuple[Silence, ...] = ("down", "channel_down")
DISK: dict[Spoiling, float] = {"full": 0.3, "broken": 0.3, "slow": 0.4}


def network_fault(
    stage: Stage,
    at_s: float | None = None,
    what: Disturbance | None = None,
    line: Line | None = None,
) -> NetworkFault:
    """Latency from a millisecond to half a minute, stalls, half-open lines, ends with and without RST."""
    chance = stage.chance
    drawn: Disturbance = weighted(chance, NETWORK) if what is None else what
    on: Line = weighted(chance, LINES) if line is None else line
    lasts_s = stage.lasting(*LASTS_S[drawn]) if LASTS_S[drawn][0] else 0.0
    return NetworkFault(
        at_s=_fitted(stage, at_s, lasts_s),
        what=drawn,
        line=on,
        for_s=lasts_s,
        size_s=between(chance, 0.001, 30.0) if drawn == "slow" else 0.0,
    )


def crash(stage: Stage, at_s: float | None = None, where: Where | None = None, down_s: float = 0.0) -> Crash:
    """At any await, around any durable write, in the middle of sending; back after 0.1 s to ten minutes."""
    chance = stage.chance
    drawn: Where = weighted(chance, CRASHES) if where is None else where
    away_s = down_s or stage.lasting(*DOWN_S)
    return Crash(
        at_s=_fitted(stage, at_s, CRASH_WAITS_S + away_s),
        where=drawn,
        nth=round(between(chance, 1, NTH[drawn])),
        down_s=away_s,
    )


def disk_fault(stage: Stage, at_s: float | None = None, what: Spoiling | None = None) -> DiskFault:
    drawn: Spoiling = weighted(stage.chance, DISK) if what is None else what
    lasts_s = stage.lasting(1.0, 120.0)
    return DiskFault(
        at_s=_fitted(stage, at_s, lasts_s + UNIT_RESTART_S),
        what=drawn,
        for_s=lasts_s,
        size_s=between(stage.chance, 0.005, 3.0) if drawn == "slow" else 0.0,
    )


def clock_steps(stage: Stage, at_s: float | None = None) -> list[ClockStep]:
    """Mostly a few seconds, now and then up to an hour; sooner or later it is set right again."""
    chance = stage.chance
    size_s = between(chance, 0.1, 5.0) if whether(chance, 0.75) else between(chance, 5.0, 3600.0)
    by_s = size_s * chance.choice((-1, 1))
    wrong_s = stage.lasting(5.0, 3600.0)
    begins_s = _fitted(stage, at_s, wrong_s)
    return [ClockStep(at_s=begins_s, by_s=by_s), ClockStep(at_s=round(begins_s + wrong_s, 3), by_s=-by_s)]


def mqtt_fault(stage: Stage, at_s: float | None = None, what: Silence | None = None) -> MqttFault:
    drawn = stage.chance.choice(SILENCES) if what is None else what
    lasts_s = stage.lasting(5.0, 1800.0)
    return MqttFault(at_s=_fitted(stage, at_s, lasts_s), what=drawn, for_s=lasts_s)


def stop(stage: Stage, at_s: float | None = None) -> Stop:
    down_s = stage.lasting(*DOWN_S)
    return Stop(at_s=_fitted(stage, at_s, down_s), down_s=down_s)


SINGLE: dict[str, Callable[[Stage], list[Incident]]] = {
    "network": lambda stage: [network_fault(stage)],
    "crash": lambda stage: [crash(stage)],
    "disk": lambda stage: [disk_fault(stage)],
    "clock": lambda stage: [*clock_steps(stage)],
    "mqtt": lambda stage: [mqtt_fault(stage)],
    "operator": lambda stage: [*anything(stage)],
    "stop": lambda stage: [stop(stage)],
}
"""By the kinds of level.KINDS."""


def _fitted(stage: Stage, at_s: float | None, needs_s: float) -> float:
    """A moment, to the millisecond, that leaves enough time; drawn if it is not given."""
    if at_s is None:
        at_s = stage.eve_moment()
    if at_s is None:
        at_s = float(stage.moment(needs_s)) + stage.chance.random()
    latest_s = stage.last_s - needs_s
    return round(min(at_s, latest_s), 3)
