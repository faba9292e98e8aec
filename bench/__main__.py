"""`python -m bench [all|replay|latency] [--rounds 5] [--bars 200] [--json]`."""

from __future__ import annotations

import argparse
import sys

import msgspec

from bench.latency import compare_latency
from bench.replay_speed import compare_replay
from bench.result import Comparison, lines_of


def main() -> None:
    """Run the chosen comparisons and print them."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Speed, as ratios.")
    parser.add_argument("what", nargs="?", choices=("all", "replay", "latency"), default="all")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of the replay comparison")
    parser.add_argument("--bars", type=int, default=200, help="bars of the latency comparison")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    found: list[Comparison] = []
    if chosen.what in {"all", "replay"}:
        print("replay: a minute or so", file=sys.stderr)
        found.append(compare_replay(chosen.rounds))
    if chosen.what in {"all", "latency"}:
        print("latency: a minute or so", file=sys.stderr)
        found.append(compare_latency(chosen.bars))
    if chosen.json:
        print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        print("\n\n".join("\n".join(lines_of(comparison)) for comparison in found))


if __name__ == "__main__":
    main()
