"""Section [data] of a configuration as the commands of `openbell data` use it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path

from msgspec import Struct

from research.ingest.quality.finding import Limits
from shared.config import load_config
from shared.io.bar_files import NEW_YORK
from shared.io.bar_library import BarStore


class DataSettings(Struct, frozen=True):
    """The store, how it is read unless a command says otherwise, and the limits of its checks."""

    store: BarStore
    view: str
    limits: Limits


def data_settings(config: Path) -> DataSettings:
    """What the file says; ConfigError as from everywhere."""
    settings = load_config(config)
    of = settings.data
    calendar = of.calendar or settings.session.calendar
    return DataSettings(
        store=BarStore(settings.base_dir / Path(of.folder).expanduser(), calendar=calendar),
        view=of.view,
        limits=Limits(
            bad_print_z=of.bad_print_z,
            bad_print_pct=of.bad_print_pct,
            stale_bars=of.stale_bars,
            sources_differ_pct=of.sources_differ_pct,
            calendar=calendar,
        ),
    )


def as_instant(day: date | None) -> datetime | None:
    """What was known by the end of that New York day."""
    return None if day is None else datetime.combine(day, time(23, 59, 59), tzinfo=NEW_YORK).astimezone(UTC)
