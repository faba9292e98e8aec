"""SQL over the files of the bar store, by DuckDB where that is installed: an extra, reading only."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from shared.errors import DataError, NotFound
from shared.io.bar_library import BarStore


def answer(store: BarStore, sql: str) -> Iterator[str]:
    """The answer as lines of CSV, the names of the columns first; the bars are raw, adjusted by nobody.

    Raises:
        DataError: DuckDB is not installed or does not understand the question.
        NotFound: the store is empty.
    """
    duckdb = _duckdb()
    frequencies = store.frequencies()
    if not frequencies:
        raise NotFound(f"{store.folder}: no bars in the store; openbell data fetch brings some")
    try:
        with duckdb.connect(":memory:") as connection:
            for frequency in frequencies:
                _view(connection, f"bars_{frequency}", f"{store.folder}/bars/{frequency}/*/*.parquet")
            if any(store.folder.glob("actions/*.parquet")):
                _view(connection, "actions", f"{store.folder}/actions/*.parquet")
            found = connection.sql(sql)
            yield from () if found is None else _lines(found)
    except duckdb.Error as error:
        reason = (str(error).strip().splitlines() or [""])[0]
        tables = ", ".join(f"bars_{frequency}" for frequency in frequencies)
        raise DataError(f"query: {reason}, allowed: SQL of DuckDB over {tables} and actions") from error


def _duckdb() -> Any:  # noqa: ANN401 - an extra that need not be there
    try:
        return import_module("duckdb")
    except ImportError:
        raise DataError(
            "query: DuckDB is not installed, allowed: pip install 'openbell[duckdb]'; the other verbs do without"
        ) from None


def _view(connection: Any, name: str, files: str) -> None:  # noqa: ANN401 - as above
    place = files.replace("'", "''")
    of_files = f"SELECT * FROM read_parquet('{place}', hive_partitioning=false)"  # noqa: S608 - our own names, quoted
    connection.execute(f'CREATE VIEW "{name}" AS {of_files}')


def _lines(found: Any) -> Iterator[str]:  # noqa: ANN401 - as above
    yield ",".join(found.columns)
    while rows := found.fetchmany(1_000):
        yield from (",".join("" if cell is None else str(cell) for cell in row) for row in rows)
