"""The jobs over a ray cluster: the panel is put into its object store once, each job is one task."""

from __future__ import annotations

import importlib
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from research.experiments.crew import DIED_TWICE, ClusterUnavailable
from research.experiments.job import Job, Outcome, Work
from shared.io.bar_store import BarPanel

_TASKS_PER_CORE = 2
_TRIES_MAX = 2


class RayCrew(Struct, frozen=True):
    """The cluster at `address` (ray://HOST:PORT), or one of this machine where it is empty."""

    address: str

    def outcomes(self, work: Work, panel: BarPanel, jobs: Sequence[Job]) -> Iterator[Outcome]:
        ray: Any = importlib.import_module("ray")
        try:
            ray.init(address=self.address or None, log_to_driver=False, logging_level="error")
        except (OSError, RuntimeError, ValueError) as error:
            why = str(error).splitlines()[0]
            raise ClusterUnavailable(f"cluster.address = {self.address}: no ray cluster answers ({why})") from error
        try:
            yield from self._run(ray, work, panel, jobs)
        finally:
            ray.shutdown()

    def _run(self, ray: Any, work: Work, panel: BarPanel, jobs: Sequence[Job]) -> Iterator[Outcome]:  # noqa: ANN401
        """A worker of ray has one task at a time: what died with it is what killed it, or what was killed there."""
        task = ray.remote(max_retries=0)(work)
        held = ray.put(panel)
        waiting = deque((job, 1) for job in jobs)
        out: dict[Any, tuple[Job, int]] = {}
        room = _TASKS_PER_CORE * max(1, int(ray.cluster_resources().get("CPU", 1)))
        while waiting or out:
            while waiting and len(out) < room:
                job, tries = waiting.popleft()
                out[task.remote(held, job)] = job, tries
            (ended,), _ = ray.wait(list(out), num_returns=1)
            job, tries = out.pop(ended)
            try:
                outcome: Outcome = ray.get(ended)
            except ray.exceptions.RayError:
                if tries < _TRIES_MAX:
                    waiting.append((job, tries + 1))
                    continue
                outcome = Outcome(key=job.key, number=job.number, state="failed", why=DIED_TWICE)
            yield replace(outcome, run_tries=tries)
