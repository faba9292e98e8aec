from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from research.ingest.point_in_time.earnings import Blackout, blackout, load_earnings, reaction_session
from research.ingest.point_in_time.known_by import sessions_between
from shared.errors import DataError

SPRING = sessions_between(date(2016, 4, 1), date(2016, 5, 31))
RULE = Blackout(before_sessions=2, after_sessions=1, slack_days=0)


def earnings(folder, *rows, columns="symbol,announce_date"):
    path = folder / "earnings.csv"
    path.write_text("\n".join([columns, *rows]) + "\n")
    return load_earnings(path)


def closed_days(found, sessions):
    return [f"{day:%m-%d}" for day, is_closed in zip(sessions, found[:, 0], strict=True) if is_closed]


def test_the_price_reacts_in_the_session_after_the_day():
    friday = date(2016, 4, 29)
    assert reaction_session(friday, SPRING) == date(2016, 5, 2)
    assert reaction_session(date(2016, 5, 31), SPRING) is None


def test_a_date_nobody_could_know_closes_nothing_before_it_was_announced(tmp_path):
    found = blackout(earnings(tmp_path, "ACME,2016-04-26"), ["ACME"], SPRING, RULE)
    assert closed_days(found, SPRING) == ["04-27", "04-28"]


def test_a_scheduled_date_closes_the_sessions_before_its_own_and_the_reaction(tmp_path):
    scheduled = earnings(tmp_path, "ACME,2016-04-26,2016-04-01T12:00:00Z", columns="symbol,announce_date,known_by")
    found = blackout(scheduled, ["ACME"], SPRING, RULE)
    assert closed_days(found, SPRING) == ["04-22", "04-25", "04-26", "04-27", "04-28"]


def test_a_date_is_expected_a_year_after_that_of_the_same_quarter(tmp_path):
    found = blackout(earnings(tmp_path, "ACME,2015-04-28"), ["ACME"], SPRING, RULE)
    assert closed_days(found, SPRING) == ["04-22", "04-25", "04-26", "04-27", "04-28"]


def test_the_real_date_ends_the_expected_one(tmp_path):
    found = blackout(earnings(tmp_path, "ACME,2015-04-28", "ACME,2016-04-21"), ["ACME"], SPRING, RULE)
    assert closed_days(found, SPRING) == ["04-22", "04-25"]


def test_an_expected_date_is_uncertain_by_the_slack(tmp_path):
    rule = Blackout(before_sessions=0, after_sessions=0, slack_days=3)
    found = blackout(earnings(tmp_path, "ACME,2015-04-28"), ["ACME"], SPRING, rule)
    assert closed_days(found, SPRING) == ["04-25", "04-26", "04-27", "04-28", "04-29", "05-02"]  # 04-26, three days


def test_symbols_have_their_own_columns_and_na_is_one(tmp_path):
    found = blackout(earnings(tmp_path, "NA,2016-04-26"), ["ACME", "NA"], SPRING, RULE)
    assert found.sum(axis=0).tolist() == [0, 2]


def test_a_day_that_is_no_session_is_refused(tmp_path):
    with pytest.raises(DataError, match="2016-05-30 is no session, allowed: those of XNYS"):
        blackout(earnings(tmp_path, "NA,2016-04-26"), ["NA"], [date(2016, 5, 30)])


def test_a_rule_below_zero_is_refused():
    with pytest.raises(DataError, match="allowed: 0 or more sessions and days"):
        Blackout(before_sessions=-1)


@given(days=st.lists(st.integers(0, 700), max_size=8), more=st.lists(st.integers(0, 200), max_size=5))
@settings(deadline=None, max_examples=30)
def test_announcements_known_later_change_no_session_before(days, more):
    sessions = sessions_between(date(2015, 1, 1), date(2016, 12, 31))
    start = pd.Timestamp("2015-01-01")
    cut = 400
    known = [start + timedelta(days=day) for day in days if day < cut]
    later = [start + timedelta(days=cut + day) for day in more]
    before = [day < (start + timedelta(days=cut + 1)).date() for day in sessions]
    whole, part = (blackout(_table(dates), ["ACME"], sessions) for dates in (known + later, known))
    np.testing.assert_array_equal(whole[before], part[before])


def _table(dates):
    days = pd.Series(pd.to_datetime(dates)).astype("datetime64[ns]")
    known = (days + timedelta(days=1)).dt.tz_localize("America/New_York").dt.tz_convert("UTC")
    return pd.DataFrame({"symbol": ["ACME"] * len(days), "announce_date": days, "known_by": known})
