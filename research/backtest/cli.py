"""`openbell replay` and `openbell report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from datetime import date

    from research.backtest.production import Produced

EXIT_FAILED, EXIT_USAGE, EXIT_NOT_FOUND, EXIT_REFUSED, EXIT_CONFIG = 1, 2, 3, 4, 78
DATA_NEEDED = (
    "replay: --data is missing, give a .parquet or .csv file of bars or a folder of them "
    "(columns symbol, ts or date, open, high, low, close, volume)"
)


def register(app: typer.Typer) -> None:
    """Add `replay` and `report` to the front door."""
    app.command("replay")(replay)
    app.command("report")(report)


def replay(  # noqa: PLR0913, PLR0917 - one parameter per option
    config: Annotated[Path, typer.Option(help="The config.toml the daemon runs with.")] = Path("config.toml"),
    data: Annotated[Path | None, typer.Option(help="Bars: a .parquet or .csv file, or a folder.")] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First session, ISO date.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last session, ISO date.")] = None,
    benchmark: Annotated[
        str | None, typer.Option(metavar="FILE[:SYMBOL]", help="Closes to hold the result against.")
    ] = None,
    actions: Annotated[Path | None, typer.Option(help="Dividends and splits, instead of [replay] actions.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the report (else STATE_DIR/replay/FIRST_LAST).")] = None,
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Write tear_sheet.html and replay.png.")
    ] = True,
    open_page: Annotated[bool, typer.Option("--open", help="Show the tear sheet in the browser.")] = False,
    drop_bad_bars: Annotated[bool, typer.Option("--drop-bad-bars", help="Skip and count bad bars.")] = False,
    features: Annotated[Path | None, typer.Option(help="Read features from this folder, not computed anew.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Replay stored bars through the daemon's own engine, under backtrader.

    Example: openbell replay --config config.toml --data bars/minute.parquet --from 2013-10-07 --to 2013-10-10
    """
    from research.backtest.production import Asked, produce
    from shared.errors import ConfigError, DataError, NotFound, Refused

    if open_page and not pictures:
        _fail("replay: --open has no page to show, allowed: without --no-pictures", EXIT_USAGE)
    days = _days(first, last)
    if data is None:
        _fail(DATA_NEEDED, EXIT_USAGE)
    asked = Asked(
        config=config,
        data=data,
        days=days,
        benchmark=benchmark,
        actions=actions,
        drop_bad_bars=drop_bad_bars,
        features=features,
    )
    try:
        produced = produce(asked, say=_say)
        _leave(produced, out or produced.folder, pictures=pictures, as_json=as_json)
        if open_page:
            _open("replay", out or produced.folder)
    except ConfigError as error:
        _fail(str(error), EXIT_CONFIG)
    except DataError as error:
        _fail(str(error), EXIT_FAILED)
    except NotFound as error:
        _fail(str(error), EXIT_NOT_FOUND)
    except Refused as error:
        _fail(str(error), EXIT_REFUSED)


def report(
    folder: Annotated[Path, typer.Argument(help="What openbell replay wrote.")],
    open_page: Annotated[bool, typer.Option("--open", help="Show the tear sheet in the browser.")] = False,
) -> None:
    """Draw the tear sheet of an earlier replay anew from its files, without replaying.

    Example: openbell report state/replay/2013-10-07_2013-10-10
    """
    from rich.console import Console

    from research.backtest.artifacts import write_pictures
    from research.backtest.report import print_report
    from research.tear_sheet.store import read_record
    from shared.errors import DataError, NotFound

    try:
        record = read_record(folder)
        for path in write_pictures(folder, record):
            _say(f"report: wrote {path}")
    except DataError as error:
        _fail(str(error), EXIT_FAILED)
    except NotFound as error:
        _fail(str(error), EXIT_NOT_FOUND)
    print_report(record, Console())
    if open_page:
        _open("report", folder)


def _leave(produced: Produced, folder: Path, *, pictures: bool, as_json: bool) -> None:
    import sys

    from rich.console import Console

    from research.backtest.artifacts import summary_json, write_artifacts
    from research.backtest.report import print_report
    from research.backtest.summary import summarise

    for path in write_artifacts(folder, produced.result, produced.record, pictures=pictures):
        _say(f"replay: wrote {path}")
    if as_json:
        sys.stdout.write(summary_json(summarise(produced.result)).decode())
    else:
        print_report(produced.record, Console())


def _open(command: str, folder: Path) -> None:
    import webbrowser

    from research.backtest.artifacts import PAGE

    page = (folder / PAGE).resolve()
    if not webbrowser.open(page.as_uri()):
        _say(f"{command}: no browser here, open {page}")


def _days(first: str | None, last: str | None) -> tuple[date | None, date | None]:
    begin, end = _day("--from", first), _day("--to", last)
    if begin is not None and end is not None and begin > end:
        _fail(f"replay: --from {begin} is after --to {end}, allowed: the same day or before", EXIT_USAGE)
    return begin, end


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
