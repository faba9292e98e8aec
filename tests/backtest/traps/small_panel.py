"""A few minutes of one or two instruments, written by hand, for both contestants."""

from datetime import UTC, datetime, timedelta

import numpy as np

from shared.io.bar_store import BarPanel

OPENS = datetime(2013, 10, 7, 13, 30, tzinfo=UTC)
MINUTE_NS = 60_000_000_000
NOTHING = (np.nan, np.nan, np.nan, np.nan)


def flat(price):
    return (price, price, price, price)


def a_panel(bars, *, volumes=None, late_us=0):
    """`bars`: symbol -> (open, high, low, close) per minute, NOTHING where it printed nothing."""
    symbols = tuple(bars)
    prices = np.array([bars[symbol] for symbol in symbols], dtype=np.float64).transpose(1, 0, 2)
    rows = len(prices)
    opened_at = int(OPENS.timestamp()) * 10**9 + late_us * 1_000 + np.arange(rows, dtype=np.int64) * MINUTE_NS
    volume = np.repeat(np.array(volumes or [1e6] * rows)[:, np.newaxis], len(symbols), axis=1)
    return BarPanel(
        symbols=symbols,
        opened_at=opened_at,
        closed_at=opened_at + MINUTE_NS,
        interval_s=60,
        open=np.ascontiguousarray(prices[:, :, 0]),
        high=np.ascontiguousarray(prices[:, :, 1]),
        low=np.ascontiguousarray(prices[:, :, 2]),
        close=np.ascontiguousarray(prices[:, :, 3]),
        volume=np.where(np.isnan(prices[:, :, 3]), np.nan, volume),
    )


def closes_at(row):
    return OPENS + timedelta(minutes=row + 1)
