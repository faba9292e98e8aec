"""Steps that only some installations have: refreshing data, building features."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from research.nightly.night import Night
from research.nightly.step import Job, Outcome


class Work(Struct, frozen=True, kw_only=True):
    """What such a step does, in one line; `made_from` says as hashes or short texts what it would be made from now."""

    carry_out: Callable[[Night], str]
    made_from: Callable[[Night], dict[str, str]]


class OptionalStep:
    """Carries out `work` if there is any; else says `nothing` and is skipped."""

    def __init__(self, name: str, work: Work | None, nothing: str, needs: tuple[str, ...] = ()) -> None:
        self.name = name
        self.needs = needs
        self._work = work
        self._nothing = nothing

    def inputs(self, job: Job) -> dict[str, str]:
        if self._work is None:
            return {"session": f"{job.night.session}", "work": "none"}
        return {"session": f"{job.night.session}", "work": "configured", **self._work.made_from(job.night)}

    def run(self, job: Job) -> Outcome:
        if self._work is None:
            return Outcome(status="skipped", said=f"skipped, {self._nothing}")
        return Outcome(said=self._work.carry_out(job.night))
