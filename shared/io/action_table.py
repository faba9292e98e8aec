"""The table of dividends and splits that replay and daemon read.

Columns: symbol, ex_date, dividend_amount (dollars per share held on the ex-date, after a split of that day) and
split_coefficient (new shares per old, 1 for none), one row per symbol and ex-date.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from shared.corporate_actions import CorporateAction
from shared.io.table_rows import read_rows

COLUMNS = ("symbol", "ex_date", "dividend_amount", "split_coefficient")


def load_actions(path: Path) -> tuple[CorporateAction, ...]:
    """Every row of the table; DataError names file, line and value of the first that cannot be."""
    actions: dict[tuple[str, date], CorporateAction] = {}
    for row in read_rows(path, COLUMNS):
        action = CorporateAction(
            symbol=row.text("symbol"),
            ex_date=row.day("ex_date"),
            dividend=row.number("dividend_amount", "0 or more dollars per share", least=0.0),
            coefficient=row.number("split_coefficient", "above 0, 1 for no split", above=0.0),
            where=row.where,
        )
        key = (action.symbol, action.ex_date)
        if key in actions:
            row.refuse("ex_date", f"one row per symbol and day, {action.symbol} has this day already")
        actions[key] = action
    return tuple(actions.values())
