"""Daily bars on part of the evenings with their next day: decided after the close, filled at the open.

Drawn from a chance of its own and laid over what was drawn: the other days, and what goes wrong on these, stay as
they are.
"""

from __future__ import annotations

from random import Random
from typing import Any

from msgspec.structs import replace

from tests.simulation.plan import Plan
from tests.simulation.weather.chances import whether

DAILY_SHARE = 0.4
DAY_S = 86_400
VIEWS = ("+-", "-+", "+0", "-0")
PRICES_LAST_S = 4.0 * DAY_S
"""Over a weekend and a holiday; else nothing that is decided late would leave."""


def with_daily_bars(plan: Plan) -> Plan:
    """The same day with daily bars, or as it is."""
    chance = Random(f"daily {plan.weather}:{plan.seed}")
    if not plan.market.eve_s or not whether(chance, DAILY_SHARE):
        return plan
    return replace(plan, daemon=made_daily(chance, plan.daemon))


def made_daily(chance: Random, daemon: dict[str, Any]) -> dict[str, Any]:
    """Its strategies take a new view each day, and hold over the close."""
    return daemon | {
        "bars": daemon["bars"] | {"interval_s": DAY_S, "warm_up": 30},
        "session": daemon["session"] | {"flatten_before_close_s": 0},
        "risk": daemon["risk"] | {"price_age_max_s": PRICES_LAST_S},
        "strategy": [_made_daily(chance, strategy) for strategy in daemon["strategy"]],
    }


def _made_daily(chance: Random, strategy: dict[str, Any]) -> dict[str, Any]:
    exits, kind = dict(strategy["exits"]), strategy["kind"]
    params: dict[str, Any]
    if exits.get("max_holding_s"):
        exits["max_holding_s"] = DAY_S
    if "atr_period" in exits:
        exits["atr_period"] = 3  # there are ten days of the past
    if kind == "cross_momentum":
        params = {"lookback": chance.randint(1, 5), "rebalance_every": 1, "top": 1}
    elif kind == "sma_cross":
        params = {"fast": 1, "slow": chance.randint(2, 4), "long_only": whether(chance, 0.5)}
    else:
        kind, params = "restless.py", {"every": 1, "views": chance.choice(VIEWS)}
    sizing = strategy["sizing"]
    if sizing["method"] == "atr":
        sizing = sizing | {"atr_period": 3}
    return strategy | {"kind": kind, "params": params, "exits": exits, "sizing": sizing}
