"""From when to when an incident is felt, in seconds from the open of the whole session, as far as the plan can tell."""

from __future__ import annotations

import datetime as dt
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from tests.simulation.plan import (
    ClockStep,
    Crash,
    DiskFault,
    GatewayFault,
    Incident,
    MqttFault,
    NetworkFault,
    Operator,
    Plan,
    Stop,
)
from tests.simulation.weather.gateway_rules import lasts_s_of
from tests.simulation.weather.trading_days import Day, day_of

NEW_YORK = ZoneInfo("America/New_York")
CRASH_WAITS_S = 60.0
"""A crash that waits for a write or a message comes by then in any case (world/incidents.py)."""
UNIT_RESTART_S = 20.0
"""A daemon that its disk has ended is started again by systemd after 15 s."""


def begins_s(plan: Plan, incident: Incident) -> float:
    if not isinstance(incident, GatewayFault):
        return incident.at_s
    return hour_s(day_of(plan.market), incident.rule)


def hour_s(day: Day, rule: dict[str, Any]) -> float:
    """When a rule of the gateway begins."""
    session = day.session if day.eve is None or rule["day"] > 1 else day.eve
    hour = dt.time.fromisoformat(rule["at"])
    return dt.datetime.combine(session, hour, NEW_YORK).timestamp() - day.opens_at


def ends_s(plan: Plan, incident: Incident) -> float:
    """When it is over; of a clock step and an order of a person: at once."""
    at_s = begins_s(plan, incident)
    match incident:
        case GatewayFault(rule=rule):
            return at_s + lasts_s_of(rule)
        case Crash():
            return at_s + CRASH_WAITS_S + incident.down_s
        case Stop():
            return at_s + incident.down_s
        case DiskFault():
            return at_s + incident.for_s + (0.0 if incident.what == "slow" else UNIT_RESTART_S)
        case NetworkFault() | MqttFault():
            return at_s + incident.for_s
        case ClockStep() | Operator():
            return at_s
        case _:
            assert_never(incident)


def run_ends_s(plan: Plan) -> float:
    """When the run is over: the close of the whole session, or before it where the plan says so."""
    return plan.market.lasts_s or day_of(plan.market).length_s


def calm_begins_s(plan: Plan) -> float:
    """From then on nothing new goes wrong. What the gateway's faults still wait for has to be cleared by the world."""
    return run_ends_s(plan) - plan.calm_s
