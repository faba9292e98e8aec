"""Stored bars: Parquet or CSV in, a time-major panel for replay out, and back.

A table has the columns symbol, open, high, low, close, volume and one of
  ts    intraday: the start of the bar, UTC with offset
  date  daily: the New York day, ISO
in any order; other columns are ignored. A folder stands for all its .parquet and .csv files, of one kind.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, time, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
from msgspec import Struct
from pyarrow import parquet

from shared.errors import DataError
from shared.io.arrow_values import ranks_of
from shared.io.bar_checks import DAILY_S, NO_TIME, SECOND_NS, BarTable, Floats, Integers, checked
from shared.io.bar_files import INTERVAL_KEY, NEW_YORK, VALUES, at_new_york, read_bars
from shared.market import BarRow

SHOWN_MAX = 20
DAY_LASTS_NS = 23_400 * SECOND_NS  # 09:30 to 16:00; no clock change falls between


class BarPanel(Struct, frozen=True, kw_only=True, eq=False):
    """Bars of several instruments over time: T intervals, n symbols.

    `opened_at` and `closed_at` are int64 nanoseconds UTC of shape (T,), rising; prices (dollars) and volume
    (shares) float64 of shape (T, n), NaN where the instrument printed nothing. Daily bars run 09:30 to 16:00
    New York with `interval_s` 86400; early closes are the calendar's business. `dropped` counts bad bars.
    """

    symbols: tuple[str, ...]
    opened_at: Integers
    closed_at: Integers
    interval_s: int
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    dropped: int = 0

    def __len__(self) -> int:
        return len(self.opened_at)

    def row(self, index: int) -> BarRow:
        """Return interval `index` as views into the panel, in the order of `symbols`."""
        return BarRow(
            open=self.open[index],
            high=self.high[index],
            low=self.low[index],
            close=self.close[index],
            volume=self.volume[index],
        )


def load_bars(
    path: str | Path,
    symbols: Sequence[str] | None = None,
    start: date | None = None,
    end: date | None = None,
    *,
    interval_s: int | None = None,
    drop_bad_bars: bool = False,
) -> BarPanel:
    """Read a file or folder of bars.

    `symbols` chooses and orders the columns (all, sorted, if None); `start` and `end` are New York days, both
    included. Bars outside that choice are not judged. `interval_s` None means what the file says, or else the
    most common gap. Raises DataError with one line: file, row, what is wrong, its value, what is allowed.
    """
    table = read_bars(Path(path), drop_bad_bars=drop_bad_bars)
    chosen = _chosen(path, symbols, table)
    bars = _cut(table, {*chosen, ""}, start, end)
    if not len(bars):
        span = f"from {start or 'the first day'} to {end or 'the last'}"
        raise DataError(f"{path}: no bars of {', '.join(chosen) or 'any symbol'} {span}, allowed: {_span(table)}")
    noted = {file.interval_s for file in table.files}
    known_s = table.files[0].interval_s if interval_s is None and len(noted) == 1 else interval_s
    sound = checked(bars, interval_s=known_s, drop_bad_bars=drop_bad_bars)
    dropped = sound.dropped + sum(file.skipped for file in table.files)
    return _panel(sound.bars, chosen, sound.interval_s, dropped)


def save_bars(path: str | Path, panel: BarPanel) -> None:
    """Write the panel as Parquet, one row per printed bar, symbol after symbol; whole or not at all."""
    target = Path(path)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("wb") as file:
            parquet.write_table(_long(panel), file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
    except OSError as error:
        raise DataError(f"{target}: cannot be written: {error.strerror}, allowed: a writable folder") from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _chosen(path: str | Path, symbols: Sequence[str] | None, table: BarTable) -> tuple[str, ...]:
    held = sorted(set(table.symbols) - {""})
    if symbols is None:
        return tuple(held)
    unknown = [symbol for symbol in symbols if symbol not in held]
    if unknown:
        raise DataError(f"{path}: no bars of {', '.join(unknown)}, allowed: {_some(held)}")
    return tuple(dict.fromkeys(symbols))


def _cut(table: BarTable, symbols: set[str], start: date | None, end: date | None) -> BarTable:
    """Keep the chosen symbols and days, and every row without symbol or time: none may vanish unseen."""
    wanted = np.array([symbol in symbols for symbol in table.symbols], dtype=np.bool_)
    kept = wanted[table.code]
    if start is not None:
        kept &= (table.opened_at >= at_new_york(start, time.min)) | (table.opened_at == NO_TIME)
    if end is not None:
        kept &= table.opened_at < at_new_york(end + timedelta(days=1), time.min)
    return table.where(kept)


def _panel(bars: BarTable, symbols: tuple[str, ...], interval_s: int, dropped: int) -> BarPanel:
    opened_at, at = ranks_of(bars.opened_at)
    places = {symbol: place for place, symbol in enumerate(symbols)}
    column = np.array([places.get(symbol, -1) for symbol in bars.symbols], dtype=np.int64)
    shape = (len(opened_at), len(symbols))
    cell = at * len(symbols) + column[bars.code]
    arrays: dict[str, Floats] = {}
    for name in VALUES:
        values = np.full(shape, np.nan)
        values.reshape(-1)[cell] = getattr(bars, name)
        arrays[name] = values
    lasts_ns = DAY_LASTS_NS if interval_s == DAILY_S else interval_s * SECOND_NS
    return BarPanel(
        symbols=symbols,
        opened_at=opened_at,
        closed_at=opened_at + lasts_ns,
        interval_s=interval_s,
        dropped=dropped,
        **arrays,
    )


def _long(panel: BarPanel) -> pa.Table:
    column, at = np.nonzero(~np.isnan(panel.close.T))
    instants = pa.array(panel.opened_at // 1000).cast(pa.timestamp("us", tz="UTC"))
    if panel.interval_s == DAILY_S:
        local = instants.cast(pa.timestamp("us", tz=str(NEW_YORK)))
        name, times = "date", pa.compute.strftime(local, format="%Y-%m-%d")
    else:
        name, times = "ts", instants
    cells = {
        "symbol": pa.array(panel.symbols, pa.string()).take(pa.array(column)),
        name: times.take(pa.array(at)),
        **{value: getattr(panel, value)[at, column] for value in VALUES},
    }
    return pa.table(cells).replace_schema_metadata({INTERVAL_KEY: str(panel.interval_s).encode()})


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _span(table: BarTable) -> str:
    times = table.opened_at[table.opened_at != NO_TIME]
    if not len(times):
        return "a file with at least one bar"
    first, last = (str(np.datetime64(int(at), "ns").astype("datetime64[D]")) for at in (times.min(), times.max()))
    return f"days within {first} to {last}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN_MAX]) + (", ..." if len(names) > SHOWN_MAX else "")
