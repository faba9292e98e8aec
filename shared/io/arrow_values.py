"""Arrow columns as numpy arrays, straight from their buffers.

`to_numpy`, `np.asarray` and `fill_null` ask pyarrow for pandas, whose import takes longer than reading the file.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.io.bar_checks import Flags, Floats, Integers

_KINDS = {pa.int32(): np.int32, pa.int64(): np.int64, pa.uint8(): np.uint8, pa.float64(): np.float64}


def floats_of(column: pa.ChunkedArray) -> Floats:
    """Float64 of a float64 column, NaN for null; read only where nothing is null."""
    array = column.combine_chunks()
    values = np.asarray(_plain(array), dtype=np.float64)
    return np.where(nulls_of(array), np.nan, values) if array.null_count else values


def integers_of(column: pa.ChunkedArray, null: int) -> Integers:
    """Int64 of an int64 column, with `null` for null; read only where nothing is null."""
    array = column.combine_chunks()
    values = np.asarray(_plain(array), dtype=np.int64)
    return np.where(nulls_of(array), null, values) if array.null_count else values


def codes_of(column: pa.ChunkedArray) -> tuple[Integers, pa.Array]:
    """Which of the distinct values each cell has, and these; null has the code behind the last of them."""
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    array = coded.combine_chunks()
    codes = np.asarray(_plain(array.indices.cast(pa.int64())), dtype=np.int64)
    if array.indices.null_count:
        codes = np.where(nulls_of(array.indices), len(array.dictionary), codes)
    return codes, array.dictionary


def ranks_of(values: Integers) -> tuple[Integers, Integers]:
    """The distinct values in rising order, and the place of each value among them: np.unique by hashing."""
    column = pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])
    coded = column.dictionary_encode()
    distinct = np.asarray(_plain(coded.dictionary), dtype=np.int64)
    order = np.argsort(distinct)
    place = np.empty(len(distinct), dtype=np.int64)
    place[order] = np.arange(len(distinct))
    return distinct[order], place[_plain(coded.indices)]


def nulls_of(array: pa.Array) -> Flags:
    """True where a cell is null."""
    return _plain(array.is_null().cast(pa.uint8())).astype(np.bool_)


def _plain(array: pa.Array) -> npt.NDArray[np.generic]:
    """The values of a fixed-width array; where a cell is null, whatever stands there."""
    kind = _KINDS[array.type]
    buffer = array.buffers()[1]
    if buffer is None or not len(array):
        return np.empty(0, dtype=kind)
    return np.frombuffer(buffer, dtype=kind)[array.offset : array.offset + len(array)]
