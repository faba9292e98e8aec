from datetime import date

import numpy as np
import pytest

from research.ingest.quality.compare import compare
from research.ingest.quality.finding import Limits
from research.ingest.quality.picture import calendar, calendar_picture
from research.ingest.quality.repair import repaired
from research.ingest.quality.table import read_table
from research.ingest.quality.verify import verify
from shared.errors import DataError
from shared.io.panel_of_bars import bars_of
from tests.ingest.builders import a_series, a_table, a_walk, daily

START = date(2014, 7, 7)
HEADER = "symbol,date,open,high,low,close,volume\n"


def ordinary(count=40):
    return daily(START, a_walk(count), np.random.default_rng(1).uniform(900, 1100, count))


def after_repair(*series):
    table = a_table(*series)
    return repaired(table, verify(table, Limits()))


def test_a_repair_leaves_out_sorts_keeps_once_and_widens():
    bars = ordinary()
    given = bars.at(np.array([*range(10), 9, 11, 10, *range(12, 40)]))
    given.close[20] = np.nan
    given.high[30] = given.low[30]
    widened = max(given.open[30], given.close[30])
    panel, refused = after_repair(a_series(given))
    left = bars_of(panel, "AAA")
    assert refused == ()
    assert left.opened_at.tolist() == np.delete(bars.opened_at, 19).tolist()
    assert left.high[28] == widened
    assert verify(a_table(a_series(left)), Limits()).is_sound


def test_a_symbol_of_which_something_is_refused_is_left_out_by_name():
    broken = ordinary()
    for name in ("open", "high", "low", "close"):
        getattr(broken, name)[20:] *= 0.5
    panel, refused = after_repair(a_series(ordinary()), a_series(broken, symbol="BBB"))
    assert (panel.symbols, refused) == (("AAA",), ("BBB",))


def test_where_nothing_is_left_no_file_is_made():
    bars = ordinary()
    bars.close[:] = np.nan
    with pytest.raises(DataError, match="nothing is left of it"):
        after_repair(a_series(bars))


def test_two_sources_that_agree_have_no_finding():
    table = a_table(a_series(ordinary()))
    assert compare(table, table, Limits()) == []


def test_closes_that_differ_are_counted_and_the_worst_is_shown():
    other = ordinary()
    other.close[[5, 6]] *= [1.006, 1.02]
    (found,) = compare(a_table(a_series(ordinary())), a_table(a_series(other)), Limits())
    assert (found.kind, found.count, found.row) == ("sources_differ", 2, 7)


@pytest.mark.parametrize(("column", "by"), [("close", 0.5), ("volume", 0.01)])
def test_a_source_in_another_unit_is_told_by_its_usual_ratio(column, by):
    other = ordinary()
    getattr(other, column)[:] *= by
    (found,) = compare(a_table(a_series(ordinary())), a_table(a_series(other)), Limits())
    assert (found.kind, found.detail) == ("sources_scaled", f"{column} there is usually {by:g} times the one here")


def test_sources_without_a_bar_in_common_are_refused():
    other = a_table(a_series(ordinary(), symbol="BBB"))
    with pytest.raises(DataError, match="no bar in both"):
        compare(a_table(a_series(ordinary())), other, Limits())


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "a.csv",
            "symbol,date,Open,high,low,close\nA,2014-06-02,1,1,1,1\n",
            "missing column: open; found: ",
        ),
        ("a.csv", "symbol,open,high,low,close\nA,1,1,1,1\n", "missing column: ts or date"),
        ("a.csv", "symbol,ts,open,high,low,close\nA,2014-06-02T13:30:00,1,1,1,1\n", "ts has no time zone: 2014-06-02T"),
        ("a.csv", "symbol,date,open,high,low,close\n,2014-06-02,1,1,1,1\n", "row 1: no symbol"),
        ("a.parquet", "PAR1 half a file", "unreadable"),
        ("a.csv", "", "unreadable: No columns to parse"),
        ("a.txt", "", "unknown kind of file"),
    ],
)
def test_a_table_that_cannot_be_read_is_one_line(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError) as refused:
        read_table(tmp_path / name)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_ticker_na_is_a_symbol(tmp_path):
    (tmp_path / "a.csv").write_text(HEADER + "NA,2014-06-02,1,1,1,1,5\nNULL,2014-06-02,1,1,1,1,5\n")
    assert [series.symbol for series in read_table(tmp_path / "a.csv").series] == ["NA", "NULL"]


def test_cells_that_are_no_number_are_missing_values(tmp_path):
    (tmp_path / "a.csv").write_text(HEADER + "A,2014-06-02,1,1,1,one,5\nA,2014-06-03,1,1,1,,5\nA,yesterday,1,1,1,1,5\n")
    assert verify(read_table(tmp_path / "a.csv"), Limits()).counts == {"missing_value": 3}


def test_the_calendar_has_a_row_per_year_and_the_worst_of_each_week():
    bars = daily(date(2013, 12, 16), a_walk(40))
    bars.close[28] *= 3  # 23 January; the holidays before have bars too
    bars.high[28] *= 3
    series = a_series(bars)
    years, cells = calendar(series, verify(a_table(series), Limits()))
    assert years == [2013, 2014]
    assert cells[1, :7].tolist().count(4) == 3  # New Year, Martin Luther King Day and the bad print
    assert cells[1, 8:].max() == 0


def test_the_picture_is_a_png_and_the_same_for_the_same_report():
    table = a_table(a_series(ordinary()))
    report = verify(table, Limits())
    drawn = calendar_picture(table, report)
    assert drawn.startswith(b"\x89PNG")
    assert drawn == calendar_picture(table, report)
