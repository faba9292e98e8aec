"""The SEC's company tickers with exchange: NYSE and Nasdaq are kept, one dated file per day they were fetched.

The source is the SEC's company_tickers_exchange.json ({"fields": [...], "data": [[...]]}) or the same columns as CSV
or Parquet: cik, name, ticker, exchange. It says what is listed on its own day and nothing about another: an old
universe needs an old file (survivorship).
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from research.ingest.point_in_time.reading import numbers_of, read_table
from research.ingest.universe.table_file import write_table
from shared.errors import DataError, NotFound

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("cik", "name", "ticker", "exchange")
KEPT = {"nyse": "NYSE", "nasdaq": "Nasdaq"}
NO_EXCHANGE = "(none)"
_NAMED = re.compile(r"TickerCIKs_(\d{4}-\d\d-\d\d)\.parquet")


class TickerList(Struct, frozen=True, eq=False):
    """The kept tickers, sorted, and how many were dropped of which exchange."""

    rows: pd.DataFrame
    dropped: dict[str, int]


def load_company_tickers(path: Path) -> TickerList:
    """Keep NYSE and Nasdaq; DataError for a file of another shape, an empty ticker or one that comes twice."""
    rows = _of_json(path) if path.suffix == ".json" else read_table(path, COLUMNS)
    words = {name: rows[name].astype("object").where(rows[name].notna(), "").astype(str) for name in COLUMNS[1:]}
    named = rows[["cik"]].assign(cik=_ciks(path, rows), **words)
    exchange = named["exchange"].str.strip().str.lower().map(KEPT)
    kept = named.assign(exchange=exchange)[exchange.notna()]
    kept = kept.assign(ticker=kept["ticker"].str.strip().str.upper()).sort_values("ticker", kind="stable")
    _check(path, kept)
    others = named.loc[exchange.isna(), "exchange"].replace("", NO_EXCHANGE).value_counts()
    dropped = {str(name): int(count) for name, count in sorted(others.items())}
    return TickerList(kept.reset_index(drop=True)[[*COLUMNS]], dropped)


def ticker_file(folder: Path, day: date) -> Path:
    """Where the list of this day stands."""
    return folder / f"TickerCIKs_{day}.parquet"


def write_tickers(folder: Path, day: date, rows: pd.DataFrame) -> Path:
    """Write the list of this day, whole or not at all."""
    path = ticker_file(folder, day)
    write_table(path, rows)
    return path


def ticker_files(path: Path) -> dict[date, Path]:
    """The dated lists of a folder, or a single one, by day."""
    found = sorted(path.iterdir()) if path.is_dir() else [path]
    dated = {date.fromisoformat(match[1]): one for one in found if (match := _NAMED.fullmatch(one.name))}
    if not dated or not path.exists():
        raise NotFound(
            f"{path}: no TickerCIKs_DATE.parquet, allowed: a file or folder that openbell universe tickers wrote"
        )
    return dated


def tickers_known_by(path: Path, day: date) -> tuple[date, pd.DataFrame]:
    """The newest list that is not later than the day; DataError where all are: they would hide what was delisted."""
    files = ticker_files(path)
    known = [one for one in files if one <= day]
    if not known:
        raise DataError(
            f"{path}: the first list of tickers is of {min(files)}, allowed for a universe of {day}: one of that day "
            f"or before (a later one knows only what survived), or none"
        )
    return max(known), read_table(files[max(known)], COLUMNS)


def _ciks(path: Path, rows: pd.DataFrame) -> pd.Series:
    ciks = numbers_of(rows, "cik", path)
    wrong = ~(ciks > 0)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise DataError(f"{path}: row {at + 1}: cik {str(rows['cik'].iloc[at])!r}, allowed: a number above 0")
    return ciks.astype("int64")


def _check(path: Path, rows: pd.DataFrame) -> None:
    if rows.empty:
        raise DataError(f"{path}: no ticker of NYSE or Nasdaq, allowed: the SEC's company tickers with exchange")
    twice = rows["ticker"].duplicated(keep=False) | rows["ticker"].eq("")
    if twice.any():
        seen = rows[twice].iloc[0]
        raise DataError(f"{path}: ticker {seen['ticker']!r} of {seen['name']}, allowed: one row per ticker, not empty")


def _of_json(path: Path) -> pd.DataFrame:
    import msgspec
    import pandas as pd

    if not path.is_file():
        raise NotFound(f"{path}: no such file, allowed: the SEC's company_tickers_exchange.json")
    try:
        answer = msgspec.json.decode(path.read_bytes())
        return pd.DataFrame(answer["data"], columns=answer["fields"])[[*COLUMNS]]
    except (OSError, msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        what = " ".join(str(error).split())
        raise DataError(
            f"{path}: not the SEC's shape ({what}), allowed: fields with {', '.join(COLUMNS)} and data"
        ) from None
