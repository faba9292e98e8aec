from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from shared.errors import DataError
from shared.io.bar_files import VALUES
from shared.io.bar_store import load_bars, save_bars

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data"
HEADER = "symbol,ts,open,high,low,close,volume"
NAN = float("nan")


def ns(year, month, day, hour, minute=0, second=0):
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()) * 1_000_000_000


def a_bar(symbol="SPY", at="13:30:00", prices="10,12,9,11", volume="100"):
    return f"{symbol},2013-10-08T{at}+00:00,{prices},{volume}"


def a_csv(tmp_path, *rows, header=HEADER, name="bars.csv"):
    path = tmp_path / name
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def minutes(*bars):
    return [a_bar(at=f"13:{30 + minute}:00", **bar) for minute, bar in enumerate(bars)]


def the_error(path, **choice):
    with pytest.raises(DataError) as caught:
        load_bars(path, **choice)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(path))
    return str(caught.value).removeprefix(str(path)).removeprefix(": ")


def test_bars_of_two_symbols_become_rows_of_time_with_nan_where_nothing_printed(tmp_path):
    rows = [
        a_bar("SPY"),
        a_bar("SPY", "13:31:00", "11,13,10,12", "200"),
        a_bar("IBM", "13:31:00", "5,6,4,5", "7"),
    ]
    panel = load_bars(a_csv(tmp_path, *rows))
    assert panel.symbols == ("IBM", "SPY")
    assert panel.interval_s == 60
    assert panel.opened_at.tolist() == [ns(2013, 10, 8, 13, 30), ns(2013, 10, 8, 13, 31)]
    assert panel.closed_at.tolist() == [ns(2013, 10, 8, 13, 31), ns(2013, 10, 8, 13, 32)]
    np.testing.assert_array_equal(panel.high, [[NAN, 12.0], [6.0, 13.0]])
    np.testing.assert_array_equal(panel.volume, [[NAN, 100.0], [7.0, 200.0]])
    assert panel.row(1).close.tolist() == [5.0, 12.0]
    assert (len(panel), panel.dropped) == (2, 0)


def test_the_caller_orders_the_symbols(tmp_path):
    path = a_csv(tmp_path, *minutes({}, {}), *[row.replace("SPY", "IBM") for row in minutes({}, {})])
    assert load_bars(path, ["SPY", "IBM"]).symbols == ("SPY", "IBM")
    assert load_bars(path, ["IBM"]).close.shape == (2, 1)


def test_the_ticker_na_is_a_symbol_like_any_other(tmp_path):
    assert load_bars(a_csv(tmp_path, a_bar("NA"), a_bar("NA", "13:31:00"))).symbols == ("NA",)


def test_a_daily_bar_runs_from_half_past_nine_to_four_in_new_york_in_summer_and_winter(tmp_path):
    rows = ["SPY,2013-07-01,10,12,9,11,100", "SPY,2013-12-02,10,12,9,11,100"]
    panel = load_bars(a_csv(tmp_path, *rows, header=HEADER.replace("ts", "date")))
    assert panel.interval_s == 86_400
    assert panel.opened_at.tolist() == [ns(2013, 7, 1, 13, 30), ns(2013, 12, 2, 14, 30)]
    assert panel.closed_at.tolist() == [ns(2013, 7, 1, 20), ns(2013, 12, 2, 21)]


def test_start_and_end_are_new_york_days_and_both_count(tmp_path):
    times = ["2013-10-08T03:59:00", "2013-10-08T04:00:00", "2013-10-09T03:59:00", "2013-10-09T04:00:00"]
    path = a_csv(tmp_path, *[f"SPY,{at}Z,10,12,9,11,100" for at in times])
    panel = load_bars(path, start=date(2013, 10, 8), end=date(2013, 10, 8), interval_s=60)
    assert panel.opened_at.tolist() == [ns(2013, 10, 8, 4), ns(2013, 10, 9, 3, 59)]


def test_the_interval_is_the_commonest_gap_within_a_session_not_over_a_night(tmp_path):
    days = [f"SPY,2013-10-{day:02}T{at}Z,10,12,9,11,1" for day in (7, 8, 9) for at in ("13:30", "13:45")]
    assert load_bars(a_csv(tmp_path, *days)).interval_s == 900
    assert load_bars(a_csv(tmp_path, *days), interval_s=60).interval_s == 60


