"""What a source of past bars is: it is asked for one symbol and answers in chunks, oldest first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Literal, Protocol

from msgspec import Struct

from shared.errors import DataError
from shared.io.bar_part import Adjustment, Bars
from shared.io.stored_actions import Action

Shows = Literal["trades", "bid", "ask", "midpoint"]
Hours = Literal["regular", "extended"]
FREQUENCIES = ("1d", "1h", "15m", "5m", "1m")
"""What can be fetched, by the names of the bar store."""


class SourceUnavailable(DataError):  # noqa: N818 - it says what is the case
    """Nobody answers, not completely, or with an error that may pass: try again later."""


class Throttled(SourceUnavailable):
    """The source says that it was asked too fast; `retry_after_s` if it says for how long, else None."""

    def __init__(self, text: str, retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class SourceRefuses(DataError):  # noqa: N818 - as above
    """The source will answer nobody: a wrong key, a plan that does not include it, a day's allowance used up."""


class Wanted(Struct, frozen=True, kw_only=True):
    """Bars of one symbol; `first` and `last` are New York days, both included, sessions those of `calendar`.

    Where an earlier answer `is_doubted`, the source itself is asked and none of the answers it keeps.
    """

    symbol: str
    interval_s: int
    first: date
    last: date
    shows: Shows = "trades"
    hours: Hours = "regular"
    calendar: str = "XNYS"
    is_doubted: bool = False


class Chunk(Struct, frozen=True, kw_only=True, eq=False):
    """The answer for the days `first` to `last`; no bars means that there are none on these days.

    `holes` are the days, first and last, without a bar between days with bars, where a second question brought none.
    """

    first: date
    last: date
    bars: Bars
    actions: tuple[Action, ...] = ()
    holes: tuple[tuple[date, date], ...] = ()


class Source(Protocol):
    """One place where past bars come from; its methods are called from several threads."""

    @property
    def name(self) -> str: ...

    @property
    def adjustment(self) -> Adjustment:
        """What it does to its prices: nothing, or splits as known on the day of asking, or dividends too."""
        ...

    @property
    def parallel(self) -> int:
        """How many symbols may be asked for at the same time."""
        ...

    def open(self) -> None:
        """Reach the source if it needs a connection; called once, first. Raises SourceUnavailable."""
        ...

    def now_s(self) -> float:
        """Market time in epoch seconds: the wall's, but for a simulated market."""
        ...

    def refusal(self, wanted: Wanted) -> str:
        """Why this source cannot have it, in one line; empty if it may."""
        ...

    def chunks(self, wanted: Wanted) -> Iterator[Chunk]:
        """The days from `first` to `last` without a hole, oldest first.

        Raises:
            DataError: this symbol cannot be had, or not completely; what came before is complete.
            SourceRefuses: no symbol can be had.
        """
        ...

    def close(self) -> None:
        """Leave; nothing is asked any more."""
        ...
