"""The command line as a stranger meets it: processes, exit codes, one clear line."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.io.logging import masked
from tests.runtime.builders import a_config, a_morning, journalled

pytestmark = pytest.mark.process
ROOT = Path(__file__).resolve().parents[2]
SHIPPED = (ROOT / "config.toml").read_text()


def openbell(*arguments):
    command = [sys.executable, "-m", "openbell", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(SHIPPED)
    return path


def test_help_names_every_command():
    shown = openbell("--help")
    assert shown.returncode == 0
    for name in ("run", "audit", "status", "tail", "demo", "gateway", "replay"):
        assert f" {name} " in shown.stdout


@pytest.mark.parametrize("command", ["run", "audit", "status", "tail", "demo", "gateway", "replay"])
def test_the_help_of_every_command_shows_an_example(command):
    assert f"openbell {command}" in openbell(command, "--help").stdout.split("Example", 1)[1]


def test_the_front_door_imports_nothing_heavy():
    code = "import sys, openbell; openbell.build_app(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = {"numpy", "pandas", "numba", "msgspec", "pydantic", "ib_insync", "structlog", "backtrader"}
    assert heavy & set(loaded.stdout.split()) == set()


def test_a_wrong_configuration_is_exit_78_with_every_fault(config_file):
    config_file.write_text(SHIPPED.replace('mode = "paper"', 'mode = "papr"').replace("port = 4010", "port = 0"))
    ended = openbell("run", "--config", config_file)
    assert (ended.returncode, ended.stdout) == (78, "")
    assert len(ended.stderr.splitlines()) == 2


def test_live_without_its_keys_is_exit_78(config_file):
    ended = openbell("run", "--config", config_file, "--live")
    assert ended.returncode == 78
    assert ended.stderr.startswith("--live: mode is")


@pytest.mark.parametrize("command", ["status", "tail", "audit"])
def test_where_nothing_ever_ran_it_is_exit_3(command, config_file):
    ended = openbell(command, "--config", config_file)
    assert (ended.returncode, ended.stdout, len(ended.stderr.splitlines())) == (3, "", 1)


def test_an_unknown_option_is_exit_2():
    assert openbell("run", "--lives").returncode == 2


def test_audit_prints_facts_and_exits_6_on_a_difference(tmp_path):
    config, path = a_config(tmp_path), tmp_path / "journal.sqlite"
    journalled(path, config, a_morning())
    same = openbell("audit", "--journal", path)
    assert (same.returncode, same.stdout.split(" (")[0]) == (0, "audit: identical")
    assert json.loads(openbell("audit", "r1", "--journal", path, "--json").stdout)["identical"] is True
    assert openbell("audit", "r9", "--journal", path).returncode == 3
    data = path.read_bytes()
    path.write_bytes(data.replace(b"BUY 10 SPY at 166.0", b"BUY 10 SPY at 166.1"))
    other = openbell("audit", "--journal", path)
    assert other.returncode == 6
    assert "differs: event" in other.stdout


def test_without_a_gateway_it_says_so_once_keeps_trying_and_leaves_on_sigterm(config_file):
    config_file.write_text(SHIPPED.replace("port = 4010", "port = 1"))
    command = [sys.executable, "-m", "openbell", "run", "--config", str(config_file)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as daemon:
        assert daemon.stderr is not None
        said = next(line for line in daemon.stderr if "broker_unreachable" in line)
        again = openbell("run", "--config", config_file)
        daemon.send_signal(signal.SIGTERM)
        out, rest = daemon.communicate(timeout=30)
    assert "127.0.0.1:1" in said
    assert "broker_unreachable" not in rest
    assert daemon.returncode == 0
    assert "positions: none; unprotected positions: 0" in out
    assert again.returncode == 4
    assert f"another daemon (pid {daemon.pid}) is writing this journal" in again.stderr


def test_an_account_number_is_shown_only_at_its_ends():
    assert (masked("DU1234567"), masked("DU1")) == ("DU***67", "***")
