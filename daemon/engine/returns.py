"""How every instrument has moved from row to row: the raw material of the value at risk."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

WINDOW = 500
"""Rows that are kept."""


class Returns(Struct, kw_only=True):
    """Simple returns of closes, newest last. Arrays: `last` (n,), `window` (at most WINDOW, n) flat, NaN = no print."""

    last: np.ndarray
    window: np.ndarray

    @classmethod
    def empty(cls, count: int) -> Returns:
        return cls(last=np.full(count, np.nan), window=np.empty(0))

    def update(self, close: np.ndarray) -> None:
        """Take the believed closes of one row; an instrument that did not print has no return, then one over both."""
        with np.errstate(invalid="ignore"):
            moved = close / self.last - 1
        self.last = np.where(np.isnan(close), self.last, close)
        if not np.isnan(moved).all():
            kept = self.window[-(WINDOW - 1) * len(close) :] if len(self.window) else self.window
            self.window = np.concatenate([kept, moved])

    def rescale(self, index: int, ratio: float) -> None:
        """The instrument's prices are 1/`ratio` of what they were; that is no return."""
        self.last = np.where(np.arange(len(self.last)) == index, self.last / ratio, self.last)

    def matrix(self) -> np.ndarray:
        """Shape (n_observations, n_instruments)."""
        return self.window.reshape(-1, len(self.last))
