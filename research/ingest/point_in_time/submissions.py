"""The SEC's lists of filings by company: form, items and when each was public."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from research.ingest.point_in_time.known_by import accepted
from research.ingest.point_in_time.reading import days_of, numbers_of, read_table
from shared.errors import DataError, NotFound

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("cik", "ticker", "accessionNumber", "filingDate", "reportDate", "acceptanceDateTime", "form", "items")
RESULTS = "2.02"
"""Item of an 8-K: results of operations and financial condition."""


def load_submissions(path: Path) -> pd.DataFrame:
    """Every filing with `known_by`, the later reading of its acceptance (known_by.accepted).

    Of a table, or of the JSON of the SEC's submissions API: its `recent` filings, under the first of its tickers; or an
    older page of it, which names neither company nor ticker (0 and empty).
    """
    rows = _of_json(path) if path.suffix == ".json" else read_table(path, COLUMNS)
    filed = days_of(rows, "filingDate", path)
    stamps = rows["acceptanceDateTime"].astype(str)
    wrong = ~stamps.str.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?")
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"{path}: row {at + 1}: acceptanceDateTime {stamps.iloc[at]!r}, allowed: such as 2016-02-03T16:30:00.000Z"
        )
    return rows[["ticker", "accessionNumber", "form", "items"]].assign(
        cik=numbers_of(rows, "cik", path).astype("int64"),
        filed=filed,
        report_date=days_of(rows, "reportDate", path, may_be_empty=True),
        known_by=accepted(stamps, filed),
    )


def _of_json(path: Path) -> pd.DataFrame:
    import msgspec
    import pandas as pd

    if not path.is_file():
        raise NotFound(f"{path}: no such file, allowed: the JSON of the SEC's submissions API")
    try:
        answer = msgspec.json.decode(path.read_bytes())
        recent = answer["filings"]["recent"] if "filings" in answer else answer
        rows = pd.DataFrame({name: recent[name] for name in COLUMNS[2:]}, dtype=object)
        return rows.assign(cik=int(answer.get("cik", 0)), ticker=next(iter(answer.get("tickers", ())), ""))
    except (OSError, msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        what = " ".join(str(error).split())
        raise DataError(f"{path}: no submissions ({what}), allowed: the SEC's JSON with filings.recent") from None


def results_announced(submissions: pd.DataFrame) -> pd.DataFrame:
    """The 8-K filings that carry results, as a table of earnings: symbol, announce_date, known_by."""
    items = submissions["items"].fillna("").str.split(",")
    chosen = submissions[submissions["form"].eq("8-K") & items.map(lambda each: RESULTS in each)]
    return chosen[["known_by"]].assign(symbol=chosen["ticker"], announce_date=chosen["filed"])
