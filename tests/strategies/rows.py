"""Builders of universes and bar rows."""

from datetime import UTC, datetime, timedelta

import numpy as np

from shared.market import BarRow, Instrument, Universe
from tests.indicators.panels import a_walk

FIRST_CLOSE = datetime(2013, 10, 8, 13, 31, tzinfo=UTC)


def a_universe(*symbols):
    return Universe(tuple(Instrument(symbol=symbol) for symbol in symbols or ("SPY", "IBM")))


def a_row(*closes):
    """A row that closes at `closes`; each bar ranges one dollar to either side."""
    close = np.array(closes, dtype=np.float64)
    return BarRow(open=close, high=close + 1, low=close - 1, close=close, volume=close * 0 + 100)


def random_rows(rows=120, n=3, *, seed=7, missing=0.1):
    """Rows of seeded random walks in which some instruments print nothing."""
    high, low, close = a_walk(rows, n, seed=seed)
    for panel in (high, low, close):
        panel[np.random.default_rng(seed).random((rows, n)) < missing] = np.nan
    return panels_as_rows(high, low, close)


def panels_as_rows(high, low, close):
    """Rows that are views into the panels, as a careless replay would hand them out."""
    return [
        BarRow(open=c, high=h, low=low_, close=c, volume=np.full(len(c), 100.0))
        for h, low_, c in zip(high, low, close, strict=True)
    ]


def said(strategy, rows):
    """What a strategy says to each row, as (symbol, conviction) pairs."""
    return [[(s.symbol, s.conviction) for s in signals] for signals in signals_of(strategy, rows)]


def signals_of(strategy, rows):
    return [strategy.on_row(row, FIRST_CLOSE + i * timedelta(minutes=1)) for i, row in enumerate(rows)]
