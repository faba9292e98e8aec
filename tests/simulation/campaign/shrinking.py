"""A run that breaks an invariant, made smaller: fewer incidents that still break the same one."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from shared.io.whole_file import write_whole
from tests.simulation.campaign.carrying_out import SingleRun, one_run
from tests.simulation.campaign.day import Day
from tests.simulation.campaign.toolkit import Toolkit
from tests.simulation.plan import Plan, encoded

RUNS_MAX = 80
"""So many runs may be spent on one breach."""


class Shrunk(Struct, frozen=True, kw_only=True):
    """What is left of a plan, and the file that holds it."""

    seed: int
    invariant: str
    before: int
    after: int
    path: str


def shrunk_to_file(plan: Plan, day: Day, toolkit: Toolkit, wall_s: float, folder: Path) -> Shrunk:
    """Shrink the plan as far as the day's first broken invariant still breaks, and write it down.

    Raises:
        KeyboardInterrupt: somebody had enough of waiting; nothing is written.
    """
    invariant = day.findings[0].invariant

    def breaks_it(candidate: Plan) -> bool:
        result = one_run(SingleRun.of(candidate, toolkit), toolkit, wall_s)
        if result.ended == "interrupted":
            raise KeyboardInterrupt
        return any(finding.invariant == invariant for finding in result.days[0].findings)

    small = toolkit.shrink(plan, breaks_it, RUNS_MAX)
    path = folder / f"{plan.weather}-{plan.seed}-{invariant}.plan.json"
    write_whole(path, encoded(small).decode())
    return Shrunk(
        seed=plan.seed,
        invariant=invariant,
        before=len(plan.incidents),
        after=len(small.incidents),
        path=str(path),
    )
