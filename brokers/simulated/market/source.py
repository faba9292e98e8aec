"""What the simulated gateway asks of a market, synthetic or recorded."""

import datetime as dt
from collections.abc import Iterator
from typing import Literal, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Halted(msgspec.Struct, frozen=True):
    """Trading stopped with the start of this step; `code` as in tick 49: 1 general, 2 volatility (TWS.md 3.32)."""

    index: int
    code: int


class Resumed(msgspec.Struct, frozen=True):
    """Trading goes on with the start of this step, with a reopening auction (`AuctionPrinted`)."""

    index: int


class AuctionPrinted(msgspec.Struct, frozen=True):
    """A cross in this step: `size` shares at one price, part of the step's volume.

    `open` prints at the step's start, the reopening after a halt too; `close` at the session's last instant.
    """

    index: int
    kind: Literal["open", "close"]
    price: float
    size: float


class BarWithheld(msgspec.Struct, frozen=True):
    """The five-second bar of this step is delivered `late_s` seconds late, or never.

    The step's trades and its quote happened all the same.
    """

    index: int
    late_s: float | None


MarketEvent = Halted | Resumed | AuctionPrinted | BarWithheld


class Split(msgspec.Struct, frozen=True):
    """`ratio` new shares for an old one; below 1 it is a reverse split."""

    index: int
    ratio: float


class Dividend(msgspec.Struct, frozen=True):
    """Cash per share, in dollars."""

    index: int
    amount: float


CorporateAction = Split | Dividend


class MarketStep(msgspec.Struct, frozen=True):
    """Five seconds of the whole market: arrays of shape (n_symbols,), in the order of `MarketSource.symbols`.

    `open`, `high`, `low`, `close`, `volume` are NaN together where nothing traded; `bid`, `ask` stand at the
    END of the step and are NaN where there is no quote, their sizes then 0. Prices are raw dollars, volume
    and sizes are shares.
    """

    starts_at: float  # epoch seconds, UTC
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    bid: Floats
    ask: Floats
    bid_size: Floats
    ask_size: Floats
    events: tuple[MarketEvent, ...] = ()


class HistoryBars(msgspec.Struct, frozen=True):
    """Past bars of one symbol, arrays of shape (m,), oldest first.

    Bars in which nothing traded (or, for quotes, nothing was quoted) are left out, so there is no NaN. Volume
    is -1 where bars are made of quotes.
    """

    starts_at: Floats  # epoch seconds, UTC; for bars of a day and more the first session's opening time
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


class TradeTicks(msgspec.Struct, frozen=True):
    """Past prints of one symbol, arrays of shape (m,), oldest first; `at` in epoch seconds."""

    at: Floats
    price: Floats
    size: Floats


class QuoteTicks(msgspec.Struct, frozen=True):
    """Past quotes of one symbol, arrays of shape (m,), oldest first; a missing side is NaN with size 0."""

    at: Floats
    bid: Floats
    ask: Floats
    bid_size: Floats
    ask_size: Floats


class MarketSource(Protocol):
    """One trading session of a fixed list of symbols, and what went before it."""

    symbols: tuple[str, ...]
    session: dt.date
    opens_at: float  # epoch seconds, UTC
    closes_at: float
    is_early_close: bool
    step_s: int
    corporate_actions: tuple[CorporateAction, ...]
    """In force from before this session's open: its prices, and no earlier ones, already show them."""

    def steps(self, *, include_premarket: bool = False) -> Iterator[MarketStep]:
        """One step per five seconds, without a gap, from `opens_at` (pre-market: 04:00) to `closes_at`."""
        ...

    def next_session(self) -> "MarketSource | None":
        """The same symbols on the following trading day; None where there is no more data."""
        ...

    def history(
        self, symbol: str, *, end_at: float, duration_s: float, bar_s: int, what: str = "TRADES"
    ) -> HistoryBars:
        """Bars of `bar_s` seconds (bars.BAR_SIZES_S) that had ended by `end_at`.

        `duration_s` counts as TWS counts it: whole days are that many sessions (the running one included when
        it has an ended bar), less than a day is trading time, back through earlier sessions. `what` is one of
        bars.SHOWN. Raises DataError for an unknown symbol, bar size or `what`.
        """
        ...

    def head_at(self, symbol: str) -> float:
        """The first instant history knows of, epoch seconds."""
        ...

    def ticks(self, symbol: str, *, start_at: float | None, end_at: float, count: int) -> TradeTicks:
        """The first `count` prints from `start_at` on; without it the latest `count`; all before `end_at`."""
        ...

    def quote_ticks(self, symbol: str, *, start_at: float | None, end_at: float, count: int) -> QuoteTicks:
        """As `ticks`, of quotes."""
        ...

    def min_tick(self, symbol: str) -> float: ...

    def long_name(self, symbol: str) -> str: ...

    def exchange(self, symbol: str) -> str: ...

    def con_id(self, symbol: str) -> int:
        """A positive 31-bit number, the same in every run."""
        ...
