"""The shipped units: systemd reads them without a word, scores them well, and they say what the documentation says."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).resolve().parents[2] / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
TIMERS = sorted(path.name for path in UNITS.glob("*.timer"))
DAEMONS = ("openbell.service", "openbell-live@.service")
EXPOSURE_MAX = 1.5
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")


def analyze(*arguments):
    command = ["systemd-analyze", "--no-pager", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def settings(name):
    """(section, key, value) of every line; a unit may repeat a key."""
    section, found = "", []
    for line in (UNITS / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif "=" in line and not line.startswith("#"):
            found.append((section, *line.split("=", 1)))
    return found


def values(name, key):
    return [value for _, each, value in settings(name) if each == key]


@pytest.fixture
def copies(tmp_path):
    """The units with a binary that exists, as in an installation."""
    binary = tmp_path / "openbell"
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    for path in UNITS.iterdir():
        if path.is_file():
            text = path.read_text(encoding="utf-8").replace("/opt/openbell/.venv/bin/openbell", f"{binary}")
            (tmp_path / path.name).write_text(text)
    return tmp_path


@needs_systemd
@pytest.mark.parametrize("name", [*SERVICES, *TIMERS])
def test_systemd_reads_the_unit_without_a_word(copies, name):
    ended = analyze("verify", copies / name)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@needs_systemd
def test_the_test_above_would_notice_a_mistyped_key(copies):
    unit = copies / "openbell.service"
    unit.write_text(unit.read_text().replace("WatchdogSec", "WatchDogSec"))
    ended = analyze("verify", unit)
    assert ended.returncode == 0
    assert "WatchDogSec" in ended.stderr


@needs_systemd
@pytest.mark.parametrize("name", SERVICES)
def test_the_exposure_of_each_service_is_at_most_one_and_a_half(name):
    ended = analyze("security", "--offline=true", UNITS / name)
    score = re.search(r"Overall exposure level for \S+: ([\d.]+)", ended.stdout)
    assert score is not None
    assert float(score[1]) <= EXPOSURE_MAX


HARDENING = [
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "PrivateUsers=yes",
    "RestrictNamespaces=yes",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources",
    "SystemCallErrorNumber=EPERM",
    "UMask=0077",
]


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("line", HARDENING)
def test_every_service_is_confined_in_the_same_way(name, line):
    assert ("Service", *line.split("=", 1)) in settings(name)


def confinement(name):
    lines = [f"{key}={value}" for section, key, value in settings(name) if section == "Service"]
    own = {"PrivateNetwork=yes", "RestrictAddressFamilies=AF_UNIX", "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX"}
    return [line for line in lines[lines.index("NoNewPrivileges=yes") :] if line not in own]


@pytest.mark.parametrize("name", SERVICES)
def test_the_hardening_is_line_by_line_that_of_the_daemon(name):
    assert confinement(name) == confinement("openbell.service")


@pytest.mark.parametrize("name", DAEMONS)
@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("Service", "Type", "notify"),
        ("Service", "NotifyAccess", "main"),
        ("Service", "WatchdogSec", "120"),
        ("Service", "Restart", "on-failure"),
        ("Service", "RestartSec", "15"),
        ("Service", "RestartPreventExitStatus", "64 78"),
        ("Service", "TimeoutStopSec", "60"),
        ("Unit", "StartLimitBurst", "5"),
        ("Unit", "StartLimitIntervalSec", "600"),
    ],
)
def test_both_daemons_restart_within_limits_and_never_on_a_fault_of_the_operator(name, section, key, value):
    assert (section, key, value) in settings(name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("openbell.service", "openbell-alert@%n.service"),
        ("openbell-live@.service", "openbell-live-alert@%i.service"),
        ("openbell-open.service", "openbell-alert@%n.service"),
        ("openbell-nightly.service", "openbell-alert@%n.service"),
        ("openbell-live-nightly@.service", "openbell-live-nightly-alert@%i.service"),
    ],
)
def test_a_failure_is_told_to_a_person(name, value):
    assert ("Unit", "OnFailure", value) in settings(name)


@pytest.mark.parametrize(
    "name", ["openbell-alert@.service", "openbell-live-alert@.service", "openbell-live-nightly-alert@.service"]
)
def test_an_alert_that_fails_alerts_nobody_about_itself(name):
    assert values(name, "OnFailure") == []


@pytest.mark.parametrize("key", ["User", "Group", "StateDirectory", "LogsDirectory", "CacheDirectory", "Environment"])
def test_live_and_paper_share_no_user_and_no_folder(key):
    paper, live = values("openbell.service", key), values("openbell-live@.service", key)
    assert paper
    assert live
    assert not set(paper) & set(live)


def test_live_and_paper_share_no_credential():
    paper = {value.split(":")[1] for value in values("openbell.service", "LoadCredentialEncrypted")}
    live = {value.split(":")[1] for value in values("openbell-live@.service", "LoadCredentialEncrypted")}
    assert (len(paper), len(live), paper & live) == (3, 3, set())


def test_only_the_live_unit_holds_the_live_key_and_nothing_starts_it():
    having = [name for name in SERVICES if "--live" in "".join(values(name, "ExecStart")).split()]
    starting = [
        (name, key)
        for name in [*SERVICES, *TIMERS]
        for _, key, value in settings(name)
        if "openbell-live@" in value and key != "ExecStart"
    ]
    assert (having, starting) == (["openbell-live@.service"], [])


@needs_systemd
@pytest.mark.parametrize(
    ("name", "from_day", "utc"),
    [
        ("openbell-open.timer", "2026-03-06", "Fri 2026-03-06 14:00:00 UTC"),
        ("openbell-open.timer", "2026-03-07", "Mon 2026-03-09 13:00:00 UTC"),
        ("openbell-open.timer", "2026-10-31", "Mon 2026-11-02 14:00:00 UTC"),
        ("openbell-nightly.timer", "2026-03-06", "Fri 2026-03-06 22:30:00 UTC"),
        ("openbell-nightly.timer", "2026-03-07", "Mon 2026-03-09 21:30:00 UTC"),
        ("openbell-live-nightly@.timer", "2026-03-07", "Mon 2026-03-09 21:30:00 UTC"),
    ],
)
def test_the_timers_follow_the_daylight_saving_of_the_exchange(name, from_day, utc):
    calendar = values(name, "OnCalendar")
    ended = analyze("calendar", f"--base-time={from_day} 00:00:00 UTC", *calendar)
    assert utc in ended.stdout


def test_a_day_without_a_session_is_no_failure_of_the_open_unit():
    assert values("openbell-open.service", "SuccessExitStatus") == ["75"]


def test_the_night_of_a_session_is_made_up_for_after_a_time_without_power():
    assert values("openbell-nightly.timer", "Persistent") == ["yes"]
    assert values("openbell-nightly.service", "ExecCondition") == []
    assert values("openbell-nightly.service", "ExecStart")[0].endswith(
        "openbell nightly --config /etc/openbell/config.toml"
    )


@pytest.mark.parametrize("key", ["User", "StateDirectory", "LogsDirectory", "CacheDirectory", "Environment"])
def test_the_night_of_a_live_account_sees_what_its_daemon_sees_and_nothing_of_paper(key):
    assert values("openbell-live-nightly@.service", key) == values("openbell-live@.service", key)
    assert values("openbell-live-nightly@.service", "InaccessiblePaths") == values(
        "openbell-live@.service", "InaccessiblePaths"
    )
    assert values("openbell-live-nightly@.service", "ExecStart") == [
        "/opt/openbell/.venv/bin/openbell nightly --config /etc/openbell/live-%i.toml"
    ]


def commands():
    return [
        value.replace("/opt/openbell/.venv/bin/openbell ", "")
        for name in SERVICES
        for key in ("ExecStart", "ExecCondition")
        for value in values(name, key)
    ]


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_every_command_and_option_a_unit_gives_exists(command):
    import typer

    from openbell import build_app

    here = typer.main.get_command(build_app())
    words = command.split()
    while words and not words[0].startswith("-") and hasattr(here, "commands"):
        here = here.commands[words.pop(0)]
    known = {option for parameter in here.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known
