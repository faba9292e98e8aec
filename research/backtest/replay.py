"""Driver 2: the same rows under backtrader's cerebro. Only lean_backtrader.py imports backtrader.

backtrader's cost is per data feed and bar, so it gets one feed that only carries the clock; the prices stay
in the panel (DESIGN.md 11: 50 to 800 times faster than one feed per symbol). Its order of things is kept: on
every bar the broker's `next` matches the orders that were there before, then the strategy's `next` decides.
Rows that the driver passes over are no bars to backtrader either: its clock moves past them in one step.

With analyzers or observers of backtrader every row is a bar and every instrument a feed, as they expect it. Rows
that are passed over stay so for engine and broker; only the listeners see them, with the values they had.
"""

from __future__ import annotations

import array
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace

from research.backtest.lean_backtrader import bt
from research.backtest.mirror import Mirror
from research.backtest.result import ReplayResult
from research.backtest.session_driver import SessionDriver
from research.backtest.timeline import DAY_S, Timeline
from shared.io.bar_store import BarPanel

Listener = Any
"""A class of backtrader (an Analyzer, an Observer), or a pair of one and its parameters."""

_DAY_NS = DAY_S * 1_000_000_000
_EPOCH_ORDINAL = 719_163  # 1970-01-01 as backtrader counts days
_FUND_START = 100.0  # a share of the fund at the beginning, as plain backtrader has it


class _Feed(bt.feed.DataBase):
    """Lines that are filled in bulk, instead of bar by bar."""

    params = (("values", None),)

    def preload(self) -> None:
        for name in self.getlinealiases():
            getattr(self.lines, name).array = self.p.values.get(name, self.p.values[""])
        self.home()

    def advance(self, size: int = 1, datamaster: Any = None, ticks: bool = True) -> None:  # noqa: ANN401, ARG002 - backtrader's signature
        """Move on without the copies of every price that backtrader keeps for live ticks."""
        self.lines.advance(size)


class _Clock(_Feed):
    """Every line tells the time; only the first (backtrader's measure of length) and the dates move."""

    def preload(self) -> None:
        super().preload()
        self._moving = (self.lines[0], self.lines.datetime)

    def advance(self, size: int = 1, datamaster: Any = None, ticks: bool = True) -> None:  # noqa: ANN401, ARG002 - backtrader's signature
        for line in self._moving:
            line._idx += size  # noqa: SLF001 - LineBuffer.advance without asking each time whether it is bounded
            line.lencount += size


class _PanelBroker(bt.broker.BrokerBase):
    """backtrader's broker around ours: `next` comes before the strategy's, and matches the row."""

    def __init__(self, driver: SessionDriver) -> None:
        super().__init__()
        self._driver = driver
        self.row = 0
        self.startingcash = driver.starting_cash  # backtrader reads it at the end

    def next(self) -> None:
        self._driver.match(self.row)

    def get_notification(self) -> None:
        """The engine hears of fills by events, not by backtrader's orders."""

    def getcash(self) -> float:
        return self._driver.cash

    def getvalue(self, datas: Any = None) -> float:  # noqa: ANN401, ARG002 - backtrader's signature
        return self._driver.net_liquidation


class _EngineStrategy(bt.Strategy):
    """Hands each row to the engine; decides nothing itself."""

    params = (("driver", None),)

    def start(self) -> None:
        self.p.driver.start()

    def next(self) -> None:
        self.p.driver.decide(self.broker.row)


class _SparseCerebro(bt.Cerebro):
    """Its run loop moves the clock from one row that counts to the next."""

    def __init__(self, driver: SessionDriver) -> None:
        super().__init__()
        self._driver = driver

    def _runonce(self, runstrats: list[Any]) -> None:
        (clock,), (strategy,), broker, driver = self.datas, runstrats, self.broker, self._driver
        row, rows = 0, clock.buflen()
        clock.advance()
        while row < rows:
            broker.row = row
            broker.next()  # it has no notifications: the engine hears by events
            strategy.next()
            row, before = driver.next_row(row), row
            clock.advance(row - before)


