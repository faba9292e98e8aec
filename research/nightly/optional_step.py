"""Steps that only some installations have: refreshing data, building features."""

from __future__ import annotations

from collections.abc import Callable

from research.nightly.night import Night
from research.nightly.step import Job, Outcome


class OptionalStep:
    """Carries out `work` if there is any; else says `nothing` and is skipped. Once a night, by its input."""

    needs = ()

    def __init__(self, name: str, work: Callable[[Night], str] | None, nothing: str) -> None:
        self.name = name
        self._work = work
        self._nothing = nothing

    def inputs(self, job: Job) -> dict[str, str]:
        return {"session": f"{job.night.session}", "work": "none" if self._work is None else "configured"}

    def run(self, job: Job) -> Outcome:
        if self._work is None:
            return Outcome(status="skipped", said=f"skipped, {self._nothing}")
        return Outcome(said=self._work(job.night))
