"""The jobs over the workers. A job whose worker dies is tried once more and then named; the rest goes on.

Processes of this machine come by joblib's loky, which lays the panel into a memory map that all of them share. Clusters
are driven by their own futures (dask_crew.py, ray_crew.py): joblib 1.6 waits for ever when a dask worker is killed, and
ray's joblib backend gives nothing back before all is done.
"""

from __future__ import annotations

import importlib
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from typing import Any, Protocol

from msgspec import Struct

from research.experiments.job import Job, Outcome, Work
from shared.config_cluster import ClusterConfig
from shared.errors import ConfigError, OpenbellError
from shared.io.bar_store import BarPanel

DIED_TWICE = "its worker died twice: killed from outside, out of memory, or crashed"


class ClusterUnavailable(OpenbellError):  # noqa: N818 - as its neighbours in shared/errors.py
    """The cluster does not answer, or went away; what is done is kept."""


class Crew(Protocol):
    """Whoever runs jobs."""

    def outcomes(self, work: Work, panel: BarPanel, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """One outcome per job, in the order in which they end; closing the iterator stops what still runs."""


def crew_of(cluster: ClusterConfig) -> Crew:
    """Who `[cluster]` names.

    Raises:
        ConfigError: dask or ray is named, and not installed here.
    """
    if cluster.runs_on == "dask":
        _needed("distributed", cluster)
        from research.experiments.dask_crew import DaskCrew

        return DaskCrew(cluster.address)
    if cluster.runs_on == "ray":
        _needed("ray", cluster)
        from research.experiments.ray_crew import RayCrew

        return RayCrew(cluster.address)
    return LokyCrew(cluster.workers)


class LokyCrew(Struct, frozen=True):
    """`workers` processes of this machine; 0 = one per core."""

    workers: int

    def outcomes(self, work: Work, panel: BarPanel, jobs: Sequence[Job]) -> Iterator[Outcome]:
        waiting, suspects = deque(jobs), deque[Job]()
        with _processes():
            while waiting or suspects:
                if suspects:
                    yield self._alone(work, panel, suspects.popleft())
                    continue
                begun: dict[str, Job] = {}
                try:
                    yield from self._together(work, panel, waiting, begun)
                except BrokenProcessPool:
                    suspects.extend(begun.values())

    def _together(self, work: Work, panel: BarPanel, waiting: deque[Job], begun: dict[str, Job]) -> Iterator[Outcome]:
        """Run what waits; `begun` holds what is out with a worker, few enough to find out which of them kills it."""
        from joblib import delayed

        def handed_out() -> Iterator[Any]:
            while waiting:
                job = waiting.popleft()
                begun[job.key] = job
                yield delayed(work)(panel, job)

        with closing(self._parallel(self._count())(handed_out())) as ended:
            for outcome in ended:
                del begun[outcome.key]
                yield outcome

    def _alone(self, work: Work, panel: BarPanel, job: Job) -> Outcome:
        from msgspec.structs import replace

        try:
            (outcome,) = self._together(work, panel, deque([job]), {})
        except BrokenProcessPool:
            return Outcome(key=job.key, number=job.number, state="failed", why=DIED_TWICE, run_tries=2)
        return replace(outcome, run_tries=2)

    def _count(self) -> int:
        from joblib import cpu_count

        return self.workers or int(cpu_count())

    def _parallel(self, workers: int) -> Any:  # noqa: ANN401 - joblib is untyped
        from joblib import Parallel

        # With one worker joblib would run the job in this very process, and a job that dies would take the sweep along:
        # a second process stands by instead, and gets nothing.
        return Parallel(
            n_jobs=max(2, workers),
            pre_dispatch=workers,
            batch_size=1,
            return_as="generator_unordered",
            max_nbytes=1,
            mmap_mode="c",
        )


@contextmanager
def _processes() -> Generator[None]:
    from joblib import parallel_config
    from joblib.externals.loky import get_reusable_executor

    try:
        with parallel_config(backend="loky", inner_max_num_threads=1):
            yield
    finally:
        get_reusable_executor().shutdown(wait=True, kill_workers=True)


def _needed(module: str, cluster: ClusterConfig) -> Any:  # noqa: ANN401 - a module that may not be installed
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        asked = (
            f'cluster.address = "{cluster.address}"' if cluster.address else f'cluster.backend = "{cluster.backend}"'
        )
        raise ConfigError(f"{asked}: the package {package} is not installed here ({error})") from None
