import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from research.ingest.point_in_time.as_of import as_of
from research.ingest.point_in_time.fundamentals import filings_table, load_filings, quarters, years
from shared.errors import DataError
from tests.point_in_time.builders import DATA, a_filing, a_year, at, filings_file, needs_data


def asked(table, figure, *days, symbol="ACME"):
    return as_of(table, [symbol], at(*days)).numbers(figure)[:, 0].tolist()


def test_a_filing_is_known_when_its_day_has_ended(tmp_path):
    rows = load_filings(filings_file(tmp_path, a_filing(filed="2015-05-01", revenues=10)))
    found = asked(filings_table(rows), "revenues", "2015-05-01 23:59", "2015-05-02 00:00")
    np.testing.assert_array_equal(found, [np.nan, 10])


def test_a_filing_without_a_day_is_public_45_days_after_its_period(tmp_path):
    rows = load_filings(filings_file(tmp_path, a_filing(end="2015-03-31", filed="", revenues=10)))
    found = asked(filings_table(rows), "revenues", "2015-05-15 23:59", "2015-05-16 00:00")
    np.testing.assert_array_equal(found, [np.nan, 10])


def test_what_was_collected_later_than_filed_is_known_when_it_was_collected(tmp_path):
    filing = a_filing(filed="2015-05-01", revenues=10, collected_utc="2015-05-02T12:04:00Z")
    (known,) = load_filings(filings_file(tmp_path, filing))["known_by"]
    assert known == pd.Timestamp("2015-05-02 12:04", tz="UTC")


def test_a_ticker_named_na_and_an_empty_figure_survive(tmp_path):
    rows = load_filings(filings_file(tmp_path, a_filing(symbol="NA", revenues=7)))
    found = as_of(filings_table(rows), ["NA"], at("2016-01-01"))
    assert found.numbers("revenues").item() == 7
    assert np.isnan(found.numbers("cur_assets").item())


def test_a_restatement_is_seen_when_it_was_filed_and_never_as_first_reported(tmp_path):
    filings = (a_filing(revenues=10), a_filing(filed="2015-09-01", amend=True, revenues=8))
    rows = load_filings(filings_file(tmp_path, *filings))
    assert asked(filings_table(rows), "revenues", "2015-06-01", "2015-10-01") == [10, 8]
    assert asked(filings_table(rows, "first"), "revenues", "2015-06-01", "2015-10-01") == [10, 10]


def test_the_fourth_quarter_is_the_year_less_three_and_known_with_the_10_k(tmp_path):
    table = quarters(load_filings(filings_file(tmp_path, *a_year())))
    assert asked(table, "revenues", "2016-02-28", "2016-03-02") == [30, 40]
    assert asked(table, "assets", "2016-03-02") == [500]
    assert np.isnan(asked(table, "eps_basic", "2016-03-02")).all()


def test_cash_flow_of_a_quarter_is_the_year_to_date_less_that_before(tmp_path):
    table = quarters(load_filings(filings_file(tmp_path, *a_year())))
    assert asked(table, "cash_flow_op", "2015-06-01", "2015-09-01", "2015-12-01", "2016-04-01") == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "missing", [{"Q2": {"revenues": ""}}, {"Q2": {"filed": "2016-06-01"}}, {"Q3": {"revenues": 75}}]
)
def test_a_fourth_quarter_that_is_not_exact_is_not_there(tmp_path, missing):
    """A part is empty, was filed after the year, or is a year to date that leaves less than nothing."""
    filings = [{**filing, **missing.get(filing["period_focus"], {})} for filing in a_year()]
    assert np.isnan(asked(quarters(load_filings(filings_file(tmp_path, *filings))), "revenues", "2016-04-01")).all()


def test_the_fourth_quarter_goes_by_the_restated_third_if_that_came_before_the_year(tmp_path):
    restated = a_filing("Q3", "2015-09-30", "2016-01-15", amend=True, revenues=25)
    table = quarters(load_filings(filings_file(tmp_path, *a_year(), restated)))
    assert asked(table, "revenues", "2016-04-01") == [45]


