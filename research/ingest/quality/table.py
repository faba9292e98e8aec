"""A table of bars or quotes as it was written: nothing is repaired, sorted or left out in reading it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

from shared.errors import DataError, NotFound
from shared.io.bar_checks import DAILY_S, NO_TIME, SAME_SESSION_NS, SECOND_NS, Floats, Integers
from shared.io.bar_files import VALUES
from shared.io.bar_part import day_opens

QUOTES = tuple(f"{side}_{value}" for side in ("bid", "ask") for value in ("open", "high", "low", "close"))
EVIDENCE = ("adjusted_close", "adj_factor_next")
_HAS_OFFSET = r"(?:Z|[+-]\d{2}:?\d{2})\s*$"


class Series(Struct, frozen=True, kw_only=True, eq=False):
    """One symbol in the order of the file, arrays of shape (n,): `opened_at` ns UTC or NO_TIME, `row` from 1.

    `values` holds the columns by name, NaN where a cell is no number.
    """

    symbol: str
    interval_s: int
    opened_at: Integers
    row: Integers
    values: dict[str, Floats]

    def __len__(self) -> int:
        return len(self.opened_at)

    def at(self, which: Any) -> Series:  # noqa: ANN401 - whatever numpy takes as an index
        """The bars that a mask or index chooses."""
        values = {name: column[which] for name, column in self.values.items()}
        return Series(
            symbol=self.symbol,
            interval_s=self.interval_s,
            opened_at=self.opened_at[which],
            row=self.row[which],
            values=values,
        )


class Table(Struct, frozen=True, kw_only=True, eq=False):
    """What a file holds: bars or quotes, by symbol in the order of first appearance."""

    name: str
    is_quotes: bool
    interval_s: int
    series: tuple[Series, ...]

    @property
    def rows(self) -> int:
        return sum(map(len, self.series))


def read_table(path: Path) -> Table:
    """Read a .parquet or .csv table of bars, or of quotes (bid_open to ask_close).

    A table without `symbol` is one symbol, named by its file; without `volume` it has none.

    Raises:
        DataError: one line: the file cannot be read, or lacks columns or time zone.
    """
    frame = _frame(path)
    columns = [str(name) for name in frame.columns]
    is_quotes = "bid_close" in columns
    needed = QUOTES if is_quotes else tuple(name for name in VALUES if name != "volume")
    missing = [name for name in needed if name not in columns]
    if "ts" not in columns and "date" not in columns:
        missing.insert(0, "ts or date")
    if missing:
        raise DataError(
            f"{path}: missing column: {', '.join(missing)}; found: {', '.join(columns)}, allowed: "
            f"symbol, ts or date, {', '.join(needed)}"
        )
    if frame.empty:
        raise DataError(f"{path}: no rows, allowed: at least one bar or quote")
    opened_at = _times(path, frame)
    symbols = _symbols(path, frame)
    names = [name for name in (*VALUES, *EVIDENCE, *QUOTES) if name in columns]
    values = {name: _numbers(frame[name]) for name in names}
    interval_s = DAILY_S if "ts" not in columns else _interval_s(symbols, opened_at)
    rows = np.arange(1, len(frame) + 1)
    whole = Series(symbol="", interval_s=interval_s, opened_at=opened_at, row=rows, values=values)
    return Table(name=path.name, is_quotes=is_quotes, interval_s=interval_s, series=_by_symbol(whole, symbols))


def _frame(path: Path) -> Any:  # noqa: ANN401 - pandas has no types
    import pandas as pd

    if not path.exists():
        raise NotFound(f"{path}: no such file, allowed: a .parquet or .csv table")
    try:
        if path.suffix.lower() == ".csv":
            return pd.read_csv(path, keep_default_na=False, dtype={"symbol": str, "date": str, "ts": str})
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
    except (OSError, ValueError) as error:  # ArrowInvalid and ParserError are ValueErrors
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(f"{path}: unreadable: {reason}, allowed: a .parquet or .csv table") from error
    raise DataError(f"{path}: unknown kind of file, allowed: .parquet or .csv")


def _times(path: Path, frame: Any) -> Integers:  # noqa: ANN401 - as above
    import pandas as pd

    if "ts" not in frame.columns:
        written = frame["date"].astype(str).str.slice(0, 10)
        days = pd.to_datetime(written, errors="coerce", format="%Y-%m-%d")
        numbers = days.to_numpy().astype("datetime64[D]").astype(np.int64)
        known = ~days.isna().to_numpy()
        opened_at = np.full(len(frame), NO_TIME)
        opened_at[known] = day_opens(numbers[known])
        return opened_at
    column = frame["ts"]
    is_time = pd.api.types.is_datetime64_any_dtype(column)
    naive = column.dt.tz is None if is_time else not column.astype(str).str.contains(_HAS_OFFSET).all()
    if naive and len(frame):
        example = column.iloc[0] if is_time else column[~column.astype(str).str.contains(_HAS_OFFSET)].iloc[0]
        raise DataError(f"{path}: ts has no time zone: {example}, allowed: UTC with offset, ...T13:30:00+00:00")
    times = pd.to_datetime(column, utc=True, errors="coerce")
    opened_at = times.to_numpy(dtype="datetime64[ns]").astype(np.int64)
    return np.where(times.isna().to_numpy(), NO_TIME, opened_at)


def _symbols(path: Path, frame: Any) -> Any:  # noqa: ANN401 - as above
    if "symbol" not in frame.columns:
        return np.full(len(frame), path.stem.split("_")[0].upper(), dtype=object)
    column = frame["symbol"]
    empty = np.flatnonzero((column.isna() | (column.astype(str).str.strip() == "")).to_numpy())
    if len(empty):
        raise DataError(f"{path}: row {empty[0] + 1}: no symbol, allowed: a ticker (one is NA: keep it a text)")
    return column.astype(str).to_numpy(dtype=object)


def _numbers(column: Any) -> Floats:  # noqa: ANN401 - as above
    import pandas as pd

    numbers: Floats = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return numbers


def _by_symbol(whole: Series, symbols: Sequence[str]) -> tuple[Series, ...]:
    import pandas as pd

    codes, names = pd.factorize(np.asarray(symbols, dtype=object))
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(len(names) + 1))
    found = []
    for number, name in enumerate(names):
        part = whole.at(order[edges[number] : edges[number + 1]])
        found.append(
            Series(
                symbol=str(name), interval_s=part.interval_s, opened_at=part.opened_at, row=part.row, values=part.values
            )
        )
    return tuple(found)


def _interval_s(symbols: Sequence[str], opened_at: Integers) -> int:
    """The most common gap inside a session; 60 where there is none."""
    names = np.asarray(symbols)
    gaps = np.diff(opened_at)[names[1:] == names[:-1]] if len(opened_at) else np.empty(0, dtype=np.int64)
    inside = gaps[(gaps > 0) & (gaps < SAME_SESSION_NS)]
    if not len(inside):
        return 60
    lengths, counts = np.unique(inside, return_counts=True)
    return max(1, int(lengths[np.argmax(counts)]) // SECOND_NS)
