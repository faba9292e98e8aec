"""A folder of recorded tables, each read when it is first needed.

Every Parquet and CSV file of the folder (or of its subfolder `intraday`) is known by its columns; the others
are named in `not_read` and in the log. Beside it may lie `daily`, raw daily bars under the names of
`DAILY_TABLES`, and `events`, with a table of corporate actions.
"""

import csv
import datetime as dt
import logging
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import msgspec

from brokers.simulated.market.bars import STEP_S
from brokers.simulated.market.tables import (
    MINUTE_S,
    SUFFIXES,
    DailyTable,
    Kind,
    Table,
    columns_of,
    kind_of,
    load_bars,
    load_daily,
    load_quotes,
    load_ticks,
)
from shared.errors import DataError

DAILY_TABLES = ("lean_daily_raw", "panel_a_2009_2018", "universe_2015_2016")
ACTION_COLUMNS = ("symbol", "ex_date", "dividend_amount", "split_coefficient")
SPLIT_PARTS_MAX = 5  # 3 for 2, 5 for 4; and any whole number for 1, or 1 for any
SPLIT_TOLERANCE = 1e-4

log = logging.getLogger(__name__)


class RecordedAction(msgspec.Struct, frozen=True):
    """A row of the table of corporate actions; ratio 1 and amount 0 stand for none."""

    ex_date: dt.date
    ratio: float
    amount: float


class Folder:
    """What it holds, finest first."""

    def __init__(self, folder: Path) -> None:
        inside = folder / "intraday"
        self.path = inside if inside.is_dir() else folder
        if not self.path.is_dir():
            raise DataError(f"{folder}: no such folder of market data")
        self.not_read: dict[str, str] = {}
        self._paths: dict[Kind, list[Path]] = {kind: [] for kind in Kind}
        for path in sorted(one for one in self.path.iterdir() if one.suffix in SUFFIXES):
            columns = columns_of(path)
            kind = kind_of(columns)
            if kind is None:
                self.not_read[path.name] = f"columns {', '.join(columns)}"
                log.info("%s: not read, no table that is known: %s", path, self.not_read[path.name])
            else:
                self._paths[kind].append(path)

    @cached_property
    def bars(self) -> list[Table]:
        tables = [load_bars(path) for path in self._paths[Kind.bars]]
        return sorted(tables, key=lambda table: table.interval_s)

    @cached_property
    def fine_bars(self) -> list[Table]:
        """Bars of at most five seconds."""
        return [table for table in self.bars if table.interval_s <= STEP_S]

    @cached_property
    def minutes(self) -> list[Table]:
        return [table for table in self.bars if table.interval_s == MINUTE_S]

    @cached_property
    def coarse_bars(self) -> list[Table]:
        """Bars of more than a minute: known to the daily history, too coarse to play."""
        return [table for table in self.bars if table.interval_s > MINUTE_S]

    @cached_property
    def ticks(self) -> list[Table]:
        return [load_ticks(path, Kind.ticks) for path in self._paths[Kind.ticks]]

    @cached_property
    def quotes(self) -> list[Table]:
        tables = [load_quotes(path) for path in self._paths[Kind.quotes]]
        return sorted(tables, key=lambda table: table.interval_s)

    @cached_property
    def quote_ticks(self) -> list[Table]:
        return [load_ticks(path, Kind.quote_ticks) for path in self._paths[Kind.quote_ticks]]

    @cached_property
    def daily(self) -> list[DailyTable]:
        beside = self.path.parent / "daily"
        paths = [beside / f"{name}{suffix}" for name in DAILY_TABLES for suffix in SUFFIXES]
        return [load_daily(path) for path in (*paths, *self._paths[Kind.daily]) if path.is_file()]

    @cached_property
    def symbols_by_day(self) -> dict[dt.date, list[str]]:
        """What can be played: the days in order, the symbols of each in order."""
        found: dict[dt.date, set[str]] = {}
        for table in (*self.fine_bars, *self.ticks, *self.minutes):
            for symbol, day in table.rows_of:
                found.setdefault(day, set()).add(symbol)
        return {day: sorted(found[day]) for day in sorted(found)}

    @cached_property
    def actions(self) -> dict[str, list[RecordedAction]]:
        """By symbol, in order of time."""
        found: dict[str, list[RecordedAction]] = {}
        beside = self.path.parent / "events"
        for path in sorted(beside.glob("*.csv")):
            with path.open(newline="", encoding="utf-8") as file:
                rows = csv.DictReader(file)
                if set(ACTION_COLUMNS) <= set(rows.fieldnames or ()):
                    for line, row in enumerate(rows, start=2):
                        found.setdefault(row["symbol"], []).append(_action(path, line, row))
        return {symbol: sorted(actions, key=lambda one: one.ex_date) for symbol, actions in found.items()}


def _action(path: Path, line: int, row: dict[str, str]) -> RecordedAction:
    try:
        amount, coefficient = float(row["dividend_amount"]), float(row["split_coefficient"])
        return RecordedAction(dt.date.fromisoformat(row["ex_date"]), split_ratio(coefficient), amount)
    except (ValueError, TypeError) as error:
        raise DataError(f"{path}: line {line}: {error}; needed are a date and numbers") from error


def split_ratio(coefficient: float) -> float:
    """New shares for an old one as a ratio of small numbers; 1 for what is none.

    Vendors show spin-offs as odd coefficients (1.0431): those change no number of shares. Rounding is undone
    (7.00000700001 is 7).
    """
    if coefficient <= 0:
        raise ValueError(f"split_coefficient {coefficient} is not positive")
    inverted = coefficient < 1
    ratio = Fraction(1 / coefficient if inverted else coefficient).limit_denominator(SPLIT_PARTS_MAX)
    exact = float(1 / ratio if inverted else ratio)
    is_small = ratio.denominator == 1 or ratio.numerator <= 2 * SPLIT_PARTS_MAX
    return exact if is_small and abs(exact / coefficient - 1) < SPLIT_TOLERANCE else 1.0
