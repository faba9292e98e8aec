"""One replay as a task: what a worker is sent, and what comes back."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from datetime import date
from multiprocessing import parent_process
from pathlib import Path
from typing import Literal

from msgspec import Struct

from research.experiments.axes import Value
from research.experiments.drawn_market import DrawnMarket
from research.experiments.stopwatch import seconds
from shared.io.bar_store import BarPanel

Figure = int | float | str | None


class Job(Struct, frozen=True, kw_only=True):
    """A replay of the rows `rows` of the shared panel, from session `start` on (all if None).

    `key` is the identity of its result, `code_hash` the code that must run it.
    """

    key: str
    number: int
    parameters: dict[str, Value]
    config: str
    base_dir: str
    rows: tuple[int, int]
    start: date | None
    code_hash: str
    market: DrawnMarket | None = None
    """The market to replay instead, drawn from the sessions of these rows; None = the bars as they are."""

    @property
    def named(self) -> str:
        """How a person finds it again: `17 (sma.fast=5, sma.slow=20)`."""
        return f"{self.number} ({', '.join(f'{name}={value}' for name, value in self.parameters.items())})"


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of a job. `returns` are the daily ones of `sessions`; seconds and tries are no part of the result."""

    key: str
    number: int
    state: Literal["done", "failed"]
    why: str = ""
    figures: dict[str, Figure] = {}
    sessions: list[date] = []
    returns: list[float] = []
    run_seconds: float = 0.0
    run_tries: int = 1


Work = Callable[[BarPanel, Job], Outcome]
"""What a worker does; `run_job`, or what a test puts in its place."""

_ONE_AT_A_TIME = threading.Lock()


def run_job(panel: BarPanel, job: Job) -> Outcome:
    """Replay `job`; whatever goes wrong inside is a failed outcome, never an exception."""
    _leave_interrupts_to_the_parent()
    began = seconds()
    try:
        with _ONE_AT_A_TIME:  # a dask worker may have several threads; replays share modules and the interpreter's lock
            return _replayed(panel, job, began)
    except Exception as error:  # noqa: BLE001 - a user's strategy may raise anything; the other replays go on
        why = f"{type(error).__name__}: {error}".splitlines()[0]
        return Outcome(key=job.key, number=job.number, state="failed", why=why, run_seconds=seconds() - began)


def _replayed(panel: BarPanel, job: Job, began: float) -> Outcome:
    from research.backtest.run import run_replay
    from research.experiments.bars import cut, drawn_bars
    from research.experiments.figures import figures_of
    from research.measures.equity import daily_returns
    from shared.config import Config
    from shared.errors import DataError
    from shared.io.fingerprints import code_hash

    config = Config.model_validate_json(job.config).based_at(Path(job.base_dir))
    mine = code_hash(config)
    if mine != job.code_hash:
        raise DataError(f"this worker runs other code ({mine[:12]} instead of {job.code_hash[:12]}), allowed: the same")
    bars = cut(panel, job.rows)
    if job.market is not None:
        bars = drawn_bars(config, bars, job.start, job.market)
    result = run_replay(config, bars, start=job.start)
    curve = result.curve
    return Outcome(
        key=job.key,
        number=job.number,
        state="done",
        figures=figures_of(result),
        sessions=sorted(set(curve.sessions)),
        returns=daily_returns(curve, result.starting_cash).tolist(),
        run_seconds=seconds() - began,
    )


def _leave_interrupts_to_the_parent() -> None:
    """Ctrl-C reaches every process of the terminal; the parent alone decides what it means."""
    if parent_process() is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
