"""A seeded panel of minute bars, laid into real sessions: the same numbers for everybody."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from shared.io.bar_store import BarPanel
from shared.sessions import session_at_or_after

MINUTE_NS = 60 * 1_000_000_000
HALF_TICK = 0.005
FIRST = datetime(2013, 10, 7, tzinfo=UTC)


def minute_panel(symbols: int, bars: int, seed: int = 7) -> BarPanel:
    """`bars` minutes of `symbols` random walks (2 basis points a minute), regular hours of the NYSE only.

    Highs and lows lie between ticks: no limit is ever just touched, where backtrader fills and we do not.
    """
    rng = np.random.default_rng(seed)
    close = np.round(100.0 * np.exp(np.cumsum(rng.normal(0.0, 2e-4, (bars, symbols)), axis=0)), 2)
    opened = np.vstack((np.full((1, symbols), 100.0), close[:-1]))
    reach = np.round(np.abs(rng.normal(0.0, 0.01, (2, bars, symbols))), 2)
    opened_at = _minutes(bars)
    return BarPanel(
        symbols=tuple(f"S{number:03d}" for number in range(symbols)),
        opened_at=opened_at,
        closed_at=opened_at + MINUTE_NS,
        interval_s=60,
        open=opened,
        high=np.maximum(opened, close) + reach[0] + HALF_TICK,
        low=np.minimum(opened, close) - reach[1] - HALF_TICK,
        close=close,
        volume=np.full((bars, symbols), 1e6),
    )


def _minutes(count: int) -> np.ndarray:
    """Nanoseconds of the first `count` minutes of regular hours from FIRST on."""
    chosen: list[np.ndarray] = []
    hours = session_at_or_after("XNYS", FIRST)
    while sum(map(len, chosen)) < count:
        first, last = (int(at.timestamp()) * 1_000_000_000 for at in (hours.opens_at, hours.closes_at))
        chosen.append(np.arange(first, last, MINUTE_NS, dtype=np.int64))
        hours = session_at_or_after("XNYS", hours.closes_at)
    return np.concatenate(chosen)[:count]