class _ListenedBroker(_PanelBroker):
    """The same for listeners: every row has its cash and value, every instrument its position, every order its news."""

    def __init__(self, driver: SessionDriver, feeds: Mapping[str, Any]) -> None:
        super().__init__(driver)
        self.row, self.awake = -1, 0
        self.cash = self.startingcash
        self._mirror = Mirror(feeds, driver.is_working)
        driver.listen(self._mirror.decided, self._mirror.happened)

    def next(self) -> None:
        self.row += 1
        if self.row == self.awake:
            self._driver.match(self.row)
            self.cash = self._driver.cash

    def get_notification(self) -> Any:  # noqa: ANN401 - backtrader is untyped
        return self._mirror.news.popleft() if self._mirror.news else None

    def getcash(self) -> float:
        return self.cash

    def getvalue(self, datas: Any = None) -> float:  # noqa: ANN401 - backtrader's signature
        if datas is None:
            return self.startingcash if self.row < 0 else self._driver.value_at(self.row)
        held = ((feed, self._mirror.positions[feed].size) for feed in datas)
        return sum((size * feed.close[0] for feed, size in held if size), 0.0)

    get_value = getvalue
    get_cash = getcash

    def getposition(self, data: Any) -> Any:  # noqa: ANN401 - the library is untyped
        return self._mirror.positions[data]

    def get_fundshares(self) -> float:
        return self.startingcash / _FUND_START

    def get_fundvalue(self) -> float:
        return self.getvalue() / self.get_fundshares()

    fundshares = property(get_fundshares)
    fundvalue = property(get_fundvalue)


class _ListenedStrategy(_EngineStrategy):
    """Every row is a bar; the engine hears of those that count."""

    def next(self) -> None:
        if self.broker.row == self.broker.awake:
            super().next()
            self.broker.awake = self.p.driver.next_row(self.broker.row)


def replay_bars(
    driver: SessionDriver,
    timeline: Timeline,
    *,
    analyzers: Sequence[Listener] = (),
    observers: Sequence[Listener] = (),
) -> ReplayResult:
    """Run the rows of `timeline` through `driver` under backtrader, with whoever wants to listen."""
    if analyzers or observers:
        return _listened(driver, timeline, analyzers, observers)
    cerebro = _SparseCerebro(driver)
    cerebro.p.stdstats = False
    cerebro.adddata(_Clock(values={"": _dates_of(timeline)}))
    cerebro.setbroker(_PanelBroker(driver))
    cerebro.addstrategy(_EngineStrategy, driver=driver)
    cerebro.run()
    return driver.finish()


def _listened(
    driver: SessionDriver, timeline: Timeline, analyzers: Sequence[Listener], observers: Sequence[Listener]
) -> ReplayResult:
    cerebro = bt.Cerebro(stdstats=False)
    feeds = _feeds_of(driver.panel, timeline)
    for symbol, feed in feeds.items():
        cerebro.adddata(feed, name=symbol)
    cerebro.setbroker(_ListenedBroker(driver, feeds))
    for listener in analyzers:
        kind, params = _with_params(listener)
        cerebro.addanalyzer(kind, **params)
    for listener in observers:
        kind, params = _with_params(listener)
        cerebro.addobserver(kind, **params)
    cerebro.addstrategy(_ListenedStrategy, driver=driver)
    (strategy,) = cerebro.run()
    return replace(driver.finish(), analyzers=tuple(strategy.analyzers), observers=tuple(strategy.stats))


def _with_params(listener: Listener) -> tuple[Any, dict[str, Any]]:
    return listener if isinstance(listener, tuple) else (listener, {})


def _dates_of(timeline: Timeline) -> array.array[float]:
    """The closes as backtrader's dates: naive UTC in days, its calendar has no other form."""
    closed_ns = timeline.rows.closed_ns
    return array.array("d", (_EPOCH_ORDINAL + closed_ns // _DAY_NS + closed_ns % _DAY_NS / _DAY_NS).tobytes())


def _feeds_of(panel: BarPanel, timeline: Timeline) -> dict[str, Any]:
    """One feed per instrument; where it printed nothing it stands on its last bar, as a feed of backtrader does."""
    dates, rows = _dates_of(timeline), len(timeline.rows)
    frame = bt.TimeFrame.Days if panel.interval_s >= DAY_S else bt.TimeFrame.Minutes
    feeds: dict[str, Any] = {}
    for column, symbol in enumerate(panel.symbols):
        printed = ~np.isnan(panel.close[timeline.rows.places, column])
        last = np.maximum.accumulate(np.where(printed, np.arange(rows), -1))
        values = {"datetime": dates, "": array.array("d", [0.0]) * rows}
        for name in ("open", "high", "low", "close", "volume"):
            line = getattr(panel, name)[timeline.rows.places, column][last]
            values[name] = array.array("d", np.where(last >= 0, line, np.nan).tobytes())
        feeds[symbol] = _Feed(values=values, timeframe=frame, compression=max(panel.interval_s % DAY_S // 60, 1))
    return feeds
