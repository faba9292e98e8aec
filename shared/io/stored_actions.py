"""Dividends and splits as the bar store keeps them, one Parquet file per symbol.

Columns: symbol, ex_date, dividend_amount (dollars per share held on the ex-date, after a split of that day),
split_coefficient (new shares per old, 1 for none), known_at, source: the table that `openbell replay --actions` reads.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path

import pyarrow as pa
from msgspec import Struct
from pyarrow import parquet

from shared.errors import DataError
from shared.io.bar_files import NEW_YORK

_SCHEMA = pa.schema(
    [
        ("symbol", pa.string()),
        ("ex_date", pa.date32()),
        ("dividend_amount", pa.float64()),
        ("split_coefficient", pa.float64()),
        ("known_at", pa.timestamp("us", tz="UTC")),
        ("source", pa.string()),
    ]
)
_NO_LIMIT = float("inf")


class Action(Struct, frozen=True, kw_only=True):
    """What happens to a share on one ex-date; `known_at` None means: with the beginning of that New York day."""

    ex_date: date
    dividend: float = 0.0
    split: float = 1.0
    known_at: datetime | None = None
    source: str = ""

    @property
    def is_known_at(self) -> datetime:
        """From this instant on it may be used."""
        return self.known_at or datetime.combine(self.ex_date, time.min, tzinfo=NEW_YORK).astimezone(UTC)

    @property
    def says(self) -> tuple[float, float]:
        """What two reports of the same day must agree on."""
        return self.dividend, self.split


def refuse_bad_action(where: str, action: Action) -> None:
    """Raise DataError with one line if the action cannot be."""
    at = f"{where}: {action.ex_date}"
    if not 0 <= action.dividend < _NO_LIMIT:
        raise DataError(f"{at}: dividend {action.dividend:g}, allowed: 0 or more dollars per share")
    if not 0 < action.split < _NO_LIMIT:
        raise DataError(f"{at}: split {action.split:g}, allowed: new shares per old, above 0, 1 for none")
    if action.known_at is not None and action.known_at.tzinfo is None:
        raise DataError(f"{at}: known_at {action.known_at} has no time zone, allowed: an instant such as ...+00:00")


def actions_as_file(symbol: str, actions: tuple[Action, ...]) -> bytes:
    rows = [
        {
            "symbol": symbol,
            "ex_date": action.ex_date,
            "dividend_amount": action.dividend,
            "split_coefficient": action.split,
            "known_at": action.known_at,
            "source": action.source,
        }
        for action in actions
    ]
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), sink, compression="zstd")
    return bytes(sink.getvalue())


def read_actions(path: Path) -> tuple[Action, ...]:
    """The actions of the file in the order of their days, none if there is no file; DataError where it is damaged."""
    if not path.exists():
        return ()
    try:
        table = parquet.read_table(path, columns=_SCHEMA.names, partitioning=None)
        rows = table.cast(_SCHEMA).to_pylist()
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        reason = (str(error).strip().splitlines() or [""])[0]
        raise DataError(f"{path}: unreadable: {reason}, allowed: actions written by the bar store") from error
    return tuple(
        Action(
            ex_date=row["ex_date"],
            dividend=row["dividend_amount"],
            split=row["split_coefficient"],
            known_at=row["known_at"],
            source=row["source"],
        )
        for row in rows
    )
