"""What `openbell replay` does: read, replay, count the trial, measure; the result with the record of its tear sheet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec
from msgspec import Struct

from research.backtest.assembly import timeline_of
from research.backtest.result import ReplayResult
from research.backtest.run import RunOptions, run_replay
from research.backtest.summary import summarise
from research.measures.bootstrap import BandOptions
from research.measures.ledger import LEDGER_FILE, Ledger
from research.measures.measured import measured
from research.measures.stamp import stamped
from research.tear_sheet.benchmark import Benchmark, read_benchmark
from research.tear_sheet.record import Record, record_of
from shared.config import Config, load_config
from shared.errors import NotFound
from shared.io.bar_store import BarPanel, load_bars

COMMAND = "openbell replay"
SYMBOLS_SAID = 6


class Asked(Struct, frozen=True, kw_only=True):
    """What was asked for; `days` are the first and last session, None = all there are."""

    config: Path
    data: Path
    days: tuple[date | None, date | None] = (None, None)
    benchmark: str | None = None
    actions: Path | None = None
    drop_bad_bars: bool = False
    features: Path | None = None


class Produced(Struct, frozen=True, kw_only=True, eq=False):
    """A replay with its record; `folder` is where it belongs unless the caller says otherwise."""

    result: ReplayResult
    record: Record
    folder: Path


def produce(asked: Asked, *, say: Callable[[str], None]) -> Produced:
    """Run it. Raises ConfigError, DataError, NotFound (a file) and Refused (the trial ledger)."""
    config = _config(asked)
    panel = _panel(asked, config)
    timeline = timeline_of(config, panel, asked.days[0])
    benchmark = None
    if asked.benchmark is not None:
        benchmark = read_benchmark(asked.benchmark).on(tuple(dict.fromkeys(timeline.rows.sessions)))
    say(
        f"replay: {len(timeline.rows):,} rows of {_names(panel.symbols)} from {asked.data}, "
        f"{len(timeline.warm_up)} to warm up, {timeline.outside:,} outside regular hours, "
        f"{panel.dropped} bad bars dropped"
    )
    result = run_replay(config, panel, start=asked.days[0], options=RunOptions(features=asked.features))
    for note in result.notes:
        say(f"replay: {note}")
    record = recorded(result, config, panel, start=asked.days[0], benchmark=benchmark, data_name=asked.data.name)
    sessions = result.curve.sessions
    folder = config.base_dir / config.state_dir / "replay" / f"{sessions[0]}_{sessions[-1]}"
    return Produced(result=result, record=record, folder=folder)


def recorded(  # noqa: PLR0913 - keywords: where the bars came from and what to hold the result against
    result: ReplayResult,
    config: Config,
    panel: BarPanel,
    *,
    start: date | None = None,
    benchmark: Benchmark | None = None,
    data_name: str = "",
    command: str = COMMAND,
) -> Record:
    """Count the trial in the ledger of `config`, measure, and put together what the tear sheet shows."""
    stamp = stamped(config, panel, start=start)
    ledger = Ledger(config.base_dir / config.state_dir / LEDGER_FILE)
    count = ledger.record(stamp, summarise(result), command=command).count
    return record_of(
        result,
        config,
        panel,
        measures=measured(result, benchmark=benchmark, trials=count, panel=panel, bands=BandOptions()),
        stamp=msgspec.structs.replace(stamp, trials=count.trials),
        benchmark=benchmark,
        data_name=data_name,
    )


def _config(asked: Asked) -> Config:
    config = load_config(asked.config)
    if asked.actions is None:
        return config
    if not asked.actions.is_file():
        raise NotFound(f"replay: --actions {asked.actions}: no such file, allowed: .csv or .parquet")
    assumed = config.replay.model_copy(update={"actions": str(asked.actions.resolve())})
    return config.model_copy(update={"replay": assumed})


def _panel(asked: Asked, config: Config) -> BarPanel:
    if not asked.data.exists():
        raise NotFound(f"replay: --data {asked.data}: no such file or folder, allowed: .parquet or .csv")
    symbols = config.universe.symbols
    return load_bars(asked.data, symbols=symbols, end=asked.days[1], drop_bad_bars=asked.drop_bad_bars)


def _names(symbols: tuple[str, ...]) -> str:
    more = f" and {len(symbols) - SYMBOLS_SAID} more" if len(symbols) > SYMBOLS_SAID else ""
    return ", ".join(symbols[:SYMBOLS_SAID]) + more
