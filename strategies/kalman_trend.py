"""Kalman trend: long while the filtered slope is surely up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache

import numpy as np

from shared.errors import ConfigError
from shared.indicators.feature_set import FeatureSet
from shared.indicators.indicator import FloatArray
from shared.market import BarRow, Universe
from shared.signals import Signal
from strategies.base import Decisions, Strategy

ZSCORE_MAX = 100.0


class KalmanTrend(Strategy):
    """Long while the slope of a local linear trend of the log price is above `zscore` of its own standard deviations.

    Below minus `zscore` it is flat (`long_only`) or short, in between flat. `level_ratio` and `slope_ratio` are the
    variances of the two noises to that of the observation: smaller is smoother and later. The variance itself is learnt
    over `memory` prints, the first view comes after `warm`. No view on a row in which the instrument printed nothing.
    """

    def __init__(  # noqa: PLR0913 - the keys of params, all by keyword
        self,
        universe: Universe,
        *,
        zscore: float = 1.0,
        level_ratio: float = 0.1,
        slope_ratio: float = 1e-4,
        memory: int = 250,
        warm: int = 60,
        long_only: bool = True,
    ) -> None:
        super().__init__(universe)
        if not 0 <= zscore <= ZSCORE_MAX:
            raise ConfigError(f"kalman_trend: zscore {zscore}, allowed: 0 to {ZSCORE_MAX:g}")
        self.slope = f"kalman_trend({level_ratio:.12g},{slope_ratio:.12g},{memory},{warm}).slope_zscore"
        self.features = FeatureSet(len(universe), (self.slope,))
        self.zscore = zscore
        self.short = 0.0 if long_only else -1.0
        self.reasons = [
            f"slope above {zscore:g} deviations",
            f"slope below -{zscore:g} deviations",
            f"slope within {zscore:g} deviations",
        ]

    def on_row(self, row: BarRow, _closed_at: datetime, /) -> list[Signal]:
        views = self._views(row.close, self.features.update(row)[self.slope])
        return self._signals(views, self.signal)

    def decisions(self, rows: BarRow, /) -> Decisions:
        views = self._views(rows.close, self.features.update_many(rows)[self.slope])
        said = cache(self.signal)  # a view that stays is the same signal again and again
        convictions = np.where(views < 0, self.short, views)
        return Decisions(convictions, lambda row: self._signals(views[row], said))

    def _views(self, close: FloatArray, slope: FloatArray) -> FloatArray:
        """1 up, -1 down, 0 neither, NaN no view; for one row (n,) and for many (T, n)."""
        view = np.where(slope > self.zscore, 1.0, np.where(slope < -self.zscore, -1.0, 0.0))
        return np.where(np.isnan(close) | np.isnan(slope), np.nan, view)

    def _signals(self, views: FloatArray, signal: Callable[[int, float, str], Signal]) -> list[Signal]:
        cases = zip((1.0, -1.0, 0.0), (1.0, self.short, 0.0), self.reasons, strict=True)
        return [
            signal(i, conviction, reason)
            for view, conviction, reason in cases
            for i in (views == view).nonzero()[0].tolist()
        ]
