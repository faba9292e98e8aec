"""One session as arrays, and everything that follows from them: steps, larger bars, history.

A market is what it puts into its sessions; `GridMarket` does the rest the same way for all of them.
"""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from brokers.simulated.market.listings import con_id_of, exchange_of, long_name_of
from brokers.simulated.market.source import Floats, HistoryBars, MarketStep
from brokers.simulated.market.trading_days import CLOSES, OPENS, epoch_s
from shared.errors import DataError

Flags = NDArray[np.bool_]

STEP_S = 5
MINUTE_S = 60
DAY_S = 86_400
BAR_SIZES_S = (5, 60, 300, 900, 3600, DAY_S)
TICK = 0.01
FINE_SESSIONS_KEPT = 2  # five-second grids held in memory beside the running session


class SessionBars(msgspec.Struct, frozen=True):
    """Bars of one session: `starts_at` (k,) epoch seconds, the others (k, n_symbols), NaN = no bar."""

    starts_at: Floats
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


class SessionGrid(msgspec.Struct, frozen=True):
    """The five-second bars of a session and the quotes at the end of each, (k, n_symbols)."""

    bars: SessionBars
    bid: Floats
    ask: Floats


def quotes_around(close: Floats, rises: Flags, spread_ticks: Floats) -> tuple[Floats, Floats]:
    """Bid and ask for a last price: a price that rose was paid at the ask, one that fell at the bid."""
    spread = spread_ticks * TICK
    bid: Floats = np.where(rises, close - spread, close)
    return np.round(bid, 8), np.round(bid + spread, 8)


def forward_filled(values: Floats) -> Floats:
    """Each NaN replaced by the latest number above it in its column; NaN where there is none."""
    rows = np.where(np.isnan(values), -1, np.arange(len(values))[:, None])
    latest = np.maximum.accumulate(rows, axis=0)
    return np.where(latest < 0, np.nan, np.take_along_axis(values, np.maximum(latest, 0), axis=0))


