"""Long while the price is at least `long_from`, short while it is at most `short_to`, else flat."""

from shared.signals import Signal
from strategies.base import Strategy


class Threshold(Strategy):
    def __init__(self, universe, *, long_from: float, short_to: float = 0.0):
        super().__init__(universe)
        self.long_from, self.short_to = long_from, short_to

    def on_row(self, row, _closed_at, /) -> list[Signal]:
        views = {index: self._view(price) for index, price in enumerate(row.close) if price > 0}
        return [self.signal(index, view, "the price says so") for index, view in views.items()]

    def _view(self, price):
        return 1.0 if price >= self.long_from else -1.0 if price <= self.short_to else 0.0
