"""Makes its own prices: the row it was given is the one that the next strategy and the broker see."""

from strategies.base import Strategy


class WritesIntoTheRow(Strategy):
    def on_row(self, row, _closed_at, /):
        row.close[0] = 1.0
        return [self.signal(0, 1.0, "cheap")]
