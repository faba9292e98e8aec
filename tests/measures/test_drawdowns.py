from datetime import timedelta

import empyrical
import numpy as np
import pytest

from research.measures.drawdowns import drawdown_figures, drawdowns
from tests.measures.builders import MONDAY, a_curve, a_daily_curve, index_returns, random_returns


def day(number):
    return MONDAY + timedelta(days=number)


def test_a_fall_runs_from_the_peak_over_its_lowest_point_to_the_recovery():
    (fall,) = drawdowns(a_daily_curve(110.0, 99.0, 88.0, 100.0, 110.0, 120.0), 100.0)
    assert fall.depth_pct == pytest.approx(20.0)
    assert (fall.peak, fall.trough, fall.recovered) == (day(0), day(2), day(4))
    assert (fall.sessions, fall.sessions_down, fall.sessions_up) == (4, 2, 2)


def test_a_fall_that_is_not_recovered_says_so_and_lasts_to_the_end():
    (fall,) = drawdowns(a_daily_curve(110.0, 99.0, 105.0), 100.0)
    assert (fall.recovered, fall.sessions_up, fall.sessions) == (None, None, 2)


def test_the_starting_cash_is_a_peak():
    figures = drawdown_figures(a_daily_curve(90.0, 95.0), 100.0)
    assert [figures.depth_pct_max, figures.current_pct] == pytest.approx([10.0, 5.0])
    assert figures.worst[0].peak == day(0)


def test_a_fall_within_a_session_has_its_depth_and_no_length():
    figures = drawdown_figures(a_curve([100.0, 80.0, 100.0], [100.0]), 100.0)
    assert figures.depth_pct_max == pytest.approx(20.0)
    assert (figures.sessions_max, figures.count) == (0, 1)


def test_the_longest_fall_need_not_be_the_deepest():
    figures = drawdown_figures(a_daily_curve(100.0, 50.0, 100.0, 99.0, 99.0, 99.0, 101.0), 100.0)
    assert [fall.depth_pct for fall in figures.worst] == [pytest.approx(50.0), pytest.approx(1.0)]
    assert (figures.sessions_max, figures.worst[0].sessions) == (4, 2)


def test_equity_that_only_rises_has_no_fall():
    figures = drawdown_figures(a_daily_curve(100.0, 101.0, 102.0), 100.0)
    assert (figures.depth_pct_max, figures.count, figures.worst, figures.mean_pct) == (0.0, 0, (), 0.0)


def test_ruin_is_a_fall_of_more_than_everything():
    assert drawdown_figures(a_daily_curve(50.0, -20.0), 100.0).depth_pct_max == pytest.approx(120.0)


def test_rows_without_equity_are_left_out():
    (fall,) = drawdowns(a_daily_curve(100.0, 90.0, np.nan, 100.0), 100.0)
    assert fall.depth_pct == pytest.approx(10.0)
    assert fall.recovered == day(3)


@pytest.mark.parametrize("returns", [lambda: random_returns(4), index_returns], ids=["random", "the S&P 500"])
def test_the_deepest_fall_equals_that_of_an_independent_library(returns):
    equity = 100.0 * np.cumprod(1.0 + returns())
    figures = drawdown_figures(a_daily_curve(*equity), 100.0)
    assert figures.depth_pct_max == pytest.approx(-100.0 * empyrical.max_drawdown(returns()), rel=1e-9)
    worst = figures.worst[0]
    peak, trough = (worst.peak - MONDAY).days, (worst.trough - MONDAY).days
    assert equity[peak] == equity[: trough + 1].max()
    assert worst.depth_pct == pytest.approx(100.0 * (1.0 - equity[trough] / equity[peak]), rel=1e-12)
