"""A strategy that trades whatever the prices do: its views turn every so many rows."""

from shared.errors import ConfigError
from shared.signals import Signal
from strategies.base import Strategy

CONVICTIONS = {"+": 1.0, "-": -1.0, "0": 0.0, "h": 0.5}


class Restless(Strategy):
    """`views` is a round such as "+0-0" (long, flat, short, flat; h half long), each instrument a turn further on."""

    def __init__(self, universe, *, every: int, views: str = "+0"):
        super().__init__(universe)
        if every < 1 or not views or set(views) - set(CONVICTIONS):
            raise ConfigError(f"restless: every {every}, views {views!r}, allowed: from 1, a text of + - 0 h")
        self.every, self.views = every, views
        self.rows = 0

    def on_row(self, row, _closed_at, /) -> list[Signal]:
        turn = self.rows // self.every
        self.rows += 1
        views = [CONVICTIONS[self.views[(turn + index) % len(self.views)]] for index in range(len(row.close))]
        return [
            self.signal(index, view, f"turn {turn}")
            for index, (view, price) in enumerate(zip(views, row.close, strict=True))
            if price > 0
        ]
