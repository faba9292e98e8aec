import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from research.ingest.point_in_time.as_of import NOTHING, PointInTimeTable, as_of, first_known
from shared.errors import DataError
from tests.point_in_time.builders import at, known_rows


def test_a_row_counts_from_the_instant_it_is_known_and_not_a_nanosecond_before():
    table = PointInTimeTable(known_rows(("A", 1.0, "2016-02-03 16:30")))
    instant = at("2016-02-03 16:30")[0]
    found = as_of(table, ["A"], np.array([instant - 1, instant]))
    assert found.places.tolist() == [[NOTHING], [0]]
    assert np.isnan(found.numbers("value")[0, 0])
    assert found.numbers("value")[1, 0] == 1.0


def test_each_key_has_its_own_past_and_an_unknown_key_has_none():
    table = PointInTimeTable(known_rows(("B", 2.0, "2016-01-02"), ("A", 1.0, "2016-01-01"), ("B", 3.0, "2016-01-03")))
    found = as_of(table, ["A", "B", "NA", "A"], at("2016-01-01 12:00", "2016-01-05"))
    np.testing.assert_array_equal(found.numbers("value"), [[1, np.nan, np.nan, 1], [1, 3, np.nan, 1]])
    assert found.texts("symbol").tolist() == [["A", None, None, "A"], ["A", "B", None, "A"]]


def test_times_may_come_in_any_order():
    table = PointInTimeTable(known_rows(("A", 1.0, "2016-01-01"), ("A", 2.0, "2016-02-01")))
    assert as_of(table, ["A"], at("2016-03-01", "2016-01-15")).numbers("value").tolist() == [[2.0], [1.0]]


def test_an_amendment_of_an_old_period_does_not_hide_the_newest_period():
    rows = known_rows(
        ("A", 2014, "first", "2015-02-01"),
        ("A", 2015, "new", "2016-02-01"),
        ("A", 2014, "amended", "2016-03-01"),
        ("A", 2015, "corrected", "2016-04-01"),
        columns=("symbol", "year", "said", "known_by"),
    )
    found = as_of(PointInTimeTable(rows, newest_by=("year",)), ["A"], at("2015-06-01", "2016-03-15", "2016-05-01"))
    assert found.texts("said")[:, 0].tolist() == ["first", "new", "corrected"]


def test_of_rows_known_at_the_same_instant_the_last_of_the_table_holds():
    rows = known_rows(("A", 1.0, "2016-01-01"), ("A", 2.0, "2016-01-01"))
    assert as_of(PointInTimeTable(rows), ["A"], at("2016-01-01")).numbers("value").item() == 2.0


def test_lag_days_move_a_row_into_the_future():
    table = PointInTimeTable(known_rows(("A", 1.0, "2016-01-01 10:00")))
    found = as_of(table, ["A"], at("2016-01-03 09:59", "2016-01-03 10:00"), lag_days=2)
    assert found.places[:, 0].tolist() == [NOTHING, 0]


def test_as_first_known_the_smallest_filing_wins_wherever_it_stands():
    rows = known_rows(
        ("A", 2014, 9.0, "2016-02-01"), ("A", 2014, 5.0, "2015-02-01"), columns=("symbol", "year", "value", "known_by")
    )
    assert first_known(rows, ("symbol", "year"))["value"].tolist() == [5.0]


@pytest.mark.parametrize("lag", [-1.0, np.nan, np.inf])
def test_a_lag_that_would_look_ahead_is_refused(lag):
    with pytest.raises(DataError, match=r"lag_days .*, allowed: 0 or more days"):
        as_of(PointInTimeTable(known_rows(("A", 1.0, "2016-01-01"))), ["A"], at("2016-01-01"), lag_days=lag)


def test_a_row_that_does_not_say_since_when_it_was_known_is_refused():
    rows = known_rows(("A", 1.0, "2016-01-01"), ("A", 2.0, None))
    with pytest.raises(DataError, match="known_by of row 1 is missing"):
        as_of(PointInTimeTable(rows), ["A"], at("2016-01-01"))


def test_instants_without_a_time_zone_are_refused():
    rows = pd.DataFrame({"symbol": ["A"], "known_by": [pd.Timestamp("2016-01-01")]})
    with pytest.raises(DataError, match="allowed: timestamps with a time zone"):
        as_of(PointInTimeTable(rows), ["A"], at("2016-01-01"))


ROWS = st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 4), st.integers(0, 30)), max_size=20)


@given(rows=ROWS, more=ROWS, asked=st.lists(st.integers(0, 40), min_size=1, max_size=6))
@settings(deadline=None, max_examples=60)
def test_rows_known_later_change_nothing_asked_earlier(rows, more, asked):
    latest = max(asked)
    before = _asked(rows, asked)
    later = [(key, period, latest + 1 + known) for key, period, known in more]
    assert _asked([*later, *rows], asked) == before
    assert _asked([*rows, *later], asked) == before


@given(rows=ROWS, asked=st.integers(0, 40))
@settings(deadline=None, max_examples=60)
def test_the_join_says_what_a_search_through_all_rows_says(rows, asked):
    by_hand = [
        max(
            ((period, known, place) for place, (of, period, known) in enumerate(rows) if of == key and known <= asked),
            default=None,
        )
        for key in "ABC"
    ]
    assert _asked(rows, [asked]) == [[None if one is None else one[:2] for one in by_hand]]


def _asked(rows, asked):
    """(period, known) of each of three keys at each time."""
    table = pd.DataFrame(rows, columns=["symbol", "period", "day"])
    known = pd.to_datetime(table["day"].astype("int64"), unit="ns", utc=True).dt.as_unit("ns")
    found = as_of(
        PointInTimeTable(table.assign(known_by=known), newest_by=("period",)), [*"ABC"], np.array(asked, dtype=np.int64)
    )
    pairs = [tuple(row) for row in table[["period", "day"]].to_numpy().tolist()]
    return [[None if place == NOTHING else pairs[place] for place in line] for line in found.places]
