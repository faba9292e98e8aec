"""A recorded day, played from Parquet tables in the formats of ../shared/data/intraday.

For each symbol and day the finest table wins: seconds, then ticks, gathered into five-second bars; otherwise
minutes, split along the documented path (`path.five_second_steps`). Quotes: the last of the second table in
each step; where there is only the minute table, the spread of the minute before around the step's close;
otherwise one tick around the close. A quote that is crossed, one-sided or wider than 5 % gives way to the
one-tick quote. Prices are raw, as printed that day.

History: earlier days of the same tables; for daily bars first the raw daily tables of the sibling folder
`daily` (sums of minutes lack the auctions), then those days, then the quarter-hour table.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from brokers.simulated.market.grid import (
    DAY_S,
    STEP_S,
    TICK,
    GridMarket,
    SessionBars,
    SessionGrid,
    forward_filled,
    latest,
    quotes_around,
)
from brokers.simulated.market.path import STEPS_PER_MINUTE, FiveSecondSteps, five_second_steps
from brokers.simulated.market.source import Floats, HistoryBars
from brokers.simulated.market.tables import (
    BAR_COLUMNS,
    DailyTable,
    Rows,
    Table,
    load_bars,
    load_daily,
    load_quotes,
    load_ticks,
)
from brokers.simulated.market.trading_days import CLOSES, OPENS, PREMARKET_OPENS, epoch_s
from shared.errors import DataError

SECOND_TABLE = "second_trades_lean.parquet"
TICK_TABLE = "tick_trades_lean.parquet"
MINUTE_TABLES = ("minute_trades_lean.parquet", "minute_2019-02_alphavantage.parquet")
SECOND_QUOTES, MINUTE_QUOTES = "second_quotes_lean.parquet", "minute_quotes_lean.parquet"
QUARTER_HOURS = "min15_2019_alphavantage.parquet"
DAILY_TABLES = ("lean_daily_raw.parquet", "panel_a_2009_2018.parquet", "universe_2015_2016.parquet")
MINUTE_S = 60
WIDEST_SPREAD = 0.05  # of the price; a wider quote is not believed


class Folder:
    """The tables of a folder, each read when it is first needed."""

    def __init__(self, folder: Path) -> None:
        inside = folder / "intraday"
        self.path = inside if inside.is_dir() else folder
        if not self.path.is_dir():
            raise DataError(f"{folder}: no such folder of market data")

    @cached_property
    def seconds(self) -> Table | None:
        return self._if_there(SECOND_TABLE, load_bars)

    @cached_property
    def ticks(self) -> Table | None:
        return self._if_there(TICK_TABLE, load_ticks)

    @cached_property
    def minutes(self) -> list[Table]:
        return [table for name in MINUTE_TABLES if (table := self._if_there(name, load_bars)) is not None]

    @cached_property
    def second_quotes(self) -> Table | None:
        return self._if_there(SECOND_QUOTES, load_quotes)

    @cached_property
    def minute_quotes(self) -> Table | None:
        return self._if_there(MINUTE_QUOTES, load_quotes)

    @cached_property
    def quarter_hours(self) -> Table | None:
        return self._if_there(QUARTER_HOURS, load_bars)

    @cached_property
    def daily(self) -> list[DailyTable]:
        beside = self.path.parent / "daily"
        return [load_daily(beside / name) for name in DAILY_TABLES if (beside / name).is_file()]

    @cached_property
    def symbols_by_day(self) -> dict[dt.date, list[str]]:
        """What can be played: the days in order, the symbols of each in order."""
        found: dict[dt.date, set[str]] = {}
        for table in (self.seconds, self.ticks, *self.minutes):
            for symbol, day in table.rows_of if table is not None else ():
                found.setdefault(day, set()).add(symbol)
        return {day: sorted(found[day]) for day in sorted(found)}

    def _if_there(self, name: str, load: Callable[[Path], Table]) -> Table | None:
        path = self.path / name
        return load(path) if path.is_file() else None


class RecordedMarket(GridMarket):
    """A MarketSource out of a folder. Without `symbols` it plays all that traded in the session."""

    def __init__(self, data: Path, session: dt.date, symbols: Sequence[str] | None = None) -> None:
        self._folder = Folder(data)
        known = self._folder.symbols_by_day
        if session not in known:
            days = ", ".join(day.isoformat() for day in known) or "none"
            raise DataError(f"{self._folder.path}: no session {session}, there are: {days}")
        unknown = [symbol for symbol in symbols or () if symbol not in known[session]]
        if unknown:
            raise DataError(
                f"{self._folder.path}: session {session} has no {', '.join(unknown)}, "
                f"it has: {', '.join(known[session])}"
            )
        super().__init__(symbols or self._traded(known[session], session), session)
        self._daily_cache: dict[str, dict[dt.date, tuple[float, ...]]] = {}

    def _traded(self, symbols: Sequence[str], session: dt.date) -> list[str]:
        """Without indices, whose volume is zero."""
        opens_at, count = epoch_s(session, OPENS), _steps_between(session, OPENS, CLOSES)
        return [one for one in symbols if np.nansum(self._bars_of(one, session, opens_at, count)["volume"]) > 0]

    def _earlier_days(self) -> Iterator[dt.date]:
        for day in reversed(self._folder.symbols_by_day):
            if day < self.session:
                yield day

    def _make_grid(self, day: dt.date) -> SessionGrid:
        return self._grid_between(day, OPENS, CLOSES)

    def _premarket(self) -> SessionGrid:
        return self._grid_between(self.session, PREMARKET_OPENS, OPENS)

    def _grid_between(self, day: dt.date, begin: dt.time, end: dt.time) -> SessionGrid:
        begins_at, count = epoch_s(day, begin), _steps_between(day, begin, end)
        columns = [self._bars_of(symbol, day, begins_at, count) for symbol in self.symbols]
        bars = SessionBars(
            begins_at + STEP_S * np.arange(count, dtype=np.float64),
            *(np.column_stack([column[name] for column in columns]) for name in BAR_COLUMNS),
        )
        bid, ask = self._quotes_of(day, bars)
        return SessionGrid(bars, bid, ask)

    def _bars_of(self, symbol: str, day: dt.date, begins_at: float, count: int) -> Rows:
        """Five-second columns (count,) of one symbol from the finest table that has it."""
        for table in (self._folder.seconds, self._folder.ticks):
            if table is not None and (found := table.on(symbol, day)) is not None:
                at, rows = found
                if "price" in rows:
                    price = rows["price"]
                    rows = {
                        "open": price,
                        "high": price,
                        "low": price,
                        "close": price,
                        "volume": rows["size"],
                    }
                return _gathered(at, rows, begins_at, count)
        for table in self._folder.minutes:
            if (found := table.on(symbol, day)) is not None:
                return _split_minutes(*found, begins_at, count)
        return {name: np.full(count, np.nan) for name in BAR_COLUMNS}

    def _quotes_of(self, day: dt.date, bars: SessionBars) -> tuple[Floats, Floats]:
        opened, close = forward_filled(bars.open), forward_filled(bars.close)
        spread_ticks = np.ones_like(close)
        given_bid, given_ask = np.full_like(close, np.nan), np.full_like(close, np.nan)
        for column, symbol in enumerate(self.symbols):
            seconds, minutes = self._folder.second_quotes, self._folder.minute_quotes
            if seconds is not None and (found := seconds.on(symbol, day)) is not None:
                given_bid[:, column] = _standing(found, "bid_close", bars.starts_at + STEP_S)
                given_ask[:, column] = _standing(found, "ask_close", bars.starts_at + STEP_S)
            elif minutes is not None and (found := minutes.on(symbol, day)) is not None:
                # A minute's quote stands at its end: only the minute before may be known inside this one.
                started = bars.starts_at - bars.starts_at % MINUTE_S
                spread = _standing(found, "ask_close", started) - _standing(found, "bid_close", started)
                is_usable = (spread > 0) & (spread <= WIDEST_SPREAD * close[:, column])
                spread_ticks[:, column] = np.where(is_usable, np.maximum(1.0, np.round(spread / TICK)), 1.0)
        bid, ask = quotes_around(close, close >= opened, spread_ticks)
        spread = given_ask - given_bid
        is_given = (given_bid > 0) & (spread >= 0) & (spread <= WIDEST_SPREAD * given_ask)
        return np.where(is_given, given_bid, bid), np.where(is_given, given_ask, ask)

    def _daily(self, symbol: str, end_at: float, count: int) -> HistoryBars:
        """The latest ended days, whatever source knows them."""
        by_day = {day: row for day, row in self._daily_rows(symbol).items() if epoch_s(day, CLOSES) <= end_at}
        days = sorted(by_day)
        starts_at = np.array([epoch_s(day, OPENS) for day in days], dtype=np.float64)
        values = np.array([by_day[day] for day in days], dtype=np.float64).reshape(len(days), len(BAR_COLUMNS))
        return latest(HistoryBars(starts_at, *values.T), count)

    def _daily_rows(self, symbol: str) -> dict[dt.date, tuple[float, ...]]:
        """Open, high, low, close, volume by day up to this session.

        The first source that has a day gives it.
        """
        column = self._column(symbol)
        if symbol not in self._daily_cache:
            rows = _from_daily_tables(self._folder.daily, symbol)
            for day in (self.session, *self._earlier_days()):
                bars = self._bars(day, DAY_S) if day not in rows else None
                if bars is not None and not np.isnan(bars.close[0, column]):
                    rows[day] = tuple(float(getattr(bars, name)[0, column]) for name in BAR_COLUMNS)
            for day, row in _from_quarter_hours(self._folder.quarter_hours, symbol).items():
                rows.setdefault(day, row)
            self._daily_cache[symbol] = {day: row for day, row in rows.items() if day <= self.session}
        return self._daily_cache[symbol]


def _steps_between(day: dt.date, begin: dt.time, end: dt.time) -> int:
    return round((epoch_s(day, end) - epoch_s(day, begin)) / STEP_S)


def _gathered(at: Floats, rows: Rows, begins_at: float, count: int) -> Rows:
    """Rows in order of time, gathered into `count` five-second bars; NaN where there was none."""
    steps = np.floor((at - begins_at) / STEP_S).astype(np.intp)
    is_inside = (steps >= 0) & (steps < count)
    gathered = {name: np.full(count, np.nan) for name in BAR_COLUMNS}
    if not is_inside.any():
        return gathered
    filled, first = np.unique(steps[is_inside], return_index=True)
    last = np.append(first[1:], is_inside.sum()) - 1
    inside = {name: values[is_inside] for name, values in rows.items()}
    gathered["open"][filled] = inside["open"][first]
    gathered["high"][filled] = np.maximum.reduceat(inside["high"], first)
    gathered["low"][filled] = np.minimum.reduceat(inside["low"], first)
    gathered["close"][filled] = inside["close"][last]
    gathered["volume"][filled] = np.add.reduceat(inside["volume"], first)
    return gathered


def _split_minutes(at: Floats, rows: Rows, begins_at: float, count: int) -> Rows:
    minutes = np.floor((at - begins_at) / MINUTE_S).astype(np.intp)
    is_inside = (minutes >= 0) & (minutes < count // STEPS_PER_MINUTE)
    steps = five_second_steps(FiveSecondSteps(*(rows[name][is_inside] for name in BAR_COLUMNS)))
    split = {name: np.full((count // STEPS_PER_MINUTE, STEPS_PER_MINUTE), np.nan) for name in BAR_COLUMNS}
    for name in BAR_COLUMNS:
        split[name][minutes[is_inside]] = getattr(steps, name)
    return {name: values.reshape(-1) for name, values in split.items()}


def _standing(found: tuple[Floats, Rows], name: str, instants: Floats) -> Floats:
    """The latest value of rows that began before each instant; NaN before the first."""
    at, rows = found
    place = np.searchsorted(at, instants, side="left") - 1
    return np.where(place < 0, np.nan, rows[name][np.maximum(place, 0)])


def _from_daily_tables(tables: Sequence[DailyTable], symbol: str) -> dict[dt.date, tuple[float, ...]]:
    rows: dict[dt.date, tuple[float, ...]] = {}
    for table in tables:
        if symbol in table.by_symbol:
            ordinals, columns = table.by_symbol[symbol]
            values = zip(*(columns[name].tolist() for name in BAR_COLUMNS), strict=True)
            for ordinal, row in zip(ordinals.tolist(), values, strict=True):
                rows.setdefault(dt.date.fromordinal(ordinal), row)
    return rows


def _from_quarter_hours(table: Table | None, symbol: str) -> dict[dt.date, tuple[float, ...]]:
    if table is None:
        return {}
    rows: dict[dt.date, tuple[float, ...]] = {}
    for (known, day), places in table.rows_of.items():
        if known == symbol:
            opened, high, low, close, volume = (table.columns[name][places] for name in BAR_COLUMNS)
            rows[day] = (
                float(opened[0]),
                float(high.max()),
                float(low.min()),
                float(close[-1]),
                float(volume.sum()),
            )
    return rows
