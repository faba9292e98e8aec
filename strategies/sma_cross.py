"""Moving-average cross: one view per instrument."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache

import numpy as np

from shared.errors import ConfigError
from shared.indicators.indicator import FloatArray
from shared.indicators.sma import Sma
from shared.market import BarRow, Universe
from shared.signals import Signal
from strategies.base import Decisions, Strategy


class SmaCross(Strategy):
    """Long while the fast average is above the slow one; below it flat (`long_only`) or short.

    `fast` and `slow` count prints of the instrument. No view before the slow average is warm, on a row in
    which the instrument printed nothing, and while both averages are equal.
    """

    def __init__(self, universe: Universe, *, fast: int, slow: int, long_only: bool = True) -> None:
        super().__init__(universe)
        if not 0 < fast < slow:
            raise ConfigError(f"sma_cross: fast {fast} and slow {slow}, allowed: 0 < fast < slow")
        self.fast = Sma(len(universe), fast)
        self.slow = Sma(len(universe), slow)
        self.below = 0.0 if long_only else -1.0
        self.reason_above = f"sma {fast} above sma {slow}"
        self.reason_below = f"sma {fast} below sma {slow}"

    def on_row(self, row: BarRow, _closed_at: datetime, /) -> list[Signal]:
        convictions = self._convictions(row.close, self.fast.update(row.close), self.slow.update(row.close))
        return self._signals(convictions, self.signal)

    def decisions(self, rows: BarRow, /) -> Decisions:
        fast, slow = self.fast.update_many(rows.close), self.slow.update_many(rows.close)
        convictions = self._convictions(rows.close, fast, slow)
        said = cache(self.signal)  # a view that stays is the same signal again and again
        return Decisions(convictions, lambda row: self._signals(convictions[row], said))

    def _convictions(self, close: FloatArray, fast: FloatArray, slow: FloatArray) -> FloatArray:
        """NaN where there is no view; for one row (n,) and for many (T, n)."""
        # Comparisons with NaN are false, so what is not warm is neither above nor below.
        view = np.where(fast > slow, 1.0, np.where(fast < slow, self.below, np.nan))
        return np.where(np.isnan(close), np.nan, view)

    def _signals(self, convictions: FloatArray, signal: Callable[[int, float, str], Signal]) -> list[Signal]:
        above = (convictions == 1.0).nonzero()[0].tolist()
        below = (convictions == self.below).nonzero()[0].tolist()
        return [signal(i, 1.0, self.reason_above) for i in above] + [
            signal(i, self.below, self.reason_below) for i in below
        ]
