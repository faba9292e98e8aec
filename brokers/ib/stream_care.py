"""When a bar stream is taken for dead, and when it may be asked for again. Pure; instants are market time.

Streams die without a word, also after a 1102 (TWS.md 3.37, 4.14, 4.43). TWS sends a bar every five seconds while the
exchange is open, printed or not, so three that are missing are silence.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct

STALE = timedelta(seconds=15)
BACK_OFF = timedelta(seconds=15)
"""The first wait before asking again: an identical request within it is refused (TWS.md 3.36)."""
BACK_OFF_MAX = timedelta(minutes=5)
LOOK_EVERY_S = 2.0
LOOK_EVERY_CLOSED_S = 10.0
"""Shorter than STALE: what is silent from the open on is seen as early as with the other."""

OpenSince = Callable[[datetime], datetime | None]
"""When the session that runs at an instant has opened; None while the exchange is closed."""


class _Stream(Struct):
    asked_at: datetime
    heard_at: datetime | None = None
    again_at: datetime | None = None
    tries: int = 0
    is_silent: bool = False


class StreamCare:
    """Every stream we want, by symbol."""

    def __init__(self, open_since: OpenSince) -> None:
        self._open_since = open_since
        self._streams: dict[str, _Stream] = {}
        self._grace_from: datetime | None = None

    def asked(self, symbol: str, now: datetime) -> None:
        """The stream has been asked for, for the first time or again."""
        stream = self._streams.setdefault(symbol, _Stream(now))
        stream.asked_at, stream.again_at = now, None

    def heard(self, symbol: str, now: datetime) -> bool:
        """A bar has come; True if the stream was silent before."""
        stream = self._streams.get(symbol)
        if stream is None:
            return False
        was_silent, stream.is_silent = stream.is_silent, False
        stream.heard_at, stream.tries, stream.again_at = now, 0, None
        return was_silent

    def refused(self, symbol: str, now: datetime) -> None:
        """TWS has ended the stream, or has not begun it."""
        stream = self._streams.setdefault(symbol, _Stream(now))
        stream.is_silent, stream.again_at = True, None
        stream.tries = max(stream.tries, 1)

    def wait_anew(self, now: datetime) -> None:
        """Whatever kept the bars away is over: count their silence from now on."""
        self._grace_from = now

    def look_again_s(self, now: datetime) -> float:
        """Seconds to the next look; while the exchange is closed nothing falls silent."""
        return LOOK_EVERY_CLOSED_S if self._open_since(now) is None else LOOK_EVERY_S

    def fallen_silent(self, now: datetime) -> list[str]:
        """The streams that are taken for dead from now on."""
        opened_at = self._open_since(now)
        if opened_at is None:
            return []
        fallen = []
        for symbol, stream in self._streams.items():
            marks = (opened_at, stream.asked_at, stream.heard_at or opened_at, self._grace_from or opened_at)
            if not stream.is_silent and now - max(marks) > STALE:
                stream.is_silent = True
                stream.again_at = now
                fallen.append(symbol)
        return fallen

    def due(self, now: datetime) -> list[str]:
        """The silent streams to ask for again now; each is put off, at every turn twice as long."""
        wanted = [
            (symbol, stream)
            for symbol, stream in self._streams.items()
            if stream.is_silent and self._again_at(stream) <= now
        ]
        for _, stream in wanted:
            stream.tries += 1
            stream.again_at = now + _back_off(stream.tries)
        return [symbol for symbol, _ in wanted]

    def _again_at(self, stream: _Stream) -> datetime:
        return stream.again_at or stream.asked_at + _back_off(stream.tries)


def _back_off(tries: int) -> timedelta:
    return min(BACK_OFF * float(2 ** min(max(tries - 1, 0), 10)), BACK_OFF_MAX)
