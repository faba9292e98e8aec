from datetime import date

import numpy as np
import pytest

from research.tear_sheet.benchmark import read_benchmark
from shared.errors import DataError, NotFound

DAYS = tuple(date(2013, 10, day) for day in (7, 8, 9))
INDEX = "date,close\n2013-10-04,100\n2013-10-07,110\n2013-10-08,99\n2013-10-09,99\n"


@pytest.fixture
def a_file(tmp_path):
    def write(text, name="index.csv"):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


def test_the_first_return_is_from_the_last_close_before_the_first_session(a_file):
    benchmark = read_benchmark(a_file(INDEX)).on(DAYS)
    assert benchmark.name == "index"
    assert benchmark.returns == pytest.approx([0.1, -0.1, 0.0])


def test_without_a_close_before_the_first_session_there_is_no_first_return(a_file):
    returns = read_benchmark(a_file(INDEX.replace("2013-10-04,100\n", ""))).on(DAYS).returns
    assert np.isnan(returns[0])
    assert returns[1] == pytest.approx(-0.1)


def test_a_missing_day_has_no_return_and_the_next_one_makes_up_for_it(a_file):
    returns = read_benchmark(a_file(INDEX.replace("2013-10-08,99\n", ""))).on(DAYS).returns
    assert np.isnan(returns[1])
    assert returns[2] == pytest.approx(-0.1)


def test_one_of_several_symbols_is_chosen_by_name_even_one_that_reads_as_missing(a_file):
    text = "symbol,date,close\nNA,2013-10-04,1\nSPY,2013-10-04,10\nNA,2013-10-07,2\nSPY,2013-10-07,11\n"
    assert read_benchmark(a_file(text) + ":NA").on(DAYS[:1]).returns == pytest.approx([1.0])


def test_the_last_bar_of_a_new_york_day_is_its_close(a_file):
    text = (
        "symbol,ts,close\nSPY,2013-10-07T19:59:00+00:00,10\nSPY,2013-10-08T19:59:00+00:00,12\n"
        "SPY,2013-10-08T13:30:00+00:00,11\nSPY,2013-10-09T01:00:00+00:00,15\n"
    )
    returns = read_benchmark(a_file(text)).on(DAYS).returns
    assert returns[1] == pytest.approx(0.5)  # 01:00 UTC is still the 8th in New York


@pytest.mark.parametrize(
    ("text", "symbol", "line"),
    [
        ("symbol,date,close\nSPY,2013-10-07,1\nQQQ,2013-10-07,1\n", "", "holds 2 symbols, say which as FILE:SYMBOL"),
        ("symbol,date,close\nSPY,2013-10-07,1\n", ":IBM", "no symbol 'IBM', allowed: SPY"),
        ("day,close\n2013-10-07,1\n", "", "columns day, close, allowed: close and date or ts"),
        ("date,close\n2013-10-07,-1\n", "", "close -1 of 2013-10-07, allowed: a price above 0"),
        ("date,close\nsoon,1\n", "", "date 'soon', allowed: ISO"),
        ("date,close\n2001-10-08,1\n", "", "no close from 2013-10-07 to 2013-10-09, it holds 2001-10-08"),
        ("date,close\n", "", "no close, allowed"),
        ("", "", "cannot be read"),
    ],
)
def test_a_file_that_is_no_benchmark_is_one_line(a_file, text, symbol, line):
    with pytest.raises(DataError) as error:
        read_benchmark(a_file(text) + symbol).on(DAYS)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_not_found(tmp_path):
    with pytest.raises(NotFound, match=r"none\.csv: no such file"):
        read_benchmark(f"{tmp_path}/none.csv:SPY")
