"""Tables of events from CSV or Parquet: words stay words (a ticker named NA is one), numbers and days are checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from shared.errors import DataError, NotFound

if TYPE_CHECKING:
    import pandas as pd


def read_table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Every row, with at least these columns; of a CSV all cells are text and an empty one is ''.

    Raises DataError with one line: file, what is wrong, what is allowed.
    """
    if not path.is_file():
        raise NotFound(f"{path}: no such file, allowed: a .csv or .parquet table with {', '.join(columns)}")
    if path.suffix not in {".csv", ".parquet"}:
        raise DataError(f"{path}: what kind of table is this? allowed: .csv or .parquet")
    rows = _of_csv(path) if path.suffix == ".csv" else _of_parquet(path)
    missing = [column for column in columns if column not in rows.columns]
    if missing:
        raise DataError(
            f"{path}: no column {', '.join(missing)}, it has {', '.join(map(str, rows.columns)) or 'none'}, "
            f"allowed: at least {', '.join(columns)}"
        )
    return rows


def days_of(rows: pd.DataFrame, column: str, where: object, *, may_be_empty: bool = False) -> pd.Series:
    """Days as timestamps without zone, NaT for an empty cell where that is allowed."""
    import pandas as pd

    text = rows[column].astype("object").where(rows[column].notna(), "").astype(str).str.slice(0, 10)
    days = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce").astype("datetime64[ns]")
    wrong = days.isna() & ~(text.eq("") & may_be_empty)
    _refuse(rows, column, where, wrong.to_numpy(), "a day such as 2016-02-03")
    return days


def numbers_of(rows: pd.DataFrame, column: str, where: object) -> pd.Series:
    """Finite numbers as float64, NaN for an empty cell."""
    import pandas as pd

    cells = rows[column]
    numbers = pd.to_numeric(cells, errors="coerce").astype("float64")
    is_empty = cells.isna() | cells.astype("object").astype(str).str.strip().eq("")
    wrong = (numbers.isna() & ~is_empty) | np.isinf(numbers)
    _refuse(rows, column, where, wrong.to_numpy(), "a finite number, or an empty cell")
    return numbers


def flags_of(rows: pd.DataFrame, column: str, where: object) -> pd.Series:
    """True or False, written as such or as 1 and 0."""
    words = rows[column].astype("object").astype(str).str.strip().str.lower()
    is_true, is_false = words.isin({"true", "1"}), words.isin({"false", "0"})
    _refuse(rows, column, where, ~(is_true | is_false).to_numpy(), "True or False")
    return is_true


def _refuse(rows: pd.DataFrame, column: str, where: object, wrong: np.ndarray, allowed: str) -> None:
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        value = str(rows[column].iloc[at])
        raise DataError(f"{where}: row {at + 1}: {column} {value!r}, allowed: {allowed}")


def _of_csv(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (OSError, ValueError) as error:  # ParserError, EmptyDataError and UnicodeDecodeError are ValueErrors
        what = " ".join(str(error).split())
        raise DataError(f"{path}: cannot be read: {what}, allowed: a .csv table in UTF-8") from None


def _of_parquet(path: Path) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    try:
        return pd.read_parquet(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        what = " ".join(str(error).split())
        raise DataError(f"{path}: cannot be read: {what}, allowed: a whole .parquet table") from None
