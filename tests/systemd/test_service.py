"""openbell service: what is written, where, and what is refused before anything is."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.runtime.service_cli import next_steps
from daemon.runtime.service_install import check_config, install, uninstall, units_folder, verify
from daemon.runtime.service_units import LIVE_UNITS, PAPER_UNITS, Place, drop_in_lines, unit_texts
from shared.errors import ConfigError, NotFound, Refused
from tests.runtime.builders import a_config

ROOT = Path(__file__).resolve().parents[2]
ETC = Path("/srv/openbell/etc")
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
CHANNEL = {
    "name": "mail",
    "kind": "email",
    "url": "smtp://h:25",
    "to": "a@b",
    "sender": "c@d",
    "secret": "mail_password",
}


def a_place(**changes):
    settings = {"executable": Path("/srv/openbell/.venv/bin/openbell"), "root": Path("/srv/openbell"), "folder": ETC}
    return Place(**{**settings, **changes})


def in_systemds_folders(folder, name="openbell", **changes):
    return a_config(folder, state_dir=f"/var/lib/{name}", log_dir=f"/var/log/{name}", **changes)


def test_the_units_name_this_installation_and_no_other(tmp_path):
    texts = unit_texts(a_place(), in_systemds_folders(tmp_path))
    assert set(texts) == set(PAPER_UNITS)
    assert (
        "ExecStart=/srv/openbell/.venv/bin/openbell run --config /srv/openbell/etc/config.toml\n"
        in texts["openbell.service"]
    )
    assert "WorkingDirectory=/srv/openbell\n" in texts["openbell.service"]
    assert not [name for name, text in texts.items() if "/opt/openbell" in text or "/etc/openbell" in text]


def test_live_units_are_a_set_of_their_own(tmp_path):
    place = a_place(name="main")
    config = in_systemds_folders(tmp_path, "openbell-live-main", mode="live", account="U1234567")
    texts = unit_texts(place, config)
    assert set(texts) == set(LIVE_UNITS)
    assert "run --config /srv/openbell/etc/live-%i.toml --live\n" in texts["openbell-live@.service"]
    assert (place.config, place.main_unit) == (ETC / "live-main.toml", "openbell-live@main.service")


def test_folders_outside_systemds_own_are_opened_for_writing(tmp_path):
    texts = unit_texts(a_place(), a_config(tmp_path, state_dir="state", log_dir="/var/log/openbell"))
    assert texts["openbell.service.d/10-install.conf"] == "[Service]\nReadWritePaths=/srv/openbell/etc/state\n"
    assert "openbell-open.service.d/10-install.conf" not in texts


@pytest.mark.parametrize("unit", ["openbell.service", "openbell-alert@.service", "openbell-nightly.service"])
def test_the_secrets_of_the_alert_channels_are_credentials_of_who_sends_them(tmp_path, unit):
    config = in_systemds_folders(tmp_path, alert=[CHANNEL])
    assert drop_in_lines(unit, a_place(), config) == ["LoadCredentialEncrypted=mail_password:openbell.mail_password"]


def test_a_live_credential_has_the_name_of_its_account(tmp_path):
    config = in_systemds_folders(tmp_path, "openbell-live-main", mode="live", account="U1234567", alert=[CHANNEL])
    texts = unit_texts(a_place(name="main"), config)
    line = "LoadCredentialEncrypted=mail_password:openbell-live-main.mail_password\n"
    telling = ("openbell-live@main", "openbell-live-nightly@main", "openbell-live-nightly-alert@main")
    written = {unit: texts[f"{unit}.service.d/10-install.conf"] for unit in telling}
    assert written == dict.fromkeys(telling, f"[Service]\n{line}")


def test_a_secret_that_the_unit_names_already_is_not_named_twice(tmp_path):
    config = in_systemds_folders(tmp_path, alert=[{**CHANNEL, "secret": "mqtt_password"}])
    assert drop_in_lines("openbell.service", a_place(), config) == []


def test_in_a_users_manager_each_service_gets_the_drop_in_for_users(tmp_path):
    texts = unit_texts(a_place(of_user=True), a_config(tmp_path))
    services = [name for name in PAPER_UNITS if name.endswith(".service")]
    assert all(texts[f"{name}.d/20-user.conf"].count("\nUser=\n") == 1 for name in services)
    assert "WantedBy=default.target" in texts["openbell.service"]


def test_a_percent_in_a_path_is_no_specifier(tmp_path):
    texts = unit_texts(a_place(root=Path("/srv/100%h")), in_systemds_folders(tmp_path))
    assert "WorkingDirectory=/srv/100%%h\n" in texts["openbell.service"]


def test_a_path_that_a_unit_cannot_name_is_refused(tmp_path):
    with pytest.raises(NotFound) as refused:
        unit_texts(a_place(root=Path("/srv/open bell")), in_systemds_folders(tmp_path))
    assert str(refused.value) == "/srv/open bell: a unit cannot name a path with blanks or quotes, move it"


@pytest.mark.parametrize(
    ("place", "changes", "says"),
    [
        (
            {"name": "main"},
            {},
            '/srv/openbell/etc/live-main.toml: mode is "paper", openbell-live@main.service needs "live"',
        ),
        (
            {},
            {"mode": "live", "account": "U1234567"},
            '/srv/openbell/etc/config.toml: mode is "live", openbell.service needs "paper"',
        ),
        (
            {"folder": Path("/tmp/etc")},
            {},
            "/tmp/etc/config.toml: the unit does not see /tmp; install openbell and its Python in /opt/openbell",
        ),
        (
            {"executable": Path("/home/ana/bin/openbell")},
            {},
            "/home/ana/bin/openbell: the unit does not see /home; install openbell and its Python in /opt/openbell",
        ),
        (
            {},
            {"state_dir": "/srv/nowhere"},
            (
                "/srv/nowhere: is not there, and openbell.service may not make it; make it for the user openbell, or "
                'let state_dir and log_dir be "/var/lib/openbell" and "/var/log/openbell"'
            ),
        ),
    ],
)
def test_what_the_unit_could_not_run_is_refused_at_the_install(tmp_path, place, changes, says):
    config = a_config(tmp_path, **{"state_dir": "/var/lib/openbell", "log_dir": "/var/log/openbell", **changes})
    with pytest.raises(ConfigError) as refused:
        check_config(a_place(**place), config)
    assert str(refused.value) == says


def test_a_users_unit_may_live_in_his_home(tmp_path):
    place = a_place(of_user=True, folder=Path("/home/ana/openbell"), executable=Path("/home/ana/.venv/bin/openbell"))
    check_config(place, a_config(tmp_path))


@needs_systemd
def test_a_unit_that_systemd_grumbles_about_is_refused_with_its_words():
    with pytest.raises(Refused) as refused:
        verify({"openbell.service": "[Service]\nExecStart=/bin/true\nWatchDogSec=2\n"}, of_user=False)
    assert str(refused.value).startswith("systemd-analyze verify: openbell.service:3: Unknown key")
    assert "'WatchDogSec'" in str(refused.value)


@needs_systemd
def test_nothing_is_written_where_the_executable_is_missing(tmp_path):
    target = tmp_path / "units"
    target.mkdir()
    with pytest.raises(Refused, match=r"^systemd-analyze verify: .*/srv/openbell/.venv/bin/openbell"):
        install(a_place(), in_systemds_folders(tmp_path), target)
    assert list(target.iterdir()) == []


def test_there_is_nothing_to_uninstall_where_nothing_was_installed(tmp_path):
    with pytest.raises(
        NotFound, match=r"holds none of openbell-live@\.service, .*, openbell-live-nightly-alert@\.service$"
    ):
        uninstall(a_place(name="main"), tmp_path)


def test_units_of_the_machine_and_of_a_user_have_their_folders():
    assert units_folder(a_place(), {}) == Path("/etc/systemd/system")
    assert units_folder(a_place(of_user=True), {"XDG_CONFIG_HOME": "/srv/x"}) == Path("/srv/x/systemd/user")


def test_live_is_armed_by_hand_as_its_own_user_and_started_by_hand():
    steps = next_steps(a_place(name="main"))
    assert steps == [
        "installed, neither enabled nor started; then:",
        "install -d -o openbell-live -g openbell-live -m 700 /var/lib/openbell-live-main",
        (
            "setpriv --reuid openbell-live --regid openbell-live --init-groups /srv/openbell/.venv/bin/openbell arm "
            "--config /srv/openbell/etc/live-main.toml"
        ),
        "systemctl start openbell-live@main.service",
    ]


# ---- the commands


def openbell(*arguments):
    command = [sys.executable, "-m", "openbell", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL
    )


@pytest.fixture
def etc(tmp_path):
    (tmp_path / "config.toml").write_text((ROOT / "config.toml").read_text())
    return tmp_path


@needs_systemd
@pytest.mark.process
@pytest.mark.skipif(not Path(sys.executable).with_name("openbell").is_file(), reason="openbell is not installed")
def test_show_prints_every_unit_and_changes_nothing(etc):
    shown = openbell("service", "show", "--user", "--folder", etc)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert [line[7:] for line in shown.stdout.splitlines() if line.startswith("# ---- ")][:6] == list(PAPER_UNITS)
    assert f"ReadWritePaths={etc}/state\n" in shown.stdout
    assert [path.name for path in etc.iterdir()] == ["config.toml"]


@pytest.mark.process
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["install", "--live", "A B"], 2, "must be 1 to 24 of a-z, 0-9 and _"),
        (["install", "--live", "main"], 78, "live-main.toml: not found, name an existing file with --config\n"),
        (["uninstall"], 4, "service: there is no terminal to ask on, --yes goes on without asking\n"),
    ],
)
def test_the_service_commands_refuse_in_one_line(etc, arguments, code, says):
    ended = openbell("service", *arguments, "--folder", etc)
    assert ended.returncode == code
    assert says in ended.stderr
