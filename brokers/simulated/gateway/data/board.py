"""What is quoted and has traded today, as a row of numbers per instrument; kept for as long as delayed data lags.

A row is `Row`'s fields in dollars and shares, NaN (sizes 0) where there is none. When the market is closed
nothing is quoted (TWS.md 3.31); what was last is still known to those who ask for frozen data.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from brokers.simulated.gateway.data.tape import Tape
    from brokers.simulated.market.source import Floats, MarketStep

DELAY_S = 900.0
"""Delayed data is 15 to 20 minutes old (ghdoc:market_data_type)."""


class Row(NamedTuple):
    """One instrument."""

    bid: float
    bid_size: float
    ask: float
    ask_size: float
    last: float
    last_size: float
    volume: float
    high: float
    low: float
    opened: float


NOTHING = Row(math.nan, 0.0, math.nan, 0.0, math.nan, 0.0, 0.0, math.nan, math.nan, math.nan)


class Board:
    """All instruments, in the order of the market's symbols."""

    def __init__(self, tape: Tape, step_s: int) -> None:
        self._tape = tape
        self.opened, self.high, self.low = (np.full(len(tape.last), math.nan) for _ in range(3))
        """Today's first trade and range so far; NaN before the first trade."""
        self.is_quoting = False
        """Whether the market is open and has shown a quote yet."""
        self._past: deque[tuple[float, Floats]] = deque(maxlen=int(DELAY_S // step_s) + 1)
        self._rows: list[list[float]] | None = None

    def begin_day(self) -> None:
        """A new session: nothing has traded in it."""
        for values in (self.opened, self.high, self.low):
            values[:] = math.nan
        self._rows = None

    def take(self, step: MarketStep) -> None:
        """A step has been played, and is on the tape."""
        self.opened = np.where(np.isnan(self.opened), step.open, self.opened)
        self.high, self.low = np.fmax(self.high, step.high), np.fmin(self.low, step.low)
        self.is_quoting = True
        self._rows = None
        self._past.append((step.starts_at, self._block()))

    def end_day(self) -> None:
        """Nothing is quoted any more."""
        self.is_quoting = False

    def live(self, index: int) -> Row:
        """What stands, or stood last."""
        if self._rows is None:
            self._rows = self._block().T.tolist()
        return Row._make(self._rows[index])

    def closed(self, index: int) -> Row:
        """As `live`, without the quote."""
        return self.live(index)._replace(bid=math.nan, bid_size=0.0, ask=math.nan, ask_size=0.0)

    def delayed(self, index: int, at: float) -> Row:
        """What stood at `at` less the delay; nothing before the first step."""
        known = [block for starts_at, block in self._past if starts_at < at - DELAY_S]
        return Row._make(known[-1][:, index].tolist()) if known else NOTHING

    def _block(self) -> Floats:
        tape = self._tape
        return np.stack(
            (
                *(tape.bid, tape.bid_size, tape.ask, tape.ask_size),
                *(tape.last, tape.last_size, tape.volume),
                *(self.high, self.low, self.opened),
            )
        )
