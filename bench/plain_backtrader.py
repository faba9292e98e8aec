"""The peer: what a backtrader user writes. PandasData per symbol, bt's indicators, brackets and broker."""

from __future__ import annotations

from typing import Any

import backtrader as bt
import pandas as pd

from bench.replay_case import CASE
from shared.io.bar_store import BarPanel

Frames = dict[str, pd.DataFrame]


class SmaCrossWithBrackets(bt.Strategy):
    """Long when the fast average rises above the slow one, with a bracket; out when it falls below."""

    def __init__(self) -> None:
        self.fast = {data: bt.indicators.SMA(data.close, period=CASE.fast) for data in self.datas}
        self.slow = {data: bt.indicators.SMA(data.close, period=CASE.slow) for data in self.datas}
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
                price = data.close[0]
                self.brackets[data] = self.buy_bracket(
                    data=data,
                    size=int(CASE.equity_share * self.broker.getvalue() / price),
                    exectype=bt.Order.Market,
                    stopprice=round(price * (1 - CASE.stop_pct / 100), 2),
                    limitprice=round(price * (1 + CASE.target_pct / 100), 2),
                )
            elif self.getposition(data).size:
                for order in self.brackets[data][1:]:
                    self.cancel(order)
                self.close(data=data)


def frames_of(panel: BarPanel) -> Frames:
    """One DataFrame per symbol, as PandasData wants it."""
    index = pd.to_datetime(panel.closed_at)
    return {
        symbol: pd.DataFrame(
            {
                "open": panel.open[:, at],
                "high": panel.high[:, at],
                "low": panel.low[:, at],
                "close": panel.close[:, at],
                "volume": panel.volume[:, at],
            },
            index=index,
        )
        for at, symbol in enumerate(panel.symbols)
    }


def run_plain(frames: Frames) -> tuple[int, float]:
    """One run with backtrader's defaults: the number of fills and the final equity."""
    cerebro = bt.Cerebro()
    for symbol, frame in frames.items():
        cerebro.adddata(bt.feeds.PandasData(dataname=frame), name=symbol)
    cerebro.addstrategy(SmaCrossWithBrackets)
    cerebro.broker.setcash(CASE.starting_cash)
    (strategy,) = cerebro.run()
    return int(strategy.fills), float(cerebro.broker.getvalue())
