"""Cross-sectional momentum: rank the universe, hold the best."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache

import numpy as np
import numpy.typing as npt

from shared.errors import ConfigError
from shared.indicators.indicator import FloatArray, IntArray
from shared.indicators.rate_of_change import RateOfChange
from shared.market import BarRow, Universe
from shared.signals import Signal
from strategies.base import Decisions, Strategy


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
        self._note(~np.isnan(row.close), rows=1)
        if self.rows_since < self.rebalance_every:
            return []
        return self._by_rank(momentum, self._best(momentum), self.signal)

    def decisions(self, rows: BarRow, /) -> Decisions:
        momentum = self.momentum.update_many(rows.close)
        convictions = np.full(momentum.shape, np.nan)
        best_at: dict[int, IntArray] = {}
        first, total = 0, len(momentum)
        while first < total:
            end = min(first + self.rebalance_every - self.rows_since, total)
            self._note(~np.isnan(rows.close[first:end]).all(axis=0), rows=end - first)
            if self.rows_since == self.rebalance_every:
                row = end - 1
                best_at[row] = self._best(momentum[row])
                convictions[row, ~np.isnan(momentum[row])] = 0.0
                convictions[row, best_at[row]] = 1.0
            first = end
        said = cache(self.signal)  # most leavers have left before
        return Decisions(
            convictions, lambda row: self._by_rank(momentum[row], best_at[row], said) if row in best_at else []
        )

    def _note(self, printed: npt.NDArray[np.bool_], *, rows: int) -> None:
        self.printed |= printed
        self.rows_since += rows

    def _best(self, momentum: FloatArray) -> IntArray:
        """The columns to hold, best first; the count of rows begins anew."""
        ranked = np.flatnonzero(self.printed & ~np.isnan(momentum))
        self.rows_since = 0
        self.printed[:] = False
        return ranked[np.argsort(-momentum[ranked], kind="stable")][: self.top]

    def _by_rank(
        self, momentum: FloatArray, best: IntArray, signal: Callable[[int, float, str], Signal]
    ) -> list[Signal]:
        """Leavers first and then the best by rank, so that what is sold can pay for what is bought."""
        rank_of = {index: rank for rank, index in enumerate(best.tolist(), start=1)}
        warm = np.flatnonzero(~np.isnan(momentum)).tolist()
        left = f"momentum not in the top {self.top}"
        leave = [signal(i, 0.0, left) for i in warm if i not in rank_of]
        enter = [
            self.signal(i, 1.0, f"momentum {momentum[i]:.6f} is number {rank} of {len(warm)}")
            for i, rank in rank_of.items()
        ]
        return leave + enter
