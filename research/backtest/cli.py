"""`openbell replay`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from datetime import date

    from research.backtest.result import ReplayResult
    from shared.config import Config

EXIT_FAILED, EXIT_USAGE, EXIT_NOT_FOUND, EXIT_CONFIG = 1, 2, 3, 78
DATA_NEEDED = (
    "replay: --data is missing, give a .parquet or .csv file of bars or a folder of them "
    "(columns symbol, ts or date, open, high, low, close, volume)"
)


def register(app: typer.Typer) -> None:
    """Add `replay` to the front door."""
    app.command("replay")(replay)


def replay(  # noqa: PLR0913, PLR0917 - one parameter per option
    config: Annotated[Path, typer.Option(help="The config.toml the daemon runs with.")] = Path("config.toml"),
    data: Annotated[Path | None, typer.Option(help="Bars: a .parquet or .csv file, or a folder.")] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First session, ISO date.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last session, ISO date.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the report (else STATE_DIR/replay/FIRST_LAST).")] = None,
    drop_bad_bars: Annotated[bool, typer.Option("--drop-bad-bars", help="Skip and count bad bars.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Replay stored bars through the daemon's own engine, under backtrader.

    Example: openbell replay --config config.toml --data bars/minute.parquet --from 2013-10-07 --to 2013-10-10
    """
    from shared.errors import ConfigError, DataError

    try:
        settings, result = _replayed(config, data, (_day("--from", first), _day("--to", last)), drop_bad_bars)
        _show(result, out or _folder(settings, result), as_json=as_json)
    except ConfigError as error:
        _fail(str(error), EXIT_CONFIG)
    except DataError as error:
        _fail(str(error), EXIT_FAILED)


def _replayed(
    path: Path, data: Path | None, days: tuple[date | None, date | None], drop_bad_bars: bool
) -> tuple[Config, ReplayResult]:
    from research.backtest.assembly import build_driver, timeline_of
    from research.backtest.replay import replay_bars
    from shared.config import load_config
    from shared.io.bar_store import load_bars

    config = load_config(path)
    if data is None:
        _fail(DATA_NEEDED, EXIT_USAGE)
    if not data.exists():
        _fail(f"replay: --data {data}: no such file or folder, allowed: .parquet or .csv", EXIT_NOT_FOUND)
    panel = load_bars(data, symbols=config.universe.symbols, end=days[1], drop_bad_bars=drop_bad_bars)
    timeline = timeline_of(config, panel, days[0])
    _say(
        f"replay: {len(timeline.rows):,} rows of {', '.join(panel.symbols)} from {data}, "
        f"{len(timeline.warm_up)} to warm up, {timeline.outside:,} outside regular hours, "
        f"{panel.dropped} bad bars dropped"
    )
    return config, replay_bars(build_driver(config, panel, timeline), timeline)


def _show(result: ReplayResult, folder: Path, *, as_json: bool) -> None:
    import sys

    from rich.console import Console

    from research.backtest.artifacts import summary_json, write_artifacts
    from research.backtest.report import print_summary
    from research.backtest.summary import summarise

    summary = summarise(result)
    for path in write_artifacts(folder, result, summary, "Replay of " + _names(result.symbols)):
        _say(f"replay: wrote {path}")
    if as_json:
        sys.stdout.write(summary_json(summary).decode())
    else:
        print_summary(summary, Console())


def _folder(config: Config, result: ReplayResult) -> Path:
    """Where a report goes unless --out says otherwise: one folder per period."""
    sessions = result.curve.sessions
    return config.base_dir / config.state_dir / "replay" / f"{sessions[0]}_{sessions[-1]}"


def _names(symbols: tuple[str, ...]) -> str:
    shown = 6
    more = f" and {len(symbols) - shown} more" if len(symbols) > shown else ""
    return ", ".join(symbols[:shown]) + more


def _day(option: str, text: str | None) -> date | None:
    from datetime import date

    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        _fail(f"replay: {option} {text!r} is no date, allowed: ISO such as 2013-10-08", EXIT_USAGE)


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _fail(line: str, code: int) -> NoReturn:
    typer.echo(line, err=True)
    raise typer.Exit(code)
