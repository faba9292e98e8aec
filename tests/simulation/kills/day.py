"""The day whose moments are tried: brackets that fill at once and late, exits, turns, a lost connection."""

from __future__ import annotations

from tests.simulation.plan import Market, NetworkFault, Plan

SEED = 7


def busy_day(lasts_s: int) -> Plan:
    """The first `lasts_s` seconds of a session with a decision every minute and a turn every second one."""
    return Plan(
        seed=SEED,
        weather="calm",
        market=Market(
            seed=SEED, symbols=("SPY", "IBM"), first_session="2026-11-20", is_eventful=False, lasts_s=lasts_s
        ),
        daemon={
            "bars": {"interval_s": 30, "warm_up": 0, "row_grace_s": 2.0},
            "execution": {"entry": "limit", "limit_offset_bps": 1.0, "entry_timeout_s": 60.0},
            "strategy": [
                {
                    "name": "turns",
                    "kind": "restless.py",
                    "params": {"every": 2, "views": "+-"},
                    "allocation": 1.0,
                    "sizing": {"method": "fixed_fraction", "fraction": 0.05},
                    "exits": {"method": "percent", "stop_pct": 0.1, "target_pct": 0.1},
                }
            ],
        },
        incidents=(NetworkFault(at_s=lasts_s / 2, what="reset", line="both"),),
        latency_s=(0.001, 0.02),
        shuffle=True,
        calm_s=60.0,
    )
