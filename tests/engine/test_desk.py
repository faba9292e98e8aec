"""One strategy at work: its slice of the row, its ATR for size and exits, and a memory that survives a restart."""

import numpy as np
import pytest

from daemon.engine.settings import ExitPolicy, SizingPolicy
from shared.market import BarRow
from shared.orders import Side
from tests.engine.builders import a_desk, a_universe, at

ATR = SizingPolicy(method="atr", fraction=0.01, atr_period=2, atr_multiple=2.0)
EXITS = ExitPolicy(method="atr", stop=1.5, target=3.0, atr_period=2)


def rows(*bars):
    """Rows of SPY and IBM; IBM stands still at 50."""
    for high, low, close in bars:
        prices = (np.array([value, 50.0]) for value in (close, high, low, close))
        opened, highs, lows, closes = prices
        yield BarRow(open=opened, high=highs, low=lows, close=closes, volume=np.full(2, 1000.0))


# True ranges of SPY after the first bar: 2 and 4, so the ATR of two is 3.
WARM = ((101.0, 99.0, 100.0), (102.0, 100.0, 101.0), (104.0, 100.0, 103.0))


def a_warm_desk():
    desk = a_desk(a_universe("SPY", "IBM"), symbols=("SPY",), sizing=ATR, exits=EXITS)
    for row in rows(*WARM):
        desk.on_row(row, at(60))
    return desk


def test_size_by_atr_risks_the_fraction_over_that_many_ranges():
    # 1,000,000 x 1 % = 10,000 to lose on a move of 2 x 3: 1,666 shares.
    assert a_warm_desk().target("SPY", 1.0, 1e6, 103.0) == 1666
    assert a_warm_desk().target("SPY", -0.5, 1e6, 103.0) == -833


def test_exits_by_atr_stand_that_many_ranges_away():
    assert a_warm_desk().exit_prices("SPY", Side.BUY, 103.0) == (98.5, 112.0)
    assert a_warm_desk().exit_prices("SPY", Side.SELL, 103.0) == (107.5, 94.0)


def test_before_the_range_is_warm_there_is_no_size_and_no_stop():
    desk = a_desk(a_universe("SPY", "IBM"), symbols=("SPY",), sizing=ATR, exits=EXITS)
    assert desk.target("SPY", 1.0, 1e6, 103.0) == 0
    assert desk.exit_prices("SPY", Side.BUY, 103.0) is None


def test_over_a_split_the_range_keeps_its_share_of_the_price():
    """A reverse split of 1 for 10: no bar had a range of 920. The ATR of 3 is 30 now; the next bar's range is 20."""
    desk = a_warm_desk()
    for row in rows((1040.0, 1020.0, 1030.0)):
        desk.on_row(row, at(240))
    assert desk.exit_prices("SPY", Side.BUY, 1030.0) == (992.5, 1105.0)  # (30 + 20) / 2 = 25, times 1.5 and 3


@pytest.mark.parametrize("bar", [(1040.0, 105.0, 1000.0), (100_000.0, 900.0, 1000.0)])
def test_a_print_of_another_scale_inside_a_bar_does_not_decide_where_the_next_stop_stands(bar):
    """Found by simulation (brutal 41110): a split inside a bar, then a stop half the price away. A jump is 10 %."""
    desk = a_warm_desk()
    for row in rows((1000.0, 1000.0, 1000.0), bar):  # scaled by 1000/103; the first has no range
        desk.on_row(row, at(240))
    high, low = min(bar[0], 1100.0), max(bar[1], 900.0)
    range_ = (3 * 1000 / 103 / 2 + high - low) / 2
    stop, target = desk.exit_prices("SPY", Side.BUY, 1000.0)
    assert stop == pytest.approx(1000 - 1.5 * range_, abs=0.01)
    assert target == pytest.approx(1000 + 3 * range_, abs=0.01)


@pytest.mark.parametrize(("equity", "price"), [(None, 103.0), (1e6, None)])
def test_without_equity_or_price_nothing_is_sized(equity, price):
    assert a_warm_desk().target("SPY", 1.0, equity, price) == 0


def test_a_desk_that_was_restored_sizes_and_protects_as_before():
    before = a_warm_desk()
    after = a_desk(a_universe("SPY", "IBM"), symbols=("SPY",), sizing=ATR, exits=EXITS)
    after.restore(before.snapshot())
    assert after.target("SPY", 1.0, 1e6, 103.0) == 1666
    assert after.exit_prices("SPY", Side.BUY, 103.0) == (98.5, 112.0)
    assert after.snapshot() == before.snapshot()


def test_a_strategy_sees_only_its_own_instruments():
    desk = a_desk(a_universe("SPY", "IBM"), symbols=("IBM",))
    desk.strategy.views = {"IBM": 1.0}
    (signal,) = desk.on_row(next(rows(WARM[0])), at(60))
    assert signal.symbol == "IBM"
    assert (desk.symbols, desk.column("IBM")) == (("IBM",), 1)
