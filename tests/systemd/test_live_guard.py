"""Live trading starts only when everything that must agree does; every refusal has its words."""

import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from daemon.runtime.arm_cli import _confirm
from daemon.runtime.arming import arming_of, arming_path, check_armed, read_arming, write_arming
from daemon.runtime.guard import check_account, check_start, live_facts
from shared.errors import ConfigError, Refused
from tests.runtime.builders import a_config

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 21)
ACCOUNT = "U1234567"


def a_live_config(folder, **changes):
    return a_config(folder, **{"mode": "live", "account": ACCOUNT, **changes})


def armed(folder, days_ago=0, **changes):
    config = a_live_config(folder, **changes)
    write_arming(config, arming_of(config, TODAY - timedelta(days=days_ago), "ana"))
    return config


def start(config, live_flag=True, environ=None):
    return check_start(config, live_flag=live_flag, today=TODAY, environ=environ or {})


def refusal(config, **keys):
    with pytest.raises(ConfigError) as refused:
        start(config, **keys)
    return str(refused.value)


@pytest.mark.parametrize(
    ("changes", "live_flag", "says"),
    [
        ({}, False, 'mode: "live" in the configuration needs --live on the command line'),
        ({"account": ""}, True, 'account: is empty, mode "live" needs the id of the account that shall be traded'),
        ({"account": "DU1234567"}, True, 'account: DU***67 is a paper account, mode is "live"'),
        (
            {"mode": "paper", "account": ""},
            True,
            '--live: mode is "paper" in the configuration, "live" is needed there too',
        ),
    ],
)
def test_keys_that_do_not_agree_are_refused_in_these_words(tmp_path, changes, live_flag, says):
    assert refusal(a_live_config(tmp_path, **changes), live_flag=live_flag) == says


@pytest.mark.parametrize(
    ("mode", "port", "says"),
    [
        ("paper", 7496, 'broker.port: 7496 is the live port of TWS, mode is "paper", its paper port is 7497'),
        ("paper", 4001, 'broker.port: 4001 is the live port of IB Gateway, mode is "paper", its paper port is 4002'),
        ("live", 7497, 'broker.port: 7497 is the paper port of TWS, mode is "live", its live port is 7496'),
        ("live", 4002, 'broker.port: 4002 is the paper port of IB Gateway, mode is "live", its live port is 4001'),
    ],
)
def test_the_usual_port_of_the_other_mode_is_refused(tmp_path, mode, port, says):
    config = a_config(tmp_path, mode=mode, account=ACCOUNT if mode == "live" else "", broker={"port": port})
    assert refusal(config, live_flag=mode == "live") == says


@pytest.mark.parametrize("port", [7496, 4001, 5000])
def test_an_armed_live_configuration_starts_on_a_live_port_or_one_of_its_own(tmp_path, port):
    arming = start(armed(tmp_path, broker={"port": port}))
    assert (arming.account, arming.armed_on, arming.armed_by) == ("U1***67", TODAY, "ana")


@pytest.mark.parametrize("port", [7497, 4002, 4010])
def test_paper_needs_no_arming(tmp_path, port):
    assert start(a_config(tmp_path, broker={"port": port}), live_flag=False) is None


def test_live_without_its_arming_file_is_refused(tmp_path):
    path = tmp_path / "state" / "live" / "armed.toml"
    says = f"{path}: is not there, live trading must be armed by a person; run: openbell arm"
    assert refusal(a_live_config(tmp_path)) == says


def test_an_arming_holds_for_thirty_days_and_not_for_thirty_one(tmp_path):
    assert start(armed(tmp_path, days_ago=30)).armed_on == date(2026, 10, 22)
    config = armed(tmp_path, days_ago=31)
    path = arming_path(config)
    assert refusal(config) == f"{path}: armed on 2026-10-21, 31 days ago, valid are 30; run: openbell arm"


def test_an_arming_of_a_day_to_come_is_refused(tmp_path):
    config = armed(tmp_path, days_ago=-1)
    says = "armed on 2026-11-22, which is after today, 2026-11-21; set the clock or run: openbell arm"
    assert refusal(config) == f"{arming_path(config)}: {says}"


def test_an_arming_for_another_account_is_refused(tmp_path):
    armed(tmp_path, account="U7654321")
    config = a_live_config(tmp_path)
    says = "is for account U7***21, the configuration names U1***67; run: openbell arm"
    assert refusal(config) == f"{arming_path(config)}: {says}"


def test_a_limit_that_changed_since_disarms(tmp_path):
    config = armed(tmp_path)
    wider = config.model_copy(update={"risk": config.risk.model_copy(update={"max_order_quantity": 1001})})
    says = "[risk] has changed since 2026-11-21; look at the limits, then run: openbell arm"
    assert refusal(wider.based_at(tmp_path)) == f"{arming_path(config)}: {says}"


def test_an_arming_file_that_others_may_write_is_refused(tmp_path):
    config = armed(tmp_path)
    arming_path(config).chmod(0o620)
    assert refusal(config) == f"{arming_path(config)}: others may write it, run: chmod 600 {arming_path(config)}"


@pytest.mark.parametrize("text", ["", "armed = true", "account = ", 'account = "x"\nunknown = 1', "\xff"])
def test_a_damaged_arming_file_is_refused_in_one_line(tmp_path, text):
    config = armed(tmp_path)
    arming_path(config).write_bytes(text.encode("latin-1"))
    says = refusal(config)
    assert says.startswith(f"{arming_path(config)}: is no arming file (")
    assert says.endswith("); run: openbell arm")
    assert "\n" not in says


