"""`openbell data fetch`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from research.ingest.fetching_conduct import Request

EXIT_FAILED, EXIT_USAGE, EXIT_NOT_FOUND, EXIT_NO_BROKER, EXIT_CONFIG, EXIT_INTERRUPTED = 1, 2, 3, 5, 78, 130


def register_on(group: typer.Typer) -> None:
    """Add `fetch` to `openbell data`."""
    group.command("fetch")(fetch)


def fetch(  # noqa: PLR0913, PLR0917 - one parameter per option
    source: Annotated[str, typer.Option(help="ib, yfinance, alphavantage, alpaca, csv or sec.")],
    config: Annotated[Path, typer.Option("--config", help="The config.toml the daemon runs with.")] = Path(
        "config.toml"
    ),
    symbols: Annotated[
        str | None, typer.Option(help="Tickers with commas between; else the universe, csv: all.")
    ] = None,
    frequency: Annotated[str, typer.Option(help="1d, 1h, 15m, 5m or 1m.")] = "1d",
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First day, ISO date.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day, ISO date.")] = None,
    show: Annotated[str, typer.Option(help="trades, bid, ask or midpoint.")] = "trades",
    extended_hours: Annotated[bool, typer.Option("--extended-hours", help="04:00 to 20:00 New York.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Ask also for what was answered before.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="What contradicts stored bars takes their place.")] = False,
    drop_bad_bars: Annotated[bool, typer.Option("--drop-bad-bars", help="Skip and count bad bars.")] = False,
    path: Annotated[Path | None, typer.Option(help="csv: the file or folder.")] = None,
    prices: Annotated[str, typer.Option(help="csv: raw, split or total, what was done to the prices.")] = "raw",
    actions: Annotated[Path | None, typer.Option(help="csv: a table of dividends and splits.")] = None,
    documents: Annotated[str, typer.Option(help="sec: of tickers,submissions,facts,form4.")] = "tickers",
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Fetch past data into the store: only what is missing, resumed where it was stopped.

    \b
    Example:
      openbell data fetch --source ib --symbols SPY,AAPL --frequency 1m --from 2026-10-01
      openbell data fetch --source csv --path bars.parquet --actions actions.csv
      openbell data fetch --source sec --symbols AAPL --documents tickers,facts,form4
    """  # noqa: D301 - \b keeps the example's lines apart
    from research.ingest.fetching import Terms
    from research.ingest.fetching_conduct import CsvOptions, Request
    from research.ingest.fetching_plan import Asked

    request = Request(
        config=config,
        asked=Asked(
            source=source, symbols=symbols, frequency=frequency, first=_day("--from", first), last=_day("--to", last),
            show=show, extended_hours=extended_hours,
        ),
        terms=Terms(again=again, replace=replace, drop_bad_bars=drop_bad_bars),
        csv=CsvOptions(path=path, prices=prices, actions=actions),
        documents=documents,
        as_json=as_json,
    )  # fmt: skip
    _guarded(request)


def _guarded(request: Request) -> None:
    """Every error raised on purpose as one line and its exit code."""
    from research.ingest.fetching_conduct import conduct
    from research.ingest.fetching_plan import WrongUsage
    from shared.errors import BrokerUnavailable, ConfigError, NotFound, OpenbellError

    _speak_to_stderr()
    codes = {
        WrongUsage: EXIT_USAGE,
        NotFound: EXIT_NOT_FOUND,
        BrokerUnavailable: EXIT_NO_BROKER,
        ConfigError: EXIT_CONFIG,
    }
    try:
        is_complete = conduct(request)
    except OpenbellError as error:
        line = str(error) if isinstance(error, ConfigError) else f"data fetch: {error}"
        _fail(line, next((code for kind, code in codes.items() if isinstance(error, kind)), EXIT_FAILED))
    except KeyboardInterrupt:
        _fail("data fetch: interrupted; the same command goes on where it stopped", EXIT_INTERRUPTED)
    if not is_complete:
        raise typer.Exit(EXIT_FAILED)


def _speak_to_stderr() -> None:
    """Warnings on standard error, secrets taken out: standard output is the summary."""
    import logging
    import sys

    import structlog

    from shared.io.redaction import redact

    structlog.configure(
        processors=[redact, structlog.processors.KeyValueRenderer(key_order=["event"])],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _day(option: str, text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        _fail(f"data fetch: {option} {text!r} is no date, allowed: ISO such as 2013-10-08", EXIT_USAGE)


def _fail(line: str, code: int) -> NoReturn:
    typer.echo(line, err=True)
    raise typer.Exit(code)
