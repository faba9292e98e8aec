"""Is there a session on a day: holidays, half days, daylight saving. Expected hours are those NYSE published."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from daemon.runtime.session_plan import day_at, plan_lines, plan_of
from shared.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("day", "opens", "closes", "is_half_day"),
    [
        ("2026-11-25", "14:30", "21:00", False),
        ("2026-11-27", "14:30", "18:00", True),  # the day after Thanksgiving
        ("2026-12-24", "14:30", "18:00", True),
        ("2026-03-06", "14:30", "21:00", False),  # the last day of winter time
        ("2026-03-09", "13:30", "20:00", False),  # the first of summer time closes earlier in UTC only
        ("2026-11-02", "14:30", "21:00", False),
    ],
)
def test_hours_and_half_days_are_the_exchanges(day, opens, closes, is_half_day):
    plan = plan_of("XNYS", date.fromisoformat(day))
    assert (f"{plan.opens_at:%H:%M}", f"{plan.closes_at:%H:%M}", plan.is_half_day) == (opens, closes, is_half_day)


@pytest.mark.parametrize(
    ("day", "says"),
    [
        ("2026-11-26", "XNYS 2026-11-26: no session (holiday); next on 2026-11-27"),
        ("2026-11-21", "XNYS 2026-11-21: no session (weekend); next on 2026-11-23"),
        ("2026-12-25", "XNYS 2026-12-25: no session (holiday); next on 2026-12-28"),
    ],
)
def test_a_day_without_a_session_names_the_next_one(day, says):
    plan = plan_of("XNYS", date.fromisoformat(day))
    assert (plan.is_session, plan_lines(plan, UTC)) == (False, [says])


def test_hours_are_shown_in_exchange_time_and_here():
    lines = plan_lines(plan_of("XNYS", date(2026, 11, 27)), ZoneInfo("Europe/Berlin"))
    assert lines == [
        "XNYS 2026-11-27: HALF DAY; next on 2026-11-30",
        "  opens  2026-11-27 09:30 EST   here 2026-11-27 15:30 CET",
        "  closes 2026-11-27 13:00 EST   here 2026-11-27 19:00 CET",
    ]


@pytest.mark.parametrize(
    ("calendar", "now", "day"),
    [
        ("XNYS", datetime(2026, 11, 24, 3, 0, tzinfo=UTC), date(2026, 11, 23)),
        ("XTKS", datetime(2026, 11, 23, 23, 0, tzinfo=UTC), date(2026, 11, 24)),
    ],
)
def test_today_is_the_exchanges_today(calendar, now, day):
    assert day_at(calendar, now) == day


def test_a_day_beyond_the_calendar_is_refused():
    with pytest.raises(ConfigError) as refused:
        plan_of("XNYS", date(2028, 1, 3))
    says = "session.calendar: XNYS is not known on 2028-01-03, only from 2007-01-01 to 2027-12-31"
    assert str(refused.value) == says


def openbell(*arguments):
    command = [sys.executable, "-m", "openbell", "session", "plan", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.process
@pytest.mark.parametrize(("day", "code"), [("2026-11-27", 0), ("2026-11-26", 75), ("2028-01-03", 78), ("27.11.", 2)])
def test_the_exit_code_says_whether_there_is_a_session(day, code):
    assert openbell("--date", day).returncode == code


@pytest.mark.process
def test_the_plan_as_json_names_its_schema():
    facts = json.loads(openbell("--date", "2026-11-27", "--json").stdout)
    assert facts == {
        "schema": "openbell.session-plan/1",
        "calendar": "XNYS",
        "day": "2026-11-27",
        "is_session": True,
        "is_half_day": True,
        "exchange_zone": "America/New_York",
        "opens_at": "2026-11-27T14:30:00Z",
        "closes_at": "2026-11-27T18:00:00Z",
        "next_session": "2026-11-30",
    }
