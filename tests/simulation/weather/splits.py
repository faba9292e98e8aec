"""Splits take effect while nobody trades, as IB books them overnight: here that night is a halt of minutes.

Nothing of the stock is filled in it, hand orders in TWS neither. All else goes on: people, crashes and the network
strike in it as at any other moment, and what a fault holds back is told behind it.
"""

from __future__ import annotations

from msgspec.structs import replace

from tests.simulation.plan import GatewayFault, Incident
from tests.simulation.weather.span import hour_s
from tests.simulation.weather.stage import BEGIN_S, Stage

BEFORE_S, AFTER_S = 60.0, 90.0
OCCASION = ("message", "nth")
"""What would let a split wait for news of an order, and come with it."""


def as_in_life(stage: Stage, incidents: list[Incident]) -> list[Incident]:
    """Each split in a night of its own; no company splits its shares twice on a day."""
    found: set[str] = set()
    kept: list[Incident] = []
    for one in incidents:
        if not isinstance(one, GatewayFault) or one.rule["name"] != "split":
            kept.append(one)
        elif (symbol := one.rule.get("symbol", stage.symbols[0])) not in found:
            found.add(symbol)
            rule = {key: value for key, value in one.rule.items() if key not in OCCASION}
            kept += _by_night(stage, replace(one, rule=rule | {"symbol": symbol}))
    return kept


def _by_night(stage: Stage, split: GatewayFault) -> list[Incident]:
    at_s = hour_s(stage.day, split.rule)
    first_s, last_s = _hours(stage, at_s)
    at_s = min(max(at_s, first_s + BEFORE_S), last_s)
    from_s = at_s - BEFORE_S
    halt = {"name": "halt", "symbol": split.rule["symbol"], "code": 2, "gap_pct": 0.0}
    night = halt | {"for_s": min(BEFORE_S + AFTER_S, last_s - from_s)} | _when(stage, from_s)
    return [GatewayFault(rule=night), replace(split, rule=split.rule | _when(stage, at_s))]


def _hours(stage: Stage, at_s: float) -> tuple[float, float]:
    """The trading around that moment, as far as things may go wrong in it: of the eve, or of the day itself."""
    if at_s >= 0:
        return BEGIN_S, stage.last_s
    closed_s = stage.day.eve_closes_at - stage.day.opens_at
    return closed_s - stage.market.eve_s, closed_s


def _when(stage: Stage, at_s: float) -> dict[str, object]:
    return {"day": stage.number_of(at_s), "at": stage.hour_of(at_s)}
