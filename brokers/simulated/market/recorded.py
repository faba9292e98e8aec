"""A recorded day, played from tables in the formats of ../shared/data/intraday, Parquet or CSV.

For each symbol and day the finest table wins: bars of up to five seconds, then ticks, gathered into five-second
bars; otherwise minutes, split along the documented path (`path.five_second_steps`). Quotes: the last of a table
of up to five seconds, or of quote ticks, in each step; where there are only minutes, the spread and the sizes of
the minute before around the step's close (before the first print that quote itself); otherwise one tick around
the close. A quote that is crossed or wider than 5 % gives way to the one-tick quote, which shows `MADE_UP_SIZE`
shares; of a one-sided quote the other side is NaN. Prices are raw, as printed that day, bad prints too.

Auctions: the first print of the session, in its step, and the last, in the session's last step, each with the
volume of the step in which it printed. Ticks are the recorded ones where there are tables of them (one-sided
quote ticks are filled from those before), else they are derived (bars.py).

History: earlier days of the same tables; for daily bars first the raw daily tables (sums of minutes lack the
auctions), then those days, then the coarser tables.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from brokers.simulated.market.adjustment import Adjustment
from brokers.simulated.market.bars import (
    BAR_COLUMNS,
    MINUTE_S,
    STEP_S,
    Rows,
    SymbolDay,
    cut,
    gathered,
)
from brokers.simulated.market.day_market import DailyRow, DayMarket, Events, StepBlock, steps_of
from brokers.simulated.market.folder import Folder
from brokers.simulated.market.path import STEPS_PER_MINUTE, FiveSecondSteps, five_second_steps
from brokers.simulated.market.recorded_quotes import around_close, believed, filled, made_up, sides_of, standing
from brokers.simulated.market.source import (
    AuctionPrinted,
    CorporateAction,
    Dividend,
    Floats,
    MarketEvent,
    MarketStep,
    QuoteTicks,
    Split,
    TradeTicks,
)
from brokers.simulated.market.tables import Table
from brokers.simulated.market.trading_days import PREMARKET_OPENS, closes_at, epoch_s, opens_at
from shared.errors import DataError

QUOTED = ("bid", "ask", "bid_size", "ask_size")


class RecordedMarket(DayMarket):
    """A MarketSource out of a folder. Without `symbols` it plays all that traded in the session."""

    def __init__(self, data: Path | Folder, session: dt.date, symbols: Sequence[str] | None = None) -> None:
        self._folder = data if isinstance(data, Folder) else Folder(data)
        known = self._folder.symbols_by_day
        if session not in known:
            days = ", ".join(day.isoformat() for day in known) or f"none; not read: {_listed(self._folder.not_read)}"
            raise DataError(f"{self._folder.path}: no session {session}, there are: {days}")
        unknown = [symbol for symbol in symbols or () if symbol not in known[session]]
        if unknown:
            raise DataError(
                f"{self._folder.path}: session {session} has no {', '.join(unknown)}, "
                f"it has: {', '.join(known[session])}"
            )
        super().__init__(symbols or self._traded(known[session], session), session)
        self.corporate_actions = tuple(self._actions())
        self._daily_cache: dict[str, dict[dt.date, DailyRow]] = {}

    def steps(self, *, include_premarket: bool = False) -> Iterator[MarketStep]:
        if include_premarket:
            begins_at = epoch_s(self.session, PREMARKET_OPENS)
            early = [self._between(symbol, self.session, begins_at, self.opens_at) for symbol in self.symbols]
            yield from steps_of(_stacked(early), {})
        days = [self._day(symbol, self.session) for symbol in self.symbols]
        yield from steps_of(_stacked(days), _auctions(days))

    def next_session(self) -> "RecordedMarket | None":
        """The next recorded day that has all the symbols, be it tomorrow or later."""
        later = (
            day
            for day, symbols in self._folder.symbols_by_day.items()
            if day > self.session and set(self.symbols) <= set(symbols)
        )
        day = next(later, None)
        return None if day is None else RecordedMarket(self._folder, day, self.symbols)

    def head_at(self, symbol: str) -> float:
        self._column(symbol)
        days = [day for day, symbols in self._folder.symbols_by_day.items() if symbol in symbols]
        return opens_at(min([*days, *self._rows_by_day(symbol)]))

    def _traded(self, symbols: Sequence[str], session: dt.date) -> list[str]:
        """Without indices, whose volume is zero."""
        begins_at, count = opens_at(session), _steps_between(opens_at(session), closes_at(session))
        return [one for one in symbols if np.nansum(self._bars_between(one, session, begins_at, count)["volume"]) > 0]

    def _earlier_days(self) -> Iterator[dt.date]:
        for day in reversed(self._folder.symbols_by_day):
            if day < self.session:
                yield day

    def _make_day(self, symbol: str, day: dt.date) -> SymbolDay:
        return self._between(symbol, day, opens_at(day), closes_at(day))

    def _between(self, symbol: str, day: dt.date, begins_at: float, ends_at: float) -> SymbolDay:
        """The steps from one instant to another of a day."""
        count = _steps_between(begins_at, ends_at)
        starts_at = begins_at + STEP_S * np.arange(count, dtype=np.float64)
        bars = self._bars_between(symbol, day, begins_at, count)
        quotes = self._quotes(symbol, day, starts_at, bars)
        return SymbolDay(starts_at, *(bars[name] for name in BAR_COLUMNS), *(quotes[name] for name in QUOTED))

    def _bars_between(self, symbol: str, day: dt.date, begins_at: float, count: int) -> Rows:
        """Five-second columns (count,) of one symbol from the finest table that has it."""
        for table in (*self._folder.fine_bars, *self._folder.ticks):
            if (found := table.on(symbol, day)) is not None:
                at, rows = found
                if "price" in rows:
                    rows = dict.fromkeys(("open", "high", "low", "close"), rows["price"]) | {"volume": rows["size"]}
                return _gathered_steps(at, rows, begins_at, count)
        for table in self._folder.minutes:
            if (found := table.on(symbol, day)) is not None:
                return _split_minutes(*found, begins_at, count)
        return {name: np.full(count, np.nan) for name in BAR_COLUMNS}

    # ---- quotes

    def _quotes(self, symbol: str, day: dt.date, starts_at: Floats, bars: Rows) -> Rows:
        """Bid, ask and their sizes at the end of each step."""
        opened, close = filled(bars["open"]), filled(bars["close"])
        rises = close >= opened
        for table in (*self._folder.quotes, *self._folder.quote_ticks):
            if (found := table.on(symbol, day)) is not None:
                at, sides = found[0], sides_of(found[1])
                if table.interval_s > STEP_S:
                    # A minute's quote stands at its end: only the minute before may be known inside this one.
                    given = standing(at, sides, starts_at - starts_at % table.interval_s)
                    return around_close(given, close, rises)
                return believed(standing(at, sides, starts_at + STEP_S), made_up(close, rises))
        return made_up(close, rises)

    # ---- ticks

    def _day_ticks(self, symbol: str, day: dt.date) -> TradeTicks:
        for table in self._folder.ticks:
            if (found := table.on(symbol, day)) is not None:
                at, rows = found
                return TradeTicks(at, rows["price"], rows["size"])
        return super()._day_ticks(symbol, day)

    def _day_quote_ticks(self, symbol: str, day: dt.date) -> QuoteTicks:
        for table in self._folder.quote_ticks:
            if (found := table.on(symbol, day)) is not None:
                sides = sides_of(found[1])
                ticks = QuoteTicks(found[0], *(sides[name] for name in QUOTED))
                return cut(ticks, ~(np.isnan(ticks.bid) & np.isnan(ticks.ask)))
        return super()._day_quote_ticks(symbol, day)

    # ---- days and corporate actions

    def _daily_rows(self, symbol: str, end_at: float) -> Iterator[tuple[dt.date, DailyRow]]:
        rows = self._rows_by_day(symbol)
        for day in sorted(rows, reverse=True):
            if closes_at(day) <= end_at:
                yield day, rows[day]

    def _rows_by_day(self, symbol: str) -> dict[dt.date, DailyRow]:
        """The daily bars up to this session; the first source that has a day gives it."""
        if symbol not in self._daily_cache:
            rows = _from_daily_tables(self._folder, symbol)
            for day in (self.session, *self._earlier_days()):
                if day not in rows and (row := self._daily_row(symbol, day)) is not None:
                    rows[day] = row
            for table in self._folder.coarse_bars:
                for day, row in _from_coarse_bars(table, symbol).items():
                    rows.setdefault(day, row)
            self._daily_cache[symbol] = {day: row for day, row in rows.items() if day <= self.session}
        return self._daily_cache[symbol]

    def _actions(self) -> Iterator[CorporateAction]:
        for column, symbol in enumerate(self.symbols):
            for action in self._folder.actions.get(symbol, ()):
                if action.ex_date == self.session and action.ratio != 1:
                    yield Split(column, action.ratio)
                if action.ex_date == self.session and action.amount > 0:
                    yield Dividend(column, action.amount)

    def _make_adjustments(self, symbol: str) -> Sequence[Adjustment]:
        actions = [one for one in self._folder.actions.get(symbol, ()) if one.ex_date <= self.session]
        if not actions:
            return ()
        rows = self._rows_by_day(symbol)
        days = np.array(sorted(day.toordinal() for day in rows))
        found = []
        for action in actions:
            before = int(np.searchsorted(days, action.ex_date.toordinal())) - 1
            if before >= 0:  # nothing known is older than this action
                close_before = rows[dt.date.fromordinal(int(days[before]))][3]
                kept = 1 - action.amount / close_before
                found.append(Adjustment(ex_date=action.ex_date, ratio=action.ratio, kept=kept))
        return found


def _listed(not_read: dict[str, str]) -> str:
    return "; ".join(f"{name} ({why})" for name, why in not_read.items()) or "nothing"


def _steps_between(begins_at: float, ends_at: float) -> int:
    return round((ends_at - begins_at) / STEP_S)


def _stacked(days: Sequence[SymbolDay]) -> StepBlock:
    """The same steps of all symbols, side by side."""
    names = SymbolDay.__struct_fields__[1:]
    return StepBlock(days[0].starts_at, *(np.column_stack([getattr(day, name) for day in days]) for name in names))


def _auctions(days: Sequence[SymbolDay]) -> Events:
    """The events by step."""
    found: dict[int, list[MarketEvent]] = {}
    for column, day in enumerate(days):
        traded = np.flatnonzero(~np.isnan(day.close))
        if len(traded):
            first, last = int(traded[0]), int(traded[-1])
            opening = AuctionPrinted(column, "open", float(day.open[first]), float(day.volume[first]))
            closing = AuctionPrinted(column, "close", float(day.close[last]), float(day.volume[last]))
            found.setdefault(first, []).append(opening)
            found.setdefault(len(day.close) - 1, []).append(closing)
    return {step: tuple(events) for step, events in found.items()}


def _gathered_steps(at: Floats, rows: Rows, begins_at: float, count: int) -> Rows:
    """Rows in order of time, gathered into `count` five-second bars; NaN where there was none."""
    steps = np.floor((at - begins_at) / STEP_S).astype(np.intp)
    is_inside = (steps >= 0) & (steps < count)
    filled, bars = gathered(steps[is_inside], {name: values[is_inside] for name, values in rows.items()})
    spread = {name: np.full(count, np.nan) for name in BAR_COLUMNS}
    for name in BAR_COLUMNS:
        spread[name][filled] = bars[name]
    return spread


def _split_minutes(at: Floats, rows: Rows, begins_at: float, count: int) -> Rows:
    minutes = np.floor((at - begins_at) / MINUTE_S).astype(np.intp)
    is_inside = (minutes >= 0) & (minutes < count // STEPS_PER_MINUTE)
    steps = five_second_steps(FiveSecondSteps(*(rows[name][is_inside] for name in BAR_COLUMNS)))
    split = {name: np.full((count // STEPS_PER_MINUTE, STEPS_PER_MINUTE), np.nan) for name in BAR_COLUMNS}
    for name in BAR_COLUMNS:
        split[name][minutes[is_inside]] = getattr(steps, name)
    return {name: values.reshape(-1) for name, values in split.items()}


def _from_daily_tables(folder: Folder, symbol: str) -> dict[dt.date, DailyRow]:
    rows: dict[dt.date, DailyRow] = {}
    for table in folder.daily:
        if symbol in table.by_symbol:
            ordinals, columns = table.by_symbol[symbol]
            values = zip(*(columns[name].tolist() for name in BAR_COLUMNS), strict=True)
            for ordinal, row in zip(ordinals.tolist(), values, strict=True):
                rows.setdefault(dt.date.fromordinal(ordinal), row)
    return rows


def _from_coarse_bars(table: Table, symbol: str) -> dict[dt.date, DailyRow]:
    rows: dict[dt.date, DailyRow] = {}
    for (known, day), places in table.rows_of.items():
        if known == symbol:
            bars = {name: table.columns[name][places] for name in BAR_COLUMNS}
            _, whole = gathered(np.zeros(len(places), dtype=np.intp), bars)
            rows[day] = tuple(float(whole[name][0]) for name in BAR_COLUMNS)
    return rows
