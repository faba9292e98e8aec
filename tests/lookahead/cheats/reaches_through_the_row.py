"""Reaches through the row to the array it is a view of, where tomorrow lies."""

from strategies.base import Strategy


class ReachesThroughTheRow(Strategy):
    def __init__(self, universe):
        super().__init__(universe)
        self.rows = 0

    def on_row(self, row, _closed_at, /):
        self.rows += 1
        panel = row.close.base
        if panel is None or self.rows >= len(panel):
            return []
        return [self.signal(i, float(panel[self.rows, i] > row.close[i]), "") for i in range(len(row))]
