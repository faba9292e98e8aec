"""SQL over the files of the bar store, by DuckDB where that is installed: an extra, reading only."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

from shared.errors import DataError, NotFound
from shared.io.bar_library import BarStore

_ANSWERED = (["SELECT"], ["EXPLAIN"])


def answer(store: BarStore, sql: str) -> Iterator[str]:
    """The answer as lines of CSV, the names of the columns first; the bars are raw, adjusted by nobody.

    Raises:
        DataError: DuckDB is not installed or does not understand the question, or it would do more than read.
        NotFound: the store is empty.
    """
    duckdb = _duckdb()
    frequencies = store.frequencies()
    if not frequencies:
        raise NotFound(f"{store.folder}: no bars in the store; openbell data fetch brings some")
    tables = [f"bars_{frequency}" for frequency in frequencies]
    try:
        asked = [statement.type.name for statement in duckdb.extract_statements(sql)]
        if asked not in _ANSWERED:
            found = " and ".join(asked) or "nothing"
            raise DataError(f"query: {found}, allowed: one SELECT; it only reads")
        with duckdb.connect(":memory:") as connection:
            for table, frequency in zip(tables, frequencies, strict=True):
                _view(connection, table, store.folder / "bars" / frequency / "*" / "*.parquet")
            if any(store.folder.glob("actions/*.parquet")):
                _view(connection, "actions", store.folder / "actions" / "*.parquet")
                tables.append("actions")
            _shut_in(connection, store.folder)
            yield from _lines(connection.execute(sql))
    except duckdb.Error as error:
        reason = (str(error).strip().splitlines() or [""])[0]
        raise DataError(f"query: {reason}, allowed: SQL of DuckDB over {', '.join(tables)}") from error


def _duckdb() -> Any:  # noqa: ANN401 - an extra that need not be there
    try:
        return import_module("duckdb")
    except ImportError:
        raise DataError(
            "query: DuckDB is not installed, allowed: pip install 'openbell[duckdb]'; the other verbs do without"
        ) from None


def _view(connection: Any, name: str, files: Path) -> None:  # noqa: ANN401 - as above
    of_files = f"SELECT * FROM read_parquet({_quoted(files)}, hive_partitioning=false)"  # noqa: S608 - our own names, quoted
    connection.execute(f'CREATE VIEW "{name}" AS {of_files}')


def _shut_in(connection: Any, folder: Path) -> None:  # noqa: ANN401 - as above
    """From here on it opens nothing but the store: no other file, no network, no way back."""
    connection.execute(f"SET allowed_directories = [{_quoted(folder)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _quoted(path: Path) -> str:
    return "'" + str(path.absolute()).replace("'", "''") + "'"


def _lines(answered: Any) -> Iterator[str]:  # noqa: ANN401 - as above
    yield _as_csv(column[0] for column in answered.description)
    while rows := answered.fetchmany(1_000):
        yield from map(_as_csv, rows)


def _as_csv(cells: Iterable[object]) -> str:
    """One line without its end; a cell with a comma, a quote or a line's end is quoted, an absent one empty."""
    line = StringIO()
    csv.writer(line, lineterminator="").writerow(["" if cell is None else cell for cell in cells])
    return line.getvalue()
