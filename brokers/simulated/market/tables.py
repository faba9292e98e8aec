"""Tables of bars, quotes and ticks in Parquet or CSV, checked once and cut by symbol and day.

What a table is shows in its columns, not in its name: `kind_of`. A CSV has a header line; its `ts` needs a zone,
as in 2013-10-08T13:30:00Z.
"""

import csv
import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from brokers.simulated.market.bars import BAR_COLUMNS, DAY_S, Indexes, Rows
from brokers.simulated.market.source import Floats
from shared.errors import DataError

SUFFIXES = (".parquet", ".csv")
QUOTE_COLUMNS, SIZE_COLUMNS = ("bid_close", "ask_close"), ("bid_size", "ask_size")
TICK_COLUMNS, QUOTE_TICK_COLUMNS = ("price", "size"), ("bid", "ask", *SIZE_COLUMNS)
SUSPICIOUS = "suspicious"
INTERVALS_S = (1, 5, 60, 300, 900, 1800, 3600)
MINUTE_S = 60
NEW_YORK_SHIFT_S = 5 * 3600  # 04:00 to 20:00 New York lies inside one day of UTC - 5 h, summer and winter


class Kind(StrEnum):
    """What a table holds."""

    bars = "bars"
    quotes = "quotes"
    ticks = "ticks"
    quote_ticks = "quote ticks"
    daily = "daily bars"


NEEDED = {
    Kind.bars: ("symbol", "ts", *BAR_COLUMNS),
    Kind.quotes: ("symbol", "ts", *QUOTE_COLUMNS),
    Kind.ticks: ("symbol", "ts", *TICK_COLUMNS),
    Kind.quote_ticks: ("symbol", "ts", *QUOTE_TICK_COLUMNS),
    Kind.daily: ("symbol", "date", *BAR_COLUMNS),
}
"""The columns by which a table is known, the first kind that fits; what else it holds is of no account."""
OPTIONAL = {Kind.quotes: SIZE_COLUMNS, Kind.ticks: (SUSPICIOUS,), Kind.quote_ticks: (SUSPICIOUS,)}


class Table(msgspec.Struct, frozen=True):
    """One file. `rows_of` maps (symbol, day) to row numbers in file order; `at` is epoch seconds."""

    path: Path
    at: Floats
    columns: Rows
    rows_of: dict[tuple[str, dt.date], Indexes]
    interval_s: int = 0  # of bars and quotes: the shortest time between two of one symbol; 0 for ticks

    def on(self, symbol: str, day: dt.date) -> tuple[Floats, Rows] | None:
        """Times and columns of one symbol on one New York day; None when the file has none."""
        rows = self.rows_of.get((symbol, day))
        if rows is None:
            return None
        return self.at[rows], {name: values[rows] for name, values in self.columns.items()}


class DailyTable(msgspec.Struct, frozen=True):
    """One file of daily bars: per symbol the days, as ordinals, and the columns."""

    by_symbol: dict[str, tuple[Indexes, Rows]]


