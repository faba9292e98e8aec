"""The one join on time: of all rows known by an instant, the newest of each key."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from shared.errors import DataError
from shared.io.bar_checks import Floats, Integers

if TYPE_CHECKING:
    import pandas as pd

NOTHING = -1
DAY_NS = 86_400_000_000_000
Texts = npt.NDArray[np.object_]


class PointInTimeTable(Struct, frozen=True, eq=False):
    """Rows, each with the instant (`known_by`, UTC) from which it may be used.

    Of a key's known rows the greatest in the columns `newest_by` holds (the period's end: an amendment of an old period
    does not hide the newest one), of equals the one known last, of those the one that stands last in the table.
    """

    rows: pd.DataFrame
    key: str = "symbol"
    newest_by: tuple[str, ...] = ()


class AsOf(Struct, frozen=True, eq=False):
    """The answer: `places` (T, n) are row numbers of `rows`, NOTHING where nothing was known yet."""

    rows: pd.DataFrame
    places: Integers

    def numbers(self, column: str) -> Floats:
        """Float64 of shape (T, n), NaN where nothing was known or the row has no value."""
        held = self.rows[column].to_numpy(dtype=np.float64, na_value=np.nan)
        return cast("Floats", np.append(held, np.nan)[self.places])

    def texts(self, column: str) -> Texts:
        """Objects of shape (T, n), None where nothing was known."""
        held = np.full(len(self.rows) + 1, None, dtype=np.object_)
        held[:-1] = self.rows[column].to_numpy(dtype=object)
        return held[self.places]


def as_of(
    table: PointInTimeTable,
    keys: Sequence[Hashable],
    times: Integers,
    known_by: str = "known_by",
    *,
    lag_days: float = 0.0,
) -> AsOf:
    """What was known of each of n keys at each of T instants (int64 nanoseconds UTC, in any order).

    A row counts from its `known_by` on, plus `lag_days` calendar days. Raises DataError for a row without it.
    """
    if not (np.isfinite(lag_days) and lag_days >= 0):
        raise DataError(f"as of: lag_days {lag_days}, allowed: 0 or more days (below 0 would look ahead)")
    rows = table.rows.reset_index(drop=True)
    known = instants(rows[known_by], what=known_by) + round(lag_days * DAY_NS)
    code, begins = _grouped(rows, table.key, keys)
    order = np.lexsort((known, code))
    newest = _newest_so_far(rows, table.newest_by, known, code, order)
    places = np.full((len(times), len(keys)), NOTHING, dtype=np.int64)
    sorted_code, sorted_known = code[order], known[order]
    edges = np.searchsorted(sorted_code, np.arange(len(begins) + 1))
    for column, key in enumerate(keys):
        at = begins[key]
        low, high = edges[at], edges[at + 1]
        seen = np.searchsorted(sorted_known[low:high], times, side="right")
        held = np.append(newest[low:high], NOTHING)
        places[:, column] = held[seen - 1]  # none seen reads the last: nothing
    return AsOf(rows, places)


def first_known(rows: pd.DataFrame, by: Sequence[str], known_by: str = "known_by") -> pd.DataFrame:
    """Of the rows that are equal in these columns only the one that was known first: no restatement is seen."""
    return rows.sort_values(known_by, kind="stable").drop_duplicates([*by], keep="first").sort_index()


def instants(column: pd.Series, *, what: str = "known_by") -> Integers:
    """Int64 nanoseconds UTC of a column of timestamps with a time zone; DataError where one is missing."""
    import pandas as pd

    if not isinstance(column.dtype, pd.DatetimeTZDtype):
        raise DataError(f"as of: column {what} holds {column.dtype}, allowed: timestamps with a time zone")
    if column.isna().any():
        row = int(np.flatnonzero(column.isna())[0])
        raise DataError(f"as of: {what} of row {row} is missing, allowed: the instant from which it was public")
    return cast("Integers", column.dt.as_unit("ns").astype("int64").to_numpy())


def _grouped(rows: pd.DataFrame, key: str, keys: Sequence[Hashable]) -> tuple[Integers, dict[Hashable, int]]:
    """The group of every row, and the group of every key that is asked for; rows of other keys stand behind all."""
    begins = {name: at for at, name in enumerate(dict.fromkeys(keys))}
    code = rows[key].map(begins).to_numpy(dtype=np.float64, na_value=len(begins))
    return code.astype(np.int64), begins


def _newest_so_far(
    rows: pd.DataFrame, newest_by: Sequence[str], known: Integers, code: Integers, order: Integers
) -> Integers:
    """For every row in the order (key, known) the row that holds once it is known: a running maximum of ranks."""
    columns = [rows[name].rank(method="dense", na_option="top").to_numpy() for name in reversed(newest_by)]
    by_rank = np.lexsort((np.arange(len(rows)), known, *columns))
    rank = np.empty(len(rows), dtype=np.int64)
    rank[by_rank] = np.arange(len(rows))
    height = code[order] * len(rows) + rank[order]  # every key stands above all of the one before it
    return cast("Integers", by_rank[np.maximum.accumulate(height) % max(len(rows), 1)])
