"""The two commands as their user meets them."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest
import typer
from pyarrow import parquet
from typer.testing import CliRunner

from research.experiments.cli import register
from shared.io.bar_store import save_bars
from tests.backtest.test_cli import CONFIG
from tests.experiments.builders import a_walk, daily_panel

ROOT = Path(__file__).resolve().parents[2]
DAILY = (
    CONFIG.replace("interval_s = 60", "interval_s = 86400")
    .replace("price_age_max_s = 300", "price_age_max_s = 864000")
    .replace("fast = 2, slow = 3", "fast = 2, slow = 6")
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.toml").write_text(DAILY)
    save_bars(tmp_path / "bars.parquet", daily_panel(a_walk(60)))
    return tmp_path


def openbell(folder, command, *arguments):
    app = typer.Typer()
    register(app)
    fixed = [command, "--config", str(folder / "config.toml"), "--data", str(folder / "bars.parquet")]
    return CliRunner().invoke(app, [*fixed, *arguments])


def facts_of(ran, name):
    facts = json.loads(ran.stdout)
    jsonschema.validate(facts, json.loads((ROOT / "docs" / "schemas" / f"{name}.json").read_text()))
    return facts


def test_a_sweep_tries_all_ranks_them_and_the_same_command_again_runs_nothing(folder):
    command = ("sweep", "--set", "sma.fast=2,3,8", "--set", "sma.slow=6,8", "--workers", "2", "--json")
    first, second = openbell(folder, *command), openbell(folder, *command)
    facts = facts_of(first, "sweep")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert (facts["replays"], facts["done"], facts["refused"], facts["verdict"]["trials"]) == (4, 4, 2, 4)
    values = [each["value"] for each in facts["best"]]
    assert values == sorted(values, reverse=True)
    table = parquet.read_table(facts["table"])
    assert table.column("sma.fast").to_pylist() == [2, 2, 3, 3]
    assert table.column("sharpe").to_pylist()[facts["best"][0]["number"]] == values[0]
    assert "2 of 6 combinations are refused and were left out, the first: sma_cross: fast 8 and slow 6" in first.stderr
    assert "4 replays, 4 of them known from before" in second.stderr
    assert facts_of(second, "sweep") == facts


def test_a_walk_forward_writes_its_windows_and_the_curve_of_what_was_traded(folder):
    ran = openbell(
        folder, "walkforward", "--set", "sma.fast=2,3", "--train", "30", "--trade", "20", "--workers", "1", "--json"
    )
    facts = facts_of(ran, "walkforward")
    assert ran.exit_code == 0
    assert (facts["train_replays"], len(facts["windows"]), facts["edges"]) == (4, 2, "held")
    assert facts["verdict"]["trials"] == 2  # two settings, however many windows
    table = Path(facts["table"])
    curve = (table.parent / "out_of_sample.csv").read_text().splitlines()
    assert len(curve) == 1 + 30
    assert float(curve[-1].split(",")[2]) == pytest.approx(1 + facts["out_of_sample"]["total_return_pct"] / 100)
    assert len((table.parent / "windows.csv").read_text().splitlines()) == 3


def test_a_table_of_windows_breaks_no_date_in_a_narrow_terminal(folder):
    varied = ("--set", "sma.fast=2,3", "--set", "sma.slow=6,7")
    ran = openbell(folder, "walkforward", *varied, "--train", "30", "--trade", "20", "--workers", "1")
    windows = [line for line in ran.stdout.splitlines() if line.startswith("│") and "20" in line]
    assert len(windows) >= 2
    assert {len(re.findall(r"\d{4}-\d\d-\d\d", line)) for line in windows} == {2}


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("sweep",), 2, "sweep: nothing varies, allowed: at least one --set NAME=VALUES"),
        (("sweep", "--set", "sma.fats=1"), 2, "sweep: --set sma.fats=1: strategy sma_cross: params.fats: unknown"),
        (("sweep", "--set", "sma.fast=2", "--by", "luck"), 2, "sweep: --by 'luck', allowed: sharpe, sortino"),
        (("sweep", "--set", "sma.fast=2", "--workers", "0"), 2, "sweep: --workers 0, allowed: 1 to 1024"),
        (("sweep", "--set", "sma.fast=2", "--from", "soon"), 2, "sweep: --from 'soon' is no date"),
        (("sweep", "--set", "sma.fast=2", "--from", "2030-01-01"), 1, "sweep: no session from 2030-01-01"),
        (("sweep", "--set", "sma.fast=2", "--data", "nowhere"), 3, "sweep: --data nowhere: no such file or folder"),
        (("sweep", "--set", "sma.fast=2", "--config", "nowhere"), 78, "nowhere: not found"),
        (("walkforward", "--set", "sma.fast=2"), 2, "--train 252 and --embargo 0: the data has 60 sessions"),
        (("walkforward", "--set", "sma.fast=2", "--edges", "soft"), 2, "--edges 'soft', allowed: held, flat"),
        (("walkforward", "--set", "sma.fast=2", "--cost-bps", "-1"), 2, "--cost-bps -1, allowed: 0 to 1000"),
    ],
)
def test_what_cannot_be_asked_is_told_in_one_line_and_leaves_nothing(folder, arguments, code, told):
    before = sorted(path.name for path in folder.iterdir())
    ran = openbell(folder, *arguments)
    assert ran.exit_code == code
    assert told in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_cluster_that_is_not_there_is_told(folder):
    (folder / "config.toml").write_text(DAILY + '\n[cluster]\naddress = "ray://127.0.0.1:9"\n')
    ran = openbell(folder, "sweep", "--set", "sma.fast=2,3")
    assert ran.exit_code in {1, 78}
    assert 'cluster.address = "ray://127.0.0.1:9": the package ray is not installed here' in ran.stderr


SLOW = """
import time
from strategies.base import Strategy

class Slow(Strategy):
    def __init__(self, universe, *, fast: int) -> None:
        super().__init__(universe)
        self.pause_s = 0.0 if fast < 3 else 0.02

    def on_row(self, row, closed_at, /):
        time.sleep(self.pause_s)
        return []
"""


@pytest.mark.process
def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(folder):
    (folder / "slow.py").write_text(SLOW)
    slow = DAILY.replace('kind = "sma_cross"', 'kind = "slow.py"').replace("fast = 2, slow = 6", "fast = 2")
    (folder / "config.toml").write_text(slow)
    code = "import openbell, sys; sys.exit(openbell.main())"
    command = [
        sys.executable, "-c", code, "sweep", "--config", str(folder / "config.toml"), "--data",
        str(folder / "bars.parquet"), "--set", "sma.fast=1,2,3,4,5,6", "--workers", "2", "--out", str(folder / "out"),
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    log = folder / "out" / "outcomes.jsonl"
    deadline = time.monotonic() + 60
    while (not log.exists() or log.read_bytes().count(b"\n") < 2) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the whole group
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "of 6 done and kept; the same command goes on from there" in told
    assert "Traceback" not in told
    states = parquet.read_table(folder / "out" / "results.parquet").column("state").to_pylist()
    assert "done" in states
    assert "not run" in states
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == 0
    assert f"6 replays, {states.count('done')} of them known from before" in again.stderr