def aggregated(bars: SessionBars, size: int) -> SessionBars:
    """Bars of `size` bars each, from the first on; the last may hold fewer."""
    groups = -(-len(bars.starts_at) // size)
    missing = groups * size - len(bars.starts_at)

    def grouped(values: Floats) -> Floats:
        padded = np.concatenate([values, np.full((missing, values.shape[1]), np.nan)])
        return padded.reshape(groups, size, values.shape[1])

    close, opened, volume = grouped(bars.close), grouped(bars.open), grouped(bars.volume)
    traded = ~np.isnan(close)
    first = traded.argmax(axis=1)[:, None, :]
    last = size - 1 - traded[:, ::-1].argmax(axis=1)[:, None, :]
    total = np.where(traded.any(axis=1), np.where(traded, volume, 0.0).sum(axis=1), np.nan)
    return SessionBars(
        starts_at=bars.starts_at[::size],
        open=np.take_along_axis(opened, first, axis=1)[:, 0, :],
        high=np.fmax.reduce(grouped(bars.high), axis=1),
        low=np.fmin.reduce(grouped(bars.low), axis=1),
        close=np.take_along_axis(close, last, axis=1)[:, 0, :],
        volume=total,
    )


def column_of(bars: SessionBars, column: int, ended_by: int) -> HistoryBars:
    """One symbol's bars without the empty ones, only the first `ended_by` of them."""
    kept = np.flatnonzero(~np.isnan(bars.close[:ended_by, column]))
    return HistoryBars(
        starts_at=bars.starts_at[kept],
        open=bars.open[kept, column],
        high=bars.high[kept, column],
        low=bars.low[kept, column],
        close=bars.close[kept, column],
        volume=bars.volume[kept, column],
    )


def joined(pieces: Sequence[HistoryBars]) -> HistoryBars:
    """The pieces one after the other; no piece gives an empty history."""
    fields = HistoryBars.__struct_fields__
    return HistoryBars(*(np.concatenate([np.empty(0), *(getattr(piece, name) for piece in pieces)]) for name in fields))


def latest(bars: HistoryBars, count: int) -> HistoryBars:
    start = max(0, len(bars.starts_at) - count)
    return HistoryBars(*(getattr(bars, name)[start:] for name in HistoryBars.__struct_fields__))


class GridMarket(ABC):
    """A MarketSource over sessions that are arrays.

    Every regular session runs from 09:30 to 16:00 New York: half days are not known here yet.
    """

    step_s = STEP_S

    def __init__(self, symbols: Sequence[str], session: dt.date) -> None:
        self.symbols = tuple(symbols)
        self.session = session
        self.opens_at = epoch_s(session, OPENS)
        self.closes_at = epoch_s(session, CLOSES)
        self._columns = {symbol: column for column, symbol in enumerate(self.symbols)}
        self._fine: dict[dt.date, SessionGrid] = {}
        self._minutes: dict[dt.date, SessionBars] = {}

    @abstractmethod
    def _make_grid(self, day: dt.date) -> SessionGrid:
        """The regular session of a day, 4,680 steps; all NaN for a symbol that has no data."""

    @abstractmethod
    def _earlier_days(self) -> Iterator[dt.date]:
        """The sessions before this one that history reaches, the latest first."""

    def _premarket(self) -> SessionGrid | None:
        """What went before the open; None where the market knows of nothing."""
        return None

    def steps(self, *, include_premarket: bool = False) -> Iterator[MarketStep]:
        if include_premarket and (early := self._premarket()) is not None:
            yield from _steps_of(early)
        yield from _steps_of(self._grid(self.session))

    def history(self, symbol: str, *, end_at: float, duration_s: float, bar_s: int) -> HistoryBars:
        column = self._column(symbol)
        if bar_s not in BAR_SIZES_S:
            raise DataError(f"history of {symbol}: bar size {bar_s} s, allowed are {BAR_SIZES_S}")
        if bar_s == DAY_S:
            days = self._daily(symbol, end_at, max(1, round(duration_s / DAY_S)))
            return latest(days, max(1, round(duration_s / DAY_S)))
        sessions_max = max(1, round(duration_s / DAY_S)) if duration_s >= DAY_S else None
        bars_max = max(1, round(duration_s / bar_s))
        pieces: list[HistoryBars] = []
        for day in self._days(end_at):
            bars = self._bars(day, bar_s)
            ends_at = np.minimum(bars.starts_at + bar_s, epoch_s(day, CLOSES))
            piece = column_of(bars, column, int(np.searchsorted(ends_at, end_at, side="right")))
            if len(piece.starts_at):
                pieces.insert(0, piece)
            if (sessions_max is not None and len(pieces) >= sessions_max) or (
                sessions_max is None and sum(len(one.starts_at) for one in pieces) >= bars_max
            ):
                break
        whole = joined(pieces)
        return whole if sessions_max is not None else latest(whole, bars_max)

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

    def _days(self, end_at: float) -> Iterator[dt.date]:
        """The sessions that had begun by `end_at`, the latest first."""
        for day in (self.session, *self._earlier_days()):
            if epoch_s(day, OPENS) < end_at:
                yield day

    def _daily(self, symbol: str, end_at: float, count: int) -> HistoryBars:
        """Daily bars of the latest ended sessions, at least `count` if there are as many."""
        column = self._column(symbol)
        pieces: list[HistoryBars] = []
        for day in self._days(end_at):
            if epoch_s(day, CLOSES) <= end_at:
                piece = column_of(self._bars(day, DAY_S), column, 1)
                pieces = [piece, *pieces] if len(piece.starts_at) else pieces
            if len(pieces) >= count:
                break
        return joined(pieces)

    def _bars(self, day: dt.date, bar_s: int) -> SessionBars:
        if bar_s == STEP_S:
            return self._grid(day).bars
        if day not in self._minutes:
            self._minutes[day] = aggregated(self._grid(day).bars, MINUTE_S // STEP_S)
        minutes = self._minutes[day]
        if bar_s == MINUTE_S:
            return minutes
        return aggregated(minutes, min(bar_s // MINUTE_S, len(minutes.starts_at)))

    def _grid(self, day: dt.date) -> SessionGrid:
        """The session of a day; the running one and the latest few asked for stay in memory."""
        if day not in self._fine:
            others = [one for one in self._fine if one != self.session]
            for oldest in others[: max(0, len(others) - FINE_SESSIONS_KEPT + 1)]:
                del self._fine[oldest]
            self._fine[day] = self._make_grid(day)
        return self._fine[day]


def _steps_of(grid: SessionGrid) -> Iterator[MarketStep]:
    bars = grid.bars
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume, grid.bid, grid.ask)
    for values in columns:
        values.flags.writeable = False
    for row, starts_at in enumerate(bars.starts_at.tolist()):
        yield MarketStep(starts_at, *(values[row] for values in columns))
