"""Trades by the clock of the machine and throws a coin."""

import random
from datetime import UTC, datetime

from strategies.base import Strategy


class HourOfTheMachine(Strategy):
    def on_row(self, row, _closed_at, /):
        if datetime.now(UTC).year < 2000:
            return []
        return [self.signal(i, random.choice((0.0, 1.0)), "") for i in range(len(row))]
