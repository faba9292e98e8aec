"""A benchmark from a file.

The file has a `close` and either `date` (New York day, ISO) or `ts` (start of the bar, UTC); one series, or several
with a `symbol` column of which one is named.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
from msgspec import Struct

from research.backtest.result import Floats
from shared.errors import DataError, NotFound

if TYPE_CHECKING:
    import pyarrow as pa

NEW_YORK = ZoneInfo("America/New_York")
FORMATS = (".csv", ".parquet")
COLUMNS = ("symbol", "date", "ts", "close")
SHOWN_MAX = 8


class Benchmark(Struct, frozen=True, kw_only=True, eq=False):
    """Simple returns on the sessions of a run, each from the benchmark's last close before; shape (S,).

    NaN where it has no close on that session, or none before.
    """

    name: str
    returns: Floats


class BenchmarkCloses(Struct, frozen=True, kw_only=True):
    """All closes of one series of a file, by New York day."""

    name: str
    path: Path
    closes: dict[date, float]

    def on(self, sessions: tuple[date, ...]) -> Benchmark:
        """On these sessions (rising, each once); DataError where it has a close on none of them."""
        days = sorted(self.closes)
        if self.closes.keys().isdisjoint(sessions):
            raise DataError(
                f"{self.path}: no close from {sessions[0]} to {sessions[-1]}, it holds {days[0]} to {days[-1]}, "
                "allowed: a benchmark over the sessions of the replay"
            )
        returns = np.full(len(sessions), np.nan)
        for at, session in enumerate(sessions):
            before = bisect_left(days, session) - 1
            if session in self.closes and before >= 0:
                returns[at] = self.closes[session] / self.closes[days[before]] - 1.0
        return Benchmark(name=self.name, returns=returns)


def read_benchmark(wanted: str) -> BenchmarkCloses:
    """The series `FILE` or `FILE:SYMBOL`; NotFound without the file, DataError where it holds no such series."""
    path, symbol = _split(wanted)
    if not path.is_file():
        raise NotFound(f"{path}: no such file, allowed: a .csv or .parquet of closes, as FILE or FILE:SYMBOL")
    return BenchmarkCloses(name=symbol or path.stem, path=path, closes=_closes(path, symbol))


def _split(wanted: str) -> tuple[Path, str]:
    """A colon may be part of a path, so the whole counts first."""
    if Path(wanted).exists() or ":" not in wanted:
        return Path(wanted), ""
    file, _, symbol = wanted.rpartition(":")
    return Path(file), symbol


def _closes(path: Path, symbol: str) -> dict[date, float]:
    """The closes of the series by day; of several rows of a day the last one counts."""
    columns = _columns(path)
    if "symbol" in columns:
        _choose(path, columns["symbol"], symbol)
    by_day: dict[date, float] = {}
    names = columns.get("symbol") or [symbol] * len(columns["when"])
    for when, close, name in zip(columns["when"], columns["close"], names, strict=True):
        if (symbol and name != symbol) or close is None or close != close:  # noqa: PLR0124 - NaN is no close
            continue
        if not isinstance(close, int | float) or close <= 0:
            raise DataError(f"{path}: close {close!r} of {when}, allowed: a price above 0")
        by_day[_day(path, when)] = float(close)
    if not by_day:
        raise DataError(f"{path}: no close{f' of {symbol}' if symbol else ''}, allowed: rows of date and close")
    return by_day


def _choose(path: Path, column: list[Any], symbol: str) -> None:
    names = sorted({str(name) for name in column})
    shown = ", ".join(names[:SHOWN_MAX]) + (f" and {len(names) - SHOWN_MAX} more" if len(names) > SHOWN_MAX else "")
    if symbol and symbol not in names:
        raise DataError(f"{path}: no symbol {symbol!r}, allowed: {shown}")
    if not symbol and len(names) > 1:
        raise DataError(f"{path}: holds {len(names)} symbols, say which as FILE:SYMBOL, allowed: {shown}")


def _columns(path: Path) -> dict[str, list[Any]]:
    """The columns we read as lists; `when` is what the file calls date or ts; rows in order of time."""
    table = _table(path)
    names = set(table.column_names)
    when = next((name for name in ("ts", "date") if name in names), None)
    if when is None or "close" not in names:
        raise DataError(f"{path}: columns {', '.join(table.column_names)}, allowed: close and date or ts")
    table = table.sort_by(when)
    chosen = {"when": table[when].to_pylist(), "close": table["close"].to_pylist()}
    return chosen | ({"symbol": table["symbol"].to_pylist()} if "symbol" in names else {})


def _table(path: Path) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv, parquet

    if path.suffix not in FORMATS:
        raise DataError(f"{path}: {path.suffix or 'no ending'}, allowed: {' or '.join(FORMATS)}")
    try:
        if path.suffix == ".parquet":
            known = [name for name in parquet.read_schema(path).names if name in COLUMNS]
            return parquet.read_table(path, columns=known or None)
        options = csv.ConvertOptions(strings_can_be_null=False, column_types={"symbol": pa.string()})
        return csv.read_csv(path, convert_options=options)
    except (pa.ArrowInvalid, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: cannot be read: {reason}, allowed: a CSV or Parquet file of prices") from None


def _day(path: Path, when: object) -> date:
    if isinstance(when, datetime):
        return (when if when.tzinfo is None else when.astimezone(NEW_YORK)).date()
    if isinstance(when, date):
        return when
    try:
        return date.fromisoformat(str(when)[:10])
    except ValueError:
        raise DataError(f"{path}: date {when!r}, allowed: ISO such as 2013-10-08") from None
