"""All replays of an experiment as one Parquet table.

Columns: `number`, `state`, `why`, the parameters, the figures, the hashes, and last those that begin with `run_`,
which say how the replay went and not what came out. Without them the table of one worker, of many and of a cluster is
the same byte for byte.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from research.experiments.axes import Value
from research.experiments.figures import FIGURES
from research.experiments.job import Figure, Outcome
from research.measures.stamp import Stamp
from shared.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

RUN = "run_"
_WHOLE_NUMBERS = ("days", "fills", "round_trips")


class Row(Struct, frozen=True, kw_only=True):
    """One replay: what was tried, under which stamp, and what became of it (None = it was not run).

    `beside` are further columns, in front of the parameters.
    """

    number: int
    parameters: dict[str, Value]
    stamp: Stamp
    outcome: Outcome | None
    beside: dict[str, Figure] = {}

    def figure(self, name: str) -> Figure:
        """A figure by its column; None if it does not exist or the replay did not end well."""
        return self.outcome.figures.get(name) if self.outcome else None


def table_of(rows: Sequence[Row]) -> pa.Table:
    """The rows in the order of their numbers."""
    import pyarrow as pa

    outcomes = [row.outcome for row in rows]
    columns: dict[str, pa.Array] = {
        "number": pa.array([row.number for row in rows], pa.int64()),
        "state": pa.array([outcome.state if outcome else "not run" for outcome in outcomes], pa.string()),
        "why": pa.array([outcome.why if outcome else "" for outcome in outcomes], pa.string()),
    }
    for name in rows[0].beside if rows else ():
        columns[name] = _column([row.beside[name] for row in rows])
    for name in rows[0].parameters if rows else ():
        columns[name] = _column([row.parameters[name] for row in rows])
    for name in FIGURES:
        kind = pa.int64() if name in _WHOLE_NUMBERS else pa.float64()
        columns[name] = pa.array([row.figure(name) for row in rows], kind)
    for name in ("config_hash", "data_hash", "code_hash"):
        columns[name] = pa.array([getattr(row.stamp, name) for row in rows], pa.string())
    columns[f"{RUN}seconds"] = pa.array([outcome and outcome.run_seconds for outcome in outcomes], pa.float64())
    columns[f"{RUN}tries"] = pa.array([outcome and outcome.run_tries for outcome in outcomes], pa.int64())
    return pa.table(columns)


def results_alone(table: pa.Table) -> pa.Table:
    """The table without the columns that differ from run to run."""
    return table.select([name for name in table.column_names if not name.startswith(RUN)])


def write_table(path: Path, table: pa.Table) -> None:
    """Whole or not at all; DataError where it cannot be written."""
    from pyarrow import parquet

    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with draft.open("wb") as file:
            parquet.write_table(table, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}, allowed: a writable folder") from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _column(values: Sequence[Value | None]) -> pa.Array:
    """Of one kind as it is; whole numbers among others become numbers, anything else texts."""
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    if len(kinds) > 1:
        return pa.array([None if value is None else str(value) for value in values], pa.string())
    return pa.array(values)
