"""A written universe: read back, chosen from, told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from research.ingest.point_in_time.reading import read_table
from research.ingest.universe.build import REASONS, counts
from shared.errors import DataError, NotFound

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    *("symbol", "instrument", "cik", "exchange", "sector", "close", "dollar_volume", "volatility"),
    *("tier", "reverse_splits", "included", "reasons"),
)
INCLUDED = "included"
_NAMED = re.compile(r"Universe_(\d{4}-\d\d-\d\d)\.parquet")


def read_universe(path: Path) -> tuple[date, pd.DataFrame]:
    """The day and its table; NotFound or DataError with one line."""
    match = _NAMED.fullmatch(path.name)
    if match is None or not path.is_file():
        raise NotFound(f"{path}: no universe, allowed: a Universe_DATE.parquet that openbell universe build wrote")
    return date.fromisoformat(match[1]), read_table(path, COLUMNS)


def selected(path: Path, rows: pd.DataFrame, reason: str | None, symbol: str | None) -> pd.DataFrame:
    """The rows of one reason (or `included`) and one symbol; None asks nothing."""
    if reason is not None and reason not in {INCLUDED, *REASONS}:
        raise DataError(f"{path}: reason {reason!r}, allowed: {', '.join((INCLUDED, *REASONS))}")
    if symbol is not None and symbol not in set(rows["symbol"]):
        raise NotFound(f"{path}: no symbol {symbol!r}, allowed: one of its {len(rows)}")
    chosen = rows if symbol is None else rows[rows["symbol"].eq(symbol)]
    if reason is None:
        return chosen
    if reason == INCLUDED:
        return chosen[chosen["included"]]
    return chosen[[reason in text.split("; ") for text in chosen["reasons"]]]


def facts_of(day: date, rows: pd.DataFrame, chosen: pd.DataFrame | None) -> dict[str, Any]:
    """What `--json` prints; `rows` only where some were asked for."""
    tiers = rows.loc[rows["included"], "tier"].value_counts()
    facts = {
        "day": str(day),
        "symbols": len(rows),
        "included": int(rows["included"].sum()),
        "excluded": counts(rows),
        "tiers": {str(tier): int(count) for tier, count in sorted(tiers.items())},
    }
    return facts if chosen is None else {**facts, "rows": [_plain(row) for row in chosen.to_dict("records")]}


def lines_of(rows: pd.DataFrame, shown: int) -> Iterator[str]:
    """A line per symbol, the first `shown` of them."""
    for row in rows.head(shown).to_dict("records"):
        why = row["reasons"] or f"tier {row['tier']}"
        yield f"{row['symbol']:<8} {row['close']:>10.2f}  {row['dollar_volume']:>16,.0f}  {row['sector']:<24} {why}"
    if len(rows) > shown:
        yield f"... and {len(rows) - shown} more"


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(value, float) and np.isnan(value) else value for name, value in row.items()}
