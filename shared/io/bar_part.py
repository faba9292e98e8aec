"""One part of a stored series: bars of one instrument, and the Parquet file they are written as.

Columns: symbol, date (the New York day) or ts (start of the bar, UTC), open, high, low, close, volume, source.
So a part is a bar file of its own: `load_bars` and DuckDB read it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct
from pyarrow import parquet

from shared.errors import DataError
from shared.io.arrow_values import codes_of, floats_of, integers_of
from shared.io.bar_checks import DAILY_S, NO_TIME, PRICES, SECOND_NS, Floats, Integers
from shared.io.bar_files import DAY_OPENS, INTERVAL_KEY, VALUES, at_new_york

Adjustment = Literal["raw", "split", "total"]
ADJUSTMENTS: tuple[str, ...] = get_args(Adjustment)
ADJUSTMENT_KEY, FETCHED_KEY = b"openbell.adjustment", b"openbell.fetched_at"
ADJUSTED_KEY = b"openbell.adjusted_at"
_EPOCH = date(1970, 1, 1)
_DAY_NS, _NIGHT_NS = DAILY_S * SECOND_NS, 6 * 3600 * SECOND_NS


class Bars(Struct, frozen=True, kw_only=True, eq=False):
    """Bars of one instrument, arrays of shape (n,): `opened_at` int64 nanoseconds UTC, rising; float64 values.

    A daily bar opens at 09:30 New York. Prices in dollars, volume in shares.
    """

    opened_at: Integers
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __len__(self) -> int:
        return len(self.opened_at)

    def at(self, which: npt.NDArray[np.bool_] | Integers | slice) -> Bars:
        """The bars that a mask, an index or a slice chooses."""
        return Bars(opened_at=self.opened_at[which], **{name: getattr(self, name)[which] for name in VALUES})

    def joined(self, other: Bars) -> Bars:
        values = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in VALUES}
        return Bars(opened_at=np.concatenate([self.opened_at, other.opened_at]), **values)


class Part(Struct, frozen=True, kw_only=True, eq=False):
    """What a file holds; `sources` has one name per bar.

    `adjusted_at` names the scale of adjusted prices: the instant (ISO) at which it began; empty for raw ones.
    """

    bars: Bars
    sources: npt.NDArray[np.object_]
    adjustment: str
    interval_s: int
    fetched_at: str = ""
    adjusted_at: str = ""


def no_bars() -> Bars:
    """Bars of nothing."""
    return Bars(opened_at=np.empty(0, dtype=np.int64), **{name: np.empty(0) for name in VALUES})


def refuse_bad_bars(where: str, bars: Bars) -> None:
    """Raise DataError with one line about the first bar that cannot be."""
    lengths = {name: len(getattr(bars, name)) for name in ("opened_at", *VALUES)}
    if len(set(lengths.values())) > 1:
        raise DataError(f"{where}: columns of different length: {lengths}, allowed: one bar per row")
    backward = np.concatenate([[False], np.diff(bars.opened_at) <= 0]) if len(bars) else np.empty(0, dtype=np.bool_)
    faults = [
        (bars.opened_at == NO_TIME, "no time", "an instant"),
        (backward, "duplicate or decreasing time", "rising times"),
        *((~(getattr(bars, name) > 0), f"{name} is not above 0", "a price above 0") for name in PRICES),
        (~np.isfinite(bars.high + bars.low + bars.open + bars.close), "price is not finite", "a finite price"),
        (~((bars.volume >= 0) & np.isfinite(bars.volume)), "volume is not 0 or more", "shares, 0 or more"),
        (np.maximum(bars.open, bars.close) > bars.high, "open or close above high", "low <= open, close <= high"),
        (np.minimum(bars.open, bars.close) < bars.low, "open or close below low", "low <= open, close <= high"),
    ]
    count = int(np.logical_or.reduce([bad for bad, _, _ in faults]).sum())
    for bad, what, allowed in faults:
        if bad.any():
            at = int(np.argmax(bad))
            values = ", ".join(f"{name} {getattr(bars, name)[at]:g}" for name in VALUES)
            others = f" (and {count - 1} more bad bars)" if count > 1 else ""
            raise DataError(f"{where}: bar {shown(bars.opened_at[at])}: {what}: {values}, allowed: {allowed}{others}")


def refuse_scales(where: str, adjusted_at: Iterable[str]) -> None:
    """Raise DataError where adjusted prices of two times stand beside each other: a split may lie between."""
    scales = sorted(set(adjusted_at))
    if len(scales) > 1:
        named = " and at ".join(scale or "an unknown time" for scale in scales)
        raise DataError(
            f"{where}: prices adjusted at {named}: a change of scale that did not end, allowed: one; fetch all of it "
            "anew with --again --replace, or remove the parts that are not to be had any more"
        )


def shown(opened_at: int) -> str:
    """An instant as people read it, UTC."""
    return str(np.datetime_as_string(np.datetime64(int(opened_at), "ns"), unit="s")) + "Z"


def as_file(symbol: str, part: Part) -> bytes:
    """The same part gives the same bytes."""
    bars = part.bars
    if part.interval_s == DAILY_S:
        # 09:30 New York is that day in UTC too.
        days = pa.array(bars.opened_at // (DAILY_S * SECOND_NS)).cast(pa.int32())
        name, times = "date", days.cast(pa.date32())
    else:
        name, times = "ts", pa.array(bars.opened_at // 1000).cast(pa.timestamp("us", tz="UTC"))
    columns = {
        "symbol": pa.array([symbol] * len(bars), pa.string()),
        name: times,
        **{value: pa.array(np.ascontiguousarray(getattr(bars, value), dtype=np.float64)) for value in VALUES},
        "source": pa.array(list(part.sources), pa.string()),
    }
    notes = {
        INTERVAL_KEY: str(part.interval_s).encode(),
        ADJUSTMENT_KEY: part.adjustment.encode(),
        FETCHED_KEY: part.fetched_at.encode(),
        **({ADJUSTED_KEY: part.adjusted_at.encode()} if part.adjusted_at else {}),
    }
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table(columns).replace_schema_metadata(notes), sink, compression="zstd")
    return bytes(sink.getvalue())


def read_part(path: Path, *, with_sources: bool = True) -> Part:
    """The part in the file; DataError with one line where it is none, or only half of one.

    Without `sources`, of which the part then has none, it is read in two thirds of the time.
    """
    try:
        # No memory map: a file that shrinks under it would end the process.
        with parquet.ParquetFile(path, read_dictionary=["source"]) as file:
            names = [
                name for name in file.schema_arrow.names if name != "symbol" and (with_sources or name != "source")
            ]
            table = file.read(columns=names, use_threads=False)  # threads cost more than so few rows
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path}: unreadable: {_first_line(error)}, allowed: a part written by the bar store"
        ) from error
    notes = table.schema.metadata or {}
    name = "date" if "date" in table.column_names else "ts"
    needed = (name, *VALUES, *(["source"] if with_sources else []))
    missing = [column for column in needed if column not in table.column_names]
    if missing or INTERVAL_KEY not in notes or notes.get(ADJUSTMENT_KEY, b"").decode() not in ADJUSTMENTS:
        lacking = ", ".join(missing) or "the notes of the store"
        raise DataError(f"{path}: not a part of the bar store: lacks {lacking}, allowed: a part it wrote")
    try:
        values = {value: floats_of(table[value]) for value in VALUES}
        opened_at = _days(table["date"]) if name == "date" else _instants(table["ts"])
    except (pa.ArrowException, KeyError) as error:
        raise DataError(f"{path}: wrong type of column: {_first_line(error)}, allowed: a part it wrote") from error
    return Part(
        bars=Bars(opened_at=opened_at, **values),
        sources=_names(table["source"]) if with_sources else np.empty(0, dtype=object),
        adjustment=notes[ADJUSTMENT_KEY].decode(),
        interval_s=int(notes[INTERVAL_KEY]),
        fetched_at=notes.get(FETCHED_KEY, b"").decode(),
        adjusted_at=notes.get(ADJUSTED_KEY, b"").decode(),
    )


def new_york_days(opened_at: Integers) -> Integers:
    """The New York day of each bar, counted from 1970: 04:00 there is 08:00 or 09:00 UTC, 20:00 midnight or 01:00."""
    return (opened_at - _NIGHT_NS) // _DAY_NS


def day_opens(days: Integers) -> Integers:
    """Nanoseconds UTC of 09:30 New York on days counted from 1970."""
    return np.array([_opens(day) for day in days.tolist()], dtype=np.int64)


_OPENS: dict[int, int] = {}


def _opens(day: int) -> int:
    if day not in _OPENS:
        _OPENS[day] = at_new_york(date.fromordinal(_EPOCH.toordinal() + day), DAY_OPENS)
    return _OPENS[day]


def _names(column: pa.ChunkedArray) -> npt.NDArray[np.object_]:
    codes, names = codes_of(column)
    return np.array([*names.to_pylist(), ""], dtype=object)[codes]


def _days(column: pa.ChunkedArray) -> Integers:
    return day_opens(integers_of(column.cast(pa.int32()).cast(pa.int64()), 0))


def _instants(column: pa.ChunkedArray) -> Integers:
    return integers_of(column.cast(pa.timestamp("ns", tz="UTC")).cast(pa.int64()), NO_TIME)


def written(at: datetime | None) -> str:
    """An instant as it is kept; empty for none."""
    return "" if at is None else at.isoformat()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
