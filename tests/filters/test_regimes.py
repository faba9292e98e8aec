"""Calm or wild, together or apart."""

import numpy as np
import pytest

from shared.errors import ConfigError
from shared.indicators.gaussian_hmm import GaussianHmm, HmmParameters
from shared.indicators.regimes import AverageCorrelation, average_correlation
from shared.indicators.registry import indicator_of
from tests.indicators.panels import same_bits

NAN = float("nan")


def prices(returns):
    return 100 * np.exp(np.vstack([np.zeros((1, returns.shape[1])), np.cumsum(returns, axis=0)]))


def returns_of(rows=200, n=6, *, common=0.5, seed=2):
    rng = np.random.default_rng(seed)
    together = rng.normal(size=(rows, 1)) * np.sqrt(common)
    return 0.01 * (together + rng.normal(size=(rows, n)) * np.sqrt(1 - common))


def test_a_wild_stretch_is_seen_when_it_begins_and_forgotten_when_it_ends():
    returns = np.random.default_rng(1).normal(0, 0.01, (600, 1))
    returns[300:400] *= 4
    wild, volatility = indicator_of("volatility_regime", 1).update_many(prices(returns))[:, 1:, 0]
    assert wild[310:400].mean() > 0.9
    assert wild[50:300].mean() < 0.5
    assert wild[500:].mean() < 0.2
    assert volatility[310:400].min() > volatility[100:290].mean()


def test_the_wild_state_is_that_of_a_hidden_markov_model_of_the_two_deviations():
    returns = np.random.default_rng(4).normal(0, 0.01, (80, 1))
    made = indicator_of("volatility_regime", 1, calm=0.5, wild=2.0, stay=0.9, memory=10_000, warm=3)
    wild = made.update_many(prices(returns))[0, :, 0]
    known = np.sqrt(np.cumsum(returns[:, 0] ** 2) / np.arange(1, 81))  # the deviation known before the next return
    model = HmmParameters(
        start=np.array([0.5, 0.5]),
        transition=np.array([[0.9, 0.1], [0.1, 0.9]]),
        means=np.zeros((2, 1)),
        covariances=np.array([[[0.25]], [[4.0]]]),
    )
    expected = GaussianHmm(1, model).update_many(returns[1:] / known[:-1, None])[1, :, 0]
    np.testing.assert_allclose(wild[2:], expected, rtol=1e-9)


def test_the_average_correlation_is_that_of_numpy():
    returns = returns_of()
    found = average_correlation(prices(returns), 40)
    for row in (40, 120, 200):
        table = np.corrcoef(returns[row - 40 : row].T)
        assert found[row] == pytest.approx([(table.sum() - 6) / 30] * 6, rel=1e-9)
    assert np.isnan(found[:40]).all()


def test_instruments_that_move_as_one_have_a_correlation_of_one():
    returns = np.repeat(returns_of(60, 1), 4, axis=1)
    assert average_correlation(prices(returns), 20)[-1] == pytest.approx([1.0] * 4, abs=1e-9)


def test_what_did_not_print_in_the_whole_window_or_never_moved_is_left_out():
    close = prices(returns_of(60, 4))
    holed = np.column_stack([close, close[:, 0], np.full(61, 3.0)])
    holed[45, 4] = NAN
    assert average_correlation(holed, 30)[-1, 0] == pytest.approx(average_correlation(close, 30)[-1, 0], rel=1e-12)


def test_fewer_than_two_instruments_have_no_correlation():
    assert np.isnan(average_correlation(prices(returns_of(60, 1)), 20)).all()
    assert np.isnan(average_correlation(np.full((60, 3), 5.0), 20)).all()


def test_batch_equals_stream_bit_for_bit_and_the_future_changes_nothing():
    close = prices(returns_of(90, 5))
    close[np.random.default_rng(3).random(close.shape) < 0.02] = NAN
    live = AverageCorrelation(5, 12)
    streamed = np.array([live.update(row) for row in close])
    assert same_bits(streamed, average_correlation(close, 12))
    changed = close.copy()
    changed[60:] *= 3
    assert same_bits(average_correlation(changed, 12)[:60].copy(), streamed[:60].copy())


def test_a_window_of_two_is_refused():
    with pytest.raises(ConfigError, match="period 2, allowed: whole numbers from 3"):
        AverageCorrelation(2, 2)
