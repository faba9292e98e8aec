"""When silence is expected: restarts, resets and the weekly login, in the broker's own zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from daemon.runtime.quiet import last_weekly_login, quiet_windows, window_at
from shared.config_sections import SessionConfig

NEW_YORK = ZoneInfo("America/New_York")
TOKYO = ZoneInfo("Asia/Tokyo")


def a_section(**changes):
    usual = {"calendar": "XNYS", "entry_after_open_s": 0, "entry_before_close_s": 900, "flatten_before_close_s": 300}
    return SessionConfig.model_validate({**usual, **changes})


def local(text, zone=NEW_YORK):
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def test_the_daily_restart_is_quiet_before_and_after():
    section = a_section(quiet_before_restart_s=300, quiet_after_restart_s=600)
    windows = quiet_windows(section, local("2026-11-18 12:00"), local("2026-11-19 00:10"))
    assert [(window.begins_at, window.ends_at, window.reason) for window in windows] == [
        (local("2026-11-18 23:40"), local("2026-11-18 23:55"), "daily restart of the gateway")
    ]


def test_a_restart_in_another_zone_is_that_zones_wall_time():
    section = a_section(gateway_restart_at="06:00", gateway_zone="Asia/Tokyo", quiet_before_restart_s=0)
    windows = quiet_windows(section, local("2026-11-18 05:00", TOKYO), local("2026-11-18 07:00", TOKYO))
    assert [window.begins_at for window in windows] == [local("2026-11-18 06:00", TOKYO)]


def test_no_restart_time_means_no_restart_window():
    section = a_section(gateway_restart_at="")
    assert quiet_windows(section, local("2026-11-18 12:00"), local("2026-11-19 00:10")) == ()


@pytest.mark.parametrize(
    ("night", "minutes"),
    [("2026-11-18", 90), ("2026-11-20", 90), ("2026-11-21", 0), ("2026-11-22", 90)],
    ids=["Wednesday", "Friday", "Saturday", "Sunday"],
)
def test_the_nightly_reset_spares_saturday(night, minutes):
    section = a_section(gateway_restart_at="")
    windows = quiet_windows(section, local(f"{night} 00:00"), local(f"{night} 12:00"))
    nightly = [window for window in windows if window.reason.startswith("nightly")]
    assert sum((window.ends_at - window.begins_at).seconds // 60 for window in nightly) == minutes


def test_the_weekend_reset_runs_from_friday_night_into_saturday():
    section = a_section(gateway_restart_at="")
    windows = quiet_windows(section, local("2026-11-20 20:00"), local("2026-11-21 12:00"))
    assert [(window.begins_at, window.ends_at) for window in windows] == [
        (local("2026-11-20 23:00"), local("2026-11-21 03:00"))
    ]


def test_a_window_that_began_before_still_counts():
    section = a_section(gateway_restart_at="")
    windows = quiet_windows(section, local("2026-11-21 02:00"), local("2026-11-21 12:00"))
    assert window_at(windows, local("2026-11-21 02:59")) is not None
    assert window_at(windows, local("2026-11-21 03:00")) is None


def test_daylight_saving_moves_the_windows_in_utc_only():
    section = a_section(gateway_restart_at="23:45")
    before = quiet_windows(section, local("2026-03-06 12:00"), local("2026-03-06 23:59"))
    after = quiet_windows(section, local("2026-03-09 12:00"), local("2026-03-09 23:59"))
    assert [window.begins_at.hour for window in (before[0], after[0])] == [4, 3]


@pytest.mark.parametrize(
    ("now", "login"),
    [
        ("2026-11-21 12:00", "2026-11-15 01:00"),
        ("2026-11-22 00:59", "2026-11-15 01:00"),
        ("2026-11-22 01:00", "2026-11-22 01:00"),
        ("2026-11-24 09:30", "2026-11-22 01:00"),
    ],
)
def test_a_login_lasts_until_sunday_one_in_the_morning(now, login):
    assert last_weekly_login(local(now)) == local(login)
