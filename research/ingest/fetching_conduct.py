"""One `openbell data fetch` from its words to its summary."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer
from msgspec import Struct, structs

from research.ingest.fetching import Fetched, Fetcher, Terms, Watcher
from research.ingest.fetching_coverage import Coverage
from research.ingest.fetching_plan import Asked, WrongUsage, interval_of, place_of, symbols_of, wanted_of
from research.ingest.sources.clock import WallClock
from research.ingest.sources.offers import CACHE, SOURCES, edgar
from research.ingest.sources.source import SourceUnavailable
from shared.config import Config, load_config
from shared.errors import BrokerUnavailable, NotFound
from shared.io.bar_library import BarStore
from shared.io.bar_part import ADJUSTMENTS, Adjustment
from shared.io.session_cache import cache_folder, prepare_sessions

if TYPE_CHECKING:
    from research.ingest.sources.source import Source, Wanted

CSV, SEC = "csv", "sec"
NAMES = (*SOURCES, CSV, SEC)
FORM_4_DAYS = 365


class CsvOptions(Struct, frozen=True, kw_only=True):
    """What only --source csv takes."""

    path: Path | None = None
    prices: str = "raw"
    actions: Path | None = None


class Request(Struct, frozen=True, kw_only=True):
    """Everything the command line said."""

    config: Path
    asked: Asked
    terms: Terms = Terms()
    csv: CsvOptions = CsvOptions()
    documents: str = "tickers"
    as_json: bool = False


def conduct(request: Request) -> bool:
    """Fetch, and print the summary; whether everything asked for is there.

    Raises:
        WrongUsage: exit code 2.
        OpenbellError: any other reason for which nothing at all could be fetched.
    """
    name = request.asked.source
    if name not in NAMES:
        raise WrongUsage(f"--source {name!r}, allowed: {', '.join(NAMES)}")
    if name != CSV and (request.csv.path or request.csv.actions):
        raise WrongUsage(f"--path and --actions go with --source {CSV} only")
    config = load_config(request.config)
    folder = config.base_dir / config.data.folder
    clock = WallClock()
    try:
        found = _documents(request, config, folder, clock) if name == SEC else _bars(request, config, folder, clock)
    except KeyboardInterrupt:
        clock.stop()
        raise
    return _told(request, found)


def _bars(request: Request, config: Config, folder: Path, clock: WallClock) -> list[Fetched]:
    interval_of(request.asked)
    calendar = config.data.calendar or config.session.calendar
    prepare_sessions(calendar, cache_folder())
    source, asked, held = _opened(request, config, folder, clock)
    try:
        wanted = wanted_of(asked, symbols_of(asked, config, held), source, calendar)
        if request.terms.replace and source.adjustment != "raw" and not request.terms.again:
            raise WrongUsage(f"--replace needs --again with {source.adjustment}-adjusted prices: all or none of them")
        return _fetched(request, source, folder, wanted, clock)
    finally:
        source.close()


def _fetched(
    request: Request, source: Source, folder: Path, wanted: Sequence[Wanted], clock: WallClock
) -> list[Fetched]:
    place = place_of(folder, request.asked)
    coverage = Coverage(place / CACHE / "answered" / source.name / request.asked.frequency)
    # Files are read anew: they cost nothing, and may have changed.
    terms = structs.replace(request.terms, again=True) if source.name == CSV else request.terms
    store = BarStore(place, calendar=wanted[0].calendar) if wanted else BarStore(place)
    fetcher = Fetcher(source, store, coverage, terms, on_stop=clock.stop)
    return _watched(source.name, len(wanted), lambda watcher: fetcher.run(wanted, watcher))


def _opened(request: Request, config: Config, folder: Path, clock: WallClock) -> tuple[Source, Asked, tuple[str, ...]]:
    """The source, what is asked of it (files say themselves which days they hold), and the symbols it holds."""
    asked = request.asked
    if asked.source != CSV:
        source = SOURCES[asked.source](config, folder, clock)
        try:
            source.open()
        except SourceUnavailable as silent:
            source.close()
            raise BrokerUnavailable(str(silent)) from None
        except BaseException:
            source.close()
            raise
        return source, asked, ()
    from research.ingest.sources.bar_folder import BarFolder

    if request.csv.path is None:
        raise WrongUsage(f"--source {CSV} needs --path, a .parquet or .csv file or a folder of them")
    if request.csv.prices not in ADJUSTMENTS:
        raise WrongUsage(f"--prices {request.csv.prices!r}, allowed: {', '.join(ADJUSTMENTS)}")
    if not request.csv.path.exists():
        raise NotFound(f"{request.csv.path}: no such file or folder, allowed: .parquet or .csv tables of bars")
    files = BarFolder(
        request.csv.path,
        clock,
        adjustment=cast("Adjustment", request.csv.prices),
        actions=request.csv.actions,
        drop_bad_bars=request.terms.drop_bad_bars,
    )
    symbols, first, last = files.contents()
    return files, structs.replace(asked, first=asked.first or first, last=asked.last or last), symbols


def _documents(request: Request, config: Config, folder: Path, clock: WallClock) -> list[Fetched]:
    from research.ingest.fetching_documents import KINDS, fetch_documents

    kinds = tuple(word.strip() for word in request.documents.split(",") if word.strip())
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise WrongUsage(f"--documents {request.documents!r}, allowed: of {','.join(KINDS)}")
    symbols = symbols_of(request.asked, config)
    today = datetime.fromtimestamp(clock.now_s(), UTC).date()
    days = (request.asked.first or today - timedelta(days=FORM_4_DAYS), today)
    source = edgar(config, folder, clock)
    try:
        return _watched(
            SEC, len(symbols), lambda watcher: fetch_documents(source, folder / SEC, (symbols, kinds), days, watcher)
        )
    finally:
        source.close()


def _watched(label: str, symbols: int, run: Callable[[Watcher], list[Fetched]]) -> list[Fetched]:
    from rich.console import Console

    from research.ingest.fetching_view import Bar, progress_on

    with progress_on(Console(stderr=True)) as progress:
        return run(Bar(progress, symbols, label))


def _told(request: Request, found: list[Fetched]) -> bool:
    from research.ingest.fetching_view import facts, summary

    told = facts(request.asked.source, request.asked.frequency, found)
    if request.as_json:
        typer.echo(json.dumps(told))
    else:
        typer.echo("\n".join(summary(request.asked.source, found)))
    return bool(told["is_complete"])
