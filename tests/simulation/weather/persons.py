"""What people ask for, and what they take back, so that the day goes on."""

from __future__ import annotations

from typing import Literal, TypeAlias

from tests.simulation.plan import Operator
from tests.simulation.weather.chances import between, weighted, whether
from tests.simulation.weather.stage import Stage

Verb: TypeAlias = Literal["halt", "reduce", "resume", "flatten", "observe", "block", "reset", "accept"]
STATES: dict[Verb, float] = {"halt": 0.25, "reduce": 0.25, "flatten": 0.25, "block": 0.15, "observe": 0.1}
"""What stops trading until somebody says resume, and how often it is said."""
FREEING: frozenset[Verb] = frozenset({"resume", "reset", "accept"})
"""What a person says to end a trouble: no trouble itself."""
RESUMED_S = (10.0, 900.0)
ROUND_S = 2.0
ROUNDS = {0: 0.25, 1: 0.2, 3: 0.3, 8: 0.25}
"""How often in a day somebody looks and settles what waits for a person."""
LAST_ROUND_SHARE = 0.75
AGAIN_S = 20.0


def order_and_back(stage: Stage, at_s: float | None = None, verb: Verb | None = None) -> list[Operator]:
    """An order that stops trading, and the one that frees it again."""
    chance = stage.chance
    lasts_s = stage.lasting(*RESUMED_S)
    said: Verb = weighted(chance, STATES) if verb is None else verb
    scope = "account" if said == "flatten" and whether(chance, 0.6) else stage.scope()
    at = float(stage.within(at_s if at_s is not None else stage.moment(lasts_s), lasts_s)) + round(chance.random(), 2)
    return [_said(stage, at, said, scope), _said(stage, at + lasts_s, "resume", scope)]


def anything(stage: Stage) -> list[Operator]:
    """An order at a random moment, mostly one that is taken back."""
    chance = stage.chance
    if whether(chance, 0.75):
        return order_and_back(stage)
    verb: Verb = chance.choice(("reset", "accept", "resume"))
    scope = f"instrument:{stage.symbol()}" if verb == "accept" else stage.scope()
    return [_said(stage, float(stage.moment()), verb, scope)]


def settled(stage: Stage, at_s: float) -> list[Operator]:
    """Somebody comes and settles all that waits for a person: breaks, latches."""
    accepts = [_said(stage, at_s + ROUND_S * n, "accept", f"instrument:{one}") for n, one in enumerate(stage.symbols)]
    return [*accepts, _said(stage, at_s + ROUND_S * len(accepts), "reset", "account")]


def rounds(stage: Stage, most: int) -> list[Operator]:
    """Somebody looks in now and then, at most so often; mostly once more at the end, when all troubles are over."""
    chance = stage.chance
    needs_s = ROUND_S * len(stage.symbols) + AGAIN_S
    found: list[Operator] = []
    for _ in range(min(weighted(chance, ROUNDS), most)):
        found += settled(stage, float(stage.within(chance.uniform(0.0, stage.last_s), needs_s)))
    if whether(chance, LAST_ROUND_SHARE):
        found += settled(stage, stage.last_s + AGAIN_S)
    return found


def resumed_at_last(stage: Stage, orders: list[Operator]) -> list[Operator]:
    """Whoever stopped something and could not be heard when it was to go on says so again when all is over."""
    scopes = sorted({order.scope for order in orders if order.verb in STATES})
    return [_said(stage, stage.last_s + AGAIN_S + n, "resume", scope) for n, scope in enumerate(scopes)]


def _said(stage: Stage, at_s: float, verb: Verb, scope: str) -> Operator:
    by: Literal["socket", "mqtt"] = "mqtt" if stage.has_commands and whether(stage.chance, 0.4) else "socket"
    return Operator(at_s=round(at_s, 2), verb=verb, scope=scope, by=by)


def patience_s(stage: Stage) -> float:
    """After so long somebody has noticed."""
    return between(stage.chance, 20.0, 600.0, 1)
