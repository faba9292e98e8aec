"""`openbell sweep`: many settings over the same bars."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from msgspec import Struct

from research.experiments.bars import Bars
from research.experiments.drawn_market import DrawnMarket
from research.experiments.identity import job_of, stamp_of
from research.experiments.job import Job
from research.experiments.luck import Luck, luck_of
from research.experiments.ranking import Standing, Verdict, attempt_of, standings, verdict
from research.experiments.running import Runner
from research.experiments.table import Row, table_of, write_table
from research.experiments.variants import Variant, Variants
from research.measures.ledger import Ledger, TrialCount

TABLE, MARKETS = "results.parquet", "markets.parquet"


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
    luck: Luck | None = None
    """None where no markets were drawn."""
    drawn: tuple[Row, ...] = ()

    @property
    def failed(self) -> tuple[Row, ...]:
        return tuple(
            row for row in (*self.rows, *self.drawn) if row.outcome is not None and row.outcome.state == "failed"
        )


def run_sweep(  # noqa: PLR0913 - the conditions of the sweep, by name
    variants: Variants,
    bars: Bars,
    *,
    runner: Runner,
    ledger: Ledger,
    measure: str,
    start: date | None = None,
    markets: Sequence[DrawnMarket] = (),
) -> SweepResult:
    """Replay every variant from session `start` on, write the table into the runner's folder, count the trials.

    The same in every drawn market, into a table of its own: those are no trials, for nobody can trade there. A Ctrl-C
    ends it early: what is done is kept, and the same call goes on from there.
    """
    known = {variant.number: stamp_of(variant, bars, start) for variant in variants.tried}
    jobs = [_job(variant, bars, start, market) for market in (None, *markets) for variant in variants.tried]
    outcomes = runner.run(bars.panel, jobs)
    of_variant = [*variants.tried] * (1 + len(markets))
    every = [
        Row(
            number=variant.number,
            parameters=variant.parameters,
            stamp=known[variant.number],
            outcome=outcomes.of.get(job.key),
            beside={} if job.market is None else {"market_seed": job.market.seed},
        )
        for variant, job in zip(of_variant, jobs, strict=True)
    ]
    rows, drawn = every[: len(variants.tried)], every[len(variants.tried) :]
    count = recorded(rows, ledger, "openbell sweep")
    path = runner.store.folder / TABLE
    write_table(path, table_of(rows))
    best = standings(rows, measure)
    if drawn:
        write_table(runner.store.folder / MARKETS, table_of(drawn))
    return SweepResult(
        rows=tuple(rows),
        best=tuple(best),
        measure=measure,
        refused=variants.refused,
        why_refused=variants.why,
        interrupted=outcomes.interrupted,
        verdict=verdict(_returns(best), count),
        table=path,
        luck=_luck(best, drawn, measure, markets) if drawn else None,
        drawn=tuple(drawn),
    )


def _job(variant: Variant, bars: Bars, start: date | None, market: DrawnMarket | None) -> Job:
    rows = bars.rows_of(start, None, variant.config.bars.warm_up)
    return job_of(variant, bars, rows=rows, start=start, market=market)


def _luck(best: Sequence[Standing], drawn: Sequence[Row], measure: str, markets: Sequence[DrawnMarket]) -> Luck:
    by_setting: dict[int, list[Row]] = {}
    for row in drawn:
        by_setting.setdefault(row.number, []).append(row)
    return luck_of(best, by_setting, measure, markets[0].block_sessions)


def _returns(best: Sequence[Standing]) -> list[float]:
    return best[0].typical.outcome.returns if best and best[0].typical.outcome else []


def recorded(rows: Sequence[Row], ledger: Ledger, command: str) -> TrialCount:
    """Enter every replay that ended well; how many trials of this strategy on this data there are now."""
    for row in rows:
        if row.outcome is not None and row.outcome.state == "done":
            ledger.record(row.stamp, attempt_of([row]), command=command)
    return ledger.count(rows[0].stamp)
