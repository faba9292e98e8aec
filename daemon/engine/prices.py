"""The last prices, their age, and which of them can be believed.

A close that jumps by more than `price_jump_pct_max` from the last good one is *suspect*: it becomes the reference only
after CONFIRMATIONS (price_screen.py) bars in a row agree with each other. AAPL's print of 645.57 after a 7:1 split is
such a jump.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
from msgspec import Struct

from daemon.engine import price_screen
from shared.market import BarRow

_DUST = 1e-9  # a jump that meets the limit exactly is within it


class Prices(Struct, kw_only=True):
    """Arrays of shape (n_instruments,): float64 prices (NaN = never printed), epoch seconds, bars of agreement."""

    last: np.ndarray
    printed_at: np.ndarray
    reference: np.ndarray
    agreeing: np.ndarray

    @classmethod
    def empty(cls, count: int) -> Prices:
        """No instrument has printed yet."""
        nan = np.full(count, np.nan)
        return cls(last=nan.copy(), printed_at=nan.copy(), reference=nan.copy(), agreeing=np.zeros(count))

    def update(self, row: BarRow, closed_at: datetime, jump_pct_max: float) -> BarRow:
        """Take in one row and give back what of it can be believed: the other bars are NaN, as if nothing had printed.

        A bar that is impossible in itself (non-positive, high below low) is not even a print.
        """
        good = np.zeros(len(self.last), dtype=np.bool_)
        state = (self.last.copy(), self.printed_at.copy(), self.reference.copy(), self.agreeing.copy())
        # One layout for the kernel, which else is compiled once more for every other; copies, for rows are read-only.
        high = np.array(row.high, dtype=np.float64, order="C")
        low = np.array(row.low, dtype=np.float64, order="C")
        close = np.array(row.close, dtype=np.float64, order="C")
        is_believed = price_screen.step(state, (high, low, close), closed_at.timestamp(), jump_of(jump_pct_max), good)
        self.last, self.printed_at, self.reference, self.agreeing = state
        return row if is_believed else _only(row, good)

    def pass_over(self, rows: BarRow, closed_s: np.ndarray, jump_pct_max: float) -> None:
        """Take in many rows at once; panels (T, n), epoch seconds (T,)."""
        good = np.zeros(len(self.last), dtype=np.bool_)
        state = (self.last.copy(), self.printed_at.copy(), self.reference.copy(), self.agreeing.copy())
        price_screen.run(state, (rows.high, rows.low, rows.close), closed_s, jump_of(jump_pct_max), good)
        self.last, self.printed_at, self.reference, self.agreeing = state

    def forget(self, index: int) -> None:
        """As if the instrument had never printed: after a split its old prices say nothing."""
        gone = np.arange(len(self.last)) == index
        self.last = np.where(gone, np.nan, self.last)
        self.reference = np.where(gone, np.nan, self.reference)
        self.printed_at = np.where(gone, np.nan, self.printed_at)
        self.agreeing = np.where(gone, 0.0, self.agreeing)

    def rescale(self, index: int, ratio: float) -> None:
        """The instrument's prices are 1/`ratio` of what they were, so its old ones are too."""
        scale = np.where(np.arange(len(self.last)) == index, ratio, 1.0)
        self.last, self.reference = self.last / scale, self.reference / scale

    def confirm(self, index: int, paid: float, jump_pct_max: float) -> None:
        """Somebody has paid about the last print: if that was doubted, it is believed now."""
        last, jump = float(self.last[index]), jump_of(jump_pct_max)
        if abs(last / paid - 1) <= jump < abs(float(self.reference[index]) / paid - 1):
            self.reference = np.where(np.arange(len(self.last)) == index, last, self.reference)

    def is_near(self, index: int, paid: float, jump_pct_max: float) -> bool:
        """Whether the last believable print is no jump away from what was paid."""
        return bool(abs(float(self.reference[index]) / paid - 1) <= jump_of(jump_pct_max))

    def is_suspect(self, index: int) -> bool:
        """True while the last print has not been accepted as the reference."""
        return bool(self.last[index] != self.reference[index])

    def price(self, index: int) -> float | None:
        """The last print, or None before the first."""
        value = float(self.last[index])
        return None if math.isnan(value) else value

    def good_price(self, index: int) -> float | None:
        """The last believable print, or None before the first."""
        value = float(self.reference[index])
        return None if math.isnan(value) else value

    def priced_at(self, index: int) -> datetime | None:
        """When the last print closed."""
        value = float(self.printed_at[index])
        return None if math.isnan(value) else datetime.fromtimestamp(value, UTC)


def jump_of(jump_pct_max: float) -> float:
    """The largest change from the last good price that is no jump, as a fraction."""
    return jump_pct_max / 100 + _DUST


def _only(row: BarRow, good: np.ndarray) -> BarRow:
    return BarRow(
        open=np.where(good, row.open, np.nan),
        high=np.where(good, row.high, np.nan),
        low=np.where(good, row.low, np.nan),
        close=np.where(good, row.close, np.nan),
        volume=np.where(good, row.volume, np.nan),
    )
