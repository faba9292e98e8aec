"""Parquet tables of bars, quotes and ticks, checked once and cut by symbol and day."""

import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from brokers.simulated.market.grid import Flags
from brokers.simulated.market.source import Floats
from shared.errors import DataError

BAR_COLUMNS = ("open", "high", "low", "close", "volume")
QUOTE_COLUMNS = ("bid_close", "ask_close")
TICK_COLUMNS = ("price", "size")
NEW_YORK_SHIFT_S = 5 * 3600  # 04:00 to 20:00 New York lies inside one day of UTC - 5 h, summer and winter
DAY_S = 86_400

Rows = dict[str, Floats]


class Table(msgspec.Struct, frozen=True):
    """One file. `rows_of` maps (symbol, day) to row numbers in file order; `at` is epoch seconds."""

    path: Path
    at: Floats
    columns: Rows
    rows_of: dict[tuple[str, dt.date], NDArray[np.intp]]

    def on(self, symbol: str, day: dt.date) -> tuple[Floats, Rows] | None:
        """Times and columns of one symbol on one New York day; None when the file has none."""
        rows = self.rows_of.get((symbol, day))
        if rows is None:
            return None
        return self.at[rows], {name: values[rows] for name, values in self.columns.items()}


class DailyTable(msgspec.Struct, frozen=True):
    """One file of daily bars: per symbol the days, as ordinals, and the columns."""

    by_symbol: dict[str, tuple[NDArray[np.intp], Rows]]


def load_bars(path: Path) -> Table:
    table = _load_timed(path, BAR_COLUMNS)
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
    return table


def load_quotes(path: Path) -> Table:
    return _load_timed(path, QUOTE_COLUMNS)


def load_ticks(path: Path) -> Table:
    """Prints the vendor marked as suspicious are left out; several may share one time."""
    table = _load_timed(path, (*TICK_COLUMNS, "suspicious"))
    good = {
        key: kept
        for key, rows in table.rows_of.items()
        if len(kept := rows[(table.columns["suspicious"][rows] == 0) & (table.columns["price"][rows] > 0)])
    }
    return msgspec.structs.replace(table, rows_of=good)


def load_daily(path: Path) -> DailyTable:
    raw = _read(path, ("symbol", "date", *BAR_COLUMNS))
    days = np.array([dt.date.fromisoformat(text).toordinal() for text in raw["date"].to_pylist()], dtype=np.intp)
    columns = {name: _floats(raw[name]) for name in BAR_COLUMNS}
    _refuse(path, columns["high"] < columns["low"], "high below low")
    return DailyTable(
        {
            symbol: (days[rows], {name: values[rows] for name, values in columns.items()})
            for symbol, rows in _rows_by_symbol(raw["symbol"])
        }
    )


def _load_timed(path: Path, names: tuple[str, ...]) -> Table:
    import pyarrow as pa

    raw = _read(path, ("symbol", "ts", *names))
    at = _floats(raw["ts"].cast(pa.timestamp("us", "UTC")).cast(pa.int64())) / 1e6
    days = ((at - NEW_YORK_SHIFT_S) // DAY_S).astype(np.intp)
    rows_of = {}
    for symbol, rows in _rows_by_symbol(raw["symbol"]):
        for day in np.unique(days[rows]).tolist():
            rows_of[symbol, _date_of(day)] = rows[days[rows] == day]
    return Table(path, at, {name: _floats(raw[name]) for name in names}, rows_of)


def _read(path: Path, names: tuple[str, ...]) -> Any:  # noqa: ANN401  pyarrow has no types
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        present = pq.read_schema(path).names
        missing = [name for name in names if name not in present]
        if missing:
            raise DataError(f"{path}: column {', '.join(missing)} is missing, needed are {', '.join(names)}")
        return pq.read_table(path, columns=list(names))
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: not a readable Parquet file: {error}") from error


def _rows_by_symbol(symbols: Any) -> list[tuple[str, NDArray[np.intp]]]:  # noqa: ANN401  pyarrow has no types
    codes = symbols.combine_chunks().dictionary_encode()
    numbers = codes.indices.to_numpy(zero_copy_only=False)
    return [(symbol, np.flatnonzero(numbers == code)) for code, symbol in enumerate(codes.dictionary.to_pylist())]


def _floats(column: Any) -> Floats:  # noqa: ANN401  pyarrow has no types
    values: Floats = column.to_numpy().astype(np.float64)
    return values


def _date_of(days_since_1970: int) -> dt.date:
    return dt.date(1970, 1, 1) + dt.timedelta(days=days_since_1970)


def _refuse(path: Path, is_bad: Flags, reason: str) -> None:
    if is_bad.any():
        raise DataError(f"{path}: row {int(is_bad.argmax())}: {reason}; such a file is refused")
