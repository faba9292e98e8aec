"""Driver 2: the same rows under backtrader's cerebro. The one file that imports backtrader.

backtrader's cost is per data feed and bar, so it gets one feed that only carries the clock; the prices stay
in the panel (DESIGN.md 11: 50 to 800 times faster than one feed per symbol). Its order of things is kept: on
every bar the broker's `next` matches the orders that were there before, then the strategy's `next` decides.
"""

from __future__ import annotations

import array
from typing import Any

import backtrader as bt

from research.backtest.result import ReplayResult
from research.backtest.session_driver import SessionDriver
from research.backtest.timeline import Timeline


class ClockFeed(bt.feed.DataBase):
    """A feed of instants alone: datetime is filled in bulk, every price line is NaN and nobody reads it."""

    params = (("timeline", None),)

    def preload(self) -> None:
        """Fill the lines at once instead of bar by bar."""
        # backtrader wants naive UTC; its calendar has no other form.
        instants = [bt.date2num(row.closed_at.replace(tzinfo=None)) for row in self.p.timeline.rows]
        nothing = [float("nan")] * len(instants)
        for name in self.getlinealiases():
            getattr(self.lines, name).array = array.array("d", instants if name == "datetime" else nothing)
        self.home()

    def advance(self, size: int = 1, datamaster: Any = None, ticks: bool = True) -> None:  # noqa: ANN401, ARG002 - backtrader's signature
        """Move on without the copies of every price that backtrader keeps for live ticks."""
        self.lines.advance(size)


class PanelBroker(bt.broker.BrokerBase):
    """backtrader's broker around ours: `next` comes before the strategy's, and matches the row."""

    def __init__(self, driver: SessionDriver, timeline: Timeline) -> None:
        super().__init__()
        self._driver = driver
        self._rows = iter(timeline.rows)
        self.startingcash = driver.starting_cash  # backtrader reads it at the end

    def next(self) -> None:
        self._driver.match(next(self._rows))

    def get_notification(self) -> None:
        """The engine hears of fills by events, not by backtrader's orders."""

    def getcash(self) -> float:
        return self._driver.cash

    def getvalue(self, datas: Any = None) -> float:  # noqa: ANN401, ARG002 - backtrader's signature
        return self._driver.net_liquidation


class EngineStrategy(bt.Strategy):
    """Hands each row to the engine; decides nothing itself."""

    params = (("driver", None), ("timeline", None))

    def __init__(self) -> None:
        self._decide = self.p.driver.decide
        self._rows = iter(self.p.timeline.rows)

    def start(self) -> None:
        self.p.driver.start()

    def next(self) -> None:
        self._decide(next(self._rows))


def replay_bars(driver: SessionDriver, timeline: Timeline) -> ReplayResult:
    """Run every row of `timeline` through `driver` under backtrader."""
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(ClockFeed(timeline=timeline))
    cerebro.setbroker(PanelBroker(driver, timeline))
    cerebro.addstrategy(EngineStrategy, driver=driver, timeline=timeline)
    cerebro.run()
    return driver.finish()
