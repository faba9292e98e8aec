"""A strategy that says what it was told to say: `script` is `ROW:SYMBOL:CONVICTION` and blanks between."""

from strategies.base import Strategy


class SaidByScript(Strategy):
    def __init__(self, universe, *, script: str):
        super().__init__(universe)
        self.script = [[float(row), symbol, float(view)] for row, symbol, view in map(_parts, script.split())]
        self.row = -1

    def on_row(self, _row, _closed_at, /):
        self.row += 1
        now = [(symbol, view) for row, symbol, view in self.script if row == self.row]
        return [self.signal(self.symbols.index(symbol), view, "the script") for symbol, view in now]


def _parts(written):
    return written.split(":")
