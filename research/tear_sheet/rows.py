"""Which replayed row an instant belongs to."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime

from research.backtest.result import EquityCurve


class RowFinder:
    """Looks rows up by instant, in a curve whose rows rise."""

    def __init__(self, curve: EquityCurve) -> None:
        self._closed_at = curve.closed_at

    def from_instant(self, at: datetime) -> int:
        """The first row that closes at `at` or later: of a fill its own row, of an open the session's first."""
        return bisect_left(self._closed_at, at)
