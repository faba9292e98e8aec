"""Corporate actions by name, as one table: symbol, ex_date, dividend_amount, split_coefficient, kind, known_by.

A coefficient that is a ratio of small numbers is a split, below one a reverse split; any other one above one is how
vendors write a spin-off (the rule of research/backtest/corporate_actions.py), any other one near below one an exchange
of shares in a merger. A dividend of a tenth of the close or more is a distribution: spin-offs come in this guise too.
An action is taken as known when its ex-date begins in New York: it was announced before, how long the table does not
say.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from research.ingest.point_in_time.known_by import start_of_day
from research.ingest.point_in_time.reading import days_of, numbers_of, read_table
from shared.corporate_actions import LARGE_DIVIDEND, share_ratio
from shared.errors import DataError, NotFound
from shared.io.action_table import COLUMNS

if TYPE_CHECKING:
    import pandas as pd

DIVIDEND_FACTOR_MIN = 0.8
Kind = Literal["dividend", "distribution", "split", "reverse split", "spin-off", "exchange", "nothing"]
EXCHANGE_ABOVE = 2 / 3
"""Nobody reverses 3 shares into 2 or less: a ratio from here to 1 comes out of a merger."""


def load_named_actions(path: Path) -> pd.DataFrame:
    """Every row with its kind, of a table or of the bar store's folder of them (its known_at is taken over).

    Daily bars with a column adj_factor_next are such a table too (_of_factors). DataError where a coefficient or
    dividend cannot be.
    """
    import pandas as pd

    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    tables = [_of_table(one) for one in files]
    return pd.concat(tables, ignore_index=True) if tables else _none_in(path)


def _none_in(path: Path) -> pd.DataFrame:
    raise NotFound(f"{path}: no .parquet table of actions in this folder, allowed: at least one")


def _of_table(path: Path) -> pd.DataFrame:
    import pandas as pd

    rows = read_table(path, ())
    if "adj_factor_next" in rows.columns and "split_coefficient" not in rows.columns:
        return _of_factors(path)
    rows = read_table(path, COLUMNS)
    coefficients = numbers_of(rows, "split_coefficient", path)
    dividends = numbers_of(rows, "dividend_amount", path)
    wrong = ~((coefficients > 0) & (dividends >= 0))
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"{path}: row {at + 1}: split_coefficient {coefficients.iloc[at]:g}, dividend_amount "
            f"{dividends.iloc[at]:g}, allowed: a coefficient above 0 and a dividend of 0 or more dollars"
        )
    days = days_of(rows, "ex_date", path)
    closes = numbers_of(rows, "close", path) if "close" in rows.columns else coefficients * np.nan
    stamps = rows["known_at"] if "known_at" in rows.columns else pd.Series(pd.NaT, index=rows.index)
    known = pd.to_datetime(stamps, utc=True).dt.as_unit("ns")
    named = _named(rows["symbol"], days, coefficients, (dividends, closes))
    return named.assign(known_by=known.fillna(named["known_by"]))


def _named(
    symbols: pd.Series, days: pd.Series, coefficients: pd.Series, paid: tuple[pd.Series, pd.Series]
) -> pd.DataFrame:
    """The table; `paid` are dividends and closes."""
    each = zip(coefficients, *paid, strict=True)
    return symbols.to_frame().assign(
        ex_date=days,
        dividend_amount=paid[0],
        split_coefficient=coefficients,
        kind=[kind_of(*map(float, one)) for one in each],
        known_by=start_of_day(days),
    )


def _of_factors(path: Path) -> pd.DataFrame:
    """Splits and dividends out of bars with `adj_factor_next`: what the vendor multiplied this close by one day later.

    The ex-date is the symbol's next row. A factor from 0.8 to 1 is a cash dividend of close x (1 - factor), any other a
    split of 1 / factor new shares per old; known when its ex-date begins.
    """
    rows = read_table(path, ("symbol", "date", "close", "adj_factor_next"))
    ordered = rows[["symbol"]].assign(
        day=days_of(rows, "date", path),
        close=numbers_of(rows, "close", path),
        factor=numbers_of(rows, "adj_factor_next", path),
    )
    ordered = ordered.sort_values(["symbol", "day"], kind="stable")
    ordered = ordered.assign(ex_date=ordered.groupby("symbol")["day"].shift(-1))
    acted = ordered[ordered["factor"].gt(0) & ordered["factor"].ne(1) & ordered["ex_date"].notna()]
    is_dividend = acted["factor"].between(DIVIDEND_FACTOR_MIN, 1)
    coefficients = (1 / acted["factor"]).where(~is_dividend, 1.0)
    dividends = (acted["close"] * (1 - acted["factor"])).where(is_dividend, 0.0)
    return _named(acted["symbol"], acted["ex_date"], coefficients, (dividends, acted["close"]))


def kind_of(coefficient: float, dividend: float, close: float = np.nan) -> Kind:
    """What the row is; a split that pays on the same day is a split. `close` is that of the ex-date, NaN: not known."""
    ratio = share_ratio(coefficient) if coefficient != 1 else Fraction(1)
    if ratio is None:
        return "spin-off"
    if ratio == 1:
        is_large = dividend > LARGE_DIVIDEND * (close + dividend)
        return "distribution" if is_large else "dividend" if dividend > 0 else "nothing"
    if ratio > 1:
        return "split"
    return "reverse split" if ratio <= EXCHANGE_ABOVE else "exchange"
