"""Insider transactions (Form 4), each once, with the instant from which each was known.

The table has ticker, owner, owner_cik, position (empty for directors and 10 % owners), transaction_date, shares, price,
code, shares_after, first_seen_utc and point_in_time. It has no filing date: first_seen_utc is one only where
point_in_time is True; elsewhere the Form 4 is taken as filed when it was due, two business days after the transaction.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from research.ingest.point_in_time.known_by import form4_due
from research.ingest.point_in_time.reading import days_of, flags_of, numbers_of, read_table
from shared.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "ticker",
    "owner",
    "owner_cik",
    "position",
    "transaction_date",
    "shares",
    "price",
    "code",
    "shares_after",
    "first_seen_utc",
    "point_in_time",
)
CODES = frozenset("PSVADFIMCEHOXGLWZJKU")
"""Transaction codes of the SEC's ownership XML technical specification."""
_THE_SAME = ("ticker", "transaction_date", "code", "shares", "price", "shares_after")


def load_insiders(path: Path) -> pd.DataFrame:
    """Every transaction once, with `known_by` (UTC)."""
    rows = read_table(path, COLUMNS)
    wrong = ~rows["code"].isin(CODES)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise DataError(f"{path}: row {at + 1}: code {rows['code'].iloc[at]!r}, allowed: {' '.join(sorted(CODES))}")
    words = {name: rows[name].astype("object").where(rows[name].notna(), "") for name in ("position", "owner_cik")}
    table = rows[["ticker", "owner", "code"]].assign(
        **words,
        transaction_date=days_of(rows, "transaction_date", path),
        **{name: numbers_of(rows, name, path) for name in ("shares", "price", "shares_after")},
        is_derivative=flags_of(rows, "is_derivative", path) if "is_derivative" in rows.columns else False,
        is_planned=flags_of(rows, "is_planned", path) if "is_planned" in rows.columns else False,
    )
    return each_once(table.assign(known_by=_known_by(path, rows, table["transaction_date"])))


def each_once(rows: pd.DataFrame) -> pd.DataFrame:
    """Joint filers report the same shares and the same holding after it: the lines of one owner are kept.

    That is the one known first, of these one with a position, of these the first by owner_cik and name. Equal lines of
    one owner are separate orders and stay. A row known later never changes or removes an earlier one.
    """
    order = rows.assign(without_position=rows["position"].eq("")).sort_values(
        ["known_by", "ticker", "without_position", "owner_cik", "owner"], kind="stable"
    )
    first = order.groupby([*_THE_SAME], dropna=False, sort=False)["owner"].transform("first")
    return order[order["owner"].eq(first)].drop(columns="without_position").reset_index(drop=True)


def _known_by(path: Path, rows: pd.DataFrame, days: pd.Series) -> pd.Series:
    import pandas as pd

    seen = pd.to_datetime(rows["first_seen_utc"], utc=True, errors="coerce").dt.as_unit("ns")
    is_known = flags_of(rows, "point_in_time", path)
    wrong = is_known & ~(seen.dt.tz_localize(None) >= days)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        value = rows["first_seen_utc"].iloc[at]
        raise DataError(
            f"{path}: row {at + 1}: first_seen_utc {str(value)!r} of a transaction of {days.iloc[at]:%Y-%m-%d}, "
            f"allowed: an instant after it"
        )
    return seen.where(is_known, form4_due(days))
