"""Five-second steps of one symbol on one day, and the larger bars and ticks that follow from them.

Bars begin on New York's clock: the first hour of a session is the half hour from 09:30 to 10:00, as TWS has
it. Bars of BID, ASK and MIDPOINT follow the quotes that stand at the ends of the steps, each step beginning
with the quote before it. BID_ASK is IB's mixture: open the average bid, low the lowest bid, high the highest
ask, close the average ask. Ticks that were not recorded are derived: the four points of a step's path
(`path.path_inside`), a quarter of the step apart, and one quote at its end.
"""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from brokers.simulated.market.path import path_inside
from brokers.simulated.market.source import Floats, HistoryBars, QuoteTicks, TradeTicks
from shared.market import Bar

Indexes = NDArray[np.intp]
Rows = dict[str, Floats]

STEP_S, MINUTE_S, HOUR_S, DAY_S = 5, 60, 3600, 86_400
WEEK_S, MONTH_S = 7 * DAY_S, 30 * DAY_S
"""Names for the two bar sizes that no number of seconds describes: a calendar week, a calendar month."""
BAR_SIZES_S = (
    *(5, 10, 15, 30),
    *(MINUTE_S * minutes for minutes in (1, 2, 3, 5, 10, 15, 20, 30)),
    *(HOUR_S * hours for hours in (1, 2, 3, 4, 8)),
    *(DAY_S, WEEK_S, MONTH_S),
)
SHOWN = ("TRADES", "MIDPOINT", "BID", "ASK", "BID_ASK", "ADJUSTED_LAST")
OF_TRADES = ("TRADES", "ADJUSTED_LAST")
BAR_COLUMNS = ("open", "high", "low", "close", "volume")
NO_VOLUME = -1.0

Series = TypeVar("Series", HistoryBars, TradeTicks, QuoteTicks)


class SymbolDay(msgspec.Struct, frozen=True):
    """One symbol's steps of one day, arrays of shape (k,), with NaN as in `MarketStep`."""

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


def joined(kind: type[Series], pieces: Sequence[Series]) -> Series:
    """The pieces one after the other; no piece gives an empty series."""

    def whole(name: str) -> Floats:
        return np.concatenate([np.empty(0), *(getattr(piece, name) for piece in pieces)])

    return kind(*(whole(name) for name in kind.__struct_fields__))


def cut(rows: Series, part: slice | NDArray[np.bool_]) -> Series:
    return type(rows)(*(getattr(rows, name)[part] for name in rows.__struct_fields__))


def latest(rows: Series, count: int) -> Series:
    length = len(getattr(rows, rows.__struct_fields__[0]))
    return cut(rows, slice(max(0, length - count), None))


def gathered(groups: Indexes, rows: Rows) -> tuple[Indexes, Rows]:
    """Rows with the same group made into one bar: the groups that there are, and their bars.

    `groups` (m,) rises; `rows` holds open, high, low, close, volume (m,) without NaN.
    """
    filled, first = np.unique(groups, return_index=True)
    if not len(filled):
        return filled, {name: np.empty(0) for name in BAR_COLUMNS}
    last = np.append(first[1:], len(groups)) - 1
    return filled, {
        "open": rows["open"][first],
        "high": np.maximum.reduceat(rows["high"], first),
        "low": np.minimum.reduceat(rows["low"], first),
        "close": rows["close"][last],
        "volume": np.add.reduceat(rows["volume"], first),
    }


def bars_of(day: SymbolDay, bar_s: int, what: str, *, midnight_at: float, ended_by: float) -> HistoryBars:
    """The day's bars of `bar_s` seconds, at most a day, that had ended by `ended_by`."""
    rows = _traded(day) if what in OF_TRADES else _quoted(day, what)
    is_there = ~np.isnan(rows["close"])
    known = {name: values[is_there] for name, values in rows.items()}
    groups = np.floor((day.starts_at[is_there] - midnight_at) / bar_s).astype(np.intp)
    filled, bars = gathered(groups, known)
    if what == "BID_ASK" and len(filled):
        bars |= {name: _averages(groups, known[name]) for name in ("open", "close")}
    if what not in OF_TRADES:
        bars["volume"] = np.full(len(filled), NO_VOLUME)
    starts_at = midnight_at + bar_s * filled.astype(np.float64)
    ends_at = np.minimum(starts_at + bar_s, day.starts_at[-1] + STEP_S)
    whole = HistoryBars(np.maximum(starts_at, day.starts_at[0]), *(bars[name] for name in BAR_COLUMNS))
    return cut(whole, ends_at <= ended_by)


def derived_ticks(day: SymbolDay) -> TradeTicks:
    """Four prints per step in which something traded."""
    traded = np.flatnonzero(~np.isnan(day.close))
    prices, sizes = np.empty((len(traded), 4)), np.empty((len(traded), 4))
    columns = np.stack([day.open, day.high, day.low, day.close, day.volume])[:, traded].T.tolist()
    for row, bar in enumerate(columns):
        prices[row], sizes[row] = path_inside(Bar(*bar))
    at = day.starts_at[traded, None] + STEP_S / 4 * np.arange(4)
    return TradeTicks(at.reshape(-1), prices.reshape(-1), sizes.reshape(-1))


def derived_quote_ticks(day: SymbolDay) -> QuoteTicks:
    """One quote at the end of each step that has one."""
    is_there = ~(np.isnan(day.bid) & np.isnan(day.ask))
    ticks = QuoteTicks(day.starts_at + STEP_S, day.bid, day.ask, day.bid_size, day.ask_size)
    return cut(ticks, is_there)


def _traded(day: SymbolDay) -> Rows:
    return {name: getattr(day, name) for name in BAR_COLUMNS}


def _quoted(day: SymbolDay, what: str) -> Rows:
    """Each step as a bar of what was quoted; volume is filled in later."""
    if what == "BID_ASK":
        bid, ask = _quoted(day, "BID"), _quoted(day, "ASK")
        close = np.where(np.isnan(day.bid), np.nan, day.ask)
        return {"open": day.bid, "high": ask["high"], "low": bid["low"], "close": close, "volume": day.bid_size}
    stands = {"BID": day.bid, "ASK": day.ask, "MIDPOINT": np.round((day.bid + day.ask) / 2, 4)}[what]
    before = np.concatenate([stands[:1], stands[:-1]])
    opened = np.where(np.isnan(before), stands, before)
    high, low = np.maximum(opened, stands), np.minimum(opened, stands)
    return {"open": opened, "high": high, "low": low, "close": stands, "volume": day.bid_size}


def _averages(groups: Indexes, values: Floats) -> Floats:
    """The mean of each group of values, rounded to a hundredth of a cent."""
    _, first, counts = np.unique(groups, return_index=True, return_counts=True)
    means: Floats = np.round(np.add.reduceat(values, first) / counts, 4)
    return means
