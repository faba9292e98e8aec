"""A smaller plan that still fails: delta debugging over incidents (Zeller, Hildebrandt, 2002), then simpler values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import msgspec
from msgspec.structs import replace

from tests.simulation.plan import GatewayFault, Incident, NetworkFault, Plan, encoded
from tests.simulation.weather.span import ends_s, run_ends_s
from tests.simulation.weather.trading_days import day_of

PLAIN_LATENCY_S = (0.001, 0.001)
RUNS_MAX = 200
SETTLING_S = 120.0
"""What is left of a shortened run before its calm begins."""

Fails = Callable[[Plan], bool]


class _Exhausted(Exception):  # noqa: N818 - ends a search, is no error
    """All runs are used up."""


class _Search:
    """`smallest` is the last plan that failed; no plan is played twice."""

    def __init__(self, plan: Plan, fails: Fails, runs_max: int) -> None:
        self.smallest = plan
        self._fails, self._left = fails, runs_max
        self._known: dict[bytes, bool] = {encoded(plan): True}

    def try_out(self, plan: Plan) -> bool:
        """Whether the plan fails too; then it is the smallest."""
        text = encoded(plan)
        if text not in self._known:
            if self._left <= 0:
                raise _Exhausted
            self._left -= 1
            self._known[text] = self._fails(plan)
        if self._known[text]:
            self.smallest = plan
        return self._known[text]


def shrunk(plan: Plan, fails: Fails, runs_max: int = RUNS_MAX) -> Plan:
    """The smallest plan found for which `fails` holds, as it does for `plan`; it is asked at most so often."""
    search = _Search(plan, fails, runs_max)
    try:
        _fewer_incidents(search)
        while _is_simpler(search):
            _fewer_incidents(search)
    except _Exhausted:
        pass
    return search.smallest


def _fewer_incidents(search: _Search) -> None:
    """Until no incident can be left out (ddmin): none at all, halves, ever smaller pieces and their complements."""
    _fails_with(search, ())
    pieces = 2
    while incidents := search.smallest.incidents:
        parts = _parts(incidents, min(pieces, len(incidents)))
        kept = next((one for one in _subsets(parts) if _fails_with(search, one)), None)
        if kept is not None:
            pieces = max(min(pieces - 1, len(kept)), 2)
        elif pieces >= len(incidents):
            return
        else:
            pieces = min(2 * pieces, len(incidents))


def _fails_with(search: _Search, incidents: Sequence[Incident]) -> bool:
    return search.try_out(replace(search.smallest, incidents=tuple(incidents)))


def _parts(incidents: Sequence[Incident], count: int) -> list[Sequence[Incident]]:
    bounds = [round(len(incidents) * place / count) for place in range(count + 1)]
    return [incidents[first:end] for first, end in pairwise(bounds)]


def _subsets(parts: list[Sequence[Incident]]) -> Iterator[Sequence[Incident]]:
    """Each part by itself, then all but each; with a single part: nothing at all."""
    if len(parts) == 1:
        yield ()
        return
    yield from parts
    for left_out in range(len(parts)):
        yield [one for place, part in enumerate(parts) for one in part if place != left_out]


def _is_simpler(search: _Search) -> bool:
    """Whether any simplification holds; each is tried once."""
    held = [search.try_out(simple) for simple in _made_simpler(search)]
    return any(held)


def _made_simpler(search: _Search) -> Iterator[Plan]:
    """Changes of the smallest plan so far; a generator, so that each builds on what held before it."""
    for simplify in (
        _ended_early,
        _without_eve,
        _without_events,
        _with_plain_latency,
        _without_shuffle,
        _without_extras,
    ):
        if (simple := simplify(search.smallest)) != search.smallest:
            yield simple
    for symbol in search.smallest.market.symbols[1:]:
        if (fewer := _without_symbol(search.smallest, symbol)) is not None:
            yield fewer
    for place in range(len(search.smallest.incidents)):
        if (eased := _eased(search.smallest, place)) is not None:
            yield eased


def _ended_early(plan: Plan) -> Plan:
    """Over soon after its last incident, with the same calm at its end."""
    last_s = max([0.0, *(ends_s(plan, one) for one in plan.incidents)])
    lasts_s = int(last_s + SETTLING_S + plan.calm_s)
    return plan if lasts_s >= run_ends_s(plan) else replace(plan, market=replace(plan.market, lasts_s=lasts_s))


def _without_eve(plan: Plan) -> Plan:
    """The whole session alone; what happened before it is left out."""
    if not plan.market.eve_s:
        return plan
    market = replace(plan.market, first_session=str(day_of(plan.market).session), eve_s=0)
    kept = [moved for one in plan.incidents if (moved := _on_first_day(one)) is not None]
    return replace(plan, market=market, incidents=tuple(kept))


def _on_first_day(incident: Incident) -> Incident | None:
    if not isinstance(incident, GatewayFault):
        return incident if incident.at_s >= 0 else None
    return GatewayFault(rule=incident.rule | {"day": 1}) if incident.rule["day"] > 1 else None


def _without_events(plan: Plan) -> Plan:
    return replace(plan, market=replace(plan.market, is_eventful=False))


def _with_plain_latency(plan: Plan) -> Plan:
    return replace(plan, latency_s=PLAIN_LATENCY_S)


def _without_shuffle(plan: Plan) -> Plan:
    return replace(plan, shuffle=False)


def _without_extras(plan: Plan) -> Plan:
    """One strategy, no MQTT."""
    strategies = plan.daemon.get("strategy", [])
    return replace(plan, daemon=plan.daemon | {"strategy": strategies[:1], "mqtt": {"enabled": False}})


def _without_symbol(plan: Plan, symbol: str) -> Plan | None:
    """None where a strategy or an incident names it."""
    rest = tuple(one for one in plan.market.symbols if one != symbol)
    named = [one["symbols"] for one in plan.daemon.get("strategy", [])]
    if any(symbol in names for names in named) or symbol.encode() in b"".join(map(_text, plan.incidents)):
        return None
    universe = plan.daemon.get("universe", {}) | {"symbols": list(rest)}
    return replace(plan, market=replace(plan.market, symbols=rest), daemon=plan.daemon | {"universe": universe})


def _text(incident: Incident) -> bytes:
    return msgspec.json.encode(incident)


def _eased(plan: Plan, place: int) -> Plan | None:
    """The plan with one incident made milder; None where nothing can be."""
    incident = plan.incidents[place]
    match incident:
        case NetworkFault(line="both"):
            milder: Incident = replace(incident, line="orders")
        case _ if getattr(incident, "nth", 1) > 1:
            milder = replace(incident, nth=1)
        case _ if getattr(incident, "by", "socket") == "mqtt":
            milder = replace(incident, by="socket")
        case _:
            return None
    return replace(plan, incidents=(*plan.incidents[:place], milder, *plan.incidents[place + 1 :]))
