"""`python -m bench [all|NAME] [options]`: what is compared, and the command line around it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import msgspec

from bench.as_of_speed import compare_as_of
from bench.bar_pace import compare_bar_pace
from bench.commands import compare_burst, compare_kill
from bench.features_speed import compare_features
from bench.fuzz import ENGINES, run_fuzz
from bench.gateway_memory import compare_gateway_memory
from bench.indicator_speed import compare_eight, compare_fifty, compare_live_step
from bench.kalman_speed import compare_kalman
from bench.kill_moments import compare_kill_moments
from bench.latency import compare_latency
from bench.loaded_latency import compare_loaded_latency
from bench.operations import compare_idle, compare_restart
from bench.power_cuts import compare_power_cuts
from bench.real_kills import compare_kills
from bench.recorded_day import compare_recorded_day
from bench.replay_table import compare_replay
from bench.resting_orders import compare_resting_orders
from bench.result import Comparison, lines_of
from bench.tick_rate import compare_tick_rate

COMPARISONS: dict[str, Callable[[argparse.Namespace], Comparison | None]] = {
    "replay": lambda chosen: compare_replay(chosen.rounds),
    "latency": lambda chosen: compare_latency(chosen.bars),
    "loaded": lambda chosen: compare_loaded_latency(chosen.bars),
    "restart": lambda _: compare_restart(),
    "kill": lambda _: compare_kill(),
    "burst": lambda _: compare_burst(),
    "idle": lambda _: compare_idle(),
    "ticks": lambda chosen: compare_tick_rate(chosen.messages),
    "pace": lambda _: compare_bar_pace(),
    "resting": lambda _: compare_resting_orders(),
    "day": lambda _: compare_recorded_day(),
    "memory": lambda _: compare_gateway_memory(),
    "indicators": lambda chosen: compare_eight(chosen.rounds),
    "fifty": lambda chosen: compare_fifty(chosen.rounds),
    "live-step": lambda chosen: compare_live_step(chosen.rounds),
    "as_of": lambda _: compare_as_of(),
    "kalman": lambda _: compare_kalman(),
    "fuzz": lambda chosen: run_fuzz(chosen.engine, chosen.frames, chosen.seed),
    "power": lambda chosen: compare_power_cuts(chosen.states, chosen.seed),
    "moments": lambda chosen: compare_kill_moments(chosen.states // 5),
    "kills": lambda chosen: compare_kills(chosen.rounds, chosen.seed),
    "features": lambda chosen: compare_features(chosen.symbols, chosen.days),
}
ONLY_BY_NAME = {"fuzz", "power", "kills", "moments"}


def main() -> None:
    """Run the chosen comparisons and print them."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Speed, as ratios.")
    parser.add_argument("what", nargs="?", choices=("all", *COMPARISONS), default="all")
    parser.add_argument("--rounds", type=int, default=5, help="replay: rounds of the comparison; kills: SIGKILLs")
    parser.add_argument("--bars", type=int, default=200, help="latency: bars of the comparison")
    parser.add_argument("--messages", type=int, default=500_000, help="ticks: messages to send")
    parser.add_argument("--engine", choices=ENGINES, default="mutate", help="fuzz: where the frames come from")
    parser.add_argument("--frames", type=int, default=1_000_000, help="fuzz: frames to throw")
    parser.add_argument("--seed", type=int, default=1, help="fuzz, power, kills: seed")
    parser.add_argument(
        "--states", type=int, default=25_000, help="power: crash states to open; moments: a fifth of them, kills"
    )
    parser.add_argument("--symbols", type=int, default=500, help="features: instruments")
    parser.add_argument("--days", type=int, default=2_520, help="features: daily bars of each")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    names = [name for name in COMPARISONS if name not in ONLY_BY_NAME] if chosen.what == "all" else [chosen.what]
    found: list[Comparison] = []
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        result = COMPARISONS[name](chosen)
        if result is None:
            print(f"{name}: skipped, the recorded market data is not here", file=sys.stderr)
        else:
            found.append(result)
    if chosen.json:
        print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        print("\n\n".join("\n".join(lines_of(comparison)) for comparison in found))


if __name__ == "__main__":
    main()
