"""Cross-sectional momentum: rank the universe, hold the best."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from shared.errors import ConfigError
from shared.indicators.rate_of_change import RateOfChange
from shared.market import BarRow, Universe
from shared.signals import Signal
from strategies.base import Strategy


class CrossMomentum(Strategy):
    """Every `rebalance_every` rows: long the `top` instruments by rate of change over `lookback` prints.

    Ranked is what is warm and printed at least once since the last rebalance; ties go to the earlier
    instrument of the universe. Every other warm instrument gets conviction 0, so what stops printing is let
    go of at the next rebalance. An instrument that is not warm is not mentioned. Rows are counted from the
    first one seen, warm-up included.
    """

    def __init__(self, universe: Universe, *, lookback: int, rebalance_every: int, top: int) -> None:
        super().__init__(universe)
        if lookback < 1 or rebalance_every < 1:
            raise ConfigError(
                f"cross_momentum: lookback {lookback} and rebalance_every {rebalance_every}, allowed: from 1"
            )
        if not 1 <= top <= len(universe):
            raise ConfigError(f"cross_momentum: top {top}, allowed: 1 to {len(universe)} (the symbols)")
        self.momentum = RateOfChange(len(universe), lookback)
        self.rebalance_every = rebalance_every
        self.top = top
        self.rows_since = 0
        self.printed = np.zeros(len(universe), dtype=np.bool_)

    def on_row(self, row: BarRow, _closed_at: datetime, /) -> list[Signal]:
        momentum = self.momentum.update(row.close)
        self.printed |= ~np.isnan(row.close)
        self.rows_since += 1
        if self.rows_since < self.rebalance_every:
            return []
        ranked = np.flatnonzero(self.printed & ~np.isnan(momentum))
        best = ranked[np.argsort(-momentum[ranked], kind="stable")][: self.top]
        self.rows_since = 0
        self.printed[:] = False
        return self._convictions(momentum, {int(index): rank for rank, index in enumerate(best, start=1)})

    def _convictions(self, momentum: np.ndarray, rank_of: dict[int, int]) -> list[Signal]:
        """Leavers first and then the best by rank, so that what is sold can pay for what is bought."""
        warm = np.flatnonzero(~np.isnan(momentum)).tolist()
        leave = [self.signal(i, 0.0, f"momentum not in the top {self.top}") for i in warm if i not in rank_of]
        enter = [
            self.signal(i, 1.0, f"momentum {momentum[i]:.6f} is number {rank} of {len(warm)}")
            for i, rank in rank_of.items()
        ]
        return leave + enter
