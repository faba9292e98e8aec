"""The 5-second bars of the universe, cleaned of repetitions, late comers and bars that cannot be."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from ib_insync import BarData
from msgspec import Struct

from brokers.ib.history import bar_of, printed_nothing
from brokers.port import BrokerListener
from shared.market import Bar

STREAM_BAR_S = 5
_NOTHING = Bar(math.nan, math.nan, math.nan, math.nan, math.nan)


class StreamCounts(Struct):
    """Bars that were not passed on: seen before or out of order, and impossible in themselves."""

    repeated: int = 0
    impossible: int = 0


class BarStreams:
    """Which request id streams which symbol, and what came last; outlives the connections."""

    def __init__(self, listener: BrokerListener, counts: StreamCounts) -> None:
        self._listener = listener
        self._counts = counts
        self._symbols: dict[int, str] = {}
        self._ids: dict[str, int] = {}
        self._newest: dict[str, int] = {}

    def runs(self, symbol: str) -> bool:
        """Whether the stream has been asked for and not been refused."""
        return symbol in self._ids

    def open(self, req_id: int, symbol: str) -> None:
        self._symbols[req_id] = symbol
        self._ids[symbol] = req_id

    def close(self, symbol: str) -> int | None:
        """Forget the stream; its request id, None if it did not run."""
        req_id = self._ids.pop(symbol, None)
        if req_id is not None:
            del self._symbols[req_id]
        return req_id

    def close_all(self) -> list[int]:
        """Forget every stream; the request ids to cancel."""
        ids = list(self._symbols)
        self._symbols.clear()
        self._ids.clear()
        return ids

    def symbol_of(self, req_id: int) -> str | None:
        return self._symbols.get(req_id)

    def take(self, symbol: str, starts_at_s: int, raw: BarData) -> None:
        """One bar; `starts_at_s` is the epoch second of its start."""
        bar = bar_of(raw)
        if bar is None or starts_at_s <= 0:
            self._counts.impossible += 1
        elif starts_at_s <= self._newest.get(symbol, 0):
            self._counts.repeated += 1
        else:
            self._newest[symbol] = starts_at_s
            opened_at = datetime.fromtimestamp(starts_at_s, UTC)
            self._listener.on_bar(symbol, opened_at, STREAM_BAR_S, _clean(bar))


def _clean(bar: Bar) -> Bar:
    """NaN for a pause, so that live rows are like those of history; volume 0 where there is none to tell."""
    if printed_nothing(bar):
        return _NOTHING
    return bar if bar.volume >= 0 else Bar(bar.open, bar.high, bar.low, bar.close, 0.0)
