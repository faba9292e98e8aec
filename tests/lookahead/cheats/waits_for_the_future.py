"""Says what the past allows, but counts in silence how many rows are still to come."""

from strategies.base import Strategy


class WaitsForTheFuture(Strategy):
    def __init__(self, universe):
        super().__init__(universe)
        self.rows_left = 0

    def on_row(self, row, _closed_at, /):
        self.rows_left = len(row.close.base)
        return [self.signal(0, 1.0, "")]