def columns_of(path: Path) -> tuple[str, ...]:
    """The column names of a file, nothing else of it read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if path.suffix == ".csv":
            with path.open(newline="", encoding="utf-8") as file:
                return tuple(next(csv.reader(file), ()))
        return tuple(pq.read_schema(path).names)
    except (OSError, ValueError, csv.Error, pa.ArrowException) as error:
        raise DataError(f"{path}: not a readable {_format(path)} file: {error}") from error


def kind_of(columns: Sequence[str]) -> Kind | None:
    """None for a table that is not known."""
    return next((kind for kind, needed in NEEDED.items() if set(needed) <= set(columns)), None)


def load_bars(path: Path) -> Table:
    table = _load_timed(path, Kind.bars)
    columns = table.columns
    numbers = np.stack([columns[name] for name in BAR_COLUMNS])
    _refuse(path, ~np.isfinite(numbers.sum(axis=0)), "a price or volume that is not a number")
    _refuse(path, columns["high"] < columns["low"], "high below low")
    _refuse(path, columns["low"] <= 0, "a price that is not positive")
    _refuse(path, columns["volume"] < 0, "negative volume")
    for (symbol, _day), rows in table.rows_of.items():
        out_of_order = np.flatnonzero(np.diff(table.at[rows]) <= 0)
        if len(out_of_order):
            row = rows[out_of_order[0] + 1]
            raise DataError(f"{path}: row {row}: {symbol}: time does not increase; each symbol needs rising times")
    return msgspec.structs.replace(table, interval_s=_interval(table))


def load_quotes(path: Path) -> Table:
    table = _load_timed(path, Kind.quotes)
    return msgspec.structs.replace(table, interval_s=_interval(table))


def load_ticks(path: Path, kind: Kind) -> Table:
    """Ticks the vendor marked as suspicious are left out, and prints without a price.

    Several may share one time.
    """
    table = _load_timed(path, kind)
    for (symbol, _day), rows in table.rows_of.items():
        back = np.flatnonzero(np.diff(table.at[rows]) < 0)
        if len(back):
            raise DataError(f"{path}: row {rows[back[0] + 1]}: {symbol}: time goes back; ticks need rising times")
    good = table.columns.get(SUSPICIOUS, np.zeros(len(table.at))) == 0
    if kind is Kind.ticks:
        good &= table.columns["price"] > 0
    kept = {key: rows[good[rows]] for key, rows in table.rows_of.items()}
    return msgspec.structs.replace(table, rows_of={key: rows for key, rows in kept.items() if len(rows)})


def load_daily(path: Path) -> DailyTable:
    raw = _read(path, Kind.daily)
    try:
        days = np.array([dt.date.fromisoformat(str(day)).toordinal() for day in raw["date"].to_pylist()], dtype=np.intp)
    except ValueError as error:
        raise DataError(f"{path}: column date: {error}, expected YYYY-MM-DD") from error
    columns = {name: _floats(raw[name]) for name in BAR_COLUMNS}
    _refuse(path, columns["high"] < columns["low"], "high below low")
    return DailyTable(
        {
            symbol: (days[rows], {name: values[rows] for name, values in columns.items()})
            for symbol, rows in _rows_by_symbol(raw["symbol"])
        }
    )


def _load_timed(path: Path, kind: Kind) -> Table:
    import pyarrow as pa

    raw = _read(path, kind)
    at = _floats(raw["ts"].cast(pa.timestamp("us", "UTC")).cast(pa.int64())) / 1e6
    _refuse(path, ~np.isfinite(at), "no time")
    days = ((at - NEW_YORK_SHIFT_S) // DAY_S).astype(np.intp)
    rows_of = {}
    for symbol, rows in _rows_by_symbol(raw["symbol"]):
        for day in np.unique(days[rows]).tolist():
            rows_of[symbol, _date_of(day)] = rows[days[rows] == day]
    names = [name for name in raw.column_names if name not in {"symbol", "ts"}]
    return Table(path, at, {name: _floats(raw[name]) for name in names}, rows_of)


def _read(path: Path, kind: Kind) -> Any:  # noqa: ANN401  pyarrow has no types
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import csv as pa_csv

    present = columns_of(path)
    names = [*NEEDED[kind], *(name for name in OPTIONAL.get(kind, ()) if name in present)]
    try:
        if path.suffix == ".parquet":
            return pq.read_table(path, columns=names)
        types = dict.fromkeys(names, pa.float64())
        types |= {"symbol": pa.string(), "ts": pa.timestamp("us", "UTC"), "date": pa.string()}
        wanted = pa_csv.ConvertOptions(include_columns=names, column_types=types)
        return pa_csv.read_csv(path, convert_options=wanted)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: not a readable {_format(path)} file: {error}") from error


def _format(path: Path) -> str:
    return "CSV" if path.suffix == ".csv" else "Parquet"


def _interval(table: Table) -> int:
    """The longest known interval that is no longer than any time between two rows of a symbol and day."""
    gaps = [np.diff(table.at[rows]) for rows in table.rows_of.values()]
    shortest = min((float(gap[gap > 0].min()) for gap in gaps if (gap > 0).any()), default=MINUTE_S)
    return max((one for one in INTERVALS_S if one <= shortest), default=INTERVALS_S[0])


def _rows_by_symbol(symbols: Any) -> list[tuple[str, NDArray[np.intp]]]:  # noqa: ANN401  pyarrow has no types
    codes = symbols.combine_chunks().dictionary_encode()
    numbers = codes.indices.to_numpy(zero_copy_only=False)
    return [(symbol, np.flatnonzero(numbers == code)) for code, symbol in enumerate(codes.dictionary.to_pylist())]


def _floats(column: Any) -> Floats:  # noqa: ANN401  pyarrow has no types
    values: Floats = column.to_numpy().astype(np.float64)
    return values


def _date_of(days_since_1970: int) -> dt.date:
    return dt.date(1970, 1, 1) + dt.timedelta(days=days_since_1970)


def _refuse(path: Path, is_bad: NDArray[np.bool_], reason: str) -> None:
    if is_bad.any():
        raise DataError(f"{path}: row {int(is_bad.argmax())}: {reason}; such a file is refused")
