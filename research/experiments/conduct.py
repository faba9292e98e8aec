"""A whole experiment in its folder: run what is missing, write tables and summary, print."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from research.experiments.asked import Asked, Interrupted, SomeFailed
from research.experiments.axes import WrongUsage
from research.experiments.crew import crew_of
from research.experiments.identity import key_of, stamp_of
from research.experiments.progress import shown
from research.experiments.ranking import attempt_of, verdict
from research.experiments.report import (
    print_sweep,
    print_walk,
    sweep_facts,
    walk_facts,
    write_facts,
    write_path,
)
from research.experiments.running import Runner
from research.experiments.store import opened
from research.experiments.sweep import TABLE, run_sweep
from research.experiments.table import Row, table_of, write_table
from research.experiments.walk_forward import Edges, WalkForward, edges_for, walk_forward
from research.experiments.windows import Walk, windows_of
from research.measures.ledger import LEDGER_FILE, Ledger, TrialCount

_NAMED_MAX = 5


def sweep_in_folder(asked: Asked, *, top: int, as_json: bool) -> None:
    """Raises Interrupted or SomeFailed at the end, when everything that is done has been kept and shown."""
    question, variants = asked.question, asked.variants
    bars = asked.bars
    bars.rows_of(question.first, None, 0)  # a first day behind the data is said before anything runs
    with _runner(asked, [str(question.first), *asked.markets]) as runner:
        result = run_sweep(
            variants,
            bars,
            runner=runner,
            ledger=_ledger(asked),
            measure=question.measure,
            start=question.first,
            markets=asked.markets,
        )
    facts = sweep_facts(result, top)
    _print(result.table.parent, facts, as_json=as_json)
    if not as_json:
        print_sweep(result, _console(), top)
    _say(question.command, f"wrote {result.table}")
    if variants.refused:
        refused = f"{variants.refused} of {variants.refused + len(variants.tried)}"
        _say(question.command, f"{refused} combinations are refused and were left out, the first: {variants.why}")
    every = (*result.rows, *result.drawn)
    done = sum(row.outcome is not None and row.outcome.state == "done" for row in every)
    _end(question.command, facts["failed"], done, len(every), interrupted=result.interrupted)


def walk_in_folder(asked: Asked, walk: Walk, *, edges: str | None, as_json: bool) -> None:
    """The same for a walk-forward."""
    question, variants, bars = asked.question, asked.variants, asked.bars
    over = edges_for(variants, _edges(edges))
    sessions = [day for day in bars.sessions if question.first is None or day >= question.first]
    windows = windows_of(sessions, walk)
    cost_bps = question.cost_bps or 0.0
    with _runner(asked, [walk, over, str(question.first)]) as runner:
        result = walk_forward(
            variants, windows, bars, runner=runner, measure=question.measure, edges=over, cost_bps=cost_bps
        )
        folder = runner.store.folder
    table = folder / TABLE
    write_table(table, table_of(result.trained))
    count = _recorded(asked, result)
    facts = walk_facts(result, verdict(result.returns, count), question.measure, table)
    written = [table, *(write_path(folder, result) if result.windows else ())]
    _print(folder, facts, as_json=as_json)
    if result.windows and not as_json:
        print_walk(result, facts, _console())
    for path in written:
        _say(question.command, f"wrote {path}")
    done = sum(row.outcome is not None and row.outcome.state == "done" for row in result.trained)
    _end(question.command, facts["failed"], done, len(result.trained), interrupted=result.interrupted)


@contextmanager
def _runner(asked: Asked, beside: Sequence[object]) -> Iterator[Runner]:
    """The crew, the store in its folder, and the progress; the same question finds the same folder."""
    question = asked.question
    crew = crew_of(asked.config.cluster)
    tried = [stamp_of(variant, asked.bars, question.first).trial for variant in asked.variants.tried]
    name = f"{question.command}_{key_of(question.command, tried, [str(each) for each in beside])[:12]}"
    folder = question.out or asked.config.base_dir / asked.config.state_dir / "experiments" / name
    with opened(folder) as store, shown(question.command) as progress:
        yield Runner(crew=crew, store=store, progress=progress)


def _recorded(asked: Asked, result: WalkForward) -> TrialCount:
    """Each setting is one trial, however many windows it was replayed on; how many there are now."""
    ledger = _ledger(asked)
    by_setting: dict[int, list[Row]] = {}
    for row in result.trained:
        if row.outcome is not None and row.outcome.state == "done":
            by_setting.setdefault(row.number % len(asked.variants.tried), []).append(row)
    stamps = [stamp_of(variant, asked.bars, asked.question.first) for variant in asked.variants.tried]
    for number, rows in sorted(by_setting.items()):
        ledger.record(stamps[number], attempt_of(rows), command="openbell walkforward")
    return ledger.count(stamps[0])


def _ledger(asked: Asked) -> Ledger:
    return Ledger(asked.config.base_dir / asked.config.state_dir / LEDGER_FILE)


def _edges(text: str | None) -> Edges | None:
    known: dict[str | None, Edges | None] = {None: None, "held": "held", "flat": "flat"}
    if text in known:
        return known[text]
    raise WrongUsage(f"--edges {text!r}, allowed: held, flat")


def _print(folder: Path, facts: dict[str, Any], *, as_json: bool) -> None:
    text = write_facts(folder, facts)
    if as_json:
        sys.stdout.write(text.decode())


def _console() -> Any:  # noqa: ANN401 - rich is imported only where something is shown
    from rich.console import Console

    return Console()


def _end(command: str, failed: list[dict[str, Any]], done: int, total: int, *, interrupted: bool) -> None:
    for failure in failed[:_NAMED_MAX]:
        named = ", ".join(f"{name}={value}" for name, value in failure["parameters"].items())
        _say(command, f"failed: {failure['number']} ({named}): {failure['why']}")
    if len(failed) > _NAMED_MAX:
        _say(command, f"failed: {len(failed) - _NAMED_MAX} more, all are in the table")
    if interrupted:
        raise Interrupted(f"interrupted, {done:,} of {total:,} done and kept; the same command goes on from there")
    if failed:
        raise SomeFailed(
            f"{len(failed):,} of {total:,} replays failed, {done:,} are done; the same command tries them again"
        )


def _say(command: str, line: str) -> None:
    typer.echo(f"{command}: {line}", err=True)
