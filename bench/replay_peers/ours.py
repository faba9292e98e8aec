"""The whole chain: strategy, sizing, gate, brackets, decision log, under backtrader's cerebro."""

from __future__ import annotations

from bench.replay_peers.contest import Given, take_part
from bench.replay_workloads import WORKLOADS
from research.backtest.run import run_replay
from shared.io.bar_store import BarPanel


def run(given: Given) -> tuple[int, float]:
    """One replay under the rules of plain backtrader (`skip_entry_bar`), so that the money can be compared."""
    panel = BarPanel(symbols=tuple(given.symbols), interval_s=60 if given.name == "W1" else 86_400, **given.arrays)
    result = run_replay(WORKLOADS[given.name].config(panel), panel)
    return len(result.fills), float(result.curve.net_liquidation[-1])


if __name__ == "__main__":
    take_part(run)
