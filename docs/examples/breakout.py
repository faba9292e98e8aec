"""Long from a close `width` average ranges above the average, until a close below the average."""

from datetime import datetime

from shared.indicators.atr import Atr
from shared.indicators.sma import Sma
from shared.market import BarRow, Universe
from shared.signals import Signal
from strategies.base import Strategy


class Breakout(Strategy):
    """`period` counts bars, `width` average true ranges."""

    def __init__(self, universe: Universe, *, period: int, width: float = 1.0) -> None:
        super().__init__(universe)
        self.average, self.range = Sma(len(universe), period), Atr(len(universe), period)
        self.width = width

    def on_row(self, row: BarRow, _closed_at: datetime, /) -> list[Signal]:
        average, reach = self.average.update(row.close), self.range.update(row.high, row.low, row.close)
        up = [self.signal(i, 1, "broke out") for i in (row.close > average + self.width * reach).nonzero()[0]]
        return up + [self.signal(i, 0, "fell back") for i in (row.close < average).nonzero()[0]]