def test_a_folder_is_one_table_whatever_its_files_are_called(tmp_path):
    a_csv(tmp_path, a_bar(at="13:32:00"), a_bar(at="13:33:00"), name="a.csv")
    a_csv(tmp_path, a_bar(at="13:30:00"), a_bar(at="13:31:00"), name="b.csv")
    a_csv(tmp_path, a_bar("IBM"), name="c.csv")
    (tmp_path / "README.md").write_text("no bars")
    panel = load_bars(tmp_path)
    assert panel.close.shape == (4, 2)
    assert np.isnan(panel.close[:, 0]).tolist() == [False, True, True, True]


BAD_BARS = {
    "duplicate time": (a_bar(at="13:31:00"), "symbol SPY, ts 2013-10-08T13:31:00+00:00"),
    "decreasing time": (a_bar(at="13:30:30"), "symbol SPY, ts 2013-10-08T13:30:30+00:00"),
    "overlapping bars": (a_bar(at="13:31:59"), "symbol SPY, ts 2013-10-08T13:31:59+00:00"),
    "high below low": (a_bar(at="13:32:00", prices="10,9,10,10"), "high 9, low 10"),
    "open outside low to high": (a_bar(at="13:32:00", prices="13,12,9,11"), "open 13, low 9, high 12"),
    "close outside low to high": (a_bar(at="13:32:00", prices="10,12,9,8"), "close 8, low 9, high 12"),
    "low is not positive": (a_bar(at="13:32:00", prices="10,12,-9,11"), "low -9"),
    "open is not positive": (a_bar(at="13:32:00", prices="0,12,9,11"), "open 0"),
    "close is not a number": (a_bar(at="13:32:00", prices="10,12,9,NaN"), "close NaN"),
    "high is not a number": (a_bar(at="13:32:00", prices="10,twelve,9,11"), "high twelve"),
    "open is not a number": (a_bar(at="13:32:00", prices=",12,9,11"), "open (empty)"),
    "low is not a number": (a_bar(at="13:32:00", prices="10,12,inf,11"), "low inf"),
    "volume is negative": (a_bar(at="13:32:00", volume="-1"), "volume -1"),
    "volume is not a number": (a_bar(at="13:32:00", volume=""), "volume (empty)"),
    "no symbol": (a_bar("", at="13:32:00"), "symbol (empty)"),
    "no time": ("SPY,2013-10-08T13:32:00,10,12,9,11,100", "ts 2013-10-08T13:32:00"),
    "wrong number of cells": ("SPY,2013-10-08T13:32:00Z,10", "3"),
}


@pytest.mark.parametrize("what", BAD_BARS)
def test_a_bad_bar_is_refused_with_its_row_value_and_what_is_allowed(tmp_path, what):
    row, quoted = BAD_BARS[what]
    path = a_csv(tmp_path, *minutes({}, {}), row, a_bar(at="13:33:00"), a_bar(at="13:34:00"))
    assert the_error(path).startswith(f"row 3: {what}: {quoted}, allowed: ")


@pytest.mark.parametrize("what", BAD_BARS)
def test_a_bad_bar_is_left_out_and_counted_when_asked(tmp_path, what):
    path = a_csv(tmp_path, *minutes({}, {}), BAD_BARS[what][0], a_bar(at="13:33:00"), a_bar(at="13:34:00"))
    panel = load_bars(path, drop_bad_bars=True)
    assert panel.dropped == 1
    assert panel.opened_at.tolist() == [ns(2013, 10, 8, 13, minute) for minute in (30, 31, 33, 34)]
    assert panel.close.tolist() == [[11.0]] * 4


def test_a_day_that_is_no_date_is_refused_with_its_row(tmp_path):
    rows = ["SPY,2013-07-01,10,12,9,11,100", "SPY,2013-07-32,10,12,9,11,100"]
    path = a_csv(tmp_path, *rows, header=HEADER.replace("ts", "date"))
    assert the_error(path).startswith("row 2: no time: date 2013-07-32, allowed: ")
    assert load_bars(path, drop_bad_bars=True).opened_at.tolist() == [ns(2013, 7, 1, 13, 30)]


