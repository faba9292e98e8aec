"""The table without what is wrong, by the rules of finding.py; symbols of which they refuse something are left out."""

from __future__ import annotations

import numpy as np

from research.ingest.quality.finding import KINDS, Finding
from research.ingest.quality.order import disordered
from research.ingest.quality.table import Series, Table
from research.ingest.quality.verify import Report
from shared.errors import DataError
from shared.io.bar_part import Bars
from shared.io.bar_store import BarPanel
from shared.io.panel_of_bars import panel_of


def repaired(table: Table, report: Report) -> tuple[BarPanel, tuple[str, ...]]:
    """The bars of every symbol of which nothing is refused, and the symbols of which something is.

    Where the table has no volume it is 0.

    Raises:
        DataError: quotes, or nothing is left.
    """
    if table.is_quotes:
        raise DataError(f"{table.name}: quotes are not repaired, allowed: bars")
    refused = {finding.symbol for finding in report.findings if KINDS[finding.kind].repair == "refused"}
    out: dict[str, set[int]] = {}
    for finding in report.findings:
        if KINDS[finding.kind].repair == "left out":
            out.setdefault(finding.symbol, set()).update(_rows(finding))
    kept = {
        series.symbol: _mended(series, out.get(series.symbol, set()))
        for series in table.series
        if series.symbol not in refused
    }
    kept = {symbol: bars for symbol, bars in kept.items() if len(bars)}
    if not kept:
        raise DataError(f"{table.name}: nothing is left of it, allowed: a symbol of which nothing is refused")
    symbols = sorted(kept)
    return panel_of(symbols, [kept[symbol] for symbol in symbols], table.interval_s), tuple(sorted(refused))


def _rows(finding: Finding) -> range:
    return range(finding.row, finding.row + 1)


def _mended(series: Series, out: set[int]) -> Bars:
    _, bars = disordered(series.at(~np.isin(series.row, sorted(out))))
    prices = np.stack([bars.values[name] for name in ("open", "high", "low", "close")])
    return Bars(
        opened_at=bars.opened_at,
        open=bars.values["open"],
        high=prices.max(axis=0),
        low=prices.min(axis=0),
        close=bars.values["close"],
        volume=bars.values.get("volume", np.zeros(len(bars))),
    )
