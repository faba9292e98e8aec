"""The last prices, their age, and which of them can be believed.

A close that jumps by more than `price_jump_pct_max` from the last good one is *suspect*: it becomes the reference only
after CONFIRMATIONS bars in a row agree with each other. AAPL's print of 645.57 after a 7:1 split is such a jump.
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from msgspec import Struct

from shared.market import BarRow

CONFIRMATIONS = 3
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
        close = row.close
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            printed = (
                np.isfinite(close) & (row.low > 0) & (row.high >= row.low) & (close >= row.low) & (close <= row.high)
            )
            jump = jump_pct_max / 100 + _DUST
            near_last = np.abs(close / self.last - 1) <= jump
            near_reference = np.abs(close / self.reference - 1) <= jump
        first = printed & np.isnan(self.reference)
        agreeing = np.where(near_last, self.agreeing + 1, 1.0)
        good = printed & (first | near_reference | (agreeing >= CONFIRMATIONS))
        self.agreeing = np.where(printed, agreeing, self.agreeing)
        self.reference = np.where(good, close, self.reference)
        self.last = np.where(printed, close, self.last)
        self.printed_at = np.where(printed, closed_at.timestamp(), self.printed_at)
        return row if bool((good | np.isnan(close)).all()) else _only(row, good)

    def forget(self, index: int) -> None:
        """As if the instrument had never printed: after a split its old prices say nothing."""
        gone = np.arange(len(self.last)) == index
        self.last = np.where(gone, np.nan, self.last)
        self.reference = np.where(gone, np.nan, self.reference)
        self.printed_at = np.where(gone, np.nan, self.printed_at)
        self.agreeing = np.where(gone, 0.0, self.agreeing)

    def is_suspect(self, index: int) -> bool:
        """True while the last print has not been accepted as the reference."""
        return bool(self.last[index] != self.reference[index])

    def price(self, index: int) -> float | None:
        """The last print, or None before the first."""
        value = float(self.last[index])
        return None if np.isnan(value) else value

    def good_price(self, index: int) -> float | None:
        """The last believable print, or None before the first."""
        value = float(self.reference[index])
        return None if np.isnan(value) else value

    def priced_at(self, index: int) -> datetime | None:
        """When the last print closed."""
        value = float(self.printed_at[index])
        return None if np.isnan(value) else datetime.fromtimestamp(value, UTC)


def _only(row: BarRow, good: np.ndarray) -> BarRow:
    return BarRow(
        open=np.where(good, row.open, np.nan),
        high=np.where(good, row.high, np.nan),
        low=np.where(good, row.low, np.nan),
        close=np.where(good, row.close, np.nan),
        volume=np.where(good, row.volume, np.nan),
    )
