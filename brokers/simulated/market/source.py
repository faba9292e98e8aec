"""What the simulated gateway asks of a market, synthetic or recorded."""

import datetime as dt
from collections.abc import Iterator
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class MarketStep(msgspec.Struct, frozen=True):
    """Five seconds of the whole market: arrays of shape (n_symbols,), in the order of `MarketSource.symbols`.

    `open`, `high`, `low`, `close`, `volume` are NaN together where nothing traded; `bid`, `ask` stand at the
    END of the step and are NaN where there is no quote. Prices are raw dollars, volume is shares.
    """

    starts_at: float  # epoch seconds, UTC
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    bid: Floats
    ask: Floats


class HistoryBars(msgspec.Struct, frozen=True):
    """Past bars of one symbol, arrays of shape (m,), oldest first.

    Bars in which nothing traded are left out, so there is no NaN.
    """

    starts_at: Floats  # epoch seconds, UTC; for daily bars the session's opening time
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


class MarketSource(Protocol):
    """One trading session of a fixed list of symbols, and what went before it."""

    symbols: tuple[str, ...]
    session: dt.date
    opens_at: float  # epoch seconds, UTC
    closes_at: float
    step_s: int

    def steps(self) -> Iterator[MarketStep]:
        """One step per five seconds, without a gap, from `opens_at` (pre-market: 04:00) to `closes_at`."""
        ...

    def history(self, symbol: str, *, end_at: float, duration_s: float, bar_s: int) -> HistoryBars:
        """Bars of `bar_s` seconds (5, 60, 300, 900, 3600, 86400) that had ended by `end_at`.

        `duration_s` counts as TWS counts it: whole days are that many sessions (the running one included when
        it has an ended bar), less than a day is trading time, back through earlier sessions. Raises DataError
        for an unknown symbol or bar size.
        """
        ...

    def min_tick(self, symbol: str) -> float: ...

    def long_name(self, symbol: str) -> str: ...

    def exchange(self, symbol: str) -> str: ...

    def con_id(self, symbol: str) -> int:
        """A positive 31-bit number, the same in every run."""
        ...
