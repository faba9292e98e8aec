"""What plain backtrader makes of time, shown by a run, and what ours makes of the same bars. Answers by hand."""

from datetime import UTC, timedelta

import backtrader as bt
import pytest

from tests.backtest.traps.ours import ours
from tests.backtest.traps.plain import Scripted, plain
from tests.backtest.traps.small_panel import NOTHING, OPENS, a_panel, closes_at, flat


class OnOpen(Scripted):
    """Buys at the open of every bar that will close above it, and is out at the next open."""

    def next_open(self):
        if self.position.size:
            self.close()
        if self.datas[0].close[0] > self.datas[0].open[0]:
            self.buy(size=10)


def test_cheat_on_open_knows_the_close():
    # Up, down, up, down by two dollars: whoever knows the close at the open is in for the rises only.
    bars = [flat(100.0), (100.0, 102.0, 100.0, 102.0), (102.0, 102.0, 100.0, 100.0)] * 2
    panel = a_panel({"SPY": bars})
    knows = plain(panel, strategy=OnOpen, coo=True)
    assert [fill for fill in knows.fills if fill[2] > 0] == [(1, "SPY", 10, 100.0), (4, "SPY", 10, 100.0)]
    assert knows.equity == pytest.approx(10_000.0 + 2 * 10 * 2.0)
    # Ours hears of a rise when it is over, and is filled at the open after it: in at 102, out at 100.
    late = ours(panel, "1:SPY:1 2:SPY:0 4:SPY:1", stop_pct=10.0, target_pct=0.0)
    assert late.fills == [(2, "SPY", 9, 102.0), (3, "SPY", -9, 100.0), (5, "SPY", 9, 102.0)]
    assert late.equity == pytest.approx(10_000.0 - 9 * 2.0 - 9 * 2.0)


def test_everybody_waits_for_the_youngest_symbol():
    # NEW is listed in row 4. SPY is decided on in row 0, at 100; by row 4 it has doubled.
    spy = [flat(100.0), flat(100.0), flat(125.0), flat(150.0), flat(200.0), flat(200.0)]
    panel = a_panel({"SPY": spy, "NEW": [NOTHING] * 4 + [flat(10.0)] * 2})
    waited = plain(panel, dict.fromkeys(range(6), _buy_once))
    assert waited.strategy.seen[0] == 4
    assert waited.fills == [(5, "SPY", 10, 200.0)]
    assert waited.equity == pytest.approx(10_000.0)
    at_once = ours(panel, "0:SPY:1", stop_pct=10.0, target_pct=0.0)
    assert at_once.fills == [(1, "SPY", 10, 100.0)]
    assert at_once.equity == pytest.approx(11_000.0)


def _buy_once(strategy):
    if not strategy.filled and not strategy.broker.get_orders_open():
        strategy.buy(data=strategy.datas[0], size=10)


class ReadsTheClock(Scripted):
    def next(self):
        self.seen.append(self.datas[0].datetime.datetime(0))


def test_times_lose_their_microseconds():
    panel = a_panel({"SPY": [flat(100.0)] * 3}, late_us=7)
    lost = plain(panel, strategy=ReadsTheClock).strategy.seen
    real = [closes_at(row) + timedelta(microseconds=7) for row in range(3)]
    assert [at.replace(tzinfo=UTC) for at in lost] != real
    kept = ours(panel, "").result.curve.closed_at
    assert list(kept) == real


def test_an_index_with_a_time_zone_comes_back_naive_and_of_another_zone():
    panel = a_panel({"SPY": [flat(100.0)] * 3})
    (first, *_) = plain(panel, strategy=ReadsTheClock, zone="America/New_York").strategy.seen
    # 09:31 in New York goes in; 13:31 without a zone comes out.
    assert (first.tzinfo, first.hour, first.minute) == (None, 13, 31)
    (aware, *_) = ours(panel, "").result.curve.closed_at
    assert aware == OPENS + timedelta(minutes=1)
    assert aware.tzinfo is UTC
    assert bt.__version__.startswith("1.9.78")
