"""Reference answers from the exchanges' own published hours."""

from datetime import UTC, date, datetime

import pytest

from shared.errors import ConfigError
from shared.sessions import SessionHours, session_at_or_after, session_of


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def test_a_summer_session_of_new_york_runs_from_1330_to_2000_utc():
    assert session_at_or_after("XNYS", utc(2013, 10, 8, 15)) == SessionHours(
        date(2013, 10, 8), utc(2013, 10, 8, 13, 30), utc(2013, 10, 8, 20)
    )


def test_a_winter_session_of_new_york_opens_an_hour_later_in_utc():
    assert session_at_or_after("XNYS", utc(2013, 12, 3)).opens_at == utc(2013, 12, 3, 14, 30)


def test_the_closing_instant_belongs_to_the_next_session():
    assert session_at_or_after("XNYS", utc(2013, 10, 8, 20)).session == date(2013, 10, 9)


def test_before_the_open_the_session_of_the_same_day_is_next():
    assert session_at_or_after("XNYS", utc(2013, 10, 8, 3)).session == date(2013, 10, 8)


def test_the_day_after_thanksgiving_closes_at_1300_in_new_york():
    assert session_at_or_after("XNYS", utc(2026, 11, 27, 15)).closes_at == utc(2026, 11, 27, 18)


def test_christmas_eve_2026_is_a_half_day():
    assert session_at_or_after("XNYS", utc(2026, 12, 24, 15)).closes_at == utc(2026, 12, 24, 18)


def test_a_weekend_leads_to_monday_across_the_change_to_summer_time():
    monday = session_at_or_after("XNYS", utc(2026, 3, 7, 12))
    assert (monday.session, monday.opens_at) == (date(2026, 3, 9), utc(2026, 3, 9, 13, 30))


@pytest.mark.parametrize("year", [2009, 2018, 2027])
def test_the_years_from_2009_to_2027_are_known(year):
    assert session_at_or_after("XNYS", utc(year, 7, 1)).session.year == year


def test_a_closed_day_has_no_hours():
    assert session_of("XNYS", date(2026, 7, 4)) is None
    assert session_of("XNYS", date(2013, 10, 8)) == session_at_or_after("XNYS", utc(2013, 10, 8, 15))


def test_every_instant_is_aware_utc():
    hours = session_at_or_after("XTKS", utc(2026, 1, 6))
    assert hours.opens_at.utcoffset() == hours.closes_at.utcoffset() == UTC.utcoffset(None)


def test_an_unknown_calendar_is_one_clear_line():
    with pytest.raises(ConfigError, match=r"^session.calendar: 'XNYSE' is not .* such as .*XNYS"):
        session_at_or_after("XNYSE", utc(2026, 1, 6))


@pytest.mark.parametrize("year", [1999, 2031])
def test_an_instant_outside_the_known_years_is_refused(year):
    with pytest.raises(ConfigError, match="known are 2007-01-01 to 2027-12-31"):
        session_at_or_after("XNYS", utc(year, 6, 1))
