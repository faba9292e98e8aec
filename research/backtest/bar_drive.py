"""Driver 1: the simulated broker in bar mode, a plain loop in this process."""

from __future__ import annotations

from research.backtest.result import ReplayResult
from research.backtest.session_driver import SessionDriver
from research.backtest.timeline import Timeline


def drive_bars(driver: SessionDriver, timeline: Timeline) -> ReplayResult:
    """Run the rows of `timeline` through `driver`."""
    driver.start()
    number = 0
    while number < len(timeline.rows):
        driver.match(number)
        driver.decide(number)
        number = driver.next_row(number)
    return driver.finish()
