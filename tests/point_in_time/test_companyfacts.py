import json

import numpy as np
import pytest

from research.ingest.point_in_time.as_of import as_of
from research.ingest.point_in_time.companyfacts import COLUMNS, facts_table, fourth_quarters, load_facts
from shared.errors import DataError
from tests.point_in_time.builders import DATA, at, needs_data

YEAR = {"start": "2015-01-01", "end": "2015-12-31", "val": 100, "accn": "k", "form": "10-K", "filed": "2016-03-01"}
NINE = {"start": "2015-01-01", "end": "2015-09-30", "val": 60, "accn": "q", "form": "10-Q", "filed": "2015-11-01"}


def facts_file(folder, *facts, name="facts.json"):
    answer = {"cik": 7, "facts": {"us-gaap": {"NetIncomeLoss": {"label": "", "units": {"USD": [*facts]}}}}}
    path = folder / name
    path.write_text(json.dumps(answer))
    return path


def test_the_same_fact_in_a_later_filing_is_a_restatement(tmp_path):
    again = {**YEAR, "val": 90, "accn": "later", "filed": "2017-03-01"}
    facts = load_facts(facts_file(tmp_path, again, YEAR))
    asked = at("2016-12-01", "2017-12-01")
    assert as_of(facts_table(facts, "NetIncomeLoss", "year"), [7], asked).numbers("val")[:, 0].tolist() == [100, 90]
    first = facts_table(facts, "NetIncomeLoss", "year", revision="first")
    assert as_of(first, [7], asked).numbers("val")[:, 0].tolist() == [100, 100]


def test_the_last_quarter_is_the_year_less_nine_months_and_known_with_the_year(tmp_path):
    (row,) = fourth_quarters(load_facts(facts_file(tmp_path, YEAR, NINE)), "NetIncomeLoss").to_dict("records")
    assert (row["val"], str(row["start"])[:10], str(row["known_by"])) == (40, "2015-10-01", "2016-03-02 05:00:00+00:00")


@pytest.mark.parametrize("change", [{"start": "2015-01-05"}, {"filed": "2016-03-02"}])
def test_nine_months_that_do_not_fit_or_came_later_give_no_quarter(tmp_path, change):
    facts = load_facts(facts_file(tmp_path, YEAR, {**NINE, **change}))
    assert fourth_quarters(facts, "NetIncomeLoss").empty


@pytest.mark.parametrize("text", ["{", '{"cik": 7}', '{"cik": 7, "facts": {"us-gaap": 3}}', "<html>error</html>"])
def test_an_answer_that_is_none_is_one_line(tmp_path, text):
    path = tmp_path / "facts.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"no company facts .*, allowed: the SEC's JSON"):
        load_facts(path)


@needs_data
def test_apples_restated_year_2009_is_seen_from_its_amendment_on():
    facts = load_facts(DATA / "fundamentals" / "companyfacts_flat.parquet")
    asked = at("2009-12-01", "2010-02-01")
    latest = as_of(facts_table(facts, "NetIncomeLoss", "year"), [320193], asked)
    first = as_of(facts_table(facts, "NetIncomeLoss", "year", revision="first"), [320193], asked)
    assert latest.numbers("val")[:, 0].tolist() == [5_704e6, 8_235e6]
    assert first.numbers("val")[:, 0].tolist() == [5_704e6, 5_704e6]
    quarter = fourth_quarters(facts, "NetIncomeLoss")
    of_2024 = quarter[quarter["end"].eq("2024-09-28") & quarter["cik"].eq(320193)]
    assert of_2024["val"].unique().tolist() == [14_736e6]


@needs_data
def test_the_json_of_the_api_holds_the_same_facts_as_the_flat_table():
    flat = load_facts(DATA / "fundamentals" / "companyfacts_flat.parquet")
    told = load_facts(DATA / "fundamentals" / "companyfacts_CIK0000320193_trimmed.json")
    keys = [name for name in COLUMNS if name not in {"val", "filed"}]
    both = told.merge(flat, on=keys, how="inner")
    assert len(both) >= 0.99 * len(told)
    np.testing.assert_array_equal(both["val_x"], both["val_y"])
