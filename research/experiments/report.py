"""What an experiment says at its end: a table for a person, one object for a program, files for later."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from research.experiments.figures import MEASURES
from research.experiments.luck import Luck, words_of
from research.experiments.ranking import Standing, Verdict
from research.experiments.sweep import SweepResult
from research.experiments.table import Row
from research.experiments.walk_forward import TradedWindow, WalkForward
from research.measures.series import return_figures
from shared.errors import DataError
from shared.io.whole_file import write_whole

if TYPE_CHECKING:
    from rich.console import Console

SWEEP_SCHEMA = "openbell.sweep/1"
WALK_SCHEMA = "openbell.walkforward/1"
SUMMARY = "summary.json"
DATE_WIDTH = 10
_BESIDE = {"sharpe": "sharpe", "annual_return_pct": "%/y", "drawdown_pct_max": "fall %", "round_trips": "trips"}


def sweep_facts(result: SweepResult, top: int) -> dict[str, Any]:
    """The sweep as docs/schemas/sweep.json describes it."""
    states = [row.outcome.state if row.outcome else "not run" for row in result.rows]
    return {
        "schema": SWEEP_SCHEMA,
        "replays": len(result.rows),
        "done": states.count("done"),
        "failed": [_failure(row) for row in result.failed],
        "refused": result.refused,
        "refused_because": result.why_refused,
        "interrupted": result.interrupted,
        "measure": result.measure,
        "best": [_standing(standing) for standing in result.best[:top]],
        "verdict": msgspec.to_builtins(result.verdict),
        "hashes": _hashes(result.rows),
        "table": str(result.table),
        **({} if result.luck is None else {"markets": _luck(result.luck, top)}),
    }


def walk_facts(result: WalkForward, verdict: Verdict, measure: str, table: Path) -> dict[str, Any]:
    """The walk-forward as docs/schemas/walkforward.json describes it; percentages are per hundred."""
    series = return_figures(np.array(result.returns, dtype=np.float64))
    failed = [row for row in result.trained if row.outcome is not None and row.outcome.state == "failed"]
    return {
        "schema": WALK_SCHEMA,
        "measure": measure,
        "edges": result.edges,
        "interrupted": result.interrupted,
        "train_replays": len(result.trained),
        "failed": [_failure(row) for row in failed],
        "windows": [_window(traded) for traded in result.windows],
        "out_of_sample": {
            "first_session": str(result.sessions[0]) if result.sessions else None,
            "last_session": str(result.sessions[-1]) if result.sessions else None,
            **msgspec.to_builtins(series),
        },
        "efficiency": efficiency_of(result),
        "windows_won_pct": _won_pct(result.windows),
        "verdict": msgspec.to_builtins(verdict),
        "hashes": _hashes(result.trained),
        "table": str(table),
    }


def efficiency_of(result: WalkForward) -> float | None:
    """Annual return of what was traded over the mean one of the chosen train replays; None if that is not above 0."""
    annual = return_figures(np.array(result.returns, dtype=np.float64)).annual_return_pct
    values = [traded.in_sample.figure("annual_return_pct") for traded in result.windows]
    known = [float(value) for value in values if isinstance(value, int | float)]
    if annual is None or not known or sum(known) <= 0:
        return None
    return annual / (sum(known) / len(known))


def write_facts(folder: Path, facts: dict[str, Any]) -> bytes:
    """Put the facts into the folder; returns them as they are printed."""
    text = msgspec.json.format(msgspec.json.encode(facts), indent=2) + b"\n"
    _write(folder / SUMMARY, text.decode())
    return text


def write_path(folder: Path, result: WalkForward) -> tuple[Path, Path]:
    """The windows and the linked out-of-sample curve (1 at its beginning) as CSV."""
    windows = io.StringIO()
    names = list(result.windows[0].chosen.parameters)
    writer = csv.writer(windows, lineterminator="\n")
    facts = [_window(traded) for traded in result.windows]
    writer.writerow([*(key for key in facts[0] if key != "chosen"), *names])
    for fact in facts:
        writer.writerow([*(value for key, value in fact.items() if key != "chosen"), *fact["chosen"].values()])
    curve = io.StringIO()
    writer = csv.writer(curve, lineterminator="\n")
    writer.writerow(["session", "return", "growth"])
    growth = np.cumprod(1.0 + np.array(result.returns))
    for day, value, grown in zip(result.sessions, result.returns, growth.tolist(), strict=True):
        writer.writerow([day.isoformat(), repr(value), repr(grown)])
    paths = folder / "windows.csv", folder / "out_of_sample.csv"
    _write(paths[0], windows.getvalue())
    _write(paths[1], curve.getvalue())
    return paths


def print_sweep(result: SweepResult, console: Console, top: int) -> None:
    """The best, then what they are worth."""
    from rich.table import Table

    table = Table(
        title=f"best {min(top, len(result.best))} of {len(result.rows)} by {result.measure}", title_justify="left"
    )
    has_seeds = any(standing.seeds > 1 for standing in result.best)
    for name in result.best[0].parameters if result.best else ():
        table.add_column(name, justify="right")
    table.add_column(result.measure, justify="right")
    if has_seeds:
        table.add_column("seeds: low, high, dev.", justify="right")
    beside = [name for name in _BESIDE if name != result.measure]
    for name in beside:
        table.add_column(_BESIDE[name], justify="right")
    for standing in result.best[:top]:
        spread = [f"{_shown(standing.low)}, {_shown(standing.high)}, {_shown(standing.deviation)}"] if has_seeds else []
        others = [_shown(standing.typical.figure(name)) for name in beside]
        table.add_row(
            *(_shown(each) for each in standing.parameters.values()), _shown(standing.value), *spread, *others
        )
    if result.best:
        console.print(table)
    console.print(result.verdict.words, soft_wrap=True, highlight=False)
    if result.luck is not None:
        _print_luck(result.luck, console, top)


def _print_luck(luck: Luck, console: Console, top: int) -> None:
    """What the best settings come to in the drawn markets, then what the whole search does."""
    from rich.table import Table

    table = Table(title=f"{luck.measure} in {luck.markets:,} drawn markets", title_justify="left")
    for name in (*(luck.spreads[0].parameters if luck.spreads else ()), "real", "low", "median", "high", "lost in"):
        table.add_column(name, justify="right")
    for spread in luck.spreads[:top]:
        figures = (spread.real, spread.low, spread.median, spread.high)
        lost = "n/a" if spread.lost is None else f"{spread.lost:.0%}"
        table.add_row(*(_shown(each) for each in (*spread.parameters.values(), *figures)), lost)
    console.print(table)
    console.print(words_of(luck), soft_wrap=True, highlight=False)


def print_walk(result: WalkForward, facts: dict[str, Any], console: Console, shown_max: int = 20) -> None:
    """The last windows, then everything traded."""
    from rich.table import Table

    shown = result.windows[-shown_max:]
    title = f"{len(result.windows)} windows" + (f", the last {len(shown)}" if len(shown) < len(result.windows) else "")
    table = Table(title=title, title_justify="left")
    names = list(shown[0].chosen.parameters)
    for name in ("chosen up to", "traded from"):
        table.add_column(name, justify="right", min_width=DATE_WIDTH)
    for name in (*names, f"in {facts['measure']}", "in %/y", "out %", "efficiency"):
        table.add_column(name, justify="right", overflow="fold")
    for traded in shown:
        window = traded.window
        table.add_row(
            str(window.train_last),
            str(window.trade_first),
            *(_shown(value) for value in traded.chosen.parameters.values()),
            _shown(traded.in_sample.figure(facts["measure"])),
            _shown(traded.in_sample.figure("annual_return_pct")),
            _shown(traded.return_pct),
            _shown(traded.efficiency),
        )
    console.print(table)
    out = facts["out_of_sample"]
    console.print(
        f"out of sample {out['first_session']} to {out['last_session']}: {_shown(out['total_return_pct'])} %, "
        f"{_shown(out['annual_return_pct'])} % a year, Sharpe {_shown(out['sharpe'])}; "
        f"efficiency {_shown(facts['efficiency'])}; {_shown(facts['windows_won_pct'])} % of the windows won",
        soft_wrap=True,
        highlight=False,
    )
    console.print(facts["verdict"]["words"], soft_wrap=True, highlight=False)


def _standing(standing: Standing) -> dict[str, Any]:
    row = standing.typical
    return {
        "number": row.number,
        "parameters": standing.parameters,
        "value": standing.value,
        "low": standing.low,
        "high": standing.high,
        "deviation": standing.deviation,
        "seeds": standing.seeds,
        "figures": {name: row.figure(name) for name in (*MEASURES, "round_trips", "turnover")},
    }


def _luck(luck: Luck, top: int) -> dict[str, Any]:
    facts: dict[str, Any] = msgspec.to_builtins(luck)
    return {**facts, "spreads": facts["spreads"][:top], "words": words_of(luck)}


def _window(traded: TradedWindow) -> dict[str, Any]:
    return {
        **msgspec.to_builtins(traded.window),
        "chosen": traded.chosen.parameters,
        "in_sample_sharpe": traded.in_sample.figure("sharpe"),
        "in_sample_annual_return_pct": traded.in_sample.figure("annual_return_pct"),
        "return_pct": traded.return_pct,
        "annual_return_pct": traded.annual_return_pct,
        "efficiency": traded.efficiency,
    }


def _failure(row: Row) -> dict[str, Any]:
    return {"number": row.number, "parameters": row.parameters, "why": row.outcome.why if row.outcome else ""}


def _hashes(rows: Sequence[Row]) -> dict[str, Any]:
    stamp = rows[0].stamp
    return {"data": stamp.data_hash, "code": stamp.code_hash, "git": stamp.git_revision, "dirty": stamp.git_dirty}


def _won_pct(windows: Sequence[TradedWindow]) -> float | None:
    return 100.0 * sum(traded.return_pct > 0 for traded in windows) / len(windows) if windows else None


def _shown(value: object) -> str:
    if value is None:
        return "n/a"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}, allowed: a writable folder") from error
