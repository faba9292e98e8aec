"""Rows of point-in-time tables, by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the real data ../shared/data is not here")

FILING = {
    **dict.fromkeys(("revenues", "op_income", "net_income", "cash_flow_op", "cash_flow_inv", "cash_flow_fin"), ""),
    **dict.fromkeys(("eps_basic", "eps_diluted", "dividend", "assets", "cur_assets", "cur_liab", "cash", "equity"), ""),
}


def at(*stamps):
    """Instants of New York as int64 nanoseconds UTC."""
    return np.array([pd.Timestamp(stamp, tz="America/New_York").value for stamp in stamps], dtype=np.int64)


def known_rows(*rows, columns=("symbol", "value", "known_by")):
    """A table whose last column is an instant of New York."""
    table = pd.DataFrame([*rows], columns=[*columns])
    stamps = pd.to_datetime(table[columns[-1]], format="ISO8601").dt.tz_localize("America/New_York")
    return table.assign(**{columns[-1]: stamps.dt.tz_convert("UTC").dt.as_unit("ns")})


def a_filing(focus="Q1", end="2015-03-31", filed="2015-05-01", *, symbol="ACME", amend=False, **figures):
    return {
        "symbol": symbol,
        "end_date": end,
        "amend": amend,
        "period_focus": focus,
        "doc_type": "10-K" if focus == "FY" else "10-Q",
        "filed": filed,
        **FILING,
        **figures,
    }


def filings_file(folder, *filings, name="filings.csv"):
    path = folder / name
    pd.DataFrame([*filings]).to_csv(path, index=False)
    return path


def a_year(**changes):
    """Three quarters and the year 2015; income is the quarter's, cash flow the year's to date."""
    figures = {
        "Q1": {"revenues": 10, "cash_flow_op": 1},
        "Q2": {"revenues": 20, "cash_flow_op": 3},
        "Q3": {"revenues": 30, "cash_flow_op": 6},
        "FY": {"revenues": 100, "cash_flow_op": 10, "eps_basic": 4, "assets": 500},
    }
    days = {
        "Q1": ("2015-03-31", "2015-05-01"),
        "Q2": ("2015-06-30", "2015-08-01"),
        "Q3": ("2015-09-30", "2015-11-01"),
        "FY": ("2015-12-31", "2016-03-01"),
    }
    return [a_filing(focus, *days[focus], **{**figures[focus], **changes.get(focus, {})}) for focus in figures]


def an_order(
    code="P", day="2024-03-04", *, ticker="ACME", owner="Ann", position="Chief Executive Officer", shares=1_000,
    price=1_000.0, known="2024-03-06 00:00", after=5_000, **more,
):  # fmt: skip
    """A row of the insider table as insiders.py hands it on; a million dollars by a chief executive."""
    return {
        "ticker": ticker,
        "owner": owner,
        "owner_cik": f"{len(owner):010d}",
        "position": position,
        "transaction_date": pd.Timestamp(day),
        "code": code,
        "shares": float(shares),
        "price": price,
        "shares_after": float(after),
        "is_derivative": False,
        "is_planned": False,
        "known_by": pd.Timestamp(known, tz="America/New_York").tz_convert("UTC").as_unit("ns"),
        **more,
    }


def orders(*rows):
    return pd.DataFrame([*rows])
