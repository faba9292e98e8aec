"""Jobs and works for the crews; little is imported here, because every worker process does it."""

import os
import signal
from pathlib import Path

from research.experiments.job import Job, Outcome
from shared.io.bar_store import BarPanel

CODE = "c" * 64


def a_job(number: int, **fields) -> Job:
    return Job(
        **{
            "key": f"k{number}",
            "number": number,
            "parameters": {"n": number},
            "config": "",
            "base_dir": "",
            "rows": (0, 0),
            "start": None,
            "code_hash": CODE,
            **fields,
        }
    )


def an_outcome(number: int, **fields) -> Outcome:
    return Outcome(**{"key": f"k{number}", "number": number, "state": "done", **fields})


def sums_up(panel: BarPanel, job: Job) -> Outcome:
    """A work that needs the panel, in no time; `why` tells whether it came as a map of a file or as a copy."""
    figures = {"sharpe": float(panel.close.sum()) + job.number}
    return an_outcome(job.number, figures=figures, why=type(panel.close).__name__)


def dies_at_three(panel: BarPanel, job: Job) -> Outcome:
    """Number 3 kills the worker that runs it, whenever it is run."""
    if job.number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return an_outcome(job.number)


def dies_at_three_once(panel: BarPanel, job: Job) -> Outcome:
    """Number 3 kills the worker the first time only; `base_dir` is where it remembers."""
    been_here = Path(job.base_dir) / "been here"
    if job.number == 3 and not been_here.exists():
        been_here.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return an_outcome(job.number)
