"""Every fault of the machine and of what the operator decided, made in a temporary folder."""

import os
from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from daemon.doctor.check import judged
from daemon.doctor.machine import look
from daemon.doctor.machine_checks import CHECKS
from shared.io.journal import Journal
from shared.io.journal_place import journal_place
from tests.runtime.builders import a_config, a_run

GB = 1_000_000_000
PAGER = {"name": "pager", "kind": "slack", "level": "page", "secret": "slack_url"}
MQTT = {"enabled": True, "username": "bell", "commands": True}


def judge(facts):
    return {line.name: line for line in judged(CHECKS, facts)}


def seen(config):
    return judge(look(config))


def a_secret(folder, name, mode=0o600):
    (folder / "secrets").mkdir(exist_ok=True)
    file = folder / "secrets" / name
    file.write_text("a long secret\n")
    file.chmod(mode)


def test_a_sound_machine_has_no_faults(tmp_path):
    assert {name: line.text for name, line in seen(a_config(tmp_path)).items() if line.level == "fail"} == {}


def test_looking_leaves_nothing_behind(tmp_path):
    seen(a_config(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_strategy_file_that_does_not_load(tmp_path):
    (tmp_path / "mine.py").write_text("import nothing_of_this_name\n")
    broken = {**a_config(tmp_path).strategies[0].model_dump(), "kind": "mine.py", "params": {}}
    line = seen(a_config(tmp_path, strategy=[broken]))["strategies"]
    assert line.level == "fail"
    assert line.text.startswith("strategy[sma]: strategy mine.py: ")


def test_a_calendar_that_nobody_knows(tmp_path):
    line = seen(a_config(tmp_path, session={"calendar": "XNYX"}))["calendar"]
    assert (line.level, "XNYX" in line.text) == ("fail", True)


def test_a_calendar_that_ends_soon(tmp_path):
    facts = look(a_config(tmp_path))
    assert judge(replace(facts, today=facts.calendar_ends - timedelta(days=59)))["calendar"].level == "warn"
    assert judge(replace(facts, today=facts.calendar_ends - timedelta(days=60)))["calendar"].level == "ok"


@pytest.mark.parametrize(("key", "name"), [("state_dir", "state_dir"), ("log_dir", "log_dir")])
def test_a_folder_that_stands_behind_a_file(tmp_path, key, name):
    (tmp_path / "blocked").write_text("")
    line = seen(a_config(tmp_path, **{key: "blocked/here"}))[name]
    assert (line.level, line.text) == ("fail", f"{tmp_path / 'blocked'} is not a folder")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not write here")
def test_a_folder_that_belongs_to_somebody_else(tmp_path):
    child = os.fork()
    if child == 0:  # what follows must not return into pytest
        told = 1
        try:
            os.setuid(65_534)
            told = 0 if look(a_config(tmp_path)).state_dir.endswith("Permission denied") else 2
        finally:
            os._exit(told)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(("free", "level"), [(3 * GB, "ok"), (GB, "warn"), (GB // 10, "fail")])
def test_a_disk_that_is_nearly_full(tmp_path, free, level):
    assert judge(replace(look(a_config(tmp_path)), disk_free=free))["disk"].level == level


@pytest.mark.parametrize(("free", "level"), [(GB, "ok"), (GB * 4 // 10, "warn"), (GB // 10, "fail")])
def test_a_machine_with_little_memory(tmp_path, free, level):
    assert judge(replace(look(a_config(tmp_path)), memory_available=free))["memory"].level == level


def test_a_state_folder_on_a_network_file_system(tmp_path):
    line = judge(replace(look(a_config(tmp_path)), network_file_system="nfs4"))["file_system"]
    assert (line.level, line.text) == ("fail", "state_dir stands on nfs4, where locks cannot be trusted")


def a_journal(config):
    place = journal_place(config)
    with Journal.create(place, config.mode) as journal:
        journal.start_run(a_run(config), b"")
    return place


def test_a_sound_journal(tmp_path):
    a_journal(a_config(tmp_path))
    assert seen(a_config(tmp_path))["journal"].text == "readable"


def test_a_file_that_is_no_journal(tmp_path):
    a_journal(a_config(tmp_path)).write_text("a diary\n" * 1000)
    line = seen(a_config(tmp_path))["journal"]
    assert (line.level, "cannot be read as a journal" in line.text) == ("fail", True)


def test_a_journal_cut_short(tmp_path):
    path = a_journal(a_config(tmp_path))
    os.truncate(path, 20_000)
    assert seen(a_config(tmp_path))["journal"].level == "fail"


def test_a_journal_of_the_other_mode(tmp_path):
    place = a_journal(a_config(tmp_path))
    (tmp_path / "state" / "live").mkdir()
    place.rename(tmp_path / "state" / "live" / place.name)
    line = seen(a_config(tmp_path, mode="live", account="U1234567"))["journal"]
    assert (line.level, line.text) == ("fail", "holds paper runs, mode is live")


def test_a_daemon_that_runs_already(tmp_path):
    config = a_config(tmp_path)
    with Journal.create(journal_place(config), "paper") as journal:
        journal.start_run(a_run(config), b"")
        line = seen(config)["other_daemon"]
    assert (line.level, f"pid {os.getpid()}" in line.text) == ("warn", True)


def test_secrets_that_are_nowhere(tmp_path):
    line = seen(a_config(tmp_path, mqtt=MQTT, alert=[PAGER]))["secrets_there"]
    assert (line.level, line.text) == ("fail", "missing: mqtt_password, command_key, slack_url")


def test_secrets_that_nobody_needs_are_not_missed(tmp_path):
    assert seen(a_config(tmp_path, mqtt={"enabled": True}))["secrets_there"].level == "ok"


def test_a_secret_that_others_may_read(tmp_path):
    a_secret(tmp_path, "slack_url", mode=0o644)
    lines = seen(a_config(tmp_path, alert=[PAGER]))
    assert lines["secrets_private"].level == "fail"
    assert "others may read it (mode 0644)" in lines["secrets_private"].text
    assert "a long secret" not in lines["secrets_private"].text


def test_a_secret_of_its_owner_only(tmp_path):
    a_secret(tmp_path, "slack_url")
    lines = seen(a_config(tmp_path, alert=[PAGER]))
    assert (lines["secrets_private"].level, lines["secrets_there"].level) == ("ok", "ok")


@pytest.mark.parametrize(("mode", "level"), [("paper", "warn"), ("live", "fail")])
def test_nobody_is_called_when_something_goes_wrong(tmp_path, mode, level):
    assert seen(a_config(tmp_path, mode=mode))["alerts"].level == level
    assert seen(a_config(tmp_path, mode=mode, alert=[PAGER]))["alerts"].level == "ok"


@pytest.mark.parametrize(
    ("host", "tls", "level"), [("10.0.0.5", False, "warn"), ("10.0.0.5", True, "ok"), ("127.0.0.1", False, "ok")]
)
def test_mqtt_in_the_clear(tmp_path, host, tls, level):
    assert seen(a_config(tmp_path, mqtt={"enabled": True, "host": host, "tls": tls}))["mqtt_private"].level == level


@pytest.mark.parametrize(("days", "level"), [(90, "ok"), (91, "warn"), (-1, "warn")])
def test_limits_that_nobody_has_looked_at_for_long(tmp_path, days, level):
    facts = look(a_config(tmp_path, risk={"reviewed_on": "2026-11-21"}))
    assert judge(replace(facts, today=date(2026, 11, 21) + timedelta(days=days)))["limits_reviewed"].level == level


def test_limits_lifted_in_live(tmp_path):
    line = seen(a_config(tmp_path, mode="live", risk={"max_day_loss": 500.0, "max_drawdown_pct": 5.0}))["limits_set"]
    assert (line.level, line.text) == (
        "fail",
        "lifted in live: max_orders_per_min, max_unknown_orders, max_rejects_in_a_row",
    )


def test_positions_held_overnight(tmp_path):
    assert seen(a_config(tmp_path, session={"flatten_before_close_s": 0}))["overnight"].level == "warn"


def test_compiled_kernels_that_cannot_be_kept(tmp_path):
    line = judge(replace(look(a_config(tmp_path)), kernel_cache="/x: Read-only file system"))["kernel_cache"]
    assert (line.level, "NUMBA_CACHE_DIR" in line.remedy) == ("warn", True)


@pytest.mark.parametrize(("mode", "level"), [("paper", "skip"), ("live", "warn")])
def test_a_machine_without_systemd(tmp_path, mode, level):
    assert judge(replace(look(a_config(tmp_path, mode=mode)), has_systemd=False))["systemd"].level == level


def test_every_check_that_may_fail_has_a_remedy():
    assert [check.name for check in CHECKS if not check.remedy] == []
