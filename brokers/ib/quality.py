"""What the market data are worth, for all instruments and for each: said when it changes, and only then. Pure.

Several causes may hold at once; the worst is said. A cause that concerns all instruments is not over because somebody
says so (a 1102 or a farm that is well again may be followed by silence, TWS.md 3.37) but when bars flow again: two of
one stream where the end was announced, two of every stream where it was not. While all are silent nothing is said of
single ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from brokers.port import Clock
from shared.events import DataQualityReported

Quality = Literal["live", "delayed", "frozen", "competing", "silent"]
ALL = ""
BARS_AS_PROOF = 2
_WORST_FIRST: tuple[Quality, ...] = ("silent", "competing", "delayed", "frozen")


class _Cause(Struct):
    quality: Quality
    reason: str
    is_over: bool = False


class DataQuality:
    """The causes by instrument (ALL = every one); `emit` takes the changes."""

    def __init__(self, emit: Callable[[DataQualityReported], None], clock: Clock, instruments: int) -> None:
        self._emit = emit
        self._clock = clock
        self._instruments = instruments
        self._causes: dict[str, dict[str, _Cause]] = {}
        self._said: dict[str, Quality] = {}
        self._bars: dict[str, int] = {}

    def note(self, symbol: str, cause: str, quality: Quality, reason: str) -> None:
        """The cause holds, from now on or still."""
        self._causes.setdefault(symbol, {})[cause] = _Cause(quality, reason)
        if symbol == ALL:
            self._bars.clear()
        self._say(symbol)

    def clear(self, symbol: str, cause: str) -> None:
        """The cause no longer holds."""
        if self._causes.get(symbol, {}).pop(cause, None) is not None:
            self._say(symbol)

    def announce_end(self, cause: str) -> None:
        """A cause of all instruments is said to be over; bars will show."""
        found = self._causes.get(ALL, {}).get(cause)
        if found is not None and not found.is_over:
            found.is_over = True
            self._bars.clear()

    def bar(self, symbol: str) -> None:
        """A bar has come."""
        causes = self._causes.get(ALL)
        if not causes:
            return
        self._bars[symbol] = self._bars.get(symbol, 0) + 1
        if self._bars[symbol] < BARS_AS_PROOF:
            return
        proven = sum(count >= BARS_AS_PROOF for count in self._bars.values())
        is_everything = proven == self._instruments
        for name in [name for name, cause in causes.items() if cause.is_over or is_everything]:
            del causes[name]
        self._say(ALL)

    def _say(self, symbol: str) -> None:
        if symbol != ALL and self._said.get(ALL, "live") != "live":
            return
        quality, reason = self._worst(symbol)
        if self._said.get(symbol, "live") == quality:
            return
        self._said[symbol] = quality
        event = DataQualityReported(received_at=self._clock(), symbol=symbol, quality=quality, reason=reason)
        self._emit(event)
        if symbol == ALL and quality == "live":
            for one in [*self._causes]:
                self._say(one)

    def _worst(self, symbol: str) -> tuple[Quality, str]:
        causes = self._causes.get(symbol, {}).values()
        for quality in _WORST_FIRST:
            for cause in causes:
                if cause.quality == quality:
                    return quality, cause.reason
        return "live", "data flow"
