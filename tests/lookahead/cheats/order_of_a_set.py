"""Takes the first three of a set: another process has another order."""

from strategies.base import Strategy


class OrderOfASet(Strategy):
    def on_row(self, row, _closed_at, /):
        chosen = list(set(self.symbols))[:3]
        return [self.signal(i, 1.0, "") for i, symbol in enumerate(self.symbols) if symbol in chosen]
