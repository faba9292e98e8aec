"""The calendar that the desk needs: openings, midnights, quarters of New York."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from brokers.simulated.gateway.data.tape import Tape
from brokers.simulated.gateway.orders.venue import Venue
from brokers.simulated.gateway.runtime.agenda import Agenda

ZONE = ZoneInfo("America/New_York")


def at(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()


def a_venue(day):
    venue = Venue(lambda: 0.0, Tape(1), Agenda(lambda: 0.0))
    venue.open_session(at(f"{day} 09:30"), at(f"{day} 16:00"))
    return venue


@pytest.mark.parametrize(
    ("day", "now", "opens"),
    [
        ("2026-11-19", "2026-11-19 08:00", "2026-11-19 09:30"),
        ("2026-11-19", "2026-11-19 16:30", "2026-11-20 09:30"),
        ("2026-11-20", "2026-11-20 16:30", "2026-11-23 09:30"),
        ("2026-03-06", "2026-03-06 16:30", "2026-03-09 09:30"),  # summer time begins that weekend
    ],
)
def test_the_next_opening_is_todays_or_the_next_weekdays(day, now, opens):
    assert a_venue(day).next_open(at(now)) == at(opens)


@pytest.mark.parametrize(
    ("now", "is_open"), [("09:29:59", False), ("09:30:00", True), ("15:59:59", True), ("16:00:00", False)]
)
def test_regular_hours_hold_their_beginning_and_not_their_end(now, is_open):
    assert a_venue("2026-11-19").is_open(at(f"2026-11-19 {now}")) is is_open


def test_a_day_begins_at_midnight_in_new_york():
    assert a_venue("2026-11-19").midnight(at("2026-11-19 23:59")) == at("2026-11-19 00:00")


@pytest.mark.parametrize(
    ("placed", "ends"),
    [
        ("2013-10-08", "2014-04-01"),
        ("2014-01-01", "2014-07-01"),
        ("2014-06-30", "2014-10-01"),
        ("2014-07-01", "2015-01-01"),
    ],
)
def test_the_quarter_after_the_one_of_an_order(placed, ends):
    assert a_venue("2013-10-08").quarter_end_after(at(f"{placed} 12:00")) == at(f"{ends} 00:00")
