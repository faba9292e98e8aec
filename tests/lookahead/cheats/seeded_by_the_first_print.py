"""An average with so long a memory that its first print still decides at the end."""

import numpy as np

from strategies.base import Strategy

WEIGHT = 1e-4


class SeededByTheFirstPrint(Strategy):
    def __init__(self, universe):
        super().__init__(universe)
        self.average = np.full(len(universe), np.nan)

    def on_row(self, row, _closed_at, /):
        moved = self.average + WEIGHT * (row.close - self.average)
        self.average = np.where(np.isnan(self.average), row.close, np.where(np.isnan(moved), self.average, moved))
        return [self.signal(i, float(row.close[i] > self.average[i]), "") for i in range(len(row))]
