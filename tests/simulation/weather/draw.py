"""The plan of a seed: market, daemon, and everything that goes wrong."""

from __future__ import annotations

from random import Random

from msgspec.structs import replace

from tests.simulation.plan import GatewayFault, Incident, Operator, Plan, Weather
from tests.simulation.weather.chances import between, weighted, whether
from tests.simulation.weather.configuration import drawn_daemon
from tests.simulation.weather.daily import with_daily_bars
from tests.simulation.weather.gateway_rules import drawn_fault
from tests.simulation.weather.late_positions import with_old_positions
from tests.simulation.weather.level import Hardship, hardship_of
from tests.simulation.weather.pairs import drawn_pair
from tests.simulation.weather.persons import FREEING, resumed_at_last, rounds
from tests.simulation.weather.single import SINGLE
from tests.simulation.weather.span import begins_s
from tests.simulation.weather.splits import as_in_life
from tests.simulation.weather.stage import Stage
from tests.simulation.weather.trading_days import day_of, drawn_market

CALM_S = {300.0: 0.7, 600.0: 0.15, 1500.0: 0.15}
SHORT_CALM_S = {300.0: 0.8, 600.0: 0.2}
SETTLING_S = 60.0
"""Between the end of the last trouble and the calm: time for people to settle what waits for them."""
SHUFFLE_SHARE = 0.9


def drawn(seed: int, weather: Weather) -> Plan:
    """The same seed and weather give the same plan, on every machine and whatever else draws random numbers."""
    chance = Random(f"{weather}:{seed}")
    market = drawn_market(chance)
    day, daemon = day_of(market), drawn_daemon(chance, market)
    calm_s = weighted(chance, SHORT_CALM_S if market.lasts_s else CALM_S)
    stage = Stage(chance=chance, market=market, day=day, daemon=daemon, last_s=day.length_s - calm_s - SETTLING_S)
    incidents = as_in_life(stage, _incidents(stage, hardship_of(chance, weather)))
    if any(isinstance(one, GatewayFault) and one.rule["name"] == "clock_skew" for one in incidents):
        daemon["broker"]["follow_gateway_clock"] = False  # a clock that is followed is right: nobody follows IB's
    plan = Plan(
        seed=seed,
        weather=weather,
        market=market,
        daemon=daemon,
        incidents=(),
        latency_s=_latency(chance),
        shuffle=whether(chance, SHUFFLE_SHARE),
        calm_s=calm_s,
    )
    return with_old_positions(with_daily_bars(_with(plan, incidents)))


def troubles_of(plan: Plan) -> list[Incident]:
    """The incidents that make a day harder; not what people say to end them."""
    return [one for one in plan.incidents if not (isinstance(one, Operator) and one.verb in FREEING)]


def _incidents(stage: Stage, hardship: Hardship) -> list[Incident]:
    """Recipes first, then single incidents until there are enough, then the people who settle things."""
    found: list[Incident] = []
    for _ in range(hardship.pairs):
        found += drawn_pair(stage, hardship.severities)
    while sum(not _frees(one) for one in found) < hardship.troubles:
        kind = weighted(stage.chance, hardship.kinds)
        found += [drawn_fault(stage, hardship.severities)] if kind == "gateway" else SINGLE[kind](stage)
    found = [one for one in found if not (isinstance(one, Operator) and one.verb in hardship.unsaid)]
    if found:
        orders = [one for one in found if isinstance(one, Operator)]
        found += [*rounds(stage, most=len(found) // 3), *resumed_at_last(stage, orders)]
    return found


def _frees(incident: Incident) -> bool:
    return isinstance(incident, Operator) and incident.verb in FREEING


def _latency(chance: Random) -> tuple[float, float]:
    """From a loopback to another continent."""
    shortest_s = between(chance, 0.0002, 0.05, 5)
    return shortest_s, round(shortest_s * chance.choice((1.5, 3.0, 10.0)), 5)


def _with(plan: Plan, incidents: list[Incident]) -> Plan:
    """In the order in which they begin; of two at one moment the first drawn comes first."""
    return replace(plan, incidents=tuple(sorted(incidents, key=lambda one: begins_s(plan, one))))
