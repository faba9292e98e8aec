"""A strategy that wants everything and keeps it."""

from __future__ import annotations

from datetime import datetime

from shared.market import BarRow
from shared.signals import Signal
from strategies.base import Strategy


class Hold(Strategy):
    """Long in every instrument, always."""

    def on_row(self, row: BarRow, _closed_at: datetime, /) -> list[Signal]:
        return [self.signal(index, 1.0, "hold") for index in range(len(row))]
