import pandas as pd
import pytest

from research.ingest.point_in_time.insiders import COLUMNS, load_insiders
from shared.errors import DataError
from tests.point_in_time.builders import DATA, needs_data

ROW = {
    "ticker": "ACME",
    "owner": "Ann",
    "owner_cik": "0000000001",
    "position": "CEO",
    "code": "P",
    "transaction_date": "2024-03-04",
    "shares": 100,
    "price": 10,
    "shares_after": 500,
    "first_seen_utc": "2024-03-05 21:00:00+00:00",
    "point_in_time": True,
}


def loaded(folder, *rows):
    path = folder / "insiders.csv"
    pd.DataFrame([{**ROW, **row} for row in rows], columns=[*COLUMNS]).to_csv(path, index=False)
    return load_insiders(path)


def test_a_row_that_was_seen_at_the_time_is_known_from_then(tmp_path):
    assert str(loaded(tmp_path, {})["known_by"][0]) == "2024-03-05 21:00:00+00:00"


def test_a_row_from_a_backfill_is_known_when_its_form_was_due(tmp_path):
    """Monday's transaction was due by the end of Wednesday; when the crawler began years later says nothing."""
    backfilled = {"point_in_time": False, "first_seen_utc": "2025-04-15 05:59:42+00:00"}
    assert str(loaded(tmp_path, backfilled)["known_by"][0]) == "2024-03-07 05:00:00+00:00"


def test_joint_filers_are_counted_once_under_the_one_with_a_position(tmp_path):
    fund = {"owner": "A Fund", "owner_cik": "0000000000", "position": ""}
    assert loaded(tmp_path, fund, {})["owner"].tolist() == ["Ann"]


def test_two_people_who_sell_as_many_shares_at_one_price_are_two(tmp_path):
    other = {"owner": "Bob", "owner_cik": "0000000002", "shares_after": 900}
    assert sorted(loaded(tmp_path, {"code": "S"}, {"code": "S", **other})["owner"]) == ["Ann", "Bob"]


def test_equal_orders_of_one_person_both_stay(tmp_path):
    assert len(loaded(tmp_path, {}, {})) == 2


def test_a_joint_filing_that_is_seen_later_does_not_remove_the_earlier_one(tmp_path):
    later = {"owner": "Aaron", "owner_cik": "0000000000", "first_seen_utc": "2024-03-09 21:00:00+00:00"}
    assert loaded(tmp_path, later, {})["owner"].tolist() == ["Ann"]


def test_a_ticker_named_na_survives(tmp_path):
    assert loaded(tmp_path, {"ticker": "NA"})["ticker"].tolist() == ["NA"]


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"code": "Q"}, "row 1: code 'Q', allowed: A C D"),
        ({"first_seen_utc": "2024-03-03 00:00:00+00:00"}, "row 1: first_seen_utc .*allowed: an instant after it"),
        ({"first_seen_utc": ""}, "row 1: first_seen_utc '' .*allowed: an instant after it"),
        ({"transaction_date": "03/04/2024"}, "row 1: transaction_date '03/04/2024'"),
    ],
)
def test_a_row_that_cannot_be_is_one_line(tmp_path, wrong, line):
    with pytest.raises(DataError, match=line):
        loaded(tmp_path, wrong)


@needs_data
def test_the_real_table_keeps_every_line_but_those_of_joint_filers():
    found = load_insiders(DATA / "insider" / "form4_transactions.parquet")
    raw = pd.read_parquet(DATA / "insider" / "form4_transactions.parquet")
    assert 0.97 * len(raw) < len(found) < len(raw)
    assert set(found["ticker"]) == set(raw["ticker"])
    assert (found["known_by"].dt.tz_localize(None) > found["transaction_date"]).all()
