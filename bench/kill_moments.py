"""A simulated day, copied at its moments: in each copy the daemon is killed, starts again and is judged."""

from __future__ import annotations

import logging
import os
import sys
import time

import structlog

from bench.result import Comparison, Measured
from tests.simulation.kills.day import busy_day
from tests.simulation.kills.enumeration import MOMENTS, Enumerator

STATES_ASKED = 5_000
DAY_S = 1_800
STEPS_A_DAY, OTHERS_A_DAY = 9_500, 1_130
"""About so many steps of tasks, and other moments, there are in that time."""
SAY_EVERY = 250


def compare_kill_moments(states: int) -> Comparison:
    """Kill at about so many moments; raises RuntimeError with the first finding if there is one."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    began_s = time.perf_counter()
    counts = Enumerator(_strides(max(states, 1)), jobs=os.cpu_count() or 1, on_copy=_say).run(busy_day(DAY_S))
    took_s = time.perf_counter() - began_s
    if counts.found:
        first = counts.found[0]
        raise RuntimeError(f"{len(counts.found)} copies broke; {first.moment} {first.nth}:\n{first.text}")
    return Comparison(
        title=f"kills at the moments of {DAY_S // 60} minutes of trading, each in a copy of the world",
        measured=(
            *(Measured(f"killed, {moment}", "", counts.killed[moment]) for moment in MOMENTS),
            *(Measured(f"moments there are, {moment}", "", counts.seen[moment]) for moment in MOMENTS),
            Measured("invariants broken", "", 0),
            Measured("took", "s", took_s),
        ),
        ratio=counts.killed.total() / STATES_ASKED,
        ratio_says=f"of the {STATES_ASKED:,} kill states asked",
    )


def _strides(states: int) -> dict[str, int]:
    """All other moments and the rest for the steps, or half for each if that is too little."""
    if states > 2 * OTHERS_A_DAY:
        return dict.fromkeys(MOMENTS, 1) | {"step": max(STEPS_A_DAY // (states - OTHERS_A_DAY), 1)}
    return dict.fromkeys(MOMENTS, 2 * OTHERS_A_DAY // states + 1) | {"step": max(2 * STEPS_A_DAY // states, 1)}


def _say(copies: int) -> None:
    if copies % SAY_EVERY == 0:
        print(f"moments: {copies} copies", file=sys.stderr, flush=True)
