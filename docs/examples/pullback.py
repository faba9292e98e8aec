"""Buys weakness inside a rise. Its figures come by name, live from streaming kernels, at night from stored features."""

from collections.abc import Callable
from datetime import datetime

import numpy as np

from shared.indicators.feature_set import FeatureSet
from shared.indicators.indicator import FloatArray
from shared.market import BarRow, Universe
from shared.signals import Signal
from strategies.base import Decisions, Strategy


class Pullback(Strategy):
    """Long above the mean of `trend` closes while RSI(`period`) is below `low`; out of it above `high`."""

    def __init__(
        self, universe: Universe, *, period: int = 14, trend: int = 100, low: float = 45.0, high: float = 65.0
    ) -> None:
        super().__init__(universe)
        self.rsi, self.mean = f"rsi({period})", f"sma({trend})"
        self.low, self.high = low, high
        self.features = FeatureSet(len(universe), (self.rsi, self.mean))

    def on_row(self, row: BarRow, _closed_at: datetime, /) -> list[Signal]:
        return self._signals(self._convictions(row.close, self.features.update(row)))

    def decisions(self, rows: BarRow, /) -> Decisions:
        convictions = self._convictions(rows.close, self.features.update_many(rows))
        return Decisions(convictions, lambda row: self._signals(convictions[row]))

    def _convictions(self, close: FloatArray, values: dict[str, FloatArray]) -> FloatArray:
        """NaN where there is no view; for one row (n,) and for many (T, n)."""
        rsi, mean = values[self.rsi], values[self.mean]
        return np.where((close > mean) & (rsi < self.low), 1.0, np.where(rsi > self.high, 0.0, np.nan))

    def _signals(self, convictions: FloatArray) -> list[Signal]:
        said: Callable[[float], str] = {1.0: "weak inside a rise", 0.0: "strong again"}.__getitem__
        known = np.flatnonzero(~np.isnan(convictions)).tolist()
        return [self.signal(i, float(convictions[i]), said(float(convictions[i]))) for i in known]
