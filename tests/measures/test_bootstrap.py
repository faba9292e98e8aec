import math

import numpy as np
import pytest
from arch.bootstrap import StationaryBootstrap, optimal_block_length

from research.measures.bootstrap import BandOptions, bands_of, block_length, resampled_days
from tests.measures.builders import index_returns, random_returns


def autoregressive(seed, weight, days=1_500):
    noise = np.random.default_rng(seed).normal(0.0, 0.01, days)
    values = np.zeros(days)
    values[0] = noise[0]
    for at in range(1, days):
        values[at] = weight * values[at - 1] + noise[at]
    return values


def bands(returns, **options):
    return bands_of(returns, BandOptions(**options))


SERIES = {
    "independent": lambda: random_returns(1),
    "short": lambda: random_returns(2, days=60),
    "dependent": lambda: autoregressive(3, 0.5),
    "strongly dependent": lambda: autoregressive(4, 0.9),
    "the S&P 500": index_returns,
}


@pytest.mark.parametrize("name", SERIES)
def test_the_block_length_equals_that_of_an_independent_library(name):
    returns = SERIES[name]()
    theirs = float(optimal_block_length(returns)["stationary"].iloc[0])
    assert block_length(returns) == pytest.approx(max(theirs, 1.0), rel=1e-9)


def test_returns_that_never_differ_come_in_blocks_of_one():
    assert block_length(np.full(100, 0.001)) == 1.0


def test_the_deviation_of_the_resampled_mean_is_that_of_the_formula():
    """Politis and Romano (1994), lemma 1: the variance of the mean is a weighted sum of circular autocovariances."""
    returns, block_days = autoregressive(5, 0.4, days=200), 6.0
    count, keep = len(returns), 1 - 1 / block_days
    centred = returns - returns.mean()
    circular = np.array([centred @ np.roll(centred, -lag) / count for lag in range(count)])
    lag = np.arange(1, count)
    variance = (circular[0] + 2 * np.sum((1 - lag / count) * circular[1:] * keep**lag)) / count
    drawn = np.concatenate(
        [returns[days].mean(axis=1) for days in resampled_days(count, block_days, 8_000, np.random.default_rng(1))]
    )
    assert drawn.mean() == pytest.approx(returns.mean(), abs=4 * math.sqrt(variance / 8_000))
    assert drawn.var() == pytest.approx(variance, rel=0.08)


def test_blocks_run_on_through_neighbouring_days_and_around_the_end():
    (days,) = resampled_days(50, 10.0, 2_000, np.random.default_rng(1))
    follows = (days[:, 1:] - days[:, :-1]) % 50 == 1
    # A block ends with probability 1/10, and then the next day is by chance the following one in 1 of 50.
    assert follows.mean() == pytest.approx(0.9 + 0.1 / 50, abs=0.005)
    assert np.bincount(days.ravel(), minlength=50).min() > 0


def test_draws_come_in_batches_that_are_all_of_them():
    batches = list(resampled_days(100_000, 5.0, 10, np.random.default_rng(1)))
    assert [len(batch) for batch in batches] == [4, 4, 2]


def test_the_bands_are_those_of_an_independent_library():
    returns = autoregressive(6, 0.3, days=600) + 0.0005
    ours = bands(returns, draws=2_000, block_days=4)
    theirs = StationaryBootstrap(4, returns, seed=3)
    ratios = theirs.apply(lambda r: math.sqrt(252) * r.mean() / r.std(ddof=1), 2_000).ravel()
    spread = float(np.std(ratios))
    assert (ours.sharpe.low, ours.sharpe.median, ours.sharpe.high) == pytest.approx(
        tuple(np.percentile(ratios, [5, 50, 95])), abs=0.17 * spread
    )


def test_the_same_seed_gives_the_same_bands_and_another_one_others():
    returns = random_returns(1)
    assert bands(returns, draws=200) == bands(returns, draws=200)
    assert bands(returns, draws=200) != bands(returns, draws=200, seed=8)


def test_more_confidence_is_a_wider_band():
    returns = random_returns(1)
    narrow = bands(returns, confidence_pct=50.0).sharpe
    wide = bands(returns, confidence_pct=99.0).sharpe
    assert wide.low < narrow.low < narrow.median < narrow.high < wide.high


def test_days_that_always_gain_never_lose_and_never_fall():
    found = bands(np.tile([0.001, 0.002], 50), draws=100)
    assert (found.probability_of_loss, found.drawdown_pct_max.high) == (0.0, 0.0)


def test_a_draw_that_is_ruined_stays_ruined():
    found = bands(np.array([0.01] * 29 + [-1.5]), draws=500, block_days=1.0)
    assert found.total_return_pct.low == -100.0
    assert found.drawdown_pct_max.high == 100.0


def test_a_figure_that_no_draw_has_has_no_band():
    assert bands(np.zeros(30), draws=50).sharpe is None


def test_too_few_days_have_no_bands():
    assert bands(random_returns(1, days=19)) is None
