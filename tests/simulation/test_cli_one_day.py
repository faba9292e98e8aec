"""One short day of the real world through the command, in two interpreters that hash strings differently."""

import json
import os
import subprocess
import sys

import pytest

from openbell import ROOT
from tests.simulation.campaign.determinism import first_difference
from tests.simulation.history import Calm, Sent, records_of
from tests.simulation.plan import Market, Plan, encoded

pytestmark = pytest.mark.process
ALWAYS_LONG = {
    "name": "t",
    "kind": "threshold.py",
    "params": {"long_from": 0.0},
    "allocation": 1.0,
    "sizing": {"method": "fixed_fraction", "fraction": 0.01},
    "exits": {"method": "percent", "stop_pct": 1.0, "target_pct": 5.0},
}


def a_short_day():
    """Half an hour of SPY without any incident."""
    return Plan(
        seed=7,
        weather="calm",
        market=Market(seed=7, symbols=("SPY",), first_session="2026-11-20", is_eventful=False, lasts_s=1800),
        daemon={"strategy": [ALWAYS_LONG]},
        incidents=(),
        latency_s=(0.001, 0.02),
        shuffle=True,
        calm_s=300.0,
    )


def played(plan_file, folder, hash_seed):
    """The summary and the history."""
    history = folder / f"{hash_seed}.jsonl"
    ended = subprocess.run(
        [sys.executable, "-m", "openbell", "simulate", "--plan", plan_file, "--history", history, "--json"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return json.loads(ended.stdout), history.read_bytes()


def test_a_day_without_incidents_holds_and_is_the_same_in_every_interpreter(tmp_path):
    path = tmp_path / "short.plan.json"
    path.write_bytes(encoded(a_short_day()))
    one, history = played(path, tmp_path, "1")
    other, again = played(path, tmp_path, "4242")
    assert first_difference(history, again) == ""
    assert one["digest"] == other["digest"]
    assert (one["held"], one["days"], one["incidents"]) == (True, 1, 0)
    kinds = {type(record) for record in records_of(history)}
    assert {Sent, Calm} <= kinds
    assert one["orders"] > 0
