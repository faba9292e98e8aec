"""Reading bar files: Parquet or CSV in, one long table out, cells that are no number or time left empty."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import structs
from pyarrow import csv, parquet

from shared.errors import DataError
from shared.io.arrow_values import codes_of, floats_of, integers_of
from shared.io.bar_checks import NO_TIME, PRICES, SECOND_NS, BarTable, Floats, Integers, SourceFile

NEW_YORK = ZoneInfo("America/New_York")
DAY_OPENS = time(9, 30)
VALUES = (*PRICES, "volume")
TIMES = ("ts", "date")
INTERVAL_KEY = b"openbell.interval_s"
KINDS = "a .parquet or .csv file, or a folder of them"


def read_bars(path: Path, *, drop_bad_bars: bool) -> BarTable:
    """Read a file, or a folder's files ordered by their first bar, into one table."""
    sources = [_source(file, drop_bad_bars=drop_bad_bars) for file in _files(path)]
    if len({source.time_column for source in sources}) > 1:
        kinds = ", ".join(f"{Path(source.path).name} has {source.time_column}" for source in sources)
        raise DataError(f"{path}: intraday and daily tables mixed: {kinds}, allowed: one kind")
    tables = [_table(source) for source in sources]
    return _joined(sorted(tables, key=lambda table: int(table.opened_at[0]) if len(table) else NO_TIME))


def at_new_york(day: date, clock: time) -> int:
    """Return nanoseconds UTC of that New York wall time."""
    return int(datetime.combine(day, clock, tzinfo=NEW_YORK).timestamp()) * SECOND_NS


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if _is_bar_file(file) and not file.name.startswith("."))
        if not found:
            raise DataError(f"{path}: no bar files in this folder, allowed: {KINDS}")
        return found
    if not path.exists():
        raise DataError(f"{path}: no such file, allowed: {KINDS}")
    if not _is_bar_file(path):
        raise DataError(f"{path}: unknown kind of file {path.suffix or '(no suffix)'}, allowed: {KINDS}")
    return [path]


def _is_bar_file(path: Path) -> bool:
    return path.suffix.lower() in {".parquet", ".csv"}


def _source(path: Path, *, drop_bad_bars: bool) -> SourceFile:
    """Read one file; only what makes the whole of it useless is refused here."""
    ragged: list[tuple[int, int]] = []
    try:
        cells = _csv_cells(path, ragged) if path.suffix.lower() == ".csv" else _parquet_cells(path)
        columns = cells.column_names
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise DataError(f"{path}: unreadable: {reason}, allowed: {KINDS}") from error
    if ragged and not drop_bad_bars:
        (row, count), more = ragged[0], len(ragged) - 1
        others = f" (and {more} more)" if more else ""
        raise DataError(f"{path}: row {row}: wrong number of cells: {count}, allowed: one per column{others}")
    time_column = _time_column(path, columns)
    numbers = np.delete(np.arange(1, len(cells) + len(ragged) + 1), [row - 1 for row, _ in ragged])
    interval = (cells.schema.metadata or {}).get(INTERVAL_KEY)
    return SourceFile(
        path=str(path),
        cells=cells,
        row_numbers=numbers,
        time_column=time_column,
        interval_s=int(interval) if interval and interval.isdigit() else None,
        skipped=len(ragged),
    )


def _csv_cells(path: Path, ragged: list[tuple[int, int]]) -> pa.Table:
    """Read every cell as text, so that nothing is guessed (there is a ticker NA) and errors can quote it."""

    def note(row: csv.InvalidRow) -> str:
        ragged.append((row.number - 1, row.actual_columns))
        return "skip"

    return csv.read_csv(
        path,
        read_options=csv.ReadOptions(use_threads=False),
        parse_options=csv.ParseOptions(invalid_row_handler=note),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(("symbol", *TIMES, *VALUES), pa.string()), strings_can_be_null=False
        ),
    )


def _parquet_cells(path: Path) -> pa.Table:
    schema = parquet.read_schema(path)
    texts = [name for name in ("symbol", *TIMES) if name in schema.names and _is_text(schema.field(name).type)]
    wanted = {"symbol", *TIMES, *VALUES}
    with parquet.ParquetFile(path, read_dictionary=texts) as file:  # text as codes: no string per row
        return file.read(columns=[name for name in schema.names if name in wanted])


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _time_column(path: Path, columns: list[str]) -> str:
    missing = [name for name in ("symbol", *VALUES) if name not in columns]
    present = [name for name in TIMES if name in columns]
    if not present:
        missing.insert(0, "ts or date")
    if missing:
        needed = ", ".join(("symbol", "ts or date", *VALUES))
        raise DataError(f"{path}: missing column: {', '.join(missing)}; found: {', '.join(columns)}, allowed: {needed}")
    twice = sorted({name for name in ("symbol", *present, *VALUES) if columns.count(name) > 1})
    if twice:
        raise DataError(f"{path}: column twice: {', '.join(twice)}, allowed: each once")
    return present[0]


