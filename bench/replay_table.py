"""Ours against its peers on W1, W2 and W3: interleaved processes, the median of each counts."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from bench.replay_workloads import STARTING_CASH, WORKLOADS, Workload
from bench.result import Comparison, Measured

ROOT = Path(__file__).resolve().parents[1]
FIELDS = ("opened_at", "closed_at", "open", "high", "low", "close", "volume")
HERE = ("numba_loop", "ours", "plain_backtrader")
PEERS_PYTHON, NAUTILUS_PYTHON = "OPENBELL_PEERS_PYTHON", "OPENBELL_NAUTILUS_PYTHON"
ELSEWHERE = {
    "vectorbt": (PEERS_PYTHON, ("W1", "W3")),
    "backtesting_py": (PEERS_PYTHON, ("W1",)),
    "nautilus": (NAUTILUS_PYTHON, ("W2", "W3")),
}
"""Peer -> the variable that names its Python, the workloads it can do."""
IN_PROCESS = {"plain_backtrader": "1"}  # nothing is compiled, and a run takes a minute

Facts = dict[str, float]


def compare_replay(rounds: int, names: tuple[str, ...] = tuple(WORKLOADS)) -> Comparison:
    """One table over all workloads; peers of another environment take part if their variable names its Python."""
    found = {name: _contest(WORKLOADS[name], rounds) for name in names}
    lines = [line for name, facts in found.items() for line in _lines(WORKLOADS[name], facts)]
    lines += [f"{who} took no part: {variable} names no Python that has it" for who, variable in _absent()]
    last = found[names[-1]]
    return Comparison(
        title=f"replay, {', '.join(names)}: processor seconds of a run, median of {rounds} processes, interleaved",
        measured=tuple(
            Measured(f"{name} {who}", "s", one["seconds"]) for name in names for who, one in found[name].items()
        ),
        ratio=last["plain_backtrader"]["seconds"] / last["ours"]["seconds"],
        ratio_says=f"times as fast as plain backtrader on {names[-1]}, with the full chain",
        notes=tuple(lines),
    )


def _contest(workload: Workload, rounds: int) -> dict[str, Facts]:
    peers = dict.fromkeys(HERE, sys.executable)
    for who, (variable, can) in ELSEWHERE.items():
        if workload.name in can and (python := os.environ.get(variable)):
            peers[who] = python
    with tempfile.TemporaryDirectory(prefix="openbell-bench-") as name:
        _given(Path(name), workload)
        taken: dict[str, list[Facts]] = {who: [] for who in peers}
        for _ in range(rounds):
            for who, python in peers.items():
                taken[who].append(_run(python, who, Path(name), workload.name))
    return {who: _median(runs) for who, runs in taken.items()}


def _absent() -> list[tuple[str, str]]:
    return [(who, variable) for who, (variable, _) in ELSEWHERE.items() if not os.environ.get(variable)]


def _given(folder: Path, workload: Workload) -> None:
    panel = workload.panel()
    for field in FIELDS:
        np.save(folder / f"{workload.name}.{field}.npy", getattr(panel, field))
    facts = {
        "symbols": panel.symbols,
        "params": workload.params,
        "share": workload.share,
        "stop_pct": workload.stop_pct,
        "target_pct": workload.target_pct,
        "cash": STARTING_CASH,
    }
    (folder / f"{workload.name}.json").write_text(json.dumps(facts))


def _run(python: str, who: str, folder: Path, workload: str) -> Facts:
    command = [python, "-m", f"bench.replay_peers.{who}", str(folder), workload, IN_PROCESS.get(who, "2")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.exit(f"bench replay: {who} on {workload} failed: {(ended.stderr.strip().splitlines() or ['no word'])[-1]}")
    facts: Facts = json.loads(ended.stdout.splitlines()[-1])
    return facts


def _median(runs: list[Facts]) -> Facts:
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def _lines(workload: Workload, facts: dict[str, Facts]) -> list[str]:
    plain = facts["plain_backtrader"]
    head = f"{'':<18}{'run s':>10}{'cold s':>9}{'MB':>7}{'plain/':>9}{'fills':>9}{'final equity':>16}{'apart':>10}"
    lines = [f"{workload.name}: {workload.title}", head]
    for who, one in facts.items():
        apart = abs(one["equity"] / plain["equity"] - 1)
        lines.append(
            f"{who:<18}{one['seconds']:>10.4f}{one['first_s'] + one['import_s']:>9.2f}"
            f"{one['memory_mb']:>7.0f}{plain['seconds'] / one['seconds']:>9.1f}{one['fills']:>9,.0f}"
            f"{one['equity']:>16,.2f}{apart:>10.1e}"
        )
    return lines
