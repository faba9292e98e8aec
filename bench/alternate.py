"""A strategy that trades on every bar: long, flat, long, flat."""

from __future__ import annotations

from datetime import datetime

from shared.market import BarRow, Universe
from shared.signals import Signal
from strategies.base import Strategy


class Alternate(Strategy):
    """Long on every other row."""

    def __init__(self, universe: Universe) -> None:
        super().__init__(universe)
        self.rows = 0

    def on_row(self, _row: BarRow, _closed_at: datetime, /) -> list[Signal]:
        self.rows += 1
        return [self.signal(0, float(self.rows % 2), "every other row")]
