"""Small tables beside the bars (corporate actions, rates, fees): CSV or Parquet in, one line of words per row out."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import NoReturn

from msgspec import Struct

from shared.errors import DataError


class TableRow(Struct, frozen=True):
    """One row: where it stands (file and line), and its cells by column as text; an absent cell is empty."""

    where: str
    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        value = self.cells.get(column, "").strip()
        return value or self.refuse(column, "a value")

    def day(self, column: str) -> date:
        value = self.text(column)
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            self.refuse(column, "a day such as 2014-06-09")

    def number(self, column: str, allowed: str, *, least: float = -math.inf, above: float = -math.inf) -> float:
        """A finite number at or above `least` and above `above`; `allowed` says so in the error."""
        try:
            value = float(self.cells.get(column, ""))
        except ValueError:
            self.refuse(column, allowed)
        if not (math.isfinite(value) and value >= least and value > above):
            self.refuse(column, allowed)
        return value

    def refuse(self, column: str, allowed: str) -> NoReturn:
        raise DataError(f"{self.where}: {column} {self.cells.get(column, '')!r}, allowed: {allowed}")


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[TableRow]:
    """The rows of a table that has at least these columns; DataError with one line where it cannot be read."""
    if not path.is_file():
        raise DataError(f"{path}: no such file, allowed: a .csv or .parquet table with {', '.join(columns)}")
    if path.suffix == ".parquet":
        return _of_parquet(path, columns)
    if path.suffix == ".csv":
        return _of_csv(path, columns)
    raise DataError(f"{path}: what kind of table is this? allowed: .csv or .parquet")


def _of_csv(path: Path, columns: Sequence[str]) -> Iterator[TableRow]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file, restval="")
            _check(path, reader.fieldnames or (), columns)
            for cells in reader:
                if None in cells:
                    raise DataError(f"{path}: line {reader.line_num}: more cells than columns, allowed: as many")
                yield TableRow(f"{path}: line {reader.line_num}", cells)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read: {error}, allowed: a .csv table in UTF-8") from None


def _of_parquet(path: Path, columns: Sequence[str]) -> Iterator[TableRow]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: cannot be read: {error}, allowed: a .parquet table") from None
    _check(path, table.column_names, columns)
    for number, cells in enumerate(table.to_pylist(), start=1):
        yield TableRow(f"{path}: row {number}", {name: _word(value) for name, value in cells.items()})


def _word(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def _check(path: Path, found: Sequence[str], wanted: Sequence[str]) -> None:
    missing = [column for column in wanted if column not in found]
    if missing:
        raise DataError(
            f"{path}: no column {', '.join(missing)}, it has {', '.join(found) or 'none'}, "
            f"allowed: at least {', '.join(wanted)}"
        )
