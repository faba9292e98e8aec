import empyrical
import numpy as np
import pytest
from scipy import stats

from research.measures.benchmark import benchmark_figures
from tests.measures.builders import index_returns, random_returns


@pytest.mark.parametrize("benchmark", [lambda: random_returns(5), index_returns], ids=["random", "the S&P 500"])
def test_alpha_and_beta_are_the_least_squares_line(benchmark):
    theirs = benchmark()[:1_260]
    ours = 0.6 * theirs + random_returns(6)
    line = stats.linregress(theirs, ours)
    found = benchmark_figures("index", ours, theirs)
    assert (found.beta, found.alpha_pct) == pytest.approx((line.slope, 100 * 252 * line.intercept), rel=1e-9)
    assert found.beta == pytest.approx(empyrical.beta(ours, theirs), rel=1e-9)
    assert found.correlation == pytest.approx(line.rvalue, rel=1e-9)


def test_the_information_ratio_is_the_sharpe_ratio_of_the_difference():
    ours, theirs = random_returns(5), random_returns(6)
    found = benchmark_figures("index", ours, theirs)
    assert found.tracking_error_pct == pytest.approx(100 * empyrical.annual_volatility(ours - theirs), rel=1e-9)
    assert found.information_ratio == pytest.approx(empyrical.sharpe_ratio(ours - theirs), rel=1e-9)
    assert found.total_return_pct == pytest.approx(100 * empyrical.cum_returns_final(theirs), rel=1e-9)


def test_only_days_on_which_both_have_a_return_count():
    ours, theirs = np.array([0.01, np.nan, 0.03, 0.02]), np.array([0.01, 0.5, 0.03, np.nan])
    found = benchmark_figures("index", ours, theirs)
    assert found.days == 2
    assert found.beta == pytest.approx(1.0)
    assert found.alpha_pct == pytest.approx(0.0, abs=1e-12)


def test_a_benchmark_that_never_moves_explains_nothing():
    found = benchmark_figures("cash", random_returns(7), np.zeros(1_260))
    assert (found.beta, found.alpha_pct, found.correlation) == (None, None, None)
    assert found.information_ratio is not None


def test_without_a_common_day_nothing_exists():
    found = benchmark_figures("index", np.array([0.01]), np.array([np.nan]))
    assert (found.days, found.beta, found.tracking_error_pct, found.information_ratio) == (0, None, None, None)
