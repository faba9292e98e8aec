"""The refresh of a night: the bars its backtest needs, from the source in `[nightly] refresh` into the bar store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from research.ingest.fetching import Fetched, Fetcher, Terms
from research.ingest.fetching_coverage import Coverage
from research.ingest.fetching_plan import Asked, wanted_of
from research.ingest.fetching_view import FAILED, summary
from research.ingest.sources.clock import WallClock
from research.ingest.sources.offers import CACHE, SOURCES
from research.ingest.sources.source import Source
from research.nightly.bars import bars_from, night_bars
from research.nightly.night import Night
from research.nightly.optional_step import Work
from shared.config import Config
from shared.errors import DataError
from shared.io.bar_library import BarStore
from shared.io.bar_places import frequency_of
from shared.io.session_cache import cache_folder, prepare_sessions

Offers = Mapping[str, Callable[[Config, Path, WallClock], Source]]


class _Quiet:
    """A Watcher that says nothing: the night tells one line a step."""

    def chunk(self, symbol: str, until: date, bars: int) -> None: ...

    def done(self, fetched: Fetched) -> None: ...


def refresh_work(config: Config, offers: Offers = SOURCES) -> Work | None:
    """What the nightly step `refresh` carries out; None where `[nightly] refresh` names no source."""
    if not config.nightly.refresh:
        return None

    def work(night: Night) -> str:
        clock = WallClock()
        folder = config.base_dir / config.data.folder
        source = offers[config.nightly.refresh](config, folder, clock)
        try:
            source.open()
            said = _said(source.name, _fetched(config, night, folder, source, clock))
        finally:
            source.close()
        if night.data is None:
            _reaches(night, said)
        return said

    return Work(carry_out=work, made_from=_made_from)


def _made_from(night: Night) -> dict[str, str]:
    """The keys that say what is fetched from where into what."""
    config = night.config
    sections = (config.universe, config.bars, config.data, config.nightly)
    return {"keys": hashlib.sha256("\n".join(each.model_dump_json() for each in sections).encode()).hexdigest()}


def _reaches(night: Night, said: str) -> None:
    """A source that is late has not the session yet: the step fails, so that the next run asks again."""
    try:
        night_bars(night)
    except DataError as error:
        raise DataError(f"{said}; {error}") from None


def _fetched(config: Config, night: Night, folder: Path, source: Source, clock: WallClock) -> list[Fetched]:
    calendar = config.data.calendar or config.session.calendar
    prepare_sessions(calendar, cache_folder())
    frequency = frequency_of(config.bars.interval_s)
    asked = Asked(source=source.name, frequency=frequency, first=bars_from(night), last=night.session)
    coverage = Coverage(folder / CACHE / "answered" / source.name / frequency)
    fetcher = Fetcher(source, BarStore(folder, calendar=calendar), coverage, Terms(), on_stop=clock.stop)
    return fetcher.run(wanted_of(asked, config.universe.symbols, source, calendar), _Quiet())


def _said(name: str, found: list[Fetched]) -> str:
    """One line; DataError with all of them where a symbol was not had."""
    lines = summary(name, found)
    if any(each.state in FAILED for each in found):
        raise DataError("; ".join(line.strip() for line in lines))
    return lines[0]
