"""Quotes that cannot be traded on."""

from __future__ import annotations

import numpy as np

from research.ingest.quality.finding import Finding
from research.ingest.quality.table import QUOTES, Series


def bad_quotes(series: Series) -> list[Finding]:
    """A bid above the ask at the open or the close, and a side that is empty or 0."""
    sides = np.stack([series.values[name] for name in QUOTES])
    missing = ~(sides > 0).all(axis=0)
    bid_open, ask_open, bid_close, ask_close = (
        series.values[name] for name in ("bid_open", "ask_open", "bid_close", "ask_close")
    )
    crossed = ((bid_open > ask_open) | (bid_close > ask_close)) & ~missing
    found = []
    for kind, bad in (("missing_quote", missing), ("crossed_quote", crossed)):
        found += [
            Finding(
                kind=kind,
                symbol=series.symbol,
                at=int(series.opened_at[at]),
                row=int(series.row[at]),
                detail=f"bid {bid_close[at]:g}, ask {ask_close[at]:g}",
            )
            for at in np.flatnonzero(bad)
        ]
    return found
