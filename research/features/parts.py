"""Panels as Parquet: one column, time-major, cut into parts of whole rows and these into groups of whole rows.

So a stretch of one feature is a few groups of one file, and a day of all features is one group of each file. A part
is never written twice under one name: what nobody refers to yet may be half there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from shared.errors import DataError

Values = npt.NDArray[np.float64] | npt.NDArray[np.int64]
PART_CELLS = 2**19
"""4 MB: what an append writes anew at most, and what a worker holds of a feature."""
GROUPS_PER_PART = 16
_COLUMN = "value"


def rows_per_part(n: int) -> int:
    return max(1, PART_CELLS // n)


def part_bytes(values: Values, whole_rows: int, said: Mapping[str, str]) -> bytes:
    """A panel (rows, n), of up to `whole_rows`, as a Parquet file that says what it is."""
    width = values.shape[1]
    column = pa.array(np.ascontiguousarray(values).reshape(-1))
    table = pa.table({_COLUMN: column}).replace_schema_metadata({**said, "columns": str(width)})
    written = pa.BufferOutputStream()
    parquet.write_table(
        table,
        written,
        compression="lz4",  # noise does not shrink; what hardly changes (patterns, states) shrinks to nothing
        use_dictionary=False,
        write_statistics=False,
        write_page_checksum=True,
        row_group_size=max(1, whole_rows // GROUPS_PER_PART) * width,
    )
    content: bytes = written.getvalue().to_pybytes()  # bytes() of it takes twenty times as long
    return content


def read_part(path: Path, width: int, first: int, end: int) -> Values:
    """The rows `first` to `end` (without it) of a part, as (rows, width).

    Raises:
        DataError: missing, cut off, damaged, or not of this width.
    """
    try:
        with parquet.ParquetFile(path, page_checksum_verification=True, memory_map=True) as file:
            return _rows_of(file, path, (width, first, end))
    except FileNotFoundError:
        raise DataError(f"{path}: missing, allowed: the files of openbell features build; build again") from None
    except (OSError, pa.ArrowException) as error:
        why = str(error).splitlines()[0]
        raise DataError(f"{path}: damaged ({why}), allowed: a whole file; build again with --anew") from None


def _rows_of(file: Any, path: Path, asked: tuple[int, int, int]) -> Values:  # noqa: ANN401 - pyarrow is untyped
    width, first, end = asked
    total = file.metadata.num_rows
    if total % width or end * width > total:
        raise DataError(f"{path}: {total} values, allowed: {end} or more rows of {width}; build again with --anew")
    step = file.metadata.row_group(0).num_rows // width
    groups = list(range(first // step, -(-end // step)))
    column = file.read_row_groups(groups, use_threads=False).column(0).combine_chunks()
    stretch, buffer = slice(column.offset, column.offset + len(column)), column.buffers()[1]
    flat: Values = np.frombuffer(buffer, dtype=np.float64)[stretch]
    if pa.types.is_int64(column.type):
        flat = np.frombuffer(buffer, dtype=np.int64)[stretch]
    skipped = groups[0] * step
    return flat.reshape(-1, width)[first - skipped : end - skipped]
