"""Interleaved rounds: A, B, A, B ... so that a busy neighbour hits both; the median of each counts."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping


def median_seconds(contestants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median processor seconds of each contestant, after one round that does not count (compilation)."""
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, run in contestants.items():
            gc.collect()
            started = time.process_time()
            run()
            if number:
                taken[name].append(time.process_time() - started)
    return {name: statistics.median(values) for name, values in taken.items()}
