"""Symbol-bars per second: our engine under backtrader, against the same strategy in plain backtrader."""

from __future__ import annotations

from bench.panels import minute_panel
from bench.plain_backtrader import frames_of, run_plain
from bench.replay_case import CASE, config_of
from bench.result import Comparison, Measured
from bench.rounds import median_seconds
from research.backtest.assembly import build_driver, timeline_of
from research.backtest.replay import replay_bars
from research.backtest.result import ReplayResult


def compare_replay(rounds: int) -> Comparison:
    """Both over the same panel; making frames and calendar is outside the clock, loading feeds inside."""
    panel = minute_panel(CASE.symbols, CASE.bars)
    config = config_of(CASE, panel.symbols)
    timeline = timeline_of(config, panel)
    frames = frames_of(panel)

    def ours() -> ReplayResult:
        return replay_bars(build_driver(config, panel, timeline), timeline)

    def plain() -> tuple[int, float]:
        return run_plain(frames)

    seconds = median_seconds({"openbell": ours, "plain backtrader": plain}, rounds)
    cells = CASE.symbols * CASE.bars
    return Comparison(
        title=f"replay, {CASE.symbols} symbols x {CASE.bars:,} bars, SMA cross with brackets",
        measured=(
            Measured("openbell replay", "symbol-bars/s", cells / seconds["openbell"]),
            Measured("plain backtrader", "symbol-bars/s", cells / seconds["plain backtrader"]),
        ),
        ratio=seconds["plain backtrader"] / seconds["openbell"],
        ratio_says="times the symbol-bars per second of plain backtrader",
        notes=(_agreement(ours(), *plain()),),
    )


def _agreement(ours: ReplayResult, fills: int, equity: float) -> str:
    final = float(ours.curve.net_liquidation[-1])
    return (
        f"fills: openbell {len(ours.fills):,}, plain backtrader {fills:,}; "
        f"final equity: {final:,.2f}, {equity:,.2f}, apart by {abs(final / equity - 1):.1e}"
    )