def test_the_arming_file_is_its_owners_alone_and_holds_no_account_number(tmp_path):
    path = arming_path(armed(tmp_path))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0
    assert ACCOUNT not in path.read_text()
    assert read_arming(a_live_config(tmp_path)).armed_by == "ana"


def test_a_heartbeat_slower_than_half_the_watchdog_is_refused_before_systemd_kills_a_healthy_daemon(tmp_path):
    config = a_config(tmp_path, runtime={"heartbeat_every_s": 61.0})
    environ = {"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": f"{os.getpid()}"}
    says = "runtime.heartbeat_every_s: 61 is too slow for WatchdogSec=120 of systemd, must be at most 60"
    assert refusal(config, live_flag=False, environ=environ) == says


@pytest.mark.parametrize("environ", [{}, {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "x"}])
def test_a_watchdog_that_is_not_ours_sets_no_pace(tmp_path, environ):
    assert start(a_config(tmp_path), live_flag=False, environ=environ) is None


@pytest.mark.parametrize(
    ("mode", "account", "reported", "says"),
    [
        ("paper", "", "U7654321", 'reports account U7***21, which is not a paper account; mode is "paper"'),
        ("paper", "DU1111111", "DU1234567", "reports account DU***67, the configuration names DU***11"),
        ("live", ACCOUNT, "DU1234567", 'reports the paper account DU***67; mode is "live"'),
        ("live", ACCOUNT, "U7654321", "reports account U7***21, the configuration names U1***67"),
    ],
)
def test_the_brokers_own_word_is_the_third_key(tmp_path, mode, account, reported, says):
    with pytest.raises(ConfigError) as refused:
        check_account(a_config(tmp_path, mode=mode, account=account), reported)
    assert str(refused.value) == f"broker 127.0.0.1:4010: {says}"


def test_a_live_start_says_account_every_limit_its_owner_and_the_days(tmp_path):
    config = armed(tmp_path)
    facts = live_facts(config, check_armed(config, TODAY))
    person = {key: facts[key] for key in ("account", "owner", "reviewed_on", "reason", "armed_on", "armed_by")}
    assert person == {
        "account": ACCOUNT,
        "owner": "a test",
        "reviewed_on": "2026-11-21",
        "reason": "to be tested",
        "armed_on": "2026-11-21",
        "armed_by": "ana",
    }
    limits = facts["limits"]
    assert isinstance(limits, dict)
    assert (limits["max_order_quantity"], limits["max_day_loss"]) == (1000, "none")
    assert {*limits, "owner", "reviewed_on", "reason"} == set(type(config.risk).model_fields)


# ---- openbell arm, as a person meets it


def openbell(*arguments):
    command = [sys.executable, "-m", "openbell", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL
    )


@pytest.fixture
def live_file(tmp_path):
    text = (ROOT / "config.toml").read_text()
    text = text.replace('mode = "paper"', 'mode = "live"').replace('account = ""', f'account = "{ACCOUNT}"')
    text = text.replace("follow_gateway_clock = true", "follow_gateway_clock = false")
    text = text.replace("port = 4010", "port = 7496")
    path = tmp_path / "live.toml"
    path.write_text(text)
    return path


@pytest.mark.process
def test_arming_without_a_terminal_needs_yes_and_shows_what_is_armed(tmp_path, live_file):
    refused = openbell("arm", "--config", live_file)
    assert (refused.returncode, refused.stderr) == (
        4,
        "arm: there is no terminal to ask on, --yes says that a person has looked at the above\n",
    )
    assert not (tmp_path / "state").exists()
    done = openbell("arm", "--config", live_file, "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    shown = done.stdout.splitlines()
    assert shown[0] == "LIVE account            U1***67"
    assert "  max_day_loss            20000.0" in shown
    assert "  max_var_pct             NONE, lifted" in shown
    assert shown[-1].startswith(f"{tmp_path}/state/live/armed.toml: armed by ")
    assert ACCOUNT not in done.stdout


@pytest.mark.process
def test_arming_a_paper_configuration_is_refused_and_leaves_nothing_of_live(tmp_path):
    (tmp_path / "config.toml").write_text((ROOT / "config.toml").read_text())
    refused = openbell("arm", "--config", tmp_path / "config.toml", "--yes")
    assert (refused.returncode, refused.stderr) == (78, 'mode: is "paper", only a live configuration is armed\n')
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]


@pytest.mark.process
def test_running_live_unarmed_is_exit_78_and_opens_nothing(tmp_path, live_file):
    refused = openbell("run", "--config", live_file, "--live")
    path = tmp_path / "state" / "live" / "armed.toml"
    says = f"{path}: is not there, live trading must be armed by a person; run: openbell arm\n"
    assert (refused.returncode, refused.stderr, refused.stdout) == (78, says, "")
    assert [path.name for path in tmp_path.iterdir()] == ["live.toml"]


@pytest.mark.parametrize("typed", ["", "1234", "U1234567", "yes"])
def test_other_digits_than_the_accounts_last_four_arm_nothing(tmp_path, typed):
    with pytest.raises(Refused, match="these are not the last four digits of the account; nothing was armed"):
        _confirm(a_live_config(tmp_path), yes=True, ask=lambda: typed)


def test_the_accounts_last_four_digits_arm(tmp_path):
    _confirm(a_live_config(tmp_path), yes=False, ask=lambda: " 4567\n")
