"""Two strategies that cheat on purpose, and the honest ones."""

from datetime import datetime
from typing import ClassVar

import pytest

from strategies.base import Strategy
from strategies.registry import load_strategy
from tests.indicators.panels import a_walk
from tests.strategies.lookahead import first_look_ahead
from tests.strategies.rows import FIRST_CLOSE, a_row, a_universe
from tests.strategies.test_documented_example import BREAKOUT, ROOT

UNIVERSE = a_universe("SPY", "IBM", "AAPL", "TWX")
CUTS = [1, 2, 30, 31, 75, 119]


class PeeksIntoThePanel(Strategy):
    """Reaches through the row to the array it is a view of, where tomorrow lies."""

    def __init__(self, universe):
        super().__init__(universe)
        self.rows = 0

    def on_row(self, row, _closed_at, /):
        self.rows += 1
        panel = row.close.base
        if self.rows >= len(panel):
            return []
        return [self.signal(i, float(panel[self.rows, i] > row.close[i]), "") for i in range(len(row))]


class RemembersTheLastRun(Strategy):
    """Keeps the closes of an earlier run outside itself and trades on them in the next."""

    seen: ClassVar[dict[datetime, float]] = {}  # shared between runs: that is the cheat

    def on_row(self, row, closed_at, /):
        known = [at for at in self.seen if at > closed_at]
        self.seen[closed_at] = float(row.close[0])
        if not known:
            return []
        return [self.signal(0, float(self.seen[min(known)] > row.close[0]), "")]


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("sma_cross", {"fast": 3, "slow": 8}),
        ("sma_cross", {"fast": 3, "slow": 8, "long_only": False}),
        ("cross_momentum", {"lookback": 5, "rebalance_every": 4, "top": 2}),
        (BREAKOUT, {"period": 5}),
    ],
)
def test_no_strategy_of_ours_looks_ahead(kind, params):
    panels = a_walk(120, 4)
    assert first_look_ahead(lambda: load_strategy(kind, UNIVERSE, params, ROOT), panels, CUTS) is None


@pytest.mark.parametrize("cheat", [PeeksIntoThePanel, RemembersTheLastRun])
def test_a_strategy_that_looks_ahead_is_caught(cheat):
    RemembersTheLastRun.seen.clear()
    assert first_look_ahead(lambda: cheat(UNIVERSE), a_walk(120, 4), CUTS) is not None


def test_a_look_ahead_is_caught_at_the_row_that_knew():
    # At every row it looks one further, so the last row of the past is the first that differs.
    assert first_look_ahead(lambda: PeeksIntoThePanel(UNIVERSE), a_walk(120, 4), [30]) == (30, 29)


def test_the_cheats_are_real_strategies_that_run():
    RemembersTheLastRun.seen.clear()
    assert RemembersTheLastRun(UNIVERSE).on_row(a_row(1, 2, 3, 4), FIRST_CLOSE) == []