def test_quarters_of_another_fiscal_year_are_not_taken_off(tmp_path):
    old = [
        a_filing(focus, end, "2014-12-01", revenues=1) for focus, end in (("Q2", "2014-06-30"), ("Q3", "2014-09-30"))
    ]
    first_and_year = [filing for filing in a_year() if filing["period_focus"] in {"Q1", "FY"}]
    table = quarters(load_filings(filings_file(tmp_path, *old, *first_and_year)))
    assert np.isnan(asked(table, "revenues", "2016-04-01")).all()


def test_annual_figures_alone(tmp_path):
    table = years(load_filings(filings_file(tmp_path, *a_year())))
    np.testing.assert_array_equal(asked(table, "revenues", "2015-12-31", "2016-04-01"), [np.nan, 100])


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"filed": "2015-03-01"}, "row 1: ACME 10-Q Q1 2015-03-31 2015-03-01, allowed: a filed day after"),
        ({"doc_type": "10-K"}, "row 1: ACME 10-K Q1 .*, allowed: a doc_type 10-Q with a period_focus"),
        ({"revenues": "12O"}, "row 1: revenues '12O', allowed: a finite number, or an empty cell"),
        ({"revenues": "inf"}, "row 1: revenues 'inf', allowed: a finite number"),
        ({"end_date": "31.03.2015"}, "row 1: end_date '31.03.2015', allowed: a day such as"),
        ({"amend": "maybe"}, "row 1: amend 'maybe', allowed: True or False"),
        ({"symbol": ""}, "allowed: a symbol"),
    ],
)
def test_a_filing_that_cannot_be_is_one_line(tmp_path, wrong, line):
    with pytest.raises(DataError, match=line) as caught:
        load_filings(filings_file(tmp_path, {**a_filing(), **wrong}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "cannot be read: No columns to parse"),
        ("symbol,end_date\nA,2015-03-31\n", "no column amend, period_focus"),
        ("symbol\nA,B,C\nA\nA,B,C,D\n", "cannot be read"),
    ],
)
def test_a_table_of_another_shape_is_one_line(tmp_path, text, line):
    path = tmp_path / "filings.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=line) as caught:
        load_filings(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "line"), [("filings.parquet", "cannot be read"), ("filings.txt", "what kind of")])
def test_half_a_file_is_one_line(tmp_path, name, line):
    (tmp_path / name).write_bytes(b"PAR1 half of it")
    with pytest.raises(DataError, match=line):
        load_filings(tmp_path / name)


@given(cut=st.integers(1, 4), restated=st.integers(1, 200))
@settings(deadline=None, max_examples=10)
def test_later_filings_change_no_quarter_asked_before(tmp_path_factory, cut, restated):
    folder = tmp_path_factory.mktemp("filings")
    filings = a_year()
    amended = a_filing("Q3", "2015-09-30", "2016-05-01", amend=True, revenues=restated)
    whole = quarters(load_filings(filings_file(folder, *filings, amended)))
    part = quarters(load_filings(filings_file(folder, *filings[:cut], name="part.csv")))
    day = filings[cut - 1]["filed"] + " 23:59:59.999999999"
    np.testing.assert_array_equal(asked(whole, "revenues", day), asked(part, "revenues", day))


@needs_data
def test_apples_fourth_quarter_of_2016_is_the_one_it_announced():
    table = quarters(load_filings(DATA / "fundamentals" / "filings_pit_2015_2016.csv"))
    assert asked(table, "revenues", "2016-11-01", symbol="AAPL") == [46_852e6]
    assert asked(table, "net_income", "2016-11-01", symbol="AAPL") == [9_014e6]
    assert (table.rows["revenues"].dropna() >= 0).mean() > 0.99
