"""Moving-average cross: one view per instrument."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from shared.errors import ConfigError
from shared.indicators.sma import Sma
from shared.market import BarRow, Universe
from shared.signals import Signal
from strategies.base import Strategy


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
        fast, slow = self.fast.update(row.close), self.slow.update(row.close)
        # Comparisons with NaN are false, so what is not warm is neither above nor below.
        printed = ~np.isnan(row.close)
        above = np.flatnonzero(printed & (fast > slow)).tolist()
        below = np.flatnonzero(printed & (fast < slow)).tolist()
        return [self.signal(i, 1.0, self.reason_above) for i in above] + [
            self.signal(i, self.below, self.reason_below) for i in below
        ]
