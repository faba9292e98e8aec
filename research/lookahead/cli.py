"""`openbell lookahead`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from datetime import date

    from research.lookahead.examine import Options, Report
    from research.lookahead.target import Target
    from shared.config import Config
    from shared.io.bar_store import BarPanel

EXIT_FAILED, EXIT_USAGE, EXIT_NOT_FOUND, EXIT_LEAKS, EXIT_CONFIG = 1, 2, 3, 6, 78


def register(app: typer.Typer) -> None:
    """Add `lookahead` to the front door."""
    app.command("lookahead")(lookahead)


def lookahead(  # noqa: PLR0913, PLR0917 - one parameter per option
    strategy: Annotated[
        str | None, typer.Argument(help="A [[strategy]] by name or kind, FILE.py or FILE.py:FUNCTION; else all.")
    ] = None,
    config: Annotated[Path, typer.Option(help="The config.toml the daemon runs with.")] = Path("config.toml"),
    data: Annotated[Path | None, typer.Option(help="Bars: a .parquet or .csv file, or a folder.")] = None,
    param: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A parameter; repeatable.")] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First session of the data.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last session of the data.")] = None,
    cuts: Annotated[
        int | None, typer.Option(min=1, max=1_000, help="Places to cut the future off (200; of a feature all).")
    ] = None,
    chain: Annotated[bool, typer.Option(help="Replay engine and broker up to cuts too.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Look for knowledge of the future, and for results that depend on where the data begins; exit code 6 if found.

    Example: openbell lookahead sma --config config.toml --data bars/minute.parquet
    """
    from shared.errors import ConfigError, DataError, NotFound

    try:
        days = _days(first, last)
        reports = _examined(config, data, (strategy, _pairs(param or [])), days, (cuts, chain))
        _show(reports, as_json=as_json)
    except ConfigError as error:
        _fail(str(error), EXIT_CONFIG)
    except NotFound as error:
        _fail(str(error), EXIT_NOT_FOUND)
    except DataError as error:
        _fail(str(error), EXIT_FAILED)
    if not all(report.is_clean for report in reports):
        raise typer.Exit(EXIT_LEAKS)


def _examined(
    path: Path,
    data: Path | None,
    chosen: tuple[str | None, dict[str, object]],
    days: tuple[date | None, date | None],
    effort: tuple[int | None, bool],
) -> list[Report]:
    from research.lookahead.examine import Options
    from research.lookahead.target import targets
    from shared.config import load_config
    from shared.io.bar_store import load_bars

    config = load_config(path)
    if data is None:
        _fail("lookahead: --data is missing, give a .parquet or .csv file of bars or a folder of them", EXIT_USAGE)
    if not data.exists():
        _fail(f"lookahead: --data {data}: no such file or folder, allowed: .parquet or .csv", EXIT_NOT_FOUND)
    wanted = targets(config, *chosen)
    panel = load_bars(data, symbols=config.universe.symbols, start=days[0], end=days[1])
    options = Options(cuts=effort[0], chain=effort[1])
    return [_one(config, target, panel, options) for target in wanted]


def _one(config: Config, target: Target, panel: BarPanel, options: Options) -> Report:
    from rich.console import Console

    from research.lookahead.examine import examine

    console = Console(stderr=True)
    with console.status(f"{target.name} ...") as status:
        return examine(config, target, panel, options, lambda what: status.update(f"{target.name}: {what} ..."))


def _show(reports: list[Report], *, as_json: bool) -> None:
    import sys

    from rich.console import Console

    from research.lookahead import report as text

    if as_json:
        sys.stdout.write(text.as_json(reports).decode())
        return
    for one in reports:
        text.print_report(one, Console())


def _pairs(written: list[str]) -> dict[str, object]:
    import tomllib

    pairs: dict[str, object] = {}
    for text in written:
        name, _, value = text.partition("=")
        try:
            pairs[name] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            allowed = 'NAME=VALUE, the value as in TOML: fast=5, width=1.5, long_only=true, side="up"'
            _fail(f"lookahead: --param {text}: no value, allowed: {allowed}", EXIT_USAGE)
    return pairs


def _days(first: str | None, last: str | None) -> tuple[date | None, date | None]:
    begin, end = _day("--from", first), _day("--to", last)
    if begin is not None and end is not None and begin > end:
        _fail(f"lookahead: --from {begin} is after --to {end}, allowed: the same day or before", EXIT_USAGE)
    return begin, end


def _day(option: str, text: str | None) -> date | None:
    from datetime import date

    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        _fail(f"lookahead: {option} {text!r} is no date, allowed: ISO such as 2013-10-08", EXIT_USAGE)


def _fail(line: str, code: int) -> NoReturn:
    typer.echo(line, err=True)
    raise typer.Exit(code)
