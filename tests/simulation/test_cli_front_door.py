"""`openbell simulate` as a process: what a stranger may write, and where the command is not there at all."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import tests.simulation.plan as plans
from openbell import ROOT
from tests.simulation.cli import Weather

PACKAGES = ("daemon", "strategies", "risk", "brokers", "shared", "research")


def openbell(*words, cwd=ROOT, path=""):
    command = [sys.executable, *(["-P"] if path else []), "-m", "openbell", *map(str, words)]
    env = {"PYTHONPATH": path, "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_the_weathers_are_those_of_a_plan():
    assert [weather.value for weather in Weather] == list(get_args(plans.Weather))


@pytest.mark.process
@pytest.mark.parametrize(
    "words",
    [
        ("--seeds", "5:1"),
        ("--seeds", "all"),
        ("--weather", "foggy"),
        ("--jobs", "0"),
        ("--replay", "-1"),
        ("--replay", "1", "--plan", "x.json"),
        ("--budget", "20"),
        ("--nonsense",),
    ],
)
def test_a_wrong_word_is_exit_2_names_itself_and_shows_no_traceback(words):
    ended = openbell("simulate", *words)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert words[0] in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.process
def test_a_plan_that_is_not_there_is_exit_3(tmp_path):
    ended = openbell("simulate", "--plan", tmp_path / "none.json")
    assert (ended.returncode, ended.stdout, len(ended.stderr.splitlines())) == (3, "", 1)


@pytest.mark.process
def test_a_file_that_is_no_plan_is_exit_2(tmp_path):
    (tmp_path / "x.json").write_text("{}")
    ended = openbell("simulate", "--plan", tmp_path / "x.json")
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1)
    assert "is no plan: Object missing required field" in ended.stderr


@pytest.fixture
def installed(tmp_path):
    """What a wheel installs: the packages and the front door, and nothing of the checkout beside them."""
    shutil.copy(ROOT / "openbell.py", tmp_path)
    for package in PACKAGES:
        (tmp_path / package).symlink_to(ROOT / package)
    return tmp_path


@pytest.mark.process
def test_without_a_checkout_there_is_no_such_command(installed):
    assert openbell("simulate", "--help", cwd="/", path=str(installed)).returncode == 2
    assert "  simulate  " not in openbell("--help", cwd="/", path=str(installed)).stdout


@pytest.mark.process
def test_tests_of_another_package_do_not_stand_in_front_of_ours(installed, tmp_path_factory):
    other = tmp_path_factory.mktemp("site")
    (other / "tests").mkdir()
    (other / "tests" / "__init__.py").write_text("")
    (installed / "tests").symlink_to(ROOT / "tests")
    assert openbell("simulate", "--help", cwd="/", path=f"{other}:{installed}").returncode == 0


CAMPAIGN = """
import time
from tests.simulation.campaign.command import carry_out
from tests.simulation.cli_builders import a_toolkit, limits, played, wishes

def play(plan):
    if plan.seed == 4:
        print("at the fourth", flush=True)
        time.sleep(600)
    return played(plan)

raise SystemExit(carry_out(wishes(limits=limits(jobs=1, batch=2)), a_toolkit(play=play)))
"""


@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_campaign_that_is_ended_from_outside_sums_up_what_is_done(number):
    command = [sys.executable, "-c", CAMPAIGN]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "at the fourth\n"
        run.send_signal(number)
        out, err = run.communicate(timeout=30)
    assert run.returncode == 130
    assert out.splitlines()[-1] == "simulate: 4 of 10 runs (calm): 1 with a breach, interrupted"
    assert err == "seed 3 (calm): I3\n"


def test_this_page_of_the_documentation_names_every_option():
    page = Path(ROOT / "docs" / "simulation.md").read_text()
    options = {
        "--seeds", "--weather", "--jobs", "--replay", "--plan", "--history", "--shrink", "--budget", "--day-limit",
        "--determinism", "--json",
    }  # fmt: skip
    assert {option for option in options if f"`{option}" not in page} == set()
