"""What a campaign is made of: the weather that draws, the world that plays, the judge that reads."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from tests.simulation.history import Record
from tests.simulation.judge.breach import Breach
from tests.simulation.plan import Plan, Weather

_WARMING_SEEDS, _WARMING_S = 6, 60


class Outcome(Protocol):
    """As the world tells it: what was played, the history and its digest."""

    @property
    def plan(self) -> Plan: ...
    @property
    def history(self) -> list[Record]: ...
    @property
    def digest(self) -> str: ...


class Toolkit(Struct, frozen=True, kw_only=True):
    """`play` takes seconds, the others milliseconds. `shrink` asks its predicate at most so many times; `soak` plays so
    many sessions of a seed in one process of the daemon.

    `sweep` removes what the process of that id has left on the disk, if it was killed while it played.
    """

    draw: Callable[[int, Weather], Plan]
    play: Callable[[Plan], Outcome]
    judge: Callable[[Sequence[Record]], Sequence[Breach]]
    explain: Callable[[Sequence[Record], Breach], str]
    hits: Callable[[Sequence[Record]], Counter[str]]
    shrink: Callable[[Plan, Callable[[Plan], bool], int], Plan]
    sweep: Callable[[int], None]
    soak: Callable[[int, int], Outcome]


def real_toolkit() -> Toolkit:
    """The real daemon in the real weather under the real judge; the imports take seconds."""
    from tests.simulation.judge.explaining import explained
    from tests.simulation.judge.judging import breaches_of
    from tests.simulation.weather.draw import drawn
    from tests.simulation.weather.hits import hits_of
    from tests.simulation.weather.shrink import shrunk
    from tests.simulation.weather.soaking import soaking
    from tests.simulation.world.run import folder_prefix, place_of_folders, played
    from tests.simulation.world.soak import soaked

    for seed in range(_WARMING_SEEDS):
        played(_shortened(drawn(seed, "calm")))  # kernels, calendars and modules are there before the first fork

    def sweep(pid: int) -> None:
        for folder in sorted(place_of_folders().glob(f"{folder_prefix(pid)}*")):
            shutil.rmtree(folder, ignore_errors=True)

    return Toolkit(
        draw=drawn,
        play=played,
        judge=breaches_of,
        explain=explained,
        hits=hits_of,
        shrink=shrunk,
        sweep=sweep,
        soak=lambda sessions, seed: soaked(soaking(sessions, seed)),
    )


def _shortened(plan: Plan) -> Plan:
    """Its first minute in fair weather."""
    market = replace(plan.market, eve_s=0, lasts_s=_WARMING_S)
    return replace(plan, market=market, incidents=(), calm_s=_WARMING_S / 2)
