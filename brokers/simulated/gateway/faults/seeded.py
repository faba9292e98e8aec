"""Faults from a seed: every day its own draw, some of them calm and some brutal (the manner of TigerBeetle's VOPR).

The same level, seed and day give the same rules, whatever else draws random numbers.
"""

from __future__ import annotations

import random
from typing import Any

import msgspec
from msgspec import Struct, inspect

from brokers.simulated.gateway.faults.catalogue import CATALOGUE
from brokers.simulated.gateway.faults.fault import Act, Fault, Meet, Severity
from brokers.simulated.gateway.faults.rule import Rule, Timing


class Level(Struct, frozen=True):
    """`calm` is the share of days without a fault; the others have `fewest` to `most` of the severities."""

    calm: float
    fewest: int
    most: int
    severities: frozenset[Severity]
    probabilities: tuple[float, ...]
    """Of these one is drawn for faults that change messages."""


LEVELS: dict[str, Level] = {
    "mild": Level(0.4, 1, 4, frozenset({"mild"}), (0.002, 0.01, 0.05)),
    "rough": Level(0.15, 4, 10, frozenset({"mild", "rough"}), (0.01, 0.05, 0.2)),
    "brutal": Level(0.05, 8, 24, frozenset({"mild", "rough", "brutal"}), (0.05, 0.2, 1.0)),
}
SELDOM = {11: 0.3, 12: 0.2, 16: 0.3, 17: 0.05, 35: 0.5, 37: 0.5, 51: 0.2}
"""Faults after which little of the day is left, and how often they come compared to the others."""
DAY_S = 23_400
SHORTEST_S, LONGEST_S = 10.0, 1_200.0
MEET_PROBABILITIES = (0.1, 0.3, 1.0)
MEET_COUNT_MAX = 3


def drawn_rules(level: str, seed: int, day: int) -> tuple[Rule, ...]:
    """What goes wrong on the day, counted from 1; times are seconds after its start."""
    chosen, chance = LEVELS[level], random.Random(f"{level}:{seed}:{day}")
    if chance.random() < chosen.calm:
        return ()
    faults = [fault for fault in CATALOGUE.values() if fault.severity in chosen.severities]
    weights = [SELDOM.get(fault.number, 1.0) for fault in faults]
    drawn = chance.choices(faults, weights, k=chance.randint(chosen.fewest, chosen.most))
    return tuple(_rule(fault, chosen, day, chance) for fault in drawn)


def _rule(fault: Fault, level: Level, day: int, chance: random.Random) -> Rule:
    at = f"+{chance.randrange(DAY_S)}"
    lasts_s = float(round(chance.uniform(SHORTEST_S, LONGEST_S)))
    if isinstance(fault.way, Act):
        default = fault.way.lasts_s
        for_s = None if default is None else default if default > LONGEST_S else min(lasts_s, default)
        timing = Timing(day=day, at=at, for_s=for_s)
    elif isinstance(fault.way, Meet):
        count = chance.randint(1, MEET_COUNT_MAX)
        timing = Timing(day=day, at=at, probability=chance.choice(MEET_PROBABILITIES), count=count)
    else:
        timing = Timing(day=day, at=at, probability=chance.choice(level.probabilities), for_s=lasts_s)
    return Rule(fault, timing, _drawn_parameters(fault, chance))


def _drawn_parameters(fault: Fault, chance: random.Random) -> Any:  # noqa: ANN401 - each fault has its own type
    """Every choice is drawn, every number stays at its default."""
    drawn: dict[str, Any] = {}
    for field in inspect.type_info(fault.parameters).fields:  # type: ignore[attr-defined]  # of structs
        match field.type:
            case inspect.LiteralType(values=values):
                drawn[field.name] = chance.choice(values)
            case inspect.BoolType():
                drawn[field.name] = chance.random() < 1 / 2
    return msgspec.convert(drawn, fault.parameters)
