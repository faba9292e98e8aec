"""Against the numbers printed in the two papers of Bailey and Lopez de Prado, and against scipy's normal."""

import math

import numpy as np
import pytest
from scipy import stats

from research.measures.significance import (
    expected_sharpe_max,
    probability_above,
    significance,
    track_record_days_min,
)
from tests.measures.builders import index_returns, random_returns

YEAR = math.sqrt(252)


def test_the_deflated_sharpe_ratio_of_the_paper():
    """Journal of Portfolio Management 40 (2014): 2.5 a year over 1,250 days, the best of 100 with variance 1/2."""
    expected = expected_sharpe_max(100, 0.5 / 250)
    assert expected == pytest.approx(0.1132, abs=5e-5)
    assert expected is not None
    deflated = probability_above(2.5 / math.sqrt(250), expected, (1_250, -3.0, 10.0 - 3.0))
    assert deflated == pytest.approx(0.9004, abs=5e-5)


@pytest.mark.parametrize(("skew", "kurtosis", "printed"), [(0.0, 3.0, 0.982), (-2.448, 10.164, 0.913)])
def test_the_probabilistic_sharpe_ratio_of_the_paper(skew, kurtosis, printed):
    """Journal of Risk 15 (2012): a monthly Sharpe ratio of 0.458 over two years, normal and as it was."""
    found = probability_above(0.458, 0.0, (24, skew, kurtosis - 3.0))
    assert found == pytest.approx(printed, abs=1e-3)


@pytest.mark.parametrize(("per_year", "printed"), [(252, 2.73), (52, 2.83), (12, 3.24)])
def test_the_minimum_track_record_length_of_the_paper(per_year, printed):
    """The same: years until a Sharpe ratio of 2 lies above 1 with 95 % confidence, normal returns."""
    length = track_record_days_min(2 / math.sqrt(per_year), 1 / math.sqrt(per_year), (0, 0.0, 0.0))
    assert length / per_year == pytest.approx(printed, abs=0.01)


@pytest.mark.parametrize("trials", [2, 10, 1_000])
def test_the_expected_best_of_trials_without_skill_is_what_luck_shows(trials):
    drawn = np.random.default_rng(1).normal(0.0, 0.7, (4_000, trials)).max(axis=1).mean()
    assert expected_sharpe_max(trials, 0.49) == pytest.approx(drawn, rel=0.09)


@pytest.mark.parametrize("returns", [lambda: random_returns(8), index_returns], ids=["random", "the S&P 500"])
def test_the_figures_of_returns_follow_from_their_moments(returns):
    daily = returns()
    ratio = daily.mean() / daily.std(ddof=1)
    spread = 1 - stats.skew(daily) * ratio + (stats.kurtosis(daily, fisher=False) - 1) / 4 * ratio**2
    found = significance(daily, trials=20, sharpe_variance=0.3)
    by_luck = math.sqrt(0.3) * (
        (1 - np.euler_gamma) * stats.norm.ppf(1 - 1 / 20) + np.euler_gamma * stats.norm.ppf(1 - 1 / (20 * math.e))
    )
    error = math.sqrt(spread / (len(daily) - 1))
    assert found.probabilistic_sharpe == pytest.approx(stats.norm.cdf(ratio / error), rel=1e-9)
    assert found.sharpe_expected == pytest.approx(by_luck, rel=1e-9)
    assert found.deflated_sharpe == pytest.approx(stats.norm.cdf((ratio - by_luck / YEAR) / error), rel=1e-9)
    assert found.track_record_days_min == pytest.approx(1 + spread * (stats.norm.ppf(0.95) / ratio) ** 2, rel=1e-9)


def test_a_single_trial_deflates_nothing():
    found = significance(random_returns(8), trials=1, sharpe_variance=None)
    assert found.deflated_sharpe == found.probabilistic_sharpe


@pytest.mark.parametrize(("trials", "variance"), [(None, None), (5, None)])
def test_without_a_count_or_a_variance_nothing_is_deflated(trials, variance):
    found = significance(random_returns(8), trials=trials, sharpe_variance=variance)
    assert (found.sharpe_expected, found.deflated_sharpe) == (None, None)
    assert found.probabilistic_sharpe is not None


def test_a_losing_record_is_never_long_enough():
    found = significance(random_returns(8) - 0.01, trials=1, sharpe_variance=None)
    assert found.track_record_days_min is None
    assert (found.probabilistic_sharpe or 1.0) < 0.01


@pytest.mark.parametrize("returns", [[], [0.01], [0.0, 0.0, 0.0]])
def test_returns_without_a_sharpe_ratio_have_no_certainty(returns):
    found = significance(np.array(returns), trials=3, sharpe_variance=0.1)
    assert (found.probabilistic_sharpe, found.deflated_sharpe, found.track_record_days_min) == (None, None, None)


def test_a_skew_beyond_the_expansion_gives_no_probability():
    assert probability_above(1.0, 0.0, (100, 5.0, 0.0)) is None
    assert track_record_days_min(1.0, 0.0, (100, 5.0, 0.0)) is None
