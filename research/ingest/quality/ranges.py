"""Prices of one bar that contradict each other."""

from __future__ import annotations

import numpy as np

from research.ingest.quality.finding import Finding
from research.ingest.quality.table import Series


def outside_range(series: Series) -> list[Finding]:
    """Open or close above high or below low, and high below low."""
    o, h, l, c = (series.values[name] for name in ("open", "high", "low", "close"))  # noqa: E741 - open, high, low, close
    bad = (np.maximum(o, c) > h) | (np.minimum(o, c) < l) | (h < l)
    return [
        Finding(
            kind="outside_range",
            symbol=series.symbol,
            at=int(series.opened_at[at]),
            row=int(series.row[at]),
            detail=f"open {o[at]:g}, high {h[at]:g}, low {l[at]:g}, close {c[at]:g}",
        )
        for at in np.flatnonzero(bad)
    ]
