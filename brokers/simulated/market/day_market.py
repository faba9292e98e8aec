"""A market that is made of days: what it knows of one symbol on one day is all it takes for a history.

`DayMarket` answers every question about the past from `_make_day`; how a session is played is its subclasses'
affair.
"""

import datetime as dt
import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from brokers.simulated.market.adjustment import Adjustment, adjusted
from brokers.simulated.market.bars import (
    BAR_SIZES_S,
    DAY_S,
    MONTH_S,
    OF_TRADES,
    SHOWN,
    STEP_S,
    WEEK_S,
    SymbolDay,
    bars_of,
    cut,
    derived_quote_ticks,
    derived_ticks,
    gathered,
    joined,
    latest,
)
from brokers.simulated.market.listings import con_id_of, exchange_of, long_name_of
from brokers.simulated.market.source import (
    CorporateAction,
    Floats,
    HistoryBars,
    MarketEvent,
    MarketStep,
    QuoteTicks,
    TradeTicks,
)
from brokers.simulated.market.trading_days import (
    NEW_YORK,
    ONE_DAY,
    closes_at,
    epoch_s,
    is_early_close,
    is_trading_day,
    opens_at,
)
from shared.errors import DataError

TICK = 0.01
DAYS_KEPT = 16  # of one symbol each, a third of a megabyte a piece
DAILY_ROWS_KEPT = 40_000
SESSIONS_A_WEEK, SESSIONS_A_MONTH = 5, 21

Ticks = TypeVar("Ticks", TradeTicks, QuoteTicks)
DailyRow = tuple[float, ...]
"""Open, high, low, close, volume."""


class StepBlock(msgspec.Struct, frozen=True):
    """Consecutive steps of the whole market: `starts_at` (k,), the others (k, n_symbols)."""

    starts_at: Floats
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    bid: Floats
    ask: Floats
    bid_size: Floats
    ask_size: Floats


Events = Mapping[int, tuple[MarketEvent, ...]]
"""What happens in the rows of a block."""


def steps_of(block: StepBlock, events: Events) -> Iterator[MarketStep]:
    """The rows of a block, read-only views of it."""
    columns = [getattr(block, name) for name in StepBlock.__struct_fields__[1:]]
    for values in columns:
        values.flags.writeable = False
    for row, starts_at in enumerate(block.starts_at.tolist()):
        step = MarketStep(starts_at, *(values[row] for values in columns))
        yield msgspec.structs.replace(step, events=events[row]) if row in events else step


def quotes_around(close: Floats, rises: NDArray[np.bool_], spread_ticks: Floats) -> tuple[Floats, Floats]:
    """Bid and ask for a last price: a price that rose was paid at the ask, one that fell at the bid."""
    spread = spread_ticks * TICK
    bid: Floats = np.maximum(np.where(rises, close - spread, close), TICK)
    return np.round(bid, 8), np.round(bid + spread, 8)


