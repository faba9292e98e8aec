"""What plain backtrader makes of brackets, shown by a run, and what ours makes of the same bars. Answers by hand.

Always ten shares at 100, stop 98, target 104, ten thousand in cash and no costs, unless a test says otherwise.
"""

import backtrader as bt
import pytest

from tests.backtest.traps.ours import ours
from tests.backtest.traps.plain import plain
from tests.backtest.traps.small_panel import a_panel, flat

BUY = {0: lambda strategy: strategy.bracket()}
SAY_BUY = "0:SPY:1"


def long_of(*bars, volumes=None):
    """SPY at 100, where the bracket is decided, then the bars."""
    return a_panel({"SPY": [flat(100.0), *bars]}, volumes=volumes)


def test_children_sleep_through_the_entry_bar():
    # The entry bar opens at 100 and falls to 97 before it recovers; the next one reaches the target.
    panel = long_of((100.0, 101.0, 97.0, 101.0), (101.0, 105.0, 101.0, 104.5))
    slept = plain(panel, BUY)
    assert slept.fills == [(1, "SPY", 10, 100.0), (2, "SPY", -10, 104.0)]
    assert slept.equity == pytest.approx(10_040.0)
    awake = ours(panel, SAY_BUY)
    assert awake.fills == [(1, "SPY", 10, 100.0), (1, "SPY", -10, 98.0)]
    assert awake.equity == pytest.approx(9_980.0)
    assert ours(panel, SAY_BUY, intrabar="skip_entry_bar").fills == slept.fills


def test_a_stop_is_filled_although_the_bar_opened_beyond_the_limit():
    # The bar opens at 105, where the target is filled before anything else; only later does it fall through the stop.
    panel = long_of(flat(100.0), (105.0, 106.0, 97.0, 97.0))
    wrong = plain(panel, BUY)
    assert wrong.fills == [(1, "SPY", 10, 100.0), (2, "SPY", -10, 98.0)]
    assert wrong.equity == pytest.approx(9_980.0)
    right = ours(panel, SAY_BUY)
    assert right.fills == [(1, "SPY", 10, 100.0), (2, "SPY", -10, 105.0)]
    assert right.equity == pytest.approx(10_050.0)


def test_orders_are_matched_again_on_a_bar_that_is_older_than_they():
    # IBM falls to 90 in row 1 and prints nothing in rows 2 and 3. The limit at 100 is sent after row 2.
    nothing = (float("nan"),) * 4
    ibm = [flat(100.0), (100.0, 100.0, 90.0, 100.0), nothing, nothing, flat(110.0), flat(110.0)]
    panel = a_panel({"SPY": [flat(50.0)] * 6, "IBM": ibm})
    stale = plain(panel, {2: lambda strategy: strategy.bracket(1, kind=bt.Order.Limit)})
    # At row 3 the bar of row 1 is still there: filled at its open, by a bar that was over before the order was born.
    assert stale.fills[0] == (3, "IBM", 10, 100.0)
    assert stale.held == {"SPY": 0, "IBM": 0}
    assert stale.equity == pytest.approx(10_100.0)  # out at the open of row 4, which is above the target
    fresh = ours(panel, "2:IBM:1", entry="limit")
    assert fresh.fills == []
    assert fresh.equity == pytest.approx(10_000.0)


def partly(plain_act):
    """Five shares a bar: the entry takes two bars, half the target is sold at 104, then it falls through the stop."""
    bars = [flat(100.0), flat(100.0), (103.0, 104.5, 103.0, 103.0), (99.0, 99.0, 97.0, 97.0), *[flat(90.0)] * 3]
    panel = long_of(*bars, volumes=[50.0] * 8)
    return plain(panel, plain_act, shares_per_bar=5), ours(panel, SAY_BUY, participation=0.1)


