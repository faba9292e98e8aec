"""The numbers of a campaign. All but `timing` are the same on every machine, however many jobs there were."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from msgspec import Struct, to_builtins

from tests.simulation.campaign.carrying_out import Result
from tests.simulation.campaign.day import Day
from tests.simulation.campaign.shrinking import Shrunk

Kind = Literal["campaign", "replay", "plan", "determinism", "soak"]
_SUMMED = ("incidents", "records", "crashes", "restarts", "operator_commands", "orders", "fills")


class Asked(Struct, frozen=True, kw_only=True):
    """What was to be played. `plan` is the file of a plan, empty where seeds are drawn; `sessions` those of a soak."""

    kind: Kind
    weather: str
    seeds: range
    plan: str = ""
    sessions: int = 1

    def replay(self, day: Day) -> str:
        """The one command that plays exactly that run."""
        if self.kind == "plan":
            return f"openbell simulate --plan {shlex.quote(self.plan)}"
        if self.kind == "soak":
            return f"openbell simulate --soak {self.sessions} --seeds {day.seed}"
        return f"openbell simulate --replay {day.seed} --weather {day.weather}"


def summary_of(asked: Asked, result: Result, shrunk: Iterable[Shrunk] = ()) -> dict[str, Any]:
    """Everything there is to say, as plain values in a fixed order."""
    days = [day for day in result.days if not day.lost]
    breaches = [_breach(asked, day, place) for day in days for place in range(len(day.findings))]
    lost = [
        {"seed": day.seed, "weather": day.weather, "why": day.lost, "replay": asked.replay(day)}
        for day in result.days
        if day.lost
    ]
    return {
        "kind": asked.kind,
        "weather": asked.weather,
        "seeds": {"first": asked.seeds.start, "end": asked.seeds.stop},
        "plan": asked.plan,
        "ended": result.ended,
        "held": not breaches and not lost,
        "days": len(days),
        "days_asked": len(asked.seeds),
        "digest": _digest(days),
        **{name: sum(getattr(day.counts, name) for day in days) for name in _SUMMED},
        "virtual_s": round(sum(day.counts.virtual_s for day in days), 3),
        "faults": sum(sum(day.counts.faults.values()) for day in days),
        "faults_by_kind": _table(day.counts.faults for day in days),
        "scenarios": _table(day.counts.scenarios for day in days),
        "invariants": _table({finding.invariant: finding.times for finding in day.findings} for day in days),
        "evenings": [line for day in days for line in day.evenings],
        "breaches": breaches,
        "lost": lost,
        "shrunk": [
            {**to_builtins(small), "replay": f"openbell simulate --plan {shlex.quote(small.path)}"}
            for small in sorted(shrunk, key=lambda small: small.seed)
        ],
        "timing": _timing(result, days),
    }


def _breach(asked: Asked, day: Day, place: int) -> dict[str, Any]:
    finding = day.findings[place]
    return {
        "seed": day.seed,
        "weather": day.weather,
        "session": day.session,
        **to_builtins(finding),
        "story": finding.story.splitlines(),
        "digest": day.digest,
        "replay": asked.replay(day),
    }


def _digest(days: list[Day]) -> str:
    """Over seed and digest of each day, in the order of the seeds."""
    return hashlib.sha256("".join(f"{day.seed} {day.digest}\n" for day in days).encode()).hexdigest()


def _table(counts: Iterable[Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """How often each name was counted, and on how many days; F2 stands before F10."""
    times: Counter[str] = Counter()
    days: Counter[str] = Counter()
    for each in counts:
        times.update(each)
        days.update(name for name, number in each.items() if number)
    return {name: {"times": times[name], "days": days[name]} for name in sorted(times, key=_naturally)}


def _naturally(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _timing(result: Result, days: list[Day]) -> dict[str, Any]:
    slowest = max(days, key=lambda day: day.took_s, default=None)
    return {
        "took_s": round(result.took_s, 3),
        "days_per_s": round(len(days) / result.took_s, 3) if result.took_s else 0.0,
        "slowest_seed": None if slowest is None else slowest.seed,
        "slowest_s": 0.0 if slowest is None else round(slowest.took_s, 3),
    }