class DayMarket(ABC):
    """A MarketSource but for its steps and the session that follows."""

    step_s = STEP_S

    def __init__(self, symbols: Sequence[str], session: dt.date) -> None:
        self.symbols = tuple(symbols)
        self.session = session
        self.opens_at = opens_at(session)
        self.closes_at = closes_at(session)
        self.is_early_close = is_early_close(session)
        self.corporate_actions: tuple[CorporateAction, ...] = ()
        self._columns = {symbol: column for column, symbol in enumerate(self.symbols)}
        self._day: Callable[[str, dt.date], SymbolDay] = lru_cache(DAYS_KEPT)(self._make_day)
        self._daily_row: Callable[[str, dt.date], DailyRow | None] = lru_cache(DAILY_ROWS_KEPT)(self._make_daily_row)
        self._adjustments: Callable[[str], Sequence[Adjustment]] = lru_cache(len(symbols))(self._make_adjustments)

    @abstractmethod
    def _make_day(self, symbol: str, day: dt.date) -> SymbolDay:
        """The regular session of a day in steps without a gap; NaN throughout for a symbol without data."""

    @abstractmethod
    def _earlier_days(self) -> Iterator[dt.date]:
        """The sessions before this one that history reaches, the latest first."""

    def _make_adjustments(self, _symbol: str) -> Sequence[Adjustment]:
        """The corporate actions that are in force in this session."""
        return ()

    # ---- bars

    def history(
        self, symbol: str, *, end_at: float, duration_s: float, bar_s: int, what: str = "TRADES"
    ) -> HistoryBars:
        self._column(symbol)
        if bar_s not in BAR_SIZES_S:
            raise DataError(f"history of {symbol}: bar size {bar_s} s, allowed are {BAR_SIZES_S}")
        if what not in SHOWN:
            raise DataError(f"history of {symbol}: {what!r} is not known, allowed are {', '.join(SHOWN)}")
        if bar_s < DAY_S:
            return self._intraday(symbol, end_at, duration_s, bar_s, what)
        sessions = max(1, round(duration_s / DAY_S))
        if bar_s == DAY_S:
            return self._daily(symbol, end_at, sessions, what)
        length = SESSIONS_A_WEEK if bar_s == WEEK_S else SESSIONS_A_MONTH
        count = max(1, round(sessions / length))
        days = self._daily(symbol, end_at, (count + 2) * (length + 2), what)
        return latest(_periods(days, bar_s, end_at), count)

    def head_at(self, symbol: str) -> float:
        self._column(symbol)
        *_, first = self.session, *self._earlier_days()
        return opens_at(first)

    def _intraday(self, symbol: str, end_at: float, duration_s: float, bar_s: int, what: str) -> HistoryBars:
        sessions_max = max(1, round(duration_s / DAY_S)) if duration_s >= DAY_S else math.inf
        bars_max = max(1, round(duration_s / bar_s)) if sessions_max == math.inf else math.inf
        pieces: list[HistoryBars] = []
        for day in self._days(end_at):
            piece = self._bars(symbol, day, bar_s, what, end_at)
            if len(piece.starts_at):
                pieces.insert(0, piece)
            if len(pieces) >= sessions_max or sum(len(one.starts_at) for one in pieces) >= bars_max:
                break
        whole = joined(HistoryBars, pieces)
        return whole if bars_max == math.inf else latest(whole, int(bars_max))

    def _bars(self, symbol: str, day: dt.date, bar_s: int, what: str, end_at: float) -> HistoryBars:
        """A day's bars as they are shown in this session."""
        midnight_at = epoch_s(day, dt.time(0))
        bars = bars_of(self._day(symbol, day), bar_s, what, midnight_at=midnight_at, ended_by=end_at)
        return adjusted(bars, day, self._adjustments(symbol), what)

    def _daily(self, symbol: str, end_at: float, count: int, what: str) -> HistoryBars:
        """The latest `count` days that had ended by `end_at`, as they are shown in this session."""
        if what not in OF_TRADES:
            ended = (day for day in self._days(end_at) if closes_at(day) <= end_at)
            bars = (self._bars(symbol, day, DAY_S, what, end_at) for day in ended)
            pieces = itertools.islice((one for one in bars if len(one.starts_at)), count)
            return joined(HistoryBars, list(pieces)[::-1])
        rows = itertools.islice(self._daily_rows(symbol, end_at), count)
        adjustments = self._adjustments(symbol)
        shown = [adjusted(_one_bar(day, row), day, adjustments, what) for day, row in rows]
        return joined(HistoryBars, shown[::-1])

    def _daily_rows(self, symbol: str, end_at: float) -> Iterator[tuple[dt.date, DailyRow]]:
        """The days that had ended by `end_at` and on which the symbol traded, the latest first, unadjusted."""
        for day in self._days(end_at):
            if closes_at(day) <= end_at and (row := self._daily_row(symbol, day)) is not None:
                yield day, row

    def _make_daily_row(self, symbol: str, day: dt.date) -> DailyRow | None:
        midnight_at = epoch_s(day, dt.time(0))
        bar = bars_of(self._day(symbol, day), DAY_S, "TRADES", midnight_at=midnight_at, ended_by=math.inf)
        _, *values = (getattr(bar, name).tolist() for name in HistoryBars.__struct_fields__)
        return tuple(value[0] for value in values) if values[0] else None

    def _days(self, end_at: float) -> Iterator[dt.date]:
        """The sessions that had begun by `end_at`, the latest first."""
        for day in (self.session, *self._earlier_days()):
            if opens_at(day) < end_at:
                yield day

    # ---- ticks

    def ticks(self, symbol: str, *, start_at: float | None, end_at: float, count: int) -> TradeTicks:
        self._column(symbol)
        pieces = (self._day_ticks(symbol, day) for day in self._tick_days(start_at, end_at))
        return _taken(TradeTicks, pieces, start_at, end_at, count)

    def quote_ticks(self, symbol: str, *, start_at: float | None, end_at: float, count: int) -> QuoteTicks:
        self._column(symbol)
        pieces = (self._day_quote_ticks(symbol, day) for day in self._tick_days(start_at, end_at))
        return _taken(QuoteTicks, pieces, start_at, end_at, count)

    def _day_ticks(self, symbol: str, day: dt.date) -> TradeTicks:
        return derived_ticks(self._day(symbol, day))

    def _day_quote_ticks(self, symbol: str, day: dt.date) -> QuoteTicks:
        return derived_quote_ticks(self._day(symbol, day))

    def _tick_days(self, start_at: float | None, end_at: float) -> Iterator[dt.date]:
        """The days that may hold ticks: from the first on if there is a start, else from the latest back."""
        begun = (day for day in (self.session, *self._earlier_days()) if epoch_s(day, dt.time(0)) < end_at)
        if start_at is None:
            return begun
        inside = itertools.takewhile(lambda day: epoch_s(day + ONE_DAY, dt.time(0)) > start_at, begun)
        return reversed(list(inside))

    # ---- listings

    def min_tick(self, symbol: str) -> float:
        self._column(symbol)
        return TICK

    def long_name(self, symbol: str) -> str:
        return long_name_of(symbol)

    def exchange(self, symbol: str) -> str:
        return exchange_of(symbol)

    def con_id(self, symbol: str) -> int:
        return con_id_of(symbol)

    def _column(self, symbol: str) -> int:
        if symbol not in self._columns:
            raise DataError(f"market: unknown symbol {symbol!r}, known are {', '.join(self.symbols)}")
        return self._columns[symbol]


