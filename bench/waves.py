"""A strategy that wants everything on every other row."""

from __future__ import annotations

from datetime import datetime

from shared.market import BarRow, Universe
from shared.signals import Signal
from strategies.base import Strategy


class Waves(Strategy):
    """Long in every instrument on one row, in none on the next."""

    def __init__(self, universe: Universe) -> None:
        super().__init__(universe)
        self.rows = 0

    def on_row(self, row: BarRow, _closed_at: datetime, /) -> list[Signal]:
        self.rows += 1
        return [self.signal(index, float(self.rows % 2), "waves") for index in range(len(row))]
