"""The calendar by rule against exchange_calendars."""

import datetime as dt

import exchange_calendars
import pytest

from brokers.simulated.market.trading_days import (
    closes_at,
    is_early_close,
    is_trading_day,
    opens_at,
    trading_day_after,
    trading_days_of,
)

SPAN = [dt.date(2010, 1, 1) + dt.timedelta(days=n) for n in range((dt.date(2027, 6, 30) - dt.date(2010, 1, 1)).days)]
UNSCHEDULED = [
    "2012-10-29",  # hurricane Sandy
    "2012-10-30",
    "2018-12-05",  # mourning for George H. W. Bush
    "2025-01-09",  # and for Jimmy Carter
]

pytestmark = pytest.mark.filterwarnings("ignore:Series.values returning")  # exchange_calendars under pandas 3.1


@pytest.fixture(scope="module")
def calendar():
    return exchange_calendars.get_calendar("XNYS", start="2010-01-01", end="2027-06-30")


def test_trading_days_are_those_of_exchange_calendars_but_for_unscheduled_closures(calendar):
    theirs = {day.date() for day in calendar.sessions}
    assert [day.isoformat() for day in SPAN if is_trading_day(day) != (day in theirs)] == UNSCHEDULED


def test_early_closes_are_those_of_exchange_calendars(calendar):
    theirs = {day.date() for day in calendar.early_closes}
    assert [day.isoformat() for day in SPAN if is_early_close(day) != (day in theirs)] == []


@pytest.mark.parametrize("day", ["2026-11-27", "2025-07-03", "2024-12-24"])
def test_a_half_day_ends_at_one_oclock_in_new_york(day):
    session = dt.date.fromisoformat(day)
    assert is_early_close(session)
    assert closes_at(session) - opens_at(session) == 3.5 * 3600


def test_after_the_half_day_of_thanksgiving_comes_monday():
    assert trading_day_after(dt.date(2026, 11, 25)) == dt.date(2026, 11, 27)
    assert trading_day_after(dt.date(2026, 11, 27)) == dt.date(2026, 11, 30)


def test_a_year_has_as_many_trading_days_as_exchange_calendars_counts(calendar):
    assert len(trading_days_of(2024)) == len(calendar.sessions_in_range("2024-01-01", "2024-12-31")) == 252
