"""Best bid and ask, halts, and whether they are live: the market data lines of the universe.

Lines are limited (100 for a login, bars included; TWS.md 3.36): only the first LINES_MAX instruments get quotes, and
where TWS says that there are too many, bars go on without them.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import structlog

from brokers.ib import codes
from brokers.ib.quality import DataQuality
from brokers.ib.translate import UNSET_ABOVE
from brokers.port import BrokerListener, Clock
from shared.events import TradingHalted

log = structlog.get_logger("brokers.ib")

LINES_MAX = 100
BID, ASK, HALTED = 1, 2, 49
LIVE, FROZEN, DELAYED, DELAYED_FROZEN = 1, 2, 3, 4
ENTITLEMENT = "entitlement"
RETRY_AFTER = timedelta(minutes=1)
_STREAM_BAR = timedelta(seconds=5)
_NO_QUOTE = (math.nan, math.nan)


class Quotes:
    """Which request id quotes which symbol, and what was told last; outlives the connections."""

    def __init__(self, listener: BrokerListener, quality: DataQuality, clock: Clock) -> None:
        self._listener = listener
        self._quality = quality
        self._clock = clock
        self._symbols: dict[int, str] = {}
        self._told: dict[str, tuple[float, float]] = {}
        self._not_live: set[str] = set()
        self._off: set[str] = set()
        self._again_at: dict[str, datetime] = {}
        self._halted: dict[str, tuple[int, datetime]] = {}
        self._has_said_limit = False

    def open(self, req_id: int, symbol: str) -> int | None:
        """The line has a new request id; returns the one it had, if that may still stand."""
        old = next((number for number, quoted in self._symbols.items() if quoted == symbol), None)
        if old is not None:
            del self._symbols[old]
        self._again_at.pop(symbol, None)
        self._symbols[req_id] = symbol
        return old

    def close_all(self) -> list[int]:
        """The lines are gone: no quote is known any more. The request ids to cancel."""
        ids = list(self._symbols)
        self._symbols.clear()
        self._again_at.clear()
        for symbol in list(self._told):
            self._tell(symbol, *_NO_QUOTE)
        return ids

    def symbol_of(self, req_id: int) -> str | None:
        return self._symbols.get(req_id)

    def wanted(self, symbols: tuple[str, ...]) -> list[str]:
        """The symbols that should have a line and have none."""
        if len(symbols) > LINES_MAX and not self._has_said_limit:
            self._has_said_limit = True
            log.warning("broker.quotes_limited", quoted=LINES_MAX, instruments=len(symbols))
        taken = {*self._symbols.values(), *self._off}
        return [symbol for symbol in symbols[:LINES_MAX] if symbol not in taken]

    def due(self, now: datetime) -> list[str]:
        """The refused lines to ask for again now."""
        due = [symbol for symbol, at in self._again_at.items() if at <= now]
        for symbol in due:
            self._again_at[symbol] = now + RETRY_AFTER
        return due

    # ------------------------------------------------------------------ ticks

    def price(self, req_id: int, tick_type: int, price: float) -> None:
        """A price; -1, 0 and what cannot be mean that there is none. Delayed prices have types of their own."""
        symbol = self._symbols.get(req_id)
        if symbol is None or tick_type not in {BID, ASK} or symbol in self._not_live:
            return
        self._again_at.pop(symbol, None)
        cleaned = price if 0 < price < UNSET_ABOVE else math.nan
        bid, ask = self._told.get(symbol, _NO_QUOTE)
        self._tell(symbol, *((cleaned, ask) if tick_type == BID else (bid, cleaned)))

    def figure(self, req_id: int, tick_type: int, value: float) -> None:
        """Tick 49: 0 open, 1 halted, 2 halted for volatility; -1 says nothing."""
        symbol = self._symbols.get(req_id)
        if symbol is not None and tick_type == HALTED and value >= 0:
            self._halt(symbol, int(value))

    def data_type(self, req_id: int, data_type: int) -> None:
        symbol = self._symbols.get(req_id)
        if symbol is None:
            return
        if data_type == LIVE:
            self._not_live.discard(symbol)
            self._quality.clear(symbol, ENTITLEMENT)
        elif data_type in {FROZEN, DELAYED, DELAYED_FROZEN}:
            self._downgrade(symbol, is_frozen=data_type == FROZEN, reason=f"market data type {data_type}")

    def printed(self, symbol: str, opened_at: datetime) -> None:
        """A bar with volume: who prints is not halted, even where tick 49 never takes it back."""
        halted = self._halted.get(symbol)
        if halted is not None and opened_at >= halted[1] + _STREAM_BAR:
            self._halt(symbol, 0)

    def refused(self, req_id: int, code: int, text: str) -> bool:
        """An error on a line; False if none has the id."""
        symbol = self._symbols.get(req_id)
        if symbol is None:
            return False
        if code in codes.NOT_LIVE:
            self._downgrade(symbol, is_frozen=False, reason=f"{code} {text}")
        if code == codes.DELAYED_SHOWN:
            return True  # the line stands
        if code != codes.COMPETING_SESSION:  # behind which it may go on
            del self._symbols[req_id]
        self._tell(symbol, *_NO_QUOTE)
        if code == codes.TOO_MANY_LINES:
            self._off.add(symbol)
            log.warning("broker.quotes_off", symbol=symbol, code=code, text=text)
        else:
            self._again_at[symbol] = self._clock() + RETRY_AFTER
        return True

    # ------------------------------------------------------------------ leaves

    def _downgrade(self, symbol: str, *, is_frozen: bool, reason: str) -> None:
        self._not_live.add(symbol)
        self._tell(symbol, *_NO_QUOTE)
        self._quality.note(symbol, ENTITLEMENT, "frozen" if is_frozen else "delayed", reason)

    def _halt(self, symbol: str, code: int) -> None:
        before = self._halted[symbol][0] if symbol in self._halted else 0
        if code == before:
            return
        now = self._clock()
        if code:
            self._halted[symbol] = (code, now)
        else:
            del self._halted[symbol]
        self._listener.on_event(TradingHalted(received_at=now, symbol=symbol, code=code))

    def _tell(self, symbol: str, bid: float, ask: float) -> None:
        before = self._told.get(symbol, _NO_QUOTE)
        if _same(before[0], bid) and _same(before[1], ask):
            return
        self._told[symbol] = (bid, ask)
        self._listener.on_quote(symbol, bid, ask, self._clock())


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))
