"""The files a tear sheet is made from: tear_sheet.json, curve.parquet, round_trips.parquet. Written and read back."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Struct

from research.measures.measured import Measures
from research.measures.stamp import Stamp
from research.tear_sheet.benchmark import Benchmark
from research.tear_sheet.holdings import Holding
from research.tear_sheet.record import Record, Series
from research.tear_sheet.trips import Trip
from shared.errors import DataError, NotFound

if TYPE_CHECKING:
    import pyarrow as pa

FACTS, CURVE, TRIPS = "tear_sheet.json", "curve.parquet", "round_trips.parquet"
FORMAT = "openbell.tear_sheet/1"
PER_ROW = ("equity", "gross", "traded")


class _Compared(Struct, kw_only=True, frozen=True):
    """A benchmark; None stands for NaN."""

    name: str
    returns: tuple[float | None, ...]


class _Facts(Struct, kw_only=True, frozen=True):
    """The record without its two tables."""

    schema: str
    title: str
    symbols: tuple[str, ...]
    interval_s: int
    currency: str
    data_name: str
    starting_cash: float
    measures: Measures
    stamp: Stamp | None
    config: dict[str, Any]
    caveats: tuple[str, ...]
    denied: dict[str, int]
    holdings: tuple[Holding, ...]
    compared: _Compared | None


_SHARED = tuple(name for name in _Facts.__struct_fields__ if name in Record.__struct_fields__)


def stored(record: Record) -> dict[str, bytes]:
    """The three files by name; the same record gives the same bytes."""
    facts = _Facts(
        schema=FORMAT,
        compared=_compared(record.benchmark),
        **{name: getattr(record, name) for name in _SHARED},
    )
    return {
        FACTS: msgspec.json.format(msgspec.json.encode(facts), indent=1) + b"\n",
        CURVE: _parquet(_curve(record.series)),
        TRIPS: _parquet(_trips(record.trips)),
    }


def read_record(folder: Path) -> Record:
    """The record stored in `folder`.

    Raises:
        NotFound: one of the files is not there.
        DataError: a file is no such file, or of a release whose format we do not know.
    """
    for name in (FACTS, CURVE, TRIPS):
        if not (folder / name).is_file():
            raise NotFound(f"{folder / name}: no such file, allowed: the folder that openbell replay wrote")
    facts = _facts(folder / FACTS)
    curve, trips = _table(folder / CURVE), _table(folder / TRIPS)
    try:
        series = Series(
            closed_at=tuple(curve["closed_at"].to_pylist()),
            sessions=tuple(date.fromisoformat(day) for day in curve["session"].to_pylist()),
            **{name: curve[name].to_numpy() for name in PER_ROW},
        )
        rows = tuple(msgspec.convert(row, Trip) for row in trips.to_pylist())
    except (KeyError, ValueError, msgspec.ValidationError) as error:
        message = f"{folder}: not the tables of a replay: {error}, allowed: the folder that openbell replay wrote"
        raise DataError(message) from None
    return Record(
        trips=rows,
        series=series,
        benchmark=_benchmark(facts.compared),
        **{name: getattr(facts, name) for name in _SHARED},
    )


def _facts(path: Path) -> _Facts:
    try:
        facts = msgspec.json.decode(path.read_bytes(), type=_Facts)
    except msgspec.DecodeError as error:
        raise DataError(f"{path}: {error}, allowed: the {FACTS} of openbell replay") from None
    if facts.schema != FORMAT:
        raise DataError(f"{path}: schema {facts.schema!r}, allowed: {FORMAT}")
    return facts


def _compared(benchmark: Benchmark | None) -> _Compared | None:
    if benchmark is None:
        return None
    returns = tuple(None if value != value else value for value in benchmark.returns.tolist())  # noqa: PLR0124 - NaN
    return _Compared(name=benchmark.name, returns=returns)


def _benchmark(compared: _Compared | None) -> Benchmark | None:
    if compared is None:
        return None
    return Benchmark(name=compared.name, returns=np.array(compared.returns, dtype=np.float64))


def _curve(series: Series) -> pa.Table:
    import pyarrow as pa

    columns = {
        "closed_at": pa.array(series.closed_at, pa.timestamp("us", tz="UTC")),
        "session": pa.array([day.isoformat() for day in series.sessions], pa.string()),
    }
    return pa.table(columns | {name: pa.array(getattr(series, name), pa.float64()) for name in PER_ROW})


def _trips(trips: tuple[Trip, ...]) -> pa.Table:
    import pyarrow as pa

    kinds = {"str": pa.string(), "int": pa.int64(), "float": pa.float64(), "datetime": pa.timestamp("us", tz="UTC")}
    fields = [(name, kinds[kind.partition(" ")[0]]) for name, kind in Trip.__annotations__.items()]
    rows = [{name: getattr(trip, name) for name, _ in fields} for trip in trips]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def _parquet(table: pa.Table) -> bytes:
    from pyarrow import parquet

    target = io.BytesIO()
    parquet.write_table(table, target, compression="zstd")
    return target.getvalue()


def _table(path: Path) -> pa.Table:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return parquet.read_table(path)
    except pa.ArrowInvalid as error:
        raise DataError(f"{path}: {str(error).splitlines()[0]}, allowed: a table of openbell replay") from None
