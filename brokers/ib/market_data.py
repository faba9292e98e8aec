"""The market data of the universe, over all data sessions: bars, quotes, halts, and what they are worth."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from ib_insync import BarData

from brokers.ib import codes
from brokers.ib.codes import CodeClass, CodeTable
from brokers.ib.data_questions import PACING_VIOLATION
from brokers.ib.history_pacing import HistoryLedger
from brokers.ib.quality import ALL, DataQuality
from brokers.ib.quotes import Quotes
from brokers.ib.stream_care import OpenSince, StreamCare
from brokers.ib.streams import BarStreams, StreamCounts
from brokers.port import BrokerListener, Clock
from shared.market import Universe

log = structlog.get_logger("brokers.ib")

STREAM, FARM, COMPETING, SERVER, LINE = "stream", "farm", "competing", "server", "line"
"""Causes of bad data, as quality.py keeps them; a farm's has its name behind it."""


class MarketData:
    """Takes what the data session hears (data_wrapper.py) and says what became of it."""

    def __init__(
        self,
        *,
        universe: Universe,
        listener: BrokerListener,
        clock: Clock,
        codes: CodeTable,
        open_since: OpenSince,
        counts: StreamCounts,
    ) -> None:
        self.ledger = HistoryLedger()
        self.quality = DataQuality(listener.on_event, clock, len(universe))
        self.streams = BarStreams(listener, counts)
        self.quotes = Quotes(listener, self.quality, clock)
        self.care = StreamCare(open_since)
        self._clock = clock
        self._codes = codes

    def now(self) -> datetime:
        """Market time."""
        return self._clock()

    # ------------------------------------------------------------------ what is streamed

    def on_bar(self, req_id: int, starts_at_s: int, bar: BarData) -> None:
        symbol = self.streams.symbol_of(req_id)
        if symbol is None:
            return
        # What the bar proves is said before it: it may lead to an order.
        if self.care.heard(symbol, self._clock()):
            self.quality.clear(symbol, STREAM)
        self.quality.bar(symbol)
        if bar.volume > 0 and starts_at_s > 0:
            self.quotes.printed(symbol, datetime.fromtimestamp(starts_at_s, UTC))
        self.streams.take(symbol, starts_at_s, bar)

    def on_price(self, req_id: int, tick_type: int, price: float) -> None:
        self.quotes.price(req_id, tick_type, price)

    def on_figure(self, req_id: int, tick_type: int, value: float) -> None:
        self.quotes.figure(req_id, tick_type, value)

    def on_data_type(self, req_id: int, data_type: int) -> None:
        self.quotes.data_type(req_id, data_type)

    def on_stream_error(self, req_id: int, code: int, text: str) -> bool:
        """An error on a stream of bars or a line of quotes ends it, unless it is a notice."""
        symbol = self.streams.symbol_of(req_id) or self.quotes.symbol_of(req_id)
        if symbol is None:
            return False
        log.warning("broker.stream_message", symbol=symbol, code=code, text=text)
        if code == codes.COMPETING_SESSION:
            self.quality.note(ALL, COMPETING, "competing", f"{code} {text}")
            self.quality.announce_end(COMPETING)  # its end is told by nothing but data
        if self._codes.class_of(code) is CodeClass.NOTICE or code == codes.PARTLY_LIVE:
            return True
        self.ledger.is_strict |= PACING_VIOLATION in text
        if not self.quotes.refused(req_id, code, text) and code != codes.COMPETING_SESSION:
            self._end_stream(symbol, f"{code} {text}")  # behind 10197 a stream may go on; else its silence tells
        return True

    def _end_stream(self, symbol: str, reason: str) -> None:
        self.streams.close(symbol)
        self.care.refused(symbol, self._clock())
        self.quality.note(symbol, STREAM, "silent", f"bars: {reason}")

    # ------------------------------------------------------------------ what concerns all of it

    def on_farm(self, code: int, text: str) -> None:
        """2103, 2105: a farm is broken; 2104, 2106: it is well. Dormant ones (2107, 2108) are harmless."""
        farm = f"{FARM}{text.rpartition(':')[2].strip()}"
        if code in codes.FARM_BROKEN:
            self.quality.note(ALL, farm, "silent", f"{code} {text}")
        elif code in codes.FARM_WELL:
            self.quality.announce_end(farm)
            self.care.wait_anew(self._clock())

    def on_server_lost(self, reason: str) -> None:
        self.quality.note(ALL, SERVER, "silent", reason)

    def on_server_back(self) -> None:
        """Said to be back; the streams have to show it within their time."""
        self.quality.announce_end(SERVER)
        self.care.wait_anew(self._clock())

    def on_line_lost(self, reason: str) -> None:
        """The data session is gone, every stream with it."""
        self.forget_streams()
        self.quality.note(ALL, LINE, "silent", reason)

    def forget_streams(self) -> None:
        """We have left by our own will."""
        self.streams.close_all()
        self.quotes.close_all()

    def on_line_back(self) -> None:
        self.quality.announce_end(LINE)
        self.quality.announce_end(SERVER)
        self.care.wait_anew(self._clock())

    def silent_streams(self) -> list[str]:
        """Say which streams have fallen silent; the symbols to ask for again now."""
        now = self._clock()
        for symbol in self.care.fallen_silent(now):
            log.warning("broker.stream_silent", symbol=symbol)
            self.quality.note(symbol, STREAM, "silent", "no bars come, though the exchange is open")
        return self.care.due(now)
