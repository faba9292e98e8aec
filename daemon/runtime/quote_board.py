"""The latest best bid and ask of every instrument, for the row that closes next."""

from __future__ import annotations

import numpy as np

from shared.market import QuoteRow, Universe


class QuoteBoard:
    """Holds what was quoted last; nothing at all until somebody quotes.

    An instrument of which nothing was ever told has no line (the broker's are limited, TWS.md 3.36): its quotes are
    infinite, so that it is traded by its bars, as all are where no quotes are streamed.
    """

    def __init__(self, universe: Universe) -> None:
        self._place = {symbol: index for index, symbol in enumerate(universe.symbols)}
        self._bid = np.full(len(universe), -np.inf)
        self._ask = np.full(len(universe), np.inf)
        self._is_quoted = False

    def put(self, symbol: str, bid: float, ask: float) -> None:
        """Take one instrument's quote; NaN for a side that is not shown."""
        index = self._place[symbol]
        self._bid[index], self._ask[index] = bid, ask
        self._is_quoted = True

    def clear(self) -> None:
        """Forget everything: the streams were interrupted."""
        self._bid[:], self._ask[:] = -np.inf, np.inf
        self._is_quoted = False

    def row(self) -> QuoteRow | None:
        """What is quoted now; None where no quotes are streamed."""
        return QuoteRow(bid=self._bid.copy(), ask=self._ask.copy()) if self._is_quoted else None