def test_after_a_partial_fill_both_children_sell_and_a_long_position_ends_short():
    wrong, right = partly(BUY)
    sold = [size for _, _, size, _ in wrong.fills if size < 0]
    assert (sum(sold), wrong.held) == (-15, {"SPY": -5})
    assert right.fills[2:] == [(3, "SPY", -5, 104.0), (4, "SPY", -5, 98.0)]
    assert right.held == {"SPY": 0}
    assert right.equity == pytest.approx(10_000.0 + 5 * 4.0 - 5 * 2.0)


def _with_oco(strategy):
    strategy.buy(size=10)
    target = strategy.sell(size=10, exectype=bt.Order.Limit, price=104.0)
    strategy.sell(size=10, exectype=bt.Order.Stop, price=98.0, oco=target)


def test_a_partial_fill_of_one_cancels_the_stop_of_the_rest():
    wrong, right = partly({0: _with_oco})
    assert ("SPY", "Stop", "Canceled") in wrong.strategy.statuses
    # Five of ten are sold at 104; the other five have no stop any more and are still there at 90.
    assert wrong.held == {"SPY": 5}
    assert wrong.equity == pytest.approx(10_000.0 + 5 * 4.0 - 5 * 10.0)
    assert right.equity == pytest.approx(10_010.0)


def test_close_leaves_the_children_alive():
    panel = long_of(flat(100.0), flat(100.0), flat(100.0), (99.0, 99.0, 97.0, 97.0), flat(97.0))
    closing = {**BUY, 2: lambda strategy: strategy.close()}
    wrong = plain(panel, closing)
    assert wrong.fills == [(1, "SPY", 10, 100.0), (3, "SPY", -10, 100.0), (4, "SPY", -10, 98.0)]
    assert wrong.held == {"SPY": -10}
    right = ours(panel, "0:SPY:1 2:SPY:0")
    assert right.fills == [(1, "SPY", 10, 100.0), (3, "SPY", -10, 100.0)]
    assert right.held == {"SPY": 0}


def test_brackets_beyond_the_budget_are_accepted():
    # A thousand in cash, two brackets of 800 each: the second is accepted as well, because the children of the first
    # are taken for its end; at the open it dies of a margin call. Of a short sale the budget is not asked at all.
    panel = a_panel({"SPY": [flat(100.0)] * 4, "IBM": [flat(100.0)] * 4})
    both = plain(panel, {0: lambda one: [one.bracket(0, 8), one.bracket(1, 8)]}, cash=1_000.0)
    told = [status for symbol, kind, status in both.strategy.statuses if (symbol, kind) == ("IBM", "Market")]
    assert told == ["Submitted", "Accepted", "Margin"]
    assert plain(panel, {0: lambda one: one.sell(size=1_000)}, cash=1_000.0).held == {"SPY": -1_000, "IBM": 0}
    # Ours: eight and what is left of a thousand, two, on either side.
    long, short = (ours(panel, f"0:SPY:{view} 0:IBM:{view}", cash=1_000.0, fraction=0.8) for view in (1, -1))
    assert (long.held, short.held) == ({"SPY": 8, "IBM": 2}, {"SPY": -8, "IBM": -2})


def test_a_sell_limit_is_filled_below_the_low_of_its_bar():
    # 3 % of slippage from the open of 106 would be 102.82; it stops at the limit, which the bar never traded at.
    panel = long_of(flat(100.0), (106.0, 107.0, 105.5, 106.0))
    wrong = plain(
        panel,
        {1: lambda strategy: strategy.sell(size=10, exectype=bt.Order.Limit, price=104.0)} | {0: _buy},
        slip_perc=0.03,
        slip_open=True,
    )
    (_, _, sold, price) = wrong.fills[-1]
    assert (sold, price) == (-10, 104.0)
    assert price < 105.5
    right = ours(panel, SAY_BUY, slippage_bps=300.0)
    assert right.fills[-1] == (2, "SPY", -10, 106.0)


def _buy(strategy):
    strategy.buy(size=10)
