"""The one way to run a replay from Python: a config and a panel in, everything it produced out."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from msgspec import Struct

from research.backtest.assembly import build_driver, timeline_of
from research.backtest.replay import Listener, replay_bars
from research.backtest.result import ReplayResult
from shared.config import Config
from shared.events import StrategiesWarmed
from shared.io.bar_store import BarPanel


class RunOptions(Struct, frozen=True, kw_only=True):
    """How a replay runs; nothing here changes what it decides.

    `sparse`: pass over the rows on which nothing can happen (docs/replay.md); False looks at every one of them.
    """

    sparse: bool = True
    analyzers: tuple[Listener, ...] = ()
    """Of backtrader: classes, or pairs of a class and its parameters. They see every row; `ReplayResult.analyzers`."""
    observers: tuple[Listener, ...] = ()
    features: Path | None = None
    """A folder of stored features (docs/features.md), for strategies that ask for some; None computes them."""
    memories: tuple[StrategiesWarmed, ...] = ()
    """What a daemon's strategies took over at its starts, oldest first; then every row is looked at."""


_PLAIN = RunOptions()


def run_replay(
    config: Config, panel: BarPanel, *, start: date | None = None, options: RunOptions = _PLAIN
) -> ReplayResult:
    """Replay the panel's rows from session `start` on (all if None); DataError where the data cannot be replayed."""
    timeline = timeline_of(config, panel, start)
    with _few_collections():
        is_sparse = options.sparse and not options.memories
        driver = build_driver(config, panel, timeline, sparse=is_sparse, features=options.features)
        driver.remember(options.memories)
        return replay_bars(driver, timeline, analyzers=options.analyzers, observers=options.observers)


@contextmanager
def _few_collections() -> Iterator[None]:
    """A replay keeps what it makes, the log: looking through all of it for cycles again and again finds nothing."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 1_000)
    try:
        yield
    finally:
        gc.set_threshold(*before)
