"""What one simulated run is: a value from a seed, that can be written down, cut smaller and played again."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

Weather: TypeAlias = Literal["calm", "rough", "brutal", "storm"]


class GatewayFault(Struct, frozen=True, kw_only=True, tag="gateway", tag_field="kind"):
    """One of the 54 of TWS.md 4, as a rule of the gateway's fault scripts (docs/gateway.md): name, day, at, for_s, nth,
    ...
    """

    rule: dict[str, Any]


class NetworkFault(Struct, frozen=True, kw_only=True, tag="network", tag_field="kind"):
    """`what`: reset, close, deaf (half open), stall (all held, then delivered), slow (latency up to `size_s`); `line`
    orders, data, both.
    """

    at_s: float
    what: Literal["reset", "close", "deaf", "stall", "slow"]
    line: Literal["orders", "data", "both"]
    for_s: float = 0.0
    size_s: float = 0.0


class Crash(Struct, frozen=True, kw_only=True, tag="crash", tag_field="kind"):
    """The process is killed: `where` step (at the nth step of one of its tasks after `at_s`), before_commit or
    after_commit (of the nth durable write after `at_s`), sending (after the nth byte burst after `at_s`). It starts
    again `down_s` later.
    """

    at_s: float
    where: Literal["step", "before_commit", "after_commit", "sending"]
    nth: int
    down_s: float


class DiskFault(Struct, frozen=True, kw_only=True, tag="disk", tag_field="kind"):
    """The journal's disk: full or broken (every write fails for `for_s`), slow (each durable write takes `size_s`)."""

    at_s: float
    what: Literal["full", "broken", "slow"]
    for_s: float
    size_s: float = 0.0


class ClockStep(Struct, frozen=True, kw_only=True, tag="clock", tag_field="kind"):
    """The daemon's wall clock jumps by `by_s` (either sign); the monotonic one does not."""

    at_s: float
    by_s: float


class MqttFault(Struct, frozen=True, kw_only=True, tag="mqtt", tag_field="kind"):
    """The MQTT broker is away, or the alert channel (webhook) fails, for so long.

    Or a command comes that no person gave: forged (signed with another key), replayed (the last one of a person again),
    retained (one that the broker has kept, published while no daemon listens); each is to be refused, `for_s` is 0.
    """

    at_s: float
    what: Literal["down", "channel_down", "forged", "replayed", "retained"]
    for_s: float


class Operator(Struct, frozen=True, kw_only=True, tag="operator", tag_field="kind"):
    """A person's order by the control socket or by a signed MQTT command."""

    at_s: float
    verb: Literal["halt", "reduce", "resume", "flatten", "observe", "block", "reset", "accept"]
    scope: str
    by: Literal["socket", "mqtt"] = "socket"


class Stop(Struct, frozen=True, kw_only=True, tag="stop", tag_field="kind"):
    """The daemon is ended in good order (SIGTERM) and started again `down_s` later."""

    at_s: float
    down_s: float


Incident: TypeAlias = GatewayFault | NetworkFault | Crash | DiskFault | ClockStep | MqttFault | Operator | Stop


class Market(Struct, frozen=True, kw_only=True):
    """The seeded market: `eventful` has halts, gaps, splits and dividends; `first_session` is a day of New York (ISO).

    `eve_s`: so many seconds before the first session's close the run begins, followed by the night and the whole next
    session; 0 = the run is one whole session. `lasts_s`: the run ends so many seconds after the open of the last
    session; 0 = after its close. `sessions`: without an eve so many whole sessions follow each other, with the nights
    between them.
    """

    seed: int
    symbols: tuple[str, ...]
    first_session: str
    is_eventful: bool
    eve_s: int = 0
    lasts_s: int = 0
    sessions: int = 1


class Plan(Struct, frozen=True, kw_only=True):
    """One run. `at_s` of incidents counts from the open of the first whole session; negative is before it.

    `daemon` are changed sections of the configuration (strategy, exits, bars, execution ...), as
    tests/scenarios/floor.py takes them. `shuffle` = ready tasks run in seeded order. No incident begins in the last
    `calm_s` of the run, and what lasts has ended.
    """

    seed: int
    weather: Weather
    market: Market
    daemon: dict[str, Any]
    incidents: tuple[Incident, ...]
    latency_s: tuple[float, float]
    shuffle: bool
    calm_s: float


def encoded(plan: Plan) -> bytes:
    """The plan as JSON."""
    return msgspec.json.encode(plan)


def decoded(text: bytes | str) -> Plan:
    """The plan again. Raises msgspec.ValidationError with what is wrong and where."""
    return msgspec.json.decode(text, type=Plan)
