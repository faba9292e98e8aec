"""The bars through plain backtrader 1.9.78: its feeds, its strategy class, its broker, nothing of ours."""

import backtrader as bt
import pandas as pd
from msgspec import Struct


class Plain(Struct):
    """Fills as (row, symbol, signed shares, price), shares held at the end, final equity, the strategy itself."""

    fills: list[tuple[int, str, int, float]]
    held: dict[str, int]
    equity: float
    strategy: object


class Scripted(bt.Strategy):
    """`act`: row of the clock (the first symbol's, from 0) -> a function of the strategy."""

    params = (("act", None),)

    def __init__(self):
        self.filled, self.statuses, self.brackets, self.seen = [], [], [], []

    def next(self):
        row = len(self.datas[0]) - 1
        self.seen.append(row)
        if row in (self.p.act or {}):
            self.p.act[row](self)

    def notify_order(self, order):
        self.statuses.append((order.data._name, order.getordername(), order.getstatusname()))
        if order.status in {order.Partial, order.Completed}:
            bit = order.executed.exbits[-1]
            self.filled.append((len(self.datas[0]) - 1, order.data._name, int(bit.size), bit.price))

    def bracket(self, data=0, size=10, price=100.0, kind=bt.Order.Market, **prices):
        """A long bracket with its stop 2 % below and its target 4 % above, as ours is set up."""
        chosen = {"stopprice": round(price * 0.98, 2), "limitprice": round(price * 1.04, 2), **prices}
        orders = self.buy_bracket(data=self.datas[data], size=size, price=price, exectype=kind, **chosen)
        self.brackets.append(orders)
        return orders


def plain(panel, act=None, *, cash=10_000.0, shares_per_bar=None, strategy=Scripted, zone=None, **broker):
    """One run; `act` is handed to the strategy, `broker` to backtrader's BackBroker."""
    cerebro = bt.Cerebro(stdstats=False, cheat_on_open=broker.get("coo", False))
    for symbol, frame in frames_of(panel, zone).items():
        cerebro.adddata(bt.feeds.PandasData(dataname=frame), name=symbol)
    cerebro.broker = bt.brokers.BackBroker(**broker)
    cerebro.broker.setcash(cash)
    if shares_per_bar is not None:
        cerebro.broker.set_filler(bt.broker.fillers.FixedSize(size=shares_per_bar))
    cerebro.addstrategy(strategy, act=act)
    (ran,) = cerebro.run()
    held = {data._name: int(ran.getposition(data).size) for data in ran.datas}
    return Plain(fills=ran.filled, held=held, equity=float(cerebro.broker.getvalue()), strategy=ran)


def frames_of(panel, zone=None):
    """A frame per symbol with the rows in which it printed, indexed by their closes."""
    index = pd.to_datetime(panel.closed_at)
    if zone is not None:
        index = index.tz_localize("UTC").tz_convert(zone)
    fields = ("open", "high", "low", "close", "volume")
    frames = {
        symbol: pd.DataFrame({field: getattr(panel, field)[:, at] for field in fields}, index=index)
        for at, symbol in enumerate(panel.symbols)
    }
    return {symbol: frame.dropna() for symbol, frame in frames.items()}
