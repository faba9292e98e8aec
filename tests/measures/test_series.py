"""The figures of daily returns, against empyrical and scipy, and by hand where nothing is there to measure."""

import empyrical
import numpy as np
import pytest
from scipy import stats

from research.measures import series
from research.measures.series import return_figures
from tests.measures.builders import index_returns, random_returns

SERIES = {
    "fat-tailed": lambda: random_returns(1),
    "another": lambda: random_returns(2, days=250),
    "losing": lambda: random_returns(3) - 0.002,
    "two days": lambda: np.array([0.01, -0.02]),
    "the S&P 500": index_returns,
}
PEERS = {
    "total_return_pct": lambda r: 100 * empyrical.cum_returns_final(r),
    "annual_return_pct": lambda r: 100 * empyrical.annual_return(r),
    "volatility_pct": lambda r: 100 * empyrical.annual_volatility(r),
    "sharpe": empyrical.sharpe_ratio,
    "sortino": empyrical.sortino_ratio,
    "calmar": empyrical.calmar_ratio,
    "var_95_pct": lambda r: -100 * empyrical.value_at_risk(r),
    "cvar_95_pct": lambda r: -100 * empyrical.conditional_value_at_risk(r),
    "tail_ratio": empyrical.tail_ratio,
    "skew": stats.skew,
    "kurtosis": stats.kurtosis,
    "best_day_pct": lambda r: 100 * r.max(),
    "worst_day_pct": lambda r: 100 * r.min(),
    "days_up_pct": lambda r: 100 * (r > 0).mean(),
}


@pytest.mark.parametrize("figure", PEERS)
@pytest.mark.parametrize("name", SERIES)
def test_a_figure_equals_that_of_an_independent_library(name, figure):
    returns = SERIES[name]()
    ours = getattr(return_figures(returns), figure)
    assert ours == pytest.approx(PEERS[figure](returns), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", SERIES)
def test_the_drawdown_of_a_series_equals_that_of_an_independent_library(name):
    returns = SERIES[name]()
    assert series.daily_drawdown_pct_max(returns) == pytest.approx(-100 * empyrical.max_drawdown(returns), rel=1e-9)


def test_sortino_counts_every_day_but_only_the_falls_of_them():
    # mean 0.01; falls 0, -0.02, 0, 0: root of 0.0004 / 4 is 0.01
    assert return_figures(np.array([0.02, -0.02, 0.03, 0.01])).sortino == pytest.approx(252**0.5)


def test_calmar_takes_the_drawdown_that_it_is_given():
    # 252 days of the 252nd root of 1.1: 10 % a year
    returns = np.full(252, 1.1 ** (1 / 252) - 1)
    assert return_figures(returns, drawdown_pct_max=5.0).calmar == pytest.approx(2.0)


def test_the_shortfall_is_the_mean_of_the_worst_twentieth():
    # 40 days: floor(39 * 5 %) + 1 = 2 of them
    returns = np.array([-0.05, -0.03, *[0.001] * 38])
    assert return_figures(returns).cvar_95_pct == pytest.approx(4.0)


def test_without_a_day_nothing_exists():
    figures = return_figures(np.array([]))
    assert (figures.days, figures.total_return_pct) == (0, 0.0)
    assert {getattr(figures, name) for name in PEERS if name != "total_return_pct"} == {None}


def test_one_day_has_a_return_but_no_deviation():
    figures = return_figures(np.array([0.01]))
    assert figures.annual_return_pct == pytest.approx(100 * (1.01**252 - 1))
    assert (figures.volatility_pct, figures.sharpe, figures.skew, figures.sortino) == (None, None, None, None)


@pytest.mark.parametrize("daily", [0.0, 0.001])
def test_equity_that_never_differs_has_no_ratio_whatever_float64_makes_of_it(daily):
    closes = 100.0 * (1 + daily) ** np.arange(500)
    figures = return_figures(closes[1:] / closes[:-1] - 1.0)
    assert figures.volatility_pct == pytest.approx(0.0, abs=1e-9)
    assert (figures.sharpe, figures.sortino, figures.calmar, figures.skew, figures.kurtosis) == (None,) * 5


def test_a_day_without_a_return_is_left_out_and_counted():
    whole, holed = np.array([0.01, -0.02, 0.03]), np.array([0.01, np.nan, -0.02, 0.03, np.nan])
    figures = return_figures(holed)
    assert (figures.days, figures.days_missing) == (3, 2)
    assert figures.sharpe == return_figures(whole).sharpe


def test_a_loss_of_everything_is_minus_a_hundred_percent_a_year():
    assert return_figures(np.array([0.1, -1.0])).annual_return_pct == -100.0


def test_after_a_loss_of_more_than_everything_there_is_no_annual_return():
    figures = return_figures(np.array([0.1, -1.5]))
    assert figures.total_return_pct == pytest.approx(-155.0)
    assert (figures.annual_return_pct, figures.calmar) == (None, None)


def test_a_growth_beyond_all_numbers_does_not_exist():
    assert return_figures(np.array([5000.0])).annual_return_pct is None
