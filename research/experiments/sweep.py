"""`openbell sweep`: many settings over the same bars."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from msgspec import Struct

from research.experiments.bars import Bars
from research.experiments.identity import job_of, stamp_of
from research.experiments.ranking import Standing, Verdict, attempt_of, standings, verdict
from research.experiments.running import Runner
from research.experiments.table import Row, table_of, write_table
from research.experiments.variants import Variants
from research.measures.ledger import Ledger, TrialCount

TABLE = "results.parquet"


class SweepResult(Struct, frozen=True, kw_only=True):
    """Everything about one sweep; `best` first."""

    rows: tuple[Row, ...]
    best: tuple[Standing, ...]
    measure: str
    refused: int
    why_refused: str
    interrupted: bool
    verdict: Verdict
    table: Path

    @property
    def failed(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.outcome is not None and row.outcome.state == "failed")


def run_sweep(
    variants: Variants, bars: Bars, *, runner: Runner, ledger: Ledger, measure: str, start: date | None = None
) -> SweepResult:
    """Replay every variant from session `start` on, write the table into the runner's folder, count the trials.

    A Ctrl-C ends it early: what is done is kept, and the same call goes on from there.
    """
    jobs = []
    for variant in variants.tried:
        warm_up = variant.config.bars.warm_up
        jobs.append(job_of(variant, bars, rows=bars.rows_of(start, None, warm_up), start=start))
    outcomes = runner.run(bars.panel, jobs)
    rows = [
        Row(
            number=variant.number,
            parameters=variant.parameters,
            stamp=stamp_of(variant, bars, start),
            outcome=outcomes.of.get(job.key),
        )
        for variant, job in zip(variants.tried, jobs, strict=True)
    ]
    count = recorded(rows, ledger, "openbell sweep")
    path = runner.store.folder / TABLE
    write_table(path, table_of(rows))
    best = standings(rows, measure)
    return SweepResult(
        rows=tuple(rows),
        best=tuple(best),
        measure=measure,
        refused=variants.refused,
        why_refused=variants.why,
        interrupted=outcomes.interrupted,
        verdict=verdict(_returns(best), count),
        table=path,
    )


def _returns(best: Sequence[Standing]) -> list[float]:
    return best[0].typical.outcome.returns if best and best[0].typical.outcome else []


def recorded(rows: Sequence[Row], ledger: Ledger, command: str) -> TrialCount:
    """Enter every replay that ended well; how many trials of this strategy on this data there are now."""
    for row in rows:
        if row.outcome is not None and row.outcome.state == "done":
            ledger.record(row.stamp, attempt_of([row]), command=command)
    return ledger.count(rows[0].stamp)
