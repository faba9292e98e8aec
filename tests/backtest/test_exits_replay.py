"""Trailing stops, time stops and good-till instants in a replay: the same engine, the written fill rules."""

import backtrader as bt
import pandas as pd
import pytest

from research.backtest.assembly import build_driver, timeline_of
from research.backtest.bar_drive import drive_bars
from research.backtest.replay import replay_bars
from shared.commands import PlaceBracket
from shared.orders import Leg
from tests.backtest.builders import MINUTE_S, a_config, a_panel, flat

ONCE = '''
from strategies.base import Strategy


class Once(Strategy):
    """Long from the first row on."""

    def on_row(self, row, closed_at, /):
        return [self.signal(0, 1.0, "always")]
'''
QUIET = [flat(100.0)] * 3


def a_replay(bars, tmp_path, *, entry="market", timeout_s=120.0, through=drive_bars, **exits):
    """A strategy that is long SPY from the first row on, over these minutes."""
    kind = tmp_path / "once.py"
    kind.write_text(ONCE)
    exits = {"method": "percent", "stop_pct": 1.0, "target_pct": 0.0, **exits}
    config = a_config("SPY", strategy={"kind": str(kind), "exits": exits}, warm_up=0)
    execution = config.execution.model_copy(update={"entry": entry, "entry_timeout_s": timeout_s})
    session = config.session.model_copy(update={"entry_after_open_s": 0})
    replay = config.replay.model_copy(update={"slippage_bps": 0.0, "commission": "none", "participation": 1.0})
    config = config.model_copy(update={"execution": execution, "session": session, "replay": replay})
    panel = a_panel(bars)
    timeline = timeline_of(config, panel)
    return through(build_driver(config, panel, timeline), timeline)


def fills_of(result):
    return [(entry.fill.ref.rpartition(":")[2], entry.fill.price) for entry in result.fills]


def closes(*prices):
    """Bars that open at the close before and go straight to their own: their best price is open or close."""
    return [
        (before, max(before, close), min(before, close), close)
        for before, close in zip((prices[0], *prices), prices, strict=False)
    ]


# --- trailing ---------------------------------------------------------------------------------------------------


def test_a_trailing_stop_follows_the_rise_and_is_taken_on_the_way_back(tmp_path):
    """Entry at 100; the bar that reaches 110 moves the stop to 108.90, and only the bar after it can meet it."""
    rise = [(100.0, 110.0, 100.0, 110.0), (110.0, 110.0, 108.0, 108.0)]
    result = a_replay([*QUIET, *rise], tmp_path, trail_pct=1.0)
    assert fills_of(result) == [("E", 100.0), ("S", 108.9)]


def test_the_same_bars_under_a_plain_stop_leave_the_position_open(tmp_path):
    rise = [(100.0, 110.0, 100.0, 110.0), (110.0, 110.0, 108.0, 108.0)]
    assert fills_of(a_replay([*QUIET, *rise], tmp_path)) == [("E", 100.0)]


def test_the_best_price_of_the_entry_bar_does_not_move_the_stop(tmp_path):
    bars = [flat(100.0), (100.0, 110.0, 100.0, 100.0), (100.0, 100.0, 99.5, 99.5)]
    assert fills_of(a_replay(bars, tmp_path, trail_pct=1.0)) == [("E", 100.0)]


def test_a_trail_wider_than_the_first_stop_leaves_that_in_place_until_it_has_caught_up(tmp_path):
    """Stop 1 %, trail 2 %: at 101 the trail stands at 98.98, below 99, and 99 is taken."""
    bars = [*QUIET, (100.0, 101.0, 100.0, 101.0), (101.0, 101.0, 98.9, 98.9)]
    assert fills_of(a_replay(bars, tmp_path, trail_pct=2.0)) == [("E", 100.0), ("S", 99.0)]


def test_the_plain_loop_and_backtrader_trail_alike(tmp_path):
    bars = closes(100.0, 100.0, 101.0, 103.0, 102.5, 104.0, 102.0, 101.0)
    plain = a_replay(bars, tmp_path, trail_pct=1.0)
    under_backtrader = a_replay(bars, tmp_path, trail_pct=1.0, through=replay_bars)
    assert plain.decisions == under_backtrader.decisions
    assert fills_of(plain) == fills_of(under_backtrader)
    assert {parts[0] for parts in fills_of(plain)} == {"E", "S"}


class _PlainTrail(bt.Strategy):
    """Buys once at the market; when that is filled, backtrader's own StopTrail by percent."""

    def __init__(self):
        self.prices = []

    def next(self):
        if not self.position and not self.prices and len(self) == 1:
            self.buy(size=10)

    def notify_order(self, order):
        if order.status == order.Completed:
            self.prices.append(order.executed.price)
            if order.isbuy():
                self.sell(size=10, exectype=bt.Order.StopTrail, trailpercent=0.02)


def plain_backtrader(bars):
    """The fill prices of a StopTrail of 2 % in plain backtrader."""
    frame = pd.DataFrame(bars, columns=["open", "high", "low", "close"])
    frame["volume"] = 1e6
    frame.index = pd.date_range("2013-10-07 13:31", periods=len(bars), freq=f"{MINUTE_S}s")
    cerebro = bt.Cerebro()
    cerebro.adddata(bt.feeds.PandasData(dataname=frame))
    cerebro.addstrategy(_PlainTrail)
    cerebro.broker.setcash(1e6)
    (strategy,) = cerebro.run()
    return strategy.prices


@pytest.mark.parametrize(
    "prices",
    [(100.0, 100.0, 100.0, 105.0, 110.0, 112.5, 108.0, 107.0), (100.0, 100.0, 100.0, 103.0, 102.0, 104.0, 101.0)],
)
def test_where_the_rules_coincide_the_stop_is_taken_where_plain_backtrader_takes_it(prices, tmp_path):
    """backtrader trails with closes: bars whose best price is their open or close, and prices whose 2 % are on tick."""
    bars = closes(*prices)
    ours = [price for _, price in fills_of(a_replay(bars, tmp_path, stop_pct=2.0, trail_pct=2.0))]
    assert ours == pytest.approx(plain_backtrader(bars))
    assert len(ours) == 2


# --- time stop and good till ------------------------------------------------------------------------------------


def test_a_time_stop_closes_at_the_next_open_after_its_time(tmp_path):
    """Filled in the second minute, held for three: the exit is sent at the fifth close and meets the sixth open."""
    bars = closes(100.0, 100.0, 100.1, 100.2, 100.3, 100.4, 100.5)
    result = a_replay(bars, tmp_path, max_holding_s=180)
    assert fills_of(result) == [("E", 100.0), ("X1", 100.3)]


def test_an_entry_meets_one_row_even_where_rows_are_longer_than_its_time(tmp_path):
    result = a_replay(QUIET, tmp_path, timeout_s=10.0)
    assert fills_of(result) == [("E", 100.0)]


def test_an_entry_that_did_not_fill_is_over_when_its_time_is_up(tmp_path):
    bars = [flat(100.0), *[flat(101.0)] * 3, flat(99.5)]
    result = a_replay(bars, tmp_path, entry="limit", timeout_s=100.0)
    assert fills_of(result) == []
    sent = [entry.command for entry in result.decisions if isinstance(entry.command, PlaceBracket)]
    assert [bracket.bracket.entry.tif for bracket in sent] == ["GTD"]
    assert Leg.ENTRY.value == sent[0].bracket.entry.ref.rpartition(":")[2]
