"""The market the gateway plays, looked at while it passes: when did what last trade."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from brokers.simulated.gateway.faults.disturbed_market import DisturbedMarket
from brokers.simulated.market.source import MarketStep


class WatchedMarket(DisturbedMarket):
    """The market that faults disturb (they ask for this very kind: splits, halts, gaps), looked at as it passes.

    `traded_at` gets, by column, when the last bar with a trade ended (epoch seconds).
    """

    def __init__(self, market: DisturbedMarket, traded_at: dict[int, float]) -> None:
        super().__init__(market._market, market._on_day, market._disturbance)
        self._traded_at = traded_at

    def steps(self, *, include_premarket: bool = False) -> Iterator[MarketStep]:
        for step in super().steps(include_premarket=include_premarket):
            yield step
            for column in np.flatnonzero(~np.isnan(step.close)).tolist():
                self._traded_at[column] = step.starts_at + self._market.step_s

    def next_session(self) -> WatchedMarket | None:
        following = super().next_session()
        return WatchedMarket(following, self._traded_at) if isinstance(following, DisturbedMarket) else None
