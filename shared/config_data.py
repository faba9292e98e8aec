"""[data] of config.toml: where bars are stored, how they are seen, and from where on they are found suspicious."""

from __future__ import annotations

from typing import Annotated, Literal

from shared.config_fields import choice, number, positive, text, whole
from shared.config_section import Section
from shared.config_sources import SourcesConfig


class DataConfig(Section):
    """[data]: the bar store of research and the limits of `openbell data verify` (docs/data.md)."""

    folder: Annotated[str, text("a folder", "data")] = "data"
    view: Annotated[Literal["raw", "split", "total"], choice("raw", "split", "total")] = "split"
    calendar: Annotated[str, text("a calendar name of exchange_calendars, or empty", "XNYS", "")] = ""
    bad_print_z: Annotated[float, number(3, 1_000, 30)] = 30.0
    bad_print_pct: Annotated[float, positive(1_000, 25)] = 25.0
    stale_bars: Annotated[int, whole(2, 10_000, 10)] = 10
    sources_differ_pct: Annotated[float, positive(100, 0.5)] = 0.5
    sources: SourcesConfig = SourcesConfig()
