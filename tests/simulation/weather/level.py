"""How hard a weather is: its days differ, some are calm and some brutal (the manner of TigerBeetle's VOPR)."""

from __future__ import annotations

from random import Random

from msgspec import Struct

from brokers.simulated.gateway.faults.fault import Severity
from tests.simulation.plan import Weather
from tests.simulation.weather.chances import weighted
from tests.simulation.weather.persons import Verb

KINDS = {
    "gateway": 60.0,
    "network": 13.0,
    "crash": 9.0,
    "disk": 4.0,
    "clock": 3.0,
    "mqtt": 4.0,
    "operator": 4.0,
    "stop": 3.0,
}
"""How often a single incident is of which kind, before a day's mood."""
MOODS = (0.0, 0.5, 1.0, 1.0, 1.0, 3.0)


class Level(Struct, frozen=True, kw_only=True):
    """`troubles` are ranges of how many things go wrong on a day, each with its weight; `pairs` of how many recipes.

    `unsaid` are orders of people that are left out.
    """

    troubles: dict[tuple[int, int], float]
    pairs: dict[int, float]
    severities: frozenset[Severity]
    unsaid: frozenset[Verb] = frozenset()


LEVELS: dict[Weather, Level] = {
    "calm": Level(
        troubles={(0, 0): 0.3, (1, 3): 0.7},
        pairs={0: 0.85, 1: 0.15},
        severities=frozenset({"mild"}),
    ),
    "rough": Level(
        troubles={(0, 3): 0.05, (6, 9): 0.35, (9, 13): 0.6},
        pairs={0: 0.4, 1: 0.4, 2: 0.2},
        severities=frozenset({"mild", "rough"}),
    ),
    "brutal": Level(
        troubles={(0, 6): 0.05, (10, 20): 0.2, (20, 38): 0.75},
        pairs={0: 0.1, 2: 0.2, 3: 0.3, 4: 0.25, 6: 0.15},
        severities=frozenset({"mild", "rough", "brutal"}),
    ),
    "storm": Level(
        troubles={(20, 40): 0.25, (40, 76): 0.75},
        pairs={0: 0.05, 4: 0.25, 6: 0.35, 8: 0.2, 12: 0.15},
        severities=frozenset({"mild", "rough", "brutal"}),
        unsaid=frozenset({"halt", "reduce", "block", "observe"}),  # a day on which nothing trades finds nothing
    ),
}


class Hardship(Struct, frozen=True, kw_only=True):
    """One day of a weather: how many troubles, how many of the recipes of pairs.py, how much of which kind."""

    troubles: int
    pairs: int
    kinds: dict[str, float]
    severities: frozenset[Severity]
    unsaid: frozenset[Verb]


def hardship_of(chance: Random, weather: Weather) -> Hardship:
    """Redrawn for each day; a kind may be left out for once or come three times as often."""
    level = LEVELS[weather]
    fewest, most = weighted(chance, level.troubles)
    kinds = {name: weight * chance.choice(MOODS) for name, weight in KINDS.items()}
    return Hardship(
        troubles=chance.randint(fewest, most),
        pairs=weighted(chance, level.pairs),
        kinds=kinds if any(kinds.values()) else KINDS,
        severities=level.severities,
        unsaid=level.unsaid,
    )