def test_a_column_of_the_wrong_type_is_refused(tmp_path):
    prices = {name: [10.0] for name in VALUES}
    parquet.write_table(pa.table({"symbol": [["SPY"]], "ts": [1], **prices}), tmp_path / "bars.parquet")
    assert the_error(tmp_path / "bars.parquet").startswith("wrong type of column: ")


def test_the_first_bad_bar_is_named_and_the_others_counted(tmp_path):
    path = a_csv(tmp_path, *minutes({}, {"volume": "-5"}, {"prices": "0,0,0,0"}, {"prices": "10,9,10,10"}))
    assert the_error(path) == "row 2: volume is negative: volume -5, allowed: 0 or more (and 2 more bad bars)"


def test_rows_are_numbered_as_in_the_file_after_lines_that_were_skipped(tmp_path):
    path = a_csv(tmp_path, "SPY", "SPY", *minutes({"volume": "-5"}))
    assert the_error(path, drop_bad_bars=True).startswith("row 3: volume is negative")


def test_a_bar_outside_the_choice_is_not_judged(tmp_path):
    path = a_csv(tmp_path, *minutes({}, {}), a_bar("TWX", prices="0,0,0,0"))
    assert load_bars(path, ["SPY"]).dropped == 0


def test_a_file_with_nothing_but_bad_bars_is_refused_even_when_they_may_be_dropped(tmp_path):
    path = a_csv(tmp_path, *minutes({"volume": "-5"}, {"volume": "-6"}))
    assert the_error(path, drop_bad_bars=True).startswith("row 1: volume is negative")


@pytest.mark.parametrize("column", ["symbol", "open", "high", "low", "close", "volume"])
def test_a_missing_column_is_named(tmp_path, column):
    path = a_csv(tmp_path, a_bar(), header=HEADER.replace(column, "other"))
    assert the_error(path).startswith(f"missing column: {column}; found: ")


def test_a_table_needs_a_time(tmp_path):
    path = a_csv(tmp_path, a_bar(), header=HEADER.replace("ts", "when"))
    assert the_error(path).startswith("missing column: ts or date; found: symbol, when, ")


