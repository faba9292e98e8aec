"""Days aimed at one safeguard: short, busy, and with the very trouble in them that the safeguard is there for.

For harm that the weather brings too seldom, or so late in a whole day that a search would take hours. They are drawn
from seeds like all weather: what is fixed is the kind of trouble, not its moment, its market or its length.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from msgspec import Struct

from tests.fakes.limits import LIFTED, PERSON
from tests.simulation.plan import GatewayFault, Incident, Market, Plan

Draw = Callable[[Random], list[Incident]]
BAR_S, TURN_ROWS = 15, 4
TURN_S = BAR_S * TURN_ROWS
"""The strategy's view turns every minute, and with it most orders leave in the first second of a minute."""
OPENS_S = 9.5 * 3600
CALM_S = 90.0


def _quiet_day(_chance: Random) -> list[Incident]:
    return []


class Aim(Struct, frozen=True, kw_only=True):
    """What a day is like. `daemon` stands above DAEMON; `lasts_s` counts from the open, 0 = the whole session."""

    trouble: Draw = _quiet_day
    daemon: dict[str, dict[str, Any]] = {}
    strategy: dict[str, Any] = {}
    second: dict[str, Any] | None = None
    lasts_s: int = 600
    calm_s: float = CALM_S
    symbols: tuple[str, ...] = ("SPY", "IBM")
    session: str = "2026-11-18"
    eve_s: int = 0
    latency_s: tuple[float, float] = (0.001, 0.05)
    is_eventful: bool = False


STRATEGY: dict[str, Any] = {
    "name": "one",
    "kind": "restless.py",
    "symbols": [],
    "params": {"every": TURN_ROWS, "views": "+0-0"},
    "allocation": 0.5,
    "sizing": {"method": "fixed_fraction", "fraction": 0.1},
    "exits": {"method": "percent", "stop_pct": 1.0, "target_pct": 2.0},
}
DAEMON: dict[str, dict[str, Any]] = {
    "broker": {"connect_timeout_s": 5.0, "request_timeout_s": 5.0},
    "session": {
        "calendar": "XNYS",
        "entry_after_open_s": 0,
        "entry_before_close_s": 60,
        "flatten_before_close_s": 0,
    },
    "bars": {"interval_s": BAR_S, "warm_up": 0, "row_grace_s": 0.5},
    "execution": {
        "entry": "market",
        "limit_offset_bps": 5.0,
        "entry_timeout_s": 30.0,
        "acknowledge_within_s": 5.0,
        "entries_on_reconnect": "keep",
    },
    "risk": {
        "max_order_quantity": 10_000,
        "max_order_notional": 1_000_000.0,
        "max_position_quantity": 10_000,
        "max_position_notional": 1_000_000.0,
        "max_gross_exposure": 1.0,
        "price_collar_pct": 3.0,
        "price_jump_pct_max": 10.0,
        "price_age_max_s": 60.0,
        "protect_within_s": 5.0,
        **LIFTED,
        **PERSON,
    },
    "runtime": {"heartbeat_every_s": 15.0, "reconcile_every_s": 30.0, "snapshot_every_events": 300},
}


def day_of(name: str, aim: Aim, seed: int) -> Plan:
    """The day of a seed; the same everywhere."""
    chance = Random(f"{name}:{seed}")
    day = {key: {**DAEMON.get(key, {}), **aim.daemon.get(key, {})} for key in {**DAEMON, **aim.daemon}}
    strategies = [{**STRATEGY, **aim.strategy}]
    if aim.second is not None:
        strategies.append({**STRATEGY, "name": "two", **aim.second})
    return Plan(
        seed=seed,
        weather="brutal",
        market=Market(
            seed=chance.randrange(1 << 30),
            symbols=aim.symbols,
            first_session=aim.session,
            is_eventful=aim.is_eventful,
            eve_s=aim.eve_s,
            lasts_s=aim.lasts_s,
        ),
        daemon={**day, "universe": {"symbols": list(aim.symbols)}, "strategy": strategies},
        incidents=tuple(aim.trouble(chance)),
        latency_s=aim.latency_s,
        shuffle=chance.random() < 0.5,
        calm_s=aim.calm_s,
    )


# --- moments and troubles -------------------------------------------------------------------------------------------


def turn(chance: Random, after_s: float = 60.0, before_s: float = 300.0) -> float:
    """A moment at which a view turns: orders are about to leave."""
    turns = range(round(after_s // TURN_S), round(before_s // TURN_S))
    return float(chance.choice(turns) * TURN_S + BAR_S)


def fault(at_s: float, name: str, *, day: int = 1, **rule: Any) -> GatewayFault:
    """One of the gateway's faults so many seconds after the open."""
    clock = int(OPENS_S + max(at_s, 0.0))
    at = f"{clock // 3600:02}:{clock // 60 % 60:02}:{clock % 60:02}"
    return GatewayFault(rule={"name": name, "day": day, "at": at, **rule})


def always(at_s: float, name: str, **rule: Any) -> GatewayFault:
    """The same, at every message that it can meet, for `for_s`."""
    return fault(at_s, name, **{"probability": 1.0, "for_s": 200.0, **rule})
