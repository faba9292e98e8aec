"""What a backtrader user writes: PandasData per symbol, bt's indicators, brackets and broker."""

from __future__ import annotations

import math
from typing import Any

import backtrader as bt
import pandas as pd

from bench.replay_peers.contest import Given, take_part


def on_tick(price: float) -> float:
    """To the cent, half a cent away from zero, as our instruments have it; `round` would leave it to binary dust."""
    return round(math.floor(price / 0.01 + 0.5 + 1e-9) * 0.01, 8)


class SmaCross(bt.Strategy):
    """Long when the fast average rises above the slow one, with a bracket if the workload has one; else out."""

    params = (("given", None),)

    def __init__(self) -> None:
        self.given: Given = self.p.given
        periods = self.given.params
        self.fast = {data: bt.indicators.SMA(data.close, period=periods["fast"]) for data in self.datas}
        self.slow = {data: bt.indicators.SMA(data.close, period=periods["slow"]) for data in self.datas}
        self.brackets: dict[Any, list[Any]] = {}
        self.views: dict[Any, bool] = {}
        self.fills = 0

    def notify_order(self, order: Any) -> None:  # noqa: ANN401 - backtrader is untyped
        self.fills += order.status == order.Completed

    def next(self) -> None:
        for data in self.datas:
            above = self.fast[data][0] - self.slow[data][0]
            if above == 0 or self.views.get(data) == (above > 0):
                continue
            self.views[data] = above > 0
            if above > 0:
                self._enter(data, data.close[0])
            elif self.getposition(data).size:
                for order in self.brackets.get(data, ())[1:]:
                    self.cancel(order)
                self.close(data=data)

    def _enter(self, data: Any, price: float) -> None:  # noqa: ANN401 - backtrader is untyped
        size = int(self.given.share * self.broker.getvalue() / price)
        if not self.given.has_brackets:
            self.buy(data=data, size=size)
            return
        self.brackets[data] = self.buy_bracket(
            data=data,
            size=size,
            exectype=bt.Order.Market,
            stopprice=on_tick(price * (1 - self.given.stop_pct / 100)),
            limitprice=on_tick(price * (1 + self.given.target_pct / 100)),
        )


class Momentum(bt.Strategy):
    """Every k bars the best by rate of change: leavers out, joiners in, who stays is left alone."""

    params = (("given", None),)

    def __init__(self) -> None:
        self.given: Given = self.p.given
        lookback = self.given.params["lookback"]
        self.change = [bt.indicators.RateOfChange(data.close, period=lookback) for data in self.datas]
        self.held: set[int] = set()
        self.fills = 0

    def notify_order(self, order: Any) -> None:  # noqa: ANN401 - backtrader is untyped
        self.fills += order.status == order.Completed

    def next(self) -> None:
        if len(self) % self.given.params["rebalance_every"]:
            return
        ranked = sorted(range(len(self.datas)), key=lambda at: -self.change[at][0])
        best = ranked[: self.given.params["top"]]
        value = self.broker.getvalue()
        for at in sorted(self.held - set(best)):
            self.close(data=self.datas[at])
        for at in best:
            if at not in self.held:
                self.buy(data=self.datas[at], size=int(self.given.share * value / self.datas[at].close[0]))
        self.held = set(best)


def run(given: Given) -> tuple[int, float]:
    """One run with backtrader's defaults; making the frames belongs to the panel, loading the feeds to the run."""
    index = pd.to_datetime(given.closed_at)
    fields = ("open", "high", "low", "close", "volume")
    cerebro = bt.Cerebro()
    for at, symbol in enumerate(given.symbols):
        frame = pd.DataFrame({field: given.arrays[field][:, at] for field in fields}, index=index)
        cerebro.adddata(bt.feeds.PandasData(dataname=frame), name=symbol)
    cerebro.addstrategy(Momentum if "lookback" in given.params else SmaCross, given=given)
    cerebro.broker.setcash(given.cash)
    (strategy,) = cerebro.run()
    return int(strategy.fills), float(cerebro.broker.getvalue())


if __name__ == "__main__":
    take_part(run)
