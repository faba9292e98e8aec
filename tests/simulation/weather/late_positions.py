"""Positions of before: part of the position lags (fault 53) show what was held, also of what is closed since.

Drawn from a chance of its own and laid over what was drawn, as daily bars are.
"""

from __future__ import annotations

from random import Random

from msgspec.structs import replace

from tests.simulation.plan import GatewayFault, Incident, Plan
from tests.simulation.weather.chances import whether

OLD_SHARE = 0.4
TIMED = ("name", "day", "at", "for_s", "client", "delay_s")


def with_old_positions(plan: Plan) -> Plan:
    """The same day, some of its late positions old ones."""
    chance = Random(f"old positions {plan.weather}:{plan.seed}")
    return replace(plan, incidents=tuple(_aged(chance, one) for one in plan.incidents))


def _aged(chance: Random, incident: Incident) -> Incident:
    if not isinstance(incident, GatewayFault) or incident.rule["name"] != "position_lag":
        return incident
    if not whether(chance, OLD_SHARE):
        return incident
    timed = {key: incident.rule[key] for key in TIMED if key in incident.rule}
    return replace(incident, rule=timed | {"how": "old", "probability": 1.0})