def test_a_column_that_stands_twice_is_refused(tmp_path):
    path = a_csv(tmp_path, a_bar() + ",1", header=f"{HEADER},close")
    assert the_error(path) == "column twice: close, allowed: each once"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bars.parquet", b"no parquet"),
        ("bars.parquet", b""),
        ("bars.csv", b""),
        ("bars.csv", b"a,\xff\xfe\n\xff,1\n"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused_in_one_line(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert the_error(path)


def test_a_path_without_bars_is_refused_with_what_is_allowed(tmp_path):
    (tmp_path / "bars.txt").write_text("")
    assert the_error(tmp_path / "absent.csv").startswith("no such file, allowed: a .parquet or .csv file")
    assert the_error(tmp_path / "bars.txt").startswith("unknown kind of file .txt")
    assert the_error(tmp_path).startswith("no bar files in this folder")


def test_an_unknown_symbol_or_an_empty_span_is_refused_with_what_the_file_holds(tmp_path):
    path = a_csv(tmp_path, *minutes({}, {}))
    assert the_error(path, symbols=["SPX"]) == "no bars of SPX, allowed: SPY"
    assert the_error(path, start=date(2014, 1, 1)).endswith("allowed: days within 2013-10-08 to 2013-10-08")
    assert the_error(a_csv(tmp_path, name="empty.csv")).endswith("allowed: a file with at least one bar")


def test_intraday_and_daily_files_are_not_mixed(tmp_path):
    a_csv(tmp_path, a_bar(), name="a.csv")
    a_csv(tmp_path, "SPY,2013-10-08,10,12,9,11,1", header=HEADER.replace("ts", "date"), name="b.csv")
    assert "a.csv has ts, b.csv has date" in the_error(tmp_path)


def test_a_single_bar_leaves_the_interval_unknown_unless_given(tmp_path):
    path = a_csv(tmp_path, a_bar())
    assert the_error(path).startswith("interval unknown")
    assert load_bars(path, interval_s=5).closed_at.tolist() == [ns(2013, 10, 8, 13, 30, 5)]


def test_a_parquet_time_without_zone_is_no_time(tmp_path):
    path = tmp_path / "bars.parquet"
    prices = {name: [10.0] for name in VALUES}
    parquet.write_table(pa.table({"symbol": ["SPY"], "ts": [datetime(2013, 10, 8, 13, 30)], **prices}), path)  # noqa: DTZ001  without a zone on purpose
    assert the_error(path).startswith("row 1: no time: ts 2013-10-08 13:30:00, allowed: ts: UTC with offset")


PRICE = st.floats(0.01, 1e6)
BARS = st.dictionaries(st.tuples(st.sampled_from("ABC"), st.integers(0, 300)), st.tuples(PRICE, PRICE), min_size=1)


@given(bars=BARS, interval_s=st.sampled_from([5, 60, 900]))
def test_what_is_saved_is_loaded_again_bit_for_bit(tmp_path_factory, bars, interval_s):
    folder = tmp_path_factory.mktemp("bars")
    rows = [
        f"{symbol},{np.datetime64(step * interval_s, 's')}Z,{a!r},{max(a, b)!r},{min(a, b)!r},{b!r},{step}"
        for (symbol, step), (a, b) in sorted(bars.items())
    ]
    panel = load_bars(a_csv(folder, *rows), interval_s=interval_s)
    save_bars(folder / "again.parquet", panel)
    assert_same(load_bars(folder / "again.parquet"), panel)


def test_daily_bars_are_saved_by_day_and_loaded_again(tmp_path):
    path = a_csv(
        tmp_path,
        "SPY,2013-07-01,10,12,9,11,1",
        "SPY,2013-12-02,10,12,9,11,1",
        header=HEADER.replace("ts", "date"),
    )
    save_bars(tmp_path / "daily.parquet", load_bars(path))
    assert parquet.read_table(tmp_path / "daily.parquet")["date"].to_pylist() == ["2013-07-01", "2013-12-02"]
    assert_same(load_bars(tmp_path / "daily.parquet"), load_bars(path))


def test_a_save_that_cannot_be_finished_leaves_the_old_file_and_nothing_else(tmp_path):
    panel = load_bars(a_csv(tmp_path, *minutes({}, {})))
    (tmp_path / "taken.parquet").mkdir()
    with pytest.raises(DataError, match=r"taken\.parquet: cannot be written: "):
        save_bars(tmp_path / "taken.parquet", panel)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bars.csv", "taken.parquet"]


def assert_same(one, other):
    assert (one.symbols, one.interval_s) == (other.symbols, other.interval_s)
    for name in ("opened_at", "closed_at", *VALUES):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


needs_recorded = [
    pytest.mark.recorded,
    pytest.mark.skipif(not RECORDED.is_dir(), reason=f"no recorded market data in {RECORDED}"),
]


class TestRecorded:
    pytestmark = needs_recorded

    def test_the_minute_bars_of_spy_and_ibm_on_2013_10_08_load(self):
        panel = load_bars(
            RECORDED / "intraday" / "minute_trades_lean.parquet",
            ["SPY", "IBM"],
            start=date(2013, 10, 8),
            end=date(2013, 10, 8),
        )
        regular = (panel.opened_at >= ns(2013, 10, 8, 13, 30)) & (panel.closed_at <= ns(2013, 10, 8, 20))
        assert panel.interval_s == 60
        assert regular.sum() == 390
        assert not np.isnan(panel.close[regular, 0]).any()

    def test_the_raw_daily_bars_load_with_every_session_closing_at_four(self):
        panel = load_bars(RECORDED / "daily" / "lean_daily_raw.parquet")
        assert set(panel.symbols) == {"SPY", "QQQ", "IWM", "EEM", "AAPL", "IBM", "GOOGL"}
        assert np.count_nonzero(~np.isnan(panel.close)) == 29_799
        assert set(((panel.closed_at - panel.opened_at) / 3_600e9).tolist()) == {6.5}

    def test_the_bad_print_of_apples_split_day_is_a_bar_that_can_be(self):
        panel = load_bars(RECORDED / "intraday" / "minute_trades_lean.parquet", ["AAPL"], start=date(2014, 6, 9))
        assert (panel.open[0, 0], panel.close[0, 0]) == (645.57, 92.42)
