"""Long at the highest close of `period` rows, flat at the lowest; keeps its closes in an array of its own."""

import numpy as np

from strategies.base import Strategy


class Turtle(Strategy):
    def __init__(self, universe, *, period: int):
        super().__init__(universe)
        self.closes = np.full((period, len(universe)), np.nan)

    def on_row(self, row, _closed_at, /):
        self.closes = np.vstack((self.closes[1:], row.close))
        up = np.flatnonzero(row.close >= self.closes.max(axis=0))
        down = np.flatnonzero(row.close <= self.closes.min(axis=0))
        return [self.signal(i, 1, f"high at {row.close[i]}") for i in up] + [self.signal(i, 0, "low") for i in down]
