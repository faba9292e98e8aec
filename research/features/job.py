"""A call of an indicator as a task of a crew: what a worker is sent, and what comes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from research.experiments.job import Job, Outcome, Work
from research.experiments.stopwatch import seconds
from research.features.compute import Order, carry_out
from research.features.record import read_bars_record
from shared.errors import OpenbellError
from shared.io.bar_disk import PassingDisk
from shared.io.bar_store import BarPanel


class FeatureJob(Job, frozen=True, kw_only=True):
    """Carries out `order` in the folder `base_dir`, which every machine of a cluster has to see."""

    order: Order


class Here:
    """A crew that is this very process, for work that is done sooner than workers are there."""

    def outcomes(self, work: Work, panel: BarPanel, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """One after the other."""
        return (work(panel, job) for job in jobs)


def job_of(order: Order, folder: Path, number: int) -> FeatureJob:
    return FeatureJob(
        key=f"{number}-{order.code[:16]}",
        number=number,
        parameters={},
        config="",
        base_dir=str(folder),
        rows=(order.after, -1),
        start=None,
        code_hash=order.code,
        order=order,
    )


def run_job(panel: BarPanel, job: Job) -> Outcome:
    """Carry out a FeatureJob; whatever goes wrong inside is a failed outcome, never an exception."""
    began = seconds()
    assert isinstance(job, FeatureJob)
    folder = Path(job.base_dir)
    try:
        bars = read_bars_record(folder)
        if bars is None or bars.digest != job.order.digest:
            return _failed(job, f"{folder}: this machine sees another folder, allowed: one that all workers share")
        carry_out(panel, job.order, folder, PassingDisk())
    except OSError as error:
        return _failed(job, f"{error.filename or folder}: cannot be written ({error.strerror})")
    except OpenbellError as error:
        return _failed(job, "; ".join(str(error).splitlines()))
    except Exception as error:  # noqa: BLE001 - one indicator's fault, the others go on
        return _failed(job, f"{type(error).__name__}: {error}".splitlines()[0])
    return Outcome(key=job.key, number=job.number, state="done", run_seconds=seconds() - began)


def _failed(job: Job, why: str) -> Outcome:
    return Outcome(key=job.key, number=job.number, state="failed", why=why)
