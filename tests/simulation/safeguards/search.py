"""`python -m tests.simulation.safeguards.search NAME...|all`: look for the seeds, keep what was found, print it."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable
from typing import TextIO

from msgspec.structs import replace

from tests.simulation.judge.judging import breaches_of
from tests.simulation.plan import Plan, Weather, encoded
from tests.simulation.safeguards.aims import AIMS, aimed
from tests.simulation.safeguards.found import Proof, keep, proofs
from tests.simulation.safeguards.safeguard import Safeguard
from tests.simulation.safeguards.sought import Bite, Found, Means, bite_of, sought
from tests.simulation.safeguards.table import SAFEGUARDS
from tests.simulation.safeguards.unseen import UNSEEN
from tests.simulation.weather.draw import drawn
from tests.simulation.weather.shrink import shrunk
from tests.simulation.world.run import played

_SHRINK_RUNS, _FEW = 24, 6
"""A day of few incidents is not cut further: each try is two runs."""
_MARGIN_S = 30
_CELL = 110


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if every safeguard asked for was found, else 1."""
    given = _parsed(arguments)
    names = _named(given)
    first, last = (int(part) for part in given.seeds.split(":"))
    missing = []
    for name in names:
        found = _search(name, range(first, last), given)
        if found is None:
            missing.append(name)
    write_table(sys.stdout)
    return 1 if missing else 0


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.safeguards.search", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME|all", help="without any the table is printed")
    parser.add_argument("--seeds", default="0:200", help="FIRST:LAST, the last one not included")
    parser.add_argument("--weather", default="aimed", choices=["aimed", "calm", "rough", "brutal"])
    parser.add_argument("--for-s", type=float, default=1e9, help="wall seconds per safeguard")
    given = parser.parse_args(arguments)
    wrong = [name for name in given.names if name not in {*SAFEGUARDS, "all"}]
    if wrong:
        parser.error(f"{', '.join(wrong)}: no safeguard, there are: {', '.join(SAFEGUARDS)}")
    unaimed = [name for name in given.names if given.weather == "aimed" and name not in {*AIMS, "all"}]
    if unaimed:
        parser.error(f"{', '.join(unaimed)}: no day is aimed at it, name a --weather")
    if not re.fullmatch(r"\d+:\d+", given.seeds):
        parser.error(f"--seeds: {given.seeds!r}, must be FIRST:LAST, such as 0:200")
    return given


def _named(given: argparse.Namespace) -> list[str]:
    """The safeguards asked for; of all only those at which a day is aimed, if aimed days are to be tried."""
    if given.names != ["all"]:
        return list(given.names)
    return [name for name in SAFEGUARDS if given.weather != "aimed" or name in AIMS]


def _search(name: str, seeds: range, given: argparse.Namespace) -> Found | None:
    safeguard, means = SAFEGUARDS[name], means_of(name, given.weather)
    until = time.monotonic() + given.for_s
    in_time = (seed for seed in seeds if time.monotonic() < until)
    found = sought(safeguard, in_time, means, lambda seed, bite: _hear(name, seed, bite))
    if found is None:
        sys.stderr.write(f"{name}: nothing found\n")
        return None
    if given.weather == "aimed":
        plan, bite = smaller(safeguard, found, means)
        seen = Proof(name=name, seed=found.seed, tried=found.tried, invariant=bite.invariant, text=bite.text)
        keep(replace(seen, in_weather=_in_weather(name)), plan)
    elif name in proofs():
        keep(replace(proofs()[name], in_weather=f"{given.weather} {found.seed}: {found.bite.invariant}"))
    return found


def _in_weather(name: str) -> str:
    before = proofs().get(name)
    return before.in_weather if before else ""


def means_of(name: str, weather: str) -> Means:
    """The real world and judge; the plan of a seed from the weather or, where one is aimed, from aims.py."""
    draws: dict[str, Callable[[int], Plan]] = {"aimed": lambda seed: aimed(name, seed)}
    kinds: tuple[Weather, ...] = ("calm", "rough", "brutal")
    for kind in kinds:
        draws[kind] = lambda seed, kind=kind: drawn(seed, kind)  # type: ignore[misc]  # bound by its default
    return Means(draw=draws[weather], play=played, judge=breaches_of)


def smaller(safeguard: Safeguard, found: Found, means: Means) -> tuple[Plan, Bite]:
    """The day cut down, and what it shows: it ends soon after the harm, and has few incidents left."""
    known = {encoded(found.plan): found.bite}

    def fails(plan: Plan) -> bool:
        text = encoded(plan)
        if text not in known:
            known[text] = bite_of(safeguard, plan, means)
        return found.bite.invariant in known[text].fallen

    plan = next((cut for cut in _shorter(found) if fails(cut)), found.plan)
    if len(plan.incidents) > _FEW:
        plan = shrunk(plan, fails, _SHRINK_RUNS)
    return plan, known[encoded(plan)]


def _shorter(found: Found) -> list[Plan]:
    """The day ended a while after the harm was seen, the shortest first."""
    plan = found.plan
    if found.bite.after_open_s <= 0:
        return []
    ends_s = [round(found.bite.after_open_s + margin_s) for margin_s in (_MARGIN_S, 10 * _MARGIN_S)]
    lasts_s = plan.market.lasts_s or 10**9
    return [
        replace(plan, market=replace(plan.market, lasts_s=end_s), calm_s=min(plan.calm_s, 1.0))
        for end_s in ends_s
        if end_s < lasts_s
    ]


def _hear(name: str, seed: int, bite: Bite) -> None:
    seen = bite.invariant or ("nothing" if bite.is_reached else "never reached")
    sys.stderr.write(f"{name} {seed}: {seen} {bite.text}\n")


def write_table(out: TextIO) -> None:
    """The tables as Markdown: what fell without each safeguard and on which seed; and which are not seen, and why."""
    found = proofs()
    out.write("| switched off | it is there so that | falls | seed | what is seen |\n| --- | --- | --- | --- | --- |\n")
    for name, safeguard in SAFEGUARDS.items():
        if (proof := found.get(name)) is not None:
            seed = f"{proof.seed}; {proof.in_weather}" if proof.in_weather else f"{proof.seed}"
            out.write(f"| `{name}` | {safeguard.guards} | {proof.invariant} | {seed} | {_told(proof.text)} |\n")
    out.write("\n| not seen | it is there so that | why |\n| --- | --- | --- |\n")
    for name, safeguard in SAFEGUARDS.items():
        if name not in found:
            out.write(f"| `{name}` | {safeguard.guards} | {UNSEEN.get(name, 'not looked for')} |\n")


def _told(text: str) -> str:
    """What the judge said, in a cell."""
    shown = text.replace("|", "/")
    return shown if len(shown) <= _CELL else shown[: _CELL - 4].rpartition(" ")[0] + " ..."


if __name__ == "__main__":
    sys.exit(main())
