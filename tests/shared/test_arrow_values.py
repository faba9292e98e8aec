"""However a Parquet file encodes its columns, the same bars come out; and pandas is not needed for it."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from shared.errors import DataError
from shared.io.arrow_values import codes_of, floats_of, integers_of, ranks_of
from shared.io.bar_store import load_bars

FIRST = datetime(2013, 10, 8, 13, 30, tzinfo=UTC)
MINUTES = [FIRST + timedelta(minutes=minute) for minute in (0, 1, 2)]
BY_SYMBOL = [("IBM", at) for at in MINUTES] + [("SPY", at) for at in MINUTES]
BY_TIME = sorted(BY_SYMBOL, key=lambda bar: bar[1])


def a_table(bars):
    """One price per bar, which tells the symbol and the minute."""
    prices = [(100.0 if symbol == "SPY" else 10.0) + at.minute for symbol, at in bars]
    times = pa.array([at for _, at in bars], pa.timestamp("us", tz="UTC"))
    columns = {"symbol": [symbol for symbol, _ in bars], "ts": times}
    return pa.table({**columns, **dict.fromkeys(("open", "high", "low", "close"), prices), "volume": [7] * len(bars)})


def as_column(name, column):
    table = a_table(BY_SYMBOL)
    return table.set_column(table.column_names.index(name), name, column(table[name]))


ENCODINGS = {
    "plain": a_table(BY_SYMBOL),
    "time after time": a_table(BY_TIME),
    "newest first": a_table(BY_SYMBOL[3:] + BY_SYMBOL[:3]),
    "large text": as_column("symbol", lambda column: column.cast(pa.large_string())),
    "categories": as_column("symbol", lambda column: column.cast(pa.dictionary(pa.int8(), pa.string()))),
    "times as text": as_column("ts", lambda column: pa.array([f"{at.as_py().isoformat()}" for at in column])),
    "seconds": as_column("ts", lambda column: column.cast(pa.timestamp("s", tz="UTC"))),
    "prices as text": as_column("close", lambda column: column.cast(pa.string())),
    "small prices": as_column("open", lambda column: column.cast(pa.float32())),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_same_bars_come_out_of_every_encoding(tmp_path, encoding):
    path = tmp_path / "bars.parquet"
    parquet.write_table(ENCODINGS[encoding], path, row_group_size=4)  # the groups have different symbols first
    panel = load_bars(path)
    assert (panel.symbols, panel.interval_s) == (("IBM", "SPY"), 60)
    assert panel.opened_at.tolist() == [int(at.timestamp()) * 10**9 for at in MINUTES]
    np.testing.assert_array_equal(panel.close, [[40.0, 130.0], [41.0, 131.0], [42.0, 132.0]])
    np.testing.assert_array_equal(panel.open, panel.close)


def test_an_empty_symbol_is_refused_with_its_row(tmp_path):
    table, path = a_table(BY_SYMBOL), tmp_path / "bars.parquet"
    parquet.write_table(table.set_column(0, "symbol", [["IBM", "IBM", None, "SPY", "SPY", "SPY"]]), path)
    with pytest.raises(DataError, match=r"row 3: no symbol: symbol \(empty\)"):
        load_bars(path)


@pytest.mark.parametrize("order", [BY_SYMBOL, BY_TIME], ids=["by symbol", "by time"])
def test_a_bar_that_stands_twice_is_refused_in_every_order(tmp_path, order):
    path = tmp_path / "bars.parquet"
    parquet.write_table(a_table([*order, order[-1]]), path)
    with pytest.raises(DataError, match="row 7: duplicate time: symbol SPY"):
        load_bars(path)


def test_what_is_null_becomes_nan_the_given_number_or_the_last_code():
    numbers = pa.chunked_array([pa.array([1.5, None]), pa.array([2.5])])
    np.testing.assert_array_equal(floats_of(numbers), [1.5, np.nan, 2.5])
    assert integers_of(pa.chunked_array([pa.array([None, 4])]), -1).tolist() == [-1, 4]
    codes, names = codes_of(pa.chunked_array([pa.array(["b", None]), pa.array(["a", "b"])]))
    assert (codes.tolist(), names.to_pylist()) == ([0, 2, 1, 0], ["b", "a"])


def test_nothing_comes_out_of_nothing():
    assert floats_of(pa.chunked_array([], pa.float64())).tolist() == []
    assert [part.tolist() for part in ranks_of(np.empty(0, dtype=np.int64))] == [[], []]


@given(st.lists(st.integers(min_value=-(2**63), max_value=2**63 - 1), max_size=40))
def test_ranks_are_those_of_numpy(values):
    wanted = np.unique(np.array(values, dtype=np.int64), return_inverse=True)
    for mine, numpys in zip(ranks_of(np.array(values, dtype=np.int64)), wanted, strict=True):
        assert mine.tolist() == numpys.tolist()


def test_a_panel_is_loaded_without_pandas(tmp_path):
    path = tmp_path / "bars.parquet"
    parquet.write_table(a_table(BY_SYMBOL), path)
    script = "import sys; from shared.io.bar_store import load_bars; load_bars(sys.argv[1]); print(set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    assert "'pyarrow'" in said.stdout
    assert "'pandas'" not in said.stdout
