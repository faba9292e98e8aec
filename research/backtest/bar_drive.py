"""Driver 1: the simulated broker in bar mode, a plain loop in this process."""

from __future__ import annotations

from collections.abc import Callable

from research.backtest.result import ReplayResult
from research.backtest.session_driver import SessionDriver
from research.backtest.timeline import Timeline

Progress = Callable[[int], None]
"""Called with the number of rows done."""


def drive_bars(driver: SessionDriver, timeline: Timeline) -> ReplayResult:
    """Run every row of `timeline` through `driver`."""
    driver.start()
    for row in timeline.rows:
        driver.match(row)
        driver.decide(row)
    return driver.finish()
