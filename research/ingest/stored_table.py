"""The bar store as the checks of data quality see it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from research.ingest.quality.table import Series, Table
from research.ingest.quality.verify import Actions
from shared.io.bar_files import VALUES
from shared.io.bar_library import BarStore
from shared.io.bar_places import interval_s_of
from shared.io.panel_of_bars import bars_of


def stored_table(store: BarStore, frequency: str, symbols: Sequence[str]) -> Table:
    """The stored bars of these symbols as they were stored, rows counted per symbol."""
    interval_s = interval_s_of(frequency)
    found = []
    for symbol in symbols:
        bars = bars_of(store.read([symbol], frequency, view=_as_stored(store, symbol, frequency)), symbol)
        found.append(
            Series(
                symbol=symbol,
                interval_s=interval_s,
                opened_at=bars.opened_at,
                row=np.zeros(len(bars), dtype=np.int64),
                values={name: getattr(bars, name) for name in VALUES},
            )
        )
    return Table(name=f"{store.folder.name}/{frequency}", is_quotes=False, interval_s=interval_s, series=tuple(found))


def stored_actions(store: BarStore, frequency: str, symbols: Sequence[str]) -> Actions:
    """The actions that the stored prices should show: all where they are raw, no split where they are adjusted."""
    return {
        symbol: store.actions(symbol) if _as_stored(store, symbol, frequency) == "raw" else () for symbol in symbols
    }


def _as_stored(store: BarStore, symbol: str, frequency: str) -> str:
    spans = store.spans(frequency, [symbol])
    return spans[0].adjustment if spans else "raw"
