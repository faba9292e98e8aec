import numpy as np
import pytest
from msgspec.structs import replace

from bench.panels import minute_panel
from research.backtest.moments import instant
from research.measures.capacity import capacity_figures
from shared.orders import Side
from tests.measures.builders import a_curve, a_daily_curve, a_daily_panel, a_fill, a_result


def test_the_capital_at_which_what_was_traded_would_be_one_percent_of_the_volume():
    # 100,000 on offer a day, 500 traded of an equity of 10,000: 0.5 % of the volume; 1 % at twice the equity
    panel = a_daily_panel([100.0, 100.0])
    result = a_result(a_daily_curve(10_000.0, 10_000.0), [a_fill(Side.BUY, 5, 100.0)], starting_cash=10_000.0)
    found = capacity_figures(result, panel)
    assert found.capital == pytest.approx(20_000.0)
    assert [found.used_pct_mean, found.used_pct_max] == pytest.approx([0.5, 0.5])


def test_fills_of_a_session_in_an_instrument_count_together():
    panel = a_daily_panel([100.0, 100.0])
    fills = [a_fill(Side.BUY, 5, 100.0), a_fill(Side.SELL, 5, 100.0)]
    found = capacity_figures(a_result(a_daily_curve(10_000.0, 10_000.0), fills), panel)
    assert found.capital == pytest.approx(10_000.0)


def test_capacity_grows_with_the_share_that_is_allowed():
    panel = a_daily_panel([100.0])
    result = a_result(a_daily_curve(10_000.0), [a_fill(Side.BUY, 5, 100.0)])
    assert capacity_figures(result, panel, participation_pct=10.0).capital == pytest.approx(200_000.0)


@pytest.mark.parametrize(("thin_share", "capital"), [(4, 20_000.0), (6, 2_000.0)])
def test_a_twentieth_of_the_value_traded_may_be_beyond_the_share(thin_share, capital):
    # a hundred days of equal value; on some of them the volume is a tenth
    panel = a_daily_panel(np.full(100, 100.0))
    panel.volume[:thin_share] = 100.0
    fills = [a_fill(Side.BUY, 5, 100.0, session=at) for at in range(100)]
    found = capacity_figures(a_result(a_daily_curve(*[10_000.0] * 100), fills), panel)
    assert found.capital == pytest.approx(capital)
    assert found.used_pct_max == pytest.approx(5.0)


def test_where_nobody_else_trades_there_is_no_capacity():
    panel = a_daily_panel([100.0], volume=0.0)
    found = capacity_figures(a_result(a_daily_curve(10_000.0), [a_fill(Side.BUY, 5, 100.0)]), panel)
    assert (found.capital, found.used_pct_mean, found.used_pct_max) == (0.0, None, None)


def test_without_fills_there_is_no_figure():
    found = capacity_figures(a_result(a_daily_curve(100.0)), a_daily_panel([100.0]))
    assert (found.capital, found.used_pct_mean) == (None, None)


def test_the_volume_of_a_session_is_that_of_all_its_minutes():
    panel = minute_panel(symbols=1, bars=10)
    closed_at = tuple(instant(at) for at in panel.closed_at.tolist())
    curve = replace(a_curve([10_000.0] * 10), closed_at=closed_at)
    bought = a_fill(Side.BUY, 5, 100.0, symbol="S000")
    bought = replace(bought, fill=replace(bought.fill, filled_at=closed_at[3]))
    offered = float(np.sum(panel.close * panel.volume))
    found = capacity_figures(a_result(curve, [bought], symbols=("S000",)), panel)
    assert found.used_pct_mean == pytest.approx(100 * 500.0 / offered)
