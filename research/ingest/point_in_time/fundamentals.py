"""Quarterly and annual reports as they were known: 10-Q and 10-K with the day each was filed.

The table has the columns symbol, end_date (of the period), amend, period_focus (Q1, Q2, Q3, FY), doc_type (10-Q,
10-K), filed, and the figures named in INCOME, CASH_FLOWS, PER_SHARE and BALANCE. In a 10-Q income is the quarter's and
cash flow the year's to date; a 10-K holds the year. Empty means not found in the filing, never zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from research.ingest.point_in_time.as_of import PointInTimeTable, first_known
from research.ingest.point_in_time.known_by import end_of_day
from research.ingest.point_in_time.reading import days_of, flags_of, numbers_of, read_table
from shared.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

INCOME = ("revenues", "op_income", "net_income")
CASH_FLOWS = ("cash_flow_op", "cash_flow_inv", "cash_flow_fin")
PER_SHARE = ("eps_basic", "eps_diluted", "dividend")
BALANCE = ("assets", "cur_assets", "cur_liab", "cash", "equity")
FIGURES = (*INCOME, *CASH_FLOWS, *PER_SHARE, *BALANCE)
PERIODS = {"10-Q": ("Q1", "Q2", "Q3"), "10-K": ("FY",)}
PUBLIC_LAG_DAYS = 45
"""Where the filing date is missing: so long after its end a period is taken to be public."""
SAME_YEAR_DAYS = (60, 340)
"""A quarter ends so many days before its fiscal year does; 52-week years have quarters of 12 to 16 weeks."""
Revision = Literal["latest", "first"]


def load_filings(path: Path, public_lag_days: int = PUBLIC_LAG_DAYS) -> pd.DataFrame:
    """The filings with `known_by`: the end of the filing day, or collected_utc if later.

    A missing filing day is the period's end plus `public_lag_days`. DataError names the row of the first that is wrong.
    """
    rows = read_table(path, ("symbol", "end_date", "amend", "period_focus", "doc_type", "filed", *FIGURES))
    ends = days_of(rows, "end_date", path)
    filed = days_of(rows, "filed", path, may_be_empty=True)
    _check(path, rows, ends, filed)
    figures = {name: numbers_of(rows, name, path) for name in FIGURES}
    known = end_of_day(filed.fillna(ends + np.timedelta64(public_lag_days, "D")))
    return rows[["symbol", "period_focus", "doc_type"]].assign(
        end_date=ends,
        amend=flags_of(rows, "amend", path),
        **figures,
        known_by=_not_before_it_was_collected(rows, known),
    )


def filings_table(rows: pd.DataFrame, revision: Revision = "latest") -> PointInTimeTable:
    """The newest period of each symbol: `latest` as it was known at the time, `first` as it was first reported."""
    if revision == "first":
        rows = first_known(rows, ("symbol", "end_date", "doc_type"))
    return PointInTimeTable(rows, newest_by=("end_date",))


def years(rows: pd.DataFrame, revision: Revision = "latest") -> PointInTimeTable:
    """Annual figures alone."""
    return filings_table(rows[rows["doc_type"] == "10-K"], revision)


def quarters(rows: pd.DataFrame, revision: Revision = "latest") -> PointInTimeTable:
    """Figures of single quarters, the fourth among them, known when the filing that completes them was.

    Income of the fourth is the year less its three quarters, cash flow of a quarter the year to date less that of the
    quarter before; both from what was known at that filing, NaN where a part was not or revenues come out
    below zero (a 10-Q that reported the year to date). Per-share figures of a fourth
    quarter are NaN: numbers of shares differ.
    """
    if revision == "first":
        rows = first_known(rows, ("symbol", "end_date", "doc_type"))
    import pandas as pd

    ordered = rows.sort_values(["symbol", "known_by"], kind="stable")
    found: list[dict[str, Any]] = []
    known: dict[str, list[dict[str, Any]]] = {}
    for filing in ordered.to_dict("records"):
        before = known.setdefault(filing["symbol"], [])
        found.append(_quarter(filing, before))
        before.append(filing)
    alone = pd.DataFrame(found, columns=[*rows.columns]).astype(rows.dtypes)
    return PointInTimeTable(alone, newest_by=("end_date",))


def _quarter(filing: dict[str, Any], known: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The filing with the figures of its last three months alone."""
    before = _quarters_of_its_year(filing, known)
    if filing["doc_type"] == "10-K":
        three = {name: sum(_figure(before, focus, name) for focus in PERIODS["10-Q"]) for name in INCOME}
        sums = {name: filing[name] - three[name] for name in INCOME}
        if sums["revenues"] < 0:  # quarters reported as the year to date: not exact
            sums = dict.fromkeys(INCOME, np.nan)
        flows = {name: filing[name] - _figure(before, "Q3", name) for name in CASH_FLOWS}
        return {**filing, "period_focus": "Q4", **sums, **flows, **dict.fromkeys(PER_SHARE, np.nan)}
    if filing["period_focus"] == "Q1":
        return filing
    previous = "Q1" if filing["period_focus"] == "Q2" else "Q2"
    return {**filing, **{name: filing[name] - _figure(before, previous, name) for name in CASH_FLOWS}}


def _quarters_of_its_year(filing: dict[str, Any], known: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The last known filing of each earlier quarter of the same fiscal year, by the ends of the periods."""
    shortest, longest = SAME_YEAR_DAYS
    if filing["doc_type"] == "10-Q":
        longest -= 90 if filing["period_focus"] == "Q3" else 180
    return {
        other["period_focus"]: other
        for other in known
        if other["doc_type"] == "10-Q" and shortest <= (filing["end_date"] - other["end_date"]).days <= longest
    }


def _figure(before: dict[str, dict[str, Any]], focus: str, name: str) -> float:
    return float(before[focus][name]) if focus in before else np.nan


def _not_before_it_was_collected(rows: pd.DataFrame, known: pd.Series) -> pd.Series:
    import pandas as pd

    if "collected_utc" not in rows.columns:
        return known
    collected = pd.to_datetime(rows["collected_utc"], utc=True, errors="coerce").dt.as_unit("ns")
    return known.where(~(collected > known), collected)


def _check(path: Path, rows: pd.DataFrame, ends: pd.Series, filed: pd.Series) -> None:
    allowed = [rows["doc_type"].eq(kind) & rows["period_focus"].isin(focuses) for kind, focuses in PERIODS.items()]
    for wrong, what in (
        (~(allowed[0] | allowed[1]), "a doc_type 10-Q with a period_focus Q1, Q2 or Q3, or 10-K with FY"),
        (filed < ends, "a filed day after the period's end_date"),
        (rows["symbol"].eq(""), "a symbol"),
    ):
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            row = rows.iloc[at]
            seen = " ".join(str(row[name]) for name in ("symbol", "doc_type", "period_focus", "end_date", "filed"))
            raise DataError(f"{path}: row {at + 1}: {seen}, allowed: {what}")
