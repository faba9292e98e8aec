"""A small replay with everything a page can show, made by hand."""

import msgspec
import numpy as np

from research.backtest.result import Decision
from research.measures.bootstrap import BandOptions
from research.measures.measured import measured
from research.tear_sheet.benchmark import Benchmark
from research.tear_sheet.record import record_of
from shared.commands import Notify, PlaceBracket
from shared.orders import BracketOrder, Order, OrderType, Side
from tests.backtest.builders import SMA, a_config
from tests.measures.builders import a_daily_curve, a_daily_panel, a_fill, a_result, a_stamp, an_instant

DAY_S = 86_400
MARKUP = "<script>alert('&')</script>"


def a_wave(days, seed=1):
    """Prices of so many days that go up and down by a percent or so."""
    return 100.0 * np.cumprod(1.0 + np.random.default_rng(seed).normal(0.0005, 0.01, days))


def an_entry(reason, *, symbol="SPY", strategy="sma", order_type=OrderType.MARKET):
    """The decision whose order a_fill(leg="E") filled."""
    plan = f"OB1:{strategy}:20131007:{symbol}-1"
    entry = Order(ref=f"{plan}:E", symbol=symbol, side=Side.BUY, quantity=10, order_type=order_type)
    stop = Order(ref=f"{plan}:S", symbol=symbol, side=Side.SELL, quantity=10, order_type=OrderType.STOP, stop_price=1.0)
    return PlaceBracket(reasons=(reason,), bracket=BracketOrder(entry=entry, stop_loss=stop))


def an_index(days):
    return Benchmark(name="INDEX", returns=np.diff(a_wave(days + 1, seed=2)) / 100.0)


def a_denial(text):
    return Notify(level="info", code="entry_denied", text=text)


def a_record(days=300, *, trips=20, reason="because", benchmark=True, equity=None, config=None, **changes):
    """A daily replay in SPY that buys and sells 10 shares every third day."""
    prices = a_wave(days)
    fills = []
    for number in range(trips):
        session = 3 * number
        fills.append(a_fill(Side.BUY, 10, float(prices[session]), session=session, commission=1.0, slippage=0.5))
        out = float(prices[session + 1])
        fills.append(a_fill(Side.SELL, 10, out, session=session + 1, leg="S", commission=1.0, slippage=0.5))
    equity = 100.0 * prices if equity is None else equity
    gross = np.where(np.arange(days) % 3 == 0, 10 * prices, 0.0)
    decisions = tuple(
        a_decision(command)
        for command in (an_entry(reason), a_denial("sma BUY 62 SPY: gross exposure of up to 1153.70, at most 1058.75"))
    )
    result = a_result(a_daily_curve(*equity, gross=gross), fills, starting_cash=float(equity[0]))
    result = msgspec.structs.replace(result, decisions=decisions)
    against = an_index(days) if benchmark else None
    panel = a_daily_panel(prices)
    return record_of(
        result,
        config or a_config("SPY", strategy=SMA, interval_s=DAY_S),
        panel,
        measures=measured(result, benchmark=against, panel=panel, bands=BandOptions(draws=50)),
        stamp=a_stamp(),
        benchmark=against,
        data_name="bars.parquet",
        **changes,
    )


def a_decision(command, session=0):
    return Decision(decided_at=an_instant(session), command=command)