def _table(source: SourceFile) -> BarTable:
    cells = source.cells
    try:
        code, symbols = _names(cells["symbol"])
        values = {name: _numbers(cells[name]) for name in VALUES}
        opened_at = _TIMES_OF[source.time_column](cells[source.time_column])
    except pa.ArrowException as error:
        reason = str(error).strip().splitlines()[0]
        raise DataError(f"{source.path}: wrong type of column: {reason}, allowed: text or numbers") from error
    return BarTable(
        files=(source,),
        symbols=symbols,
        file=np.zeros(len(cells), dtype=np.int64),
        position=np.arange(len(cells)),
        code=code,
        opened_at=opened_at,
        **values,
    )


def _names(column: pa.ChunkedArray) -> tuple[Integers, tuple[str, ...]]:
    """Return the code of each cell and what the codes stand for; an empty cell stands for ""."""
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string())
    code, names = codes_of(column)
    texts = [name or "" for name in names.cast(pa.string()).to_pylist()]
    if len(code) and int(code.max()) == len(texts):
        texts.append("")
    if len(set(texts)) == len(texts):
        return code, tuple(texts)
    distinct = list(dict.fromkeys(texts))
    return np.array([distinct.index(text) for text in texts], dtype=np.int64)[code], tuple(distinct)


def _numbers(column: pa.ChunkedArray) -> Floats:
    """Return float64, NaN for every cell that is empty or no number."""
    try:
        numbers = column.cast(pa.float64(), safe=False)
    except pa.ArrowInvalid:
        numbers = pa.chunked_array([pa.array(_each(column, float), pa.float64())])
    return floats_of(numbers)


def _instants(column: pa.ChunkedArray) -> Integers:
    """Return nanoseconds UTC; a time without an offset is no instant."""
    if pa.types.is_dictionary(column.type):
        which, written = codes_of(column)
        return np.append(_instants(pa.chunked_array([written])), NO_TIME)[which]
    if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
        if pa.types.is_timestamp(column.type) and column.type.tz is None:
            return np.full(len(column), NO_TIME)
        return _nanoseconds(column.cast(pa.timestamp("ns", tz="UTC")))
    try:
        return _nanoseconds(column.cast(pa.timestamp("ns", tz="UTC")))
    except pa.ArrowInvalid:
        return _nanoseconds(pa.chunked_array([pa.array(_each(column, _instant), pa.int64())]))


def _instant(text: str) -> int:
    instant = datetime.fromisoformat(text.strip())
    if instant.tzinfo is None:
        raise ValueError(text)
    return int(instant.timestamp()) * SECOND_NS + instant.microsecond * 1000


def _session_opens(column: pa.ChunkedArray) -> Integers:
    """Return nanoseconds UTC of 09:30 New York on each day."""
    which, written = codes_of(column)
    cells = pa.chunked_array([written])
    try:
        days = cells.cast(pa.date32()).to_pylist()
    except pa.ArrowInvalid:
        days = _each(cells, _day)
    opens = [NO_TIME if day is None else at_new_york(day, DAY_OPENS) for day in days]
    return np.array([*opens, NO_TIME], dtype=np.int64)[which]


def _day(text: str) -> date:
    return date.fromisoformat(text.strip())


def _nanoseconds(column: pa.ChunkedArray) -> Integers:
    return integers_of(column.cast(pa.int64()), NO_TIME)


_TIMES_OF: dict[str, Callable[[Any], Integers]] = {"ts": _instants, "date": _session_opens}


def _each(column: pa.ChunkedArray, convert: Callable[[str], Any]) -> list[Any]:
    """Convert cell by cell; the way taken only when Arrow refused the whole column."""

    def or_none(cell: object) -> Any:  # noqa: ANN401 - what `convert` makes
        try:
            return convert(str(cell))
        except (ValueError, OverflowError):
            return None

    return [or_none(cell) for cell in column.to_pylist()]


def _joined(tables: list[BarTable]) -> BarTable:
    """Put tables one after the other under one list of symbols."""
    symbols = sorted({symbol for table in tables for symbol in table.symbols})
    if len(tables) == 1 and list(tables[0].symbols) == symbols:
        return tables[0]
    place = {symbol: number for number, symbol in enumerate(symbols)}
    codes = [np.array([place[s] for s in table.symbols], dtype=np.int64)[table.code] for table in tables]
    arrays: dict[str, npt.NDArray[Any]] = {
        name: np.concatenate([getattr(table, name) for table in tables]) for name in ("position", "opened_at", *VALUES)
    }
    numbers = [np.full(len(table), number) for number, table in enumerate(tables)]
    return structs.replace(
        tables[0],
        files=tuple(file for table in tables for file in table.files),
        symbols=tuple(symbols),
        file=np.concatenate(numbers),
        code=np.concatenate(codes),
        **arrays,
    )