def _one_bar(day: dt.date, row: DailyRow) -> HistoryBars:
    return HistoryBars(np.array([opens_at(day)]), *(np.array([value]) for value in row))


def _periods(days: HistoryBars, bar_s: int, end_at: float) -> HistoryBars:
    """Daily bars made into calendar weeks or months, those whose last trading day had ended by `end_at`."""
    dates = [dt.datetime.fromtimestamp(at, NEW_YORK).date() for at in days.starts_at.tolist()]
    lasts = np.array([_period_end(date, bar_s).toordinal() for date in dates], dtype=np.intp)
    filled, bars = gathered(lasts, {name: getattr(days, name) for name in HistoryBars.__struct_fields__[1:]})
    if bars["volume"].min(initial=0.0) < 0:
        bars["volume"] = np.full(len(filled), -1.0)
    first = np.unique(lasts, return_index=True)[1]
    whole = HistoryBars(days.starts_at[first], *bars.values())
    return cut(whole, np.array([closes_at(dt.date.fromordinal(one)) <= end_at for one in filled.tolist()], dtype=bool))


def _period_end(day: dt.date, bar_s: int) -> dt.date:
    """The last trading day of the week or the month of `day`."""
    if bar_s == MONTH_S:
        last = (day.replace(day=1) + 31 * ONE_DAY).replace(day=1) - ONE_DAY
    else:
        last = day + (6 - day.weekday()) * ONE_DAY
    while not is_trading_day(last) and last > day:
        last -= ONE_DAY
    return last


def _taken(kind: type[Ticks], days: Iterator[Ticks], start_at: float | None, end_at: float, count: int) -> Ticks:
    """The first `count` from the start on, or the latest `count` of days that come latest first."""
    pieces: list[Ticks] = []
    left = count
    for day in days:
        piece = cut(day, (day.at < end_at) & (day.at >= (-math.inf if start_at is None else start_at)))
        piece = latest(piece, left) if start_at is None else cut(piece, slice(0, left))
        pieces.append(piece)
        left -= len(piece.at)
        if left <= 0:
            break
    return joined(kind, pieces[::-1] if start_at is None else pieces)
