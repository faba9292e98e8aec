"""The jobs over a dask cluster: the panel goes to every worker once, each job is one future."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from research.experiments.crew import DIED_TWICE, ClusterUnavailable
from research.experiments.job import Job, Outcome, Work
from shared.io.bar_store import BarPanel

_FUTURES_PER_THREAD = 2


class DaskCrew(Struct, frozen=True):
    """The cluster whose scheduler listens at `address` (tcp://HOST:PORT)."""

    address: str
    connect_timeout_s: float = 10.0
    workers_timeout_s: float = 30.0

    def outcomes(self, work: Work, panel: BarPanel, jobs: Sequence[Job]) -> Iterator[Outcome]:
        from distributed import Client

        try:
            client: Any = Client(self.address, timeout=self.connect_timeout_s, set_as_default=False)  # type: ignore[no-untyped-call]
        except (OSError, TimeoutError, ValueError) as error:
            raise ClusterUnavailable(
                f"cluster.address = {self.address}: no dask scheduler answers within {self.connect_timeout_s:g} s"
            ) from error
        with client:
            self._wait_for_workers(client)
            yield from _Run(client, self.address, work, panel).outcomes(jobs)

    def _wait_for_workers(self, client: Any) -> None:  # noqa: ANN401 - distributed is hardly typed
        try:
            client.wait_for_workers(1, timeout=self.workers_timeout_s)
        except TimeoutError as error:
            raise ClusterUnavailable(
                f"cluster.address = {self.address}: the scheduler has no worker for {self.workers_timeout_s:g} s, "
                f"allowed: at least one (dask worker {self.address} --nthreads 1)"
            ) from error


class _Run:
    """One sweep over the cluster: some futures per thread, a new one for each that ends."""

    def __init__(self, client: Any, address: str, work: Work, panel: BarPanel) -> None:  # noqa: ANN401
        self._client, self._address, self._work, self._panel = client, address, work, panel
        self._submitted = 0
        self._out: dict[Any, Job] = {}

    def outcomes(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """A dying worker takes along what else it had in its queue: each of those is a suspect, and tried alone."""
        waiting, suspects = deque(jobs), deque[Job]()
        try:
            while waiting or suspects:
                if suspects:
                    yield self._alone(suspects.popleft())
                else:
                    yield from self._together(waiting, suspects)
        except (OSError, TimeoutError) as error:
            raise ClusterUnavailable(f"cluster.address = {self._address}: the scheduler went away") from error
        finally:
            self._client.cancel(list(self._out))

    def _together(self, waiting: deque[Job], suspects: deque[Job]) -> Iterator[Outcome]:
        """Until all is done or somebody is suspected; then what is still out comes in first."""
        from distributed import as_completed

        ended: Any = as_completed(loop=self._client.loop)  # type: ignore[no-untyped-call]  # dask has no types
        held = self._spread_panel()
        while (waiting and not suspects) or self._out:
            room = 0 if suspects else _FUTURES_PER_THREAD * max(1, sum(self._client.ncores().values())) - len(self._out)
            for _ in range(min(room, len(waiting))):
                ended.add(self._submit(waiting.popleft(), held))
            future = next(ended)
            job = self._out.pop(future)
            outcome = self._outcome(future)
            if outcome is None:
                suspects.append(job)
            else:
                yield outcome

    def _alone(self, job: Job) -> Outcome:
        from distributed import CancelledError

        future = self._submit(job, self._spread_panel())
        with suppress(CancelledError):
            future.exception()  # waits
        del self._out[future]
        outcome = self._outcome(future)
        if outcome is None:
            return Outcome(key=job.key, number=job.number, state="failed", why=DIED_TWICE, run_tries=2)
        return replace(outcome, run_tries=2)

    def _submit(self, job: Job, held: Any) -> Any:  # noqa: ANN401 - the library is untyped
        self._submitted += 1
        key = f"openbell-{job.key}-{self._submitted}"
        future = self._client.submit(self._work, held, job, key=key, pure=False)
        self._out[future] = job
        return future

    def _spread_panel(self) -> Any:  # noqa: ANN401 - the library is untyped
        return self._client.scatter(self._panel, broadcast=True, hash=False)

    def _outcome(self, future: Any) -> Outcome | None:  # noqa: ANN401 - the library is untyped
        """What the job came to; None if its worker, or all that held the panel or the result, are gone."""
        from distributed import CancelledError

        if future.status == "finished":
            try:
                outcome: Outcome = future.result()
            except CancelledError:
                return None
            return outcome
        if self._client.status != "running":
            raise OSError(self._client.status)
        return None
