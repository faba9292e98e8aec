"""Sectors for features that are neutralised: of every instrument at every row, as known when the row closed."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from shared.errors import ConfigError
from shared.indicators.feature_name import Feature
from shared.indicators.indicator import IntArray
from shared.io.bar_store import BarPanel

if TYPE_CHECKING:  # a worker needs no configuration, and pydantic takes long to load
    from shared.config import Config

UNKNOWN = -1


class Sectors(Struct, frozen=True, kw_only=True):
    """From row `firsts[k]` on the n instruments are in the sectors `names[k]`, empty where nothing is known."""

    firsts: tuple[int, ...]
    names: tuple[tuple[str, ...], ...]

    def codes(self, first: int, end: int) -> IntArray:
        """The rows `first` to `end` (without it) as numbers (rows, n), UNKNOWN where nothing is known."""
        begin, stop = bisect_right(self.firsts, first) - 1, bisect_left(self.firsts, end)
        edges = [first, *self.firsts[begin + 1 : stop], end]
        return np.repeat([_numbered(names) for names in self.names[begin:stop]], np.diff(edges), axis=0)

    def digest(self, rows: int) -> str:
        """SHA-256 (hex) of the sectors of the first `rows` rows."""
        told = [[first, names] for first, names in zip(self.firsts, self.names, strict=True) if first < rows]
        return hashlib.sha256(json.dumps(told, separators=(",", ":")).encode()).hexdigest()


def sectors_of(config: Config, panel: BarPanel, features: Iterable[Feature]) -> Sectors | None:
    """The sectors of `[features] sectors` at the rows of the panel; None where no feature asks for them.

    Raises:
        ConfigError: one does, and no table is named. DataError: the table cannot be read.
    """
    asking = [str(feature) for feature in features if feature.needs_sectors]
    if not asking:
        return None
    if not config.features.sectors:
        raise ConfigError(f"features.names: {asking[0]} is taken within sectors, allowed: with features.sectors")
    return read_sectors(config.base_dir / config.features.sectors, panel)


def read_sectors(path: Path, panel: BarPanel) -> Sectors:
    """What the dated snapshots in `path` (snapshot, symbol, sector) say, each known from the end of its day on."""
    from research.ingest.point_in_time.as_of import as_of, instants
    from research.ingest.universe.spells import load_sectors

    table = load_sectors(path)
    known = np.unique(instants(table.rows["known_by"]))
    changes = np.unique([0, *np.searchsorted(panel.closed_at, known)])
    changes = changes[changes < len(panel)]
    found = as_of(table, panel.symbols, panel.closed_at[changes]).texts("sector")
    firsts: list[int] = []
    names: list[tuple[str, ...]] = []
    for first, row in zip(changes.tolist(), found, strict=True):
        told = tuple("" if sector is None else str(sector) for sector in row)
        if not names or told != names[-1]:
            firsts.append(first)
            names.append(told)
    return Sectors(firsts=tuple(firsts), names=tuple(names))


def _numbered(names: tuple[str, ...]) -> list[int]:
    numbers = {name: number for number, name in enumerate(sorted(set(names) - {""}))}
    return [numbers.get(name, UNKNOWN) for name in names]
