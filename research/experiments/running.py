"""Jobs to outcomes: what is known from before is not run again, what is new is kept at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any, cast

from msgspec import Struct

from research.experiments.crew import Crew
from research.experiments.job import Job, Outcome, Work, run_job
from research.experiments.progress import Progress
from research.experiments.store import Store
from shared.io.bar_store import BarPanel


class Outcomes(Struct, frozen=True, kw_only=True):
    """By key. `interrupted` if somebody pressed Ctrl-C: then some are missing."""

    of: dict[str, Outcome]
    interrupted: bool


class Runner(Struct, frozen=True, kw_only=True):
    """Who runs the jobs, where outcomes are kept, and who watches."""

    crew: Crew
    store: Store
    progress: Progress
    work: Work = run_job

    def run(self, panel: BarPanel, jobs: Sequence[Job]) -> Outcomes:
        """Every job's outcome, those of earlier runs included."""
        known = {job.key: outcome for job in jobs if (outcome := self.store.done(job.key)) is not None}
        missing = [job for job in jobs if job.key not in known]
        found = dict(known)
        self.progress.begin(len(jobs), len(known))
        if not missing:
            return Outcomes(of=found, interrupted=False)
        try:
            with closing(cast("Any", self.crew.outcomes(self.work, panel, missing))) as ended:
                for outcome in ended:
                    self.store.keep(outcome)
                    found[outcome.key] = outcome
                    self.progress.ended(outcome)
        except KeyboardInterrupt:
            return Outcomes(of=found, interrupted=True)
        return Outcomes(of=found, interrupted=False)
