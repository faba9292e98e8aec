import json
from datetime import date

import pandas as pd
import pytest

from research.ingest.universe.table_file import write_table
from research.ingest.universe.tickers import load_company_tickers, tickers_known_by, write_tickers
from shared.errors import DataError, NotFound
from shared.io.bar_disk import RealDisk
from tests.point_in_time.builders import DATA, needs_data
from tests.universe.builders import a_list

FIELDS = ["cik", "name", "ticker", "exchange"]
LISTED = [
    [3, "Zed Inc", "ZED", "NYSE"],
    [1872302, "Nano Labs Ltd", "NA", "Nasdaq"],
    [5, "Pink Co", "PINK", "OTC"],
    [6, "Options Exchange", "BATS", "CBOE"],
    [7, "Nowhere", "NOWH", None],
    [8, "Berkshire", "BRK-B", "NYSE"],
]


def sec_json(folder, rows=LISTED, fields=FIELDS):
    path = folder / "company_tickers_exchange.json"
    path.write_text(json.dumps({"fields": fields, "data": rows}))
    return path


def test_nyse_and_nasdaq_are_kept_and_the_dropped_are_counted(tmp_path):
    found = load_company_tickers(sec_json(tmp_path))
    assert found.rows["ticker"].tolist() == ["BRK-B", "NA", "ZED"]
    assert found.dropped == {"(none)": 1, "CBOE": 1, "OTC": 1}


def test_csv_of_the_same_columns_says_the_same(tmp_path):
    path = tmp_path / "tickers.csv"
    pd.DataFrame(LISTED, columns=FIELDS).to_csv(path, index=False)
    told, of_json = load_company_tickers(path), load_company_tickers(sec_json(tmp_path))
    pd.testing.assert_frame_equal(told.rows, of_json.rows)
    assert told.dropped == of_json.dropped


def test_a_list_is_written_under_its_day_and_the_ticker_na_comes_back(tmp_path):
    path = write_tickers(tmp_path / "new", date(2016, 6, 1), load_company_tickers(sec_json(tmp_path)).rows)
    assert path.name == "TickerCIKs_2016-06-01.parquet"
    assert "NA" in pd.read_parquet(path)["ticker"].tolist()


def test_the_newest_list_that_was_known_by_the_day_is_taken(tmp_path):
    days = [date(2016, 5, 1), date(2016, 6, 1), date(2016, 7, 1)]
    for_days = [write_tickers(tmp_path, day, a_list(f"T{day.month}")) for day in days]
    assert len(for_days) == 3
    on, rows = tickers_known_by(tmp_path, date(2016, 6, 30))
    assert (on, rows["ticker"].tolist()) == (date(2016, 6, 1), ["T6"])


def test_a_list_of_survivors_is_refused_for_an_older_day(tmp_path):
    write_tickers(tmp_path, date(2024, 9, 1), a_list("ACME"))
    with pytest.raises(
        DataError, match="the first list of tickers is of 2024-09-01, allowed for a universe of 2016-06"
    ):
        tickers_known_by(tmp_path, date(2016, 6, 30))


def test_a_folder_without_lists_is_one_line(tmp_path):
    with pytest.raises(NotFound, match=r"no TickerCIKs_DATE\.parquet"):
        tickers_known_by(tmp_path, date(2016, 6, 30))


@pytest.mark.parametrize(
    ("rows", "fields", "line"),
    [
        ([*LISTED, [9, "Again", "ZED", "NYSE"]], FIELDS, "ticker 'ZED' of Zed Inc, allowed: one row per ticker"),
        ([[9, "No ticker", "", "NYSE"]], FIELDS, "ticker '' of No ticker"),
        ([["x", "Acme", "ACME", "NYSE"]], FIELDS, "row 1: cik 'x', allowed: a finite number"),
        ([[-4, "Acme", "ACME", "NYSE"]], FIELDS, "row 1: cik '-4', allowed: a number above 0"),
        ([[5, "Pink Co", "PINK", "OTC"]], FIELDS, "no ticker of NYSE or Nasdaq"),
        (LISTED, ["cik", "name", "ticker", "venue"], "not the SEC's shape"),
        ([[1, 2]], FIELDS, "not the SEC's shape"),
    ],
)
def test_a_list_that_cannot_be_is_one_line(tmp_path, rows, fields, line):
    with pytest.raises(DataError, match=line) as caught:
        load_company_tickers(sec_json(tmp_path, rows, fields))
    assert "\n" not in str(caught.value)


def test_an_error_page_instead_of_the_list_is_one_line(tmp_path):
    path = tmp_path / "list.json"
    path.write_text("<html>Request Rate Threshold Exceeded</html>")
    with pytest.raises(DataError, match="not the SEC's shape"):
        load_company_tickers(path)


class FullDisk(RealDisk):
    def write(self, path, content):
        path.write_bytes(content[: len(content) // 2])
        raise OSError(28, "No space left on device")


def test_a_full_disk_leaves_the_old_list_whole_and_no_half_file(tmp_path):
    path = write_tickers(tmp_path, date(2016, 6, 1), a_list("OLD"))
    with pytest.raises(DataError, match=r"TickerCIKs_2016-06-01\.parquet: cannot be written: No space left on device"):
        write_table(path, a_list("NEW"), FullDisk())
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    assert pd.read_parquet(path)["ticker"].tolist() == ["OLD"]


@needs_data
def test_the_real_list_of_september_2024():
    found = load_company_tickers(DATA / "reference" / "sec_company_tickers_exchange.csv")
    assert found.rows["exchange"].value_counts().to_dict() == {"Nasdaq": 4159, "NYSE": 3352}
    assert found.dropped == {"(none)": 177, "CBOE": 23, "OTC": 2460}
    assert found.rows.loc[found.rows["ticker"].eq("NA"), "name"].tolist() == ["Nano Labs Ltd"]
