"""The unit as `openbell service install` writes it, in a real systemd manager (RELIABILITY.md 6).

A score proves nothing about starting: here the daemon becomes READY against a simulated gateway, is hung, and is
killed and started again by the watchdog; once with the whole hardening, once in the manager of a plain user.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = Path(__file__).with_name("under_systemd.py")
MANAGER = Path("/lib/systemd/systemd")
OWN_MOUNTS = ("unshare", "--mount", "--propagation", "private")


def why_not() -> str:
    if os.geteuid() != 0:
        return "a systemd manager with its own /run needs root"
    if not MANAGER.is_file() or shutil.which("systemctl") is None:
        return "systemd is not installed"
    tried = subprocess.run([*OWN_MOUNTS, "mount", "-t", "tmpfs", "tmpfs", "/run"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "mounts of one's own are not permitted here"


pytestmark = [pytest.mark.process, pytest.mark.skipif(bool(why_not()), reason=why_not() or "it can run")]


@pytest.fixture(scope="module", params=["whole", "user"])
def seen(request):
    system_python = Path(f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}")
    if request.param == "user" and not system_python.is_file():
        pytest.skip(f"no {system_python}, which a user without privileges could run")
    command = [*OWN_MOUNTS, sys.executable, str(DRIVER), request.param]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    for group in sorted(Path("/sys/fs/cgroup").glob("*/openbell-test/**/"), reverse=True):
        group.rmdir()  # children first
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(ended.stdout)


def test_the_installed_unit_is_neither_enabled_nor_started_by_the_install(seen):
    assert seen["installed"]["code"] == 0
    assert "installed, neither enabled nor started; then:" in seen["installed"]["said"]


def test_the_hardened_unit_starts_the_daemon_and_becomes_ready(seen):
    assert seen["start"] == {"code": 0, "said": ""}
    ready = seen["ready"]
    assert (ready["ActiveState"], ready["SubState"], ready["NRestarts"]) == ("active", "running", "0")


@pytest.mark.parametrize("start", ["ready", "restarted"])
def test_ready_is_said_only_after_this_run_itself_has_seen_the_broker(seen, start):
    assert "connected" in seen[start]["logged"]


def test_the_running_daemon_is_confined_by_the_kernel(seen):
    confined = seen["confined"]
    assert (confined["NoNewPrivs"], confined["Seccomp"], confined["CapEff"]) == ("1", "2", "0000000000000000")


@pytest.mark.parametrize("seen", ["whole"], indirect=True)
def test_with_the_whole_hardening_the_root_is_read_only_and_no_capability_can_be_had(seen):
    confined = seen["confined"]
    assert (confined["CapBnd"], confined["root_is_read_only"]) == ("0000000000000000", True)
    assert confined["user_namespace_is_its_own"]


def test_a_hung_daemon_is_killed_and_started_again_by_the_watchdog(seen):
    restarted = seen["restarted"]
    assert (restarted["NRestarts"], restarted["ActiveState"]) == ("1", "active")
    assert int(restarted["MainPID"]) not in {0, seen["hung_pid"]}


def test_sigterm_ends_the_daemon_without_a_failure(seen):
    assert seen["stop"] == {"code": 0, "said": ""}
    assert (seen["stopped"]["ActiveState"], seen["stopped"]["Result"]) == ("inactive", "success")


def test_a_wrong_configuration_is_not_started_again_and_again(seen):
    wrong = seen["misconfigured"]
    assert (wrong["ActiveState"], wrong["ExecMainStatus"], wrong["NRestarts"]) == ("failed", "78", "0")


def test_a_failed_daemon_starts_the_unit_that_tells_a_person(seen):
    began = seen["alert"]["said"].strip().removeprefix("ExecMainStartTimestampMonotonic=")
    assert int(began) > 0


def test_every_heartbeat_names_its_run_and_the_code_that_ran(seen):
    runs, codes = zip(*seen["stamps"], strict=True)
    assert len(set(runs)) == 2
    assert len(set(codes)) == 1
    assert all((*runs, *codes))


def test_paper_writes_its_own_files_and_none_of_live(seen):
    assert {Path(name).parts[0] for name in seen["files"]} == {"config.toml", "logs", "state"}
    assert {Path(name).parts[1] for name in seen["files"] if name.startswith("state/")} == {"paper"}


def test_a_unit_at_work_is_not_uninstalled(seen):
    assert seen["uninstall_at_work"]["code"] == 4
    assert "openbell.service: at work; stop and disable first, then uninstall\n" in seen["uninstall_at_work"]["said"]


def test_uninstalled_nothing_of_ours_is_left(seen):
    assert seen["uninstalled"]["code"] == 0
    assert [Path(path).name for path in seen["units_left"]] == ["30-times.conf"]
