"""The weather of many days in a row: what is done and undone each day, so that what is not undone piles up.

No process dies in it and nobody ends one, or the next would begin with empty hands.
"""

from __future__ import annotations

from random import Random
from typing import Any, Literal, TypeAlias

from tests.fakes.limits import LIFTED, PERSON
from tests.simulation.plan import Market, MqttFault, NetworkFault, Plan
from tests.simulation.weather.trading_days import SYMBOLS, all_days, day_of

_What: TypeAlias = Literal["reset", "close", "deaf", "stall", "slow"]
CALM_S = 600.0
LINES_A_DAY = 4
"""Lines that break in a day, beside the gateway's nightly restart and reset; and once a day no alert goes out."""
_LATEST_S = 3 * 3600.0
"""So late an incident begins at most: before the calm of a half day."""
_BREAKS: dict[_What, tuple[float, float]] = {
    "reset": (0.0, 0.0),
    "close": (0.0, 0.0),
    "deaf": (60.0, 0.0),
    "stall": (20.0, 0.0),
    "slow": (60.0, 2.0),
}
"""How a line breaks: for how long, and how much time each packet takes, in seconds."""
_QUANTITY, _NOTIONAL = 2_000, 250_000.0


def soaking(days: int, seed: int) -> Plan:
    """So many sessions in a row. Raises ValueError for a number that the calendar does not hold."""
    known = all_days()
    if not 1 <= days <= len(known):
        raise ValueError(f"{days} days are not to be had, allowed: 1 to {len(known)}")
    chance = Random(f"soaking:{seed}")
    first = chance.randrange(len(known) - days + 1)
    market = Market(
        seed=chance.randrange(2**31),
        symbols=tuple(chance.sample(SYMBOLS, 2)),
        first_session=str(known[first]),
        is_eventful=False,
        sessions=days,
    )
    begins_at = _opens_at(market.first_session)
    incidents: list[NetworkFault | MqttFault] = []
    for session in known[first : first + days]:
        incidents += sorted(_of_a_day(chance, _opens_at(str(session)) - begins_at), key=_at_s)
    return Plan(
        seed=seed,
        weather="rough",
        market=market,
        daemon=_daemon(market),
        incidents=tuple(incidents),
        latency_s=(0.001, 0.003),
        shuffle=True,
        calm_s=CALM_S,
    )


def _opens_at(session: str) -> float:
    return day_of(Market(seed=0, symbols=("SPY",), first_session=session, is_eventful=False)).opens_at


def _at_s(incident: NetworkFault | MqttFault) -> float:
    return incident.at_s


def _of_a_day(chance: Random, opens_s: float) -> list[NetworkFault | MqttFault]:
    """Incidents, with the open of their day at `opens_s` after that of the first."""
    found: list[NetworkFault | MqttFault] = []
    for _ in range(LINES_A_DAY):
        what = chance.choice(list(_BREAKS))
        line: Literal["orders", "data", "both"] = chance.choice(("orders", "data", "both"))
        for_s, size_s = _BREAKS[what]
        at_s = opens_s + chance.uniform(0.0, _LATEST_S)
        found.append(NetworkFault(at_s=at_s, what=what, line=line, for_s=for_s, size_s=size_s))
    return [*found, MqttFault(at_s=opens_s + chance.uniform(0.0, _LATEST_S), what="channel_down", for_s=300.0)]


def _daemon(market: Market) -> dict[str, Any]:
    """It trades all day, with brackets, trailing stops and time stops, and is flat at night."""
    exits = {"method": "percent", "stop_pct": 0.5, "target_pct": 0.5, "trail_pct": 0.3, "max_holding_s": 3600}
    strategy = {
        "name": "one",
        "kind": "restless.py",
        "symbols": [],
        "params": {"every": 10, "views": "+0-0"},
        "allocation": 1.0,
        "sizing": {"method": "fixed_fraction", "fraction": 0.02},
        "exits": exits,
    }
    return {
        "broker": {"quotes": True},
        "session": {"calendar": "XNYS", "entry_before_close_s": 600, "flatten_before_close_s": 300},
        "universe": {"symbols": list(market.symbols)},
        "bars": {"interval_s": 60, "warm_up": 30, "row_grace_s": 2.0},
        "strategy": [strategy],
        "risk": {
            "max_order_quantity": _QUANTITY,
            "max_order_notional": _NOTIONAL,
            "max_position_quantity": _QUANTITY,
            "max_position_notional": _NOTIONAL,
            "max_gross_exposure": 1.0,
            "price_collar_pct": 3.0,
            "price_jump_pct_max": 20.0,
            "price_age_max_s": 150.0,
            "protect_within_s": 5.0,
            **LIFTED,
            "entry_window_s": 600.0,
            "allow_short": True,
            **PERSON,
        },
        "runtime": {"heartbeat_every_s": 60.0, "reconcile_every_s": 300.0, "snapshot_every_events": 300},
        "mqtt": {"enabled": True, "commands": True},
    }
