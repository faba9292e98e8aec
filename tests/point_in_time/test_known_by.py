import json

import pandas as pd
import pytest

from research.ingest.point_in_time.known_by import accepted, end_of_day, form4_due
from research.ingest.point_in_time.submissions import load_submissions, results_announced
from shared.errors import DataError
from tests.point_in_time.builders import DATA, needs_data


def series(*days):
    return pd.Series(pd.to_datetime([*days])).astype("datetime64[ns]")


def utc(found):
    return [one.strftime("%Y-%m-%d %H:%M") for one in found]


def test_a_day_without_time_is_known_at_its_end_in_new_york():
    assert utc(end_of_day(series("2016-02-03", "2016-07-03"))) == ["2016-02-04 05:00", "2016-07-04 04:00"]


def test_a_stamp_with_z_is_read_as_new_york_which_is_the_later_of_both_readings():
    stamps = pd.Series(["2015-04-27T16:30:42.000Z", "2019-10-23T20:06:06.000Z"])
    assert utc(accepted(stamps, series("2015-04-27", "2019-10-23"))) == ["2015-04-27 20:30", "2019-10-24 00:06"]


def test_what_was_accepted_in_the_evening_is_not_public_before_the_morning_of_its_filing_date():
    known = accepted(pd.Series(["2016-02-03T18:00:00.000Z"]), series("2016-02-04"))
    assert utc(known) == ["2016-02-04 11:00"]


def test_an_hour_that_comes_twice_in_autumn_is_taken_as_the_second():
    assert utc(accepted(pd.Series(["2016-11-06T01:30:00Z"]), series("2016-11-04"))) == ["2016-11-06 06:30"]


def test_an_hour_that_is_left_out_in_spring_is_taken_as_the_first_after_it():
    assert utc(accepted(pd.Series(["2016-03-13T02:30:00Z"]), series("2016-03-11"))) == ["2016-03-13 07:00"]


@pytest.mark.parametrize(
    ("day", "public"),
    [
        ("2024-03-05", "2024-03-08 05:00"),  # Tuesday: the end of Thursday
        ("2024-03-07", "2024-03-12 04:00"),  # Thursday: the end of Monday, in summer time
        ("2024-03-02", "2024-03-06 05:00"),  # Saturday: the end of Tuesday
        ("2024-07-03", "2024-07-09 04:00"),  # the Fourth is no business day
        ("2024-10-11", "2024-10-17 04:00"),  # Columbus Day: the exchange is open, the SEC is not
        ("2024-03-28", "2024-04-03 04:00"),  # Good Friday: the SEC is open, the exchange is not
    ],
)
def test_a_form_4_without_a_date_was_public_when_it_was_due(day, public):
    assert utc(form4_due(series(day))) == [public]


@needs_data
def test_the_filings_of_all_six_companies_are_read_at_the_later_reading():
    found = load_submissions(DATA / "events" / "sec_submissions_sample.csv")
    by_number = found.set_index("accessionNumber")["known_by"]
    apple, microsoft = by_number["0001193125-15-149590"], by_number["0001193125-19-272562"]
    assert utc([apple, microsoft]) == ["2015-04-27 20:30", "2019-10-24 00:06"]
    assert (found["known_by"] >= pd.to_datetime(found["filed"]).dt.tz_localize("America/New_York")).all()
    results = results_announced(found)
    assert "2015-04-27" in set(results.loc[results["symbol"].eq("AAPL"), "announce_date"].astype(str))


def test_a_stamp_of_another_shape_is_one_line(tmp_path):
    path = tmp_path / "submissions.csv"
    path.write_text(
        "cik,ticker,accessionNumber,filingDate,reportDate,acceptanceDateTime,form,items\n"
        "1,NA,a,2016-02-03,,20160203163000,4,\n"
    )
    with pytest.raises(DataError, match="row 1: acceptanceDateTime '20160203163000', allowed: such as"):
        load_submissions(path)


RECENT = {
    "accessionNumber": ["a", "b"],
    "filingDate": ["2016-02-03", "2016-02-04"],
    "reportDate": ["2016-02-03", ""],
    "acceptanceDateTime": ["2016-02-03T16:30:00.000Z", "2016-02-04T06:01:00.000Z"],
    "form": ["8-K", "4"],
    "items": ["2.02,9.01", ""],
}


def submissions_json(folder, **changes):
    path = folder / "CIK0000000007.json"
    answer = {"cik": "0000000007", "tickers": ["NA"], "filings": {"recent": RECENT}, **changes}
    path.write_text(json.dumps(answer))
    return path


def test_the_json_of_the_submissions_api_is_read(tmp_path):
    found = load_submissions(submissions_json(tmp_path))
    assert found[["cik", "ticker", "form"]].to_numpy().tolist() == [[7, "NA", "8-K"], [7, "NA", "4"]]
    assert utc(found["known_by"]) == ["2016-02-03 21:30", "2016-02-04 11:01"]
    assert results_announced(found)["symbol"].tolist() == ["NA"]


@pytest.mark.parametrize(
    "changes", [{"filings": {}}, {"filings": {"recent": {**RECENT, "form": ["8-K"]}}}, {"cik": "x"}]
)
def test_an_answer_without_filings_is_one_line(tmp_path, changes):
    with pytest.raises(DataError, match=r"no submissions \(.*\), allowed: the SEC's JSON") as caught:
        load_submissions(submissions_json(tmp_path, **changes))
    assert "\n" not in str(caught.value)
