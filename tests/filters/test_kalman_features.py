"""Kalman filters as features: those of the log price, without a unit."""

import numpy as np
import pytest

from shared.indicators.kalman_level import KalmanLevel
from shared.indicators.kalman_regression import KalmanRegression
from shared.indicators.kalman_trend import KalmanTrend
from shared.indicators.registry import indicator_of
from tests.indicators.panels import a_walk

NAN = float("nan")
NAMES = ["kalman_level", "kalman_trend", "kalman_autoregression", "volatility_regime"]


def closes(rows=120, n=2, *, seed=3):
    return a_walk(rows, n, seed=seed)[2]


def scales(innovation, variance, memory):
    """Variance of the observation before each print, and after the last: a running mean, done slowly."""
    found = [NAN]
    for t in range(1, len(innovation)):
        square = innovation[t] ** 2 / variance[t]
        found.append(square if t == 1 else found[-1] + (square - found[-1]) / min(t, memory))
    return np.array(found)


def test_the_level_is_that_of_the_filter_of_the_log_price():
    close = closes()
    level, zscore, volatility, density = indicator_of("kalman_level", 2, ratio=0.3, memory=30, warm=5).update_many(
        close
    )
    plain = KalmanLevel(2, level_variance=0.3, observation_variance=1.0)
    expected, variance, error, spread = plain.update_fields(np.log(close), KalmanLevel.FIELDS)[:, :, 0]
    scale = scales(error, spread, 30)
    np.testing.assert_allclose(level[4:, 0], np.exp(expected[4:]), rtol=1e-12)
    np.testing.assert_allclose(zscore[4:, 0], error[4:] / np.sqrt(scale[3:-1] * spread[4:]), rtol=1e-9)
    np.testing.assert_allclose(volatility[4:, 0], np.sqrt(scale[4:] * (variance[4:] + 1.3)), rtol=1e-9)
    by_hand = -0.5 * (np.log(2 * np.pi * scale[3:-1] * spread[4:]) + zscore[4:, 0] ** 2)
    np.testing.assert_allclose(density[4:, 0], by_hand, rtol=1e-9)


def test_the_trend_is_that_of_the_filter_of_the_log_price():
    close = closes()
    made = indicator_of("kalman_trend", 2, level_ratio=0.2, slope_ratio=0.01, memory=40, warm=6)
    level, slope, slope_zscore, zscore, volatility, _ = made.update_many(close)[:, 5:, 1]
    plain = KalmanTrend(2, level_variance=0.2, slope_variance=0.01, observation_variance=1.0)
    fields = plain.update_fields(np.log(close), KalmanTrend.FIELDS)[:, :, 1]
    scale, later = scales(fields[5], fields[6], 40), fields[:, 5:]
    np.testing.assert_allclose(level, np.exp(later[0]), rtol=1e-12)
    np.testing.assert_allclose(slope, later[1], rtol=1e-9)
    np.testing.assert_allclose(slope_zscore, later[1] / np.sqrt(scale[5:] * later[4]), rtol=1e-9)
    np.testing.assert_allclose(zscore, later[5] / np.sqrt(scale[4:-1] * later[6]), rtol=1e-9)
    ahead = later[2] + 2 * later[3] + later[4] + 0.2 + 1
    np.testing.assert_allclose(volatility, np.sqrt(scale[5:] * ahead), rtol=1e-9)


def test_the_autoregression_is_that_of_the_filter_of_standardised_returns():
    close = closes()[:, :1]
    made = indicator_of("kalman_autoregression", 1, ratio=0.01, prior=0.5, memory=1000, warm=10)
    slope, slope_zscore, _ = made.update_many(close)[:, :, 0]
    change = np.diff(np.log(close[:, 0]))
    variance = np.cumsum(change**2) / np.arange(1, len(change) + 1)
    explained, explaining = change[2:] / np.sqrt(variance[1:-1]), change[1:-1] / np.sqrt(variance[1:-1])
    plain = KalmanRegression(
        1, intercept_variance=0.01, slope_variance=0.01, observation_variance=1.0, prior_variances=(0.5, 0.5)
    )
    found = plain.update_fields(explained[:, None], explaining[:, None], ("slope", "slope_variance"))[:, :, 0]
    np.testing.assert_allclose(slope[9:], found[0][6:], rtol=1e-9)
    np.testing.assert_allclose(slope_zscore[9:], (found[0] / np.sqrt(found[1]))[6:], rtol=1e-9)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("unit", [1e-12, 1e7])
def test_the_unit_of_the_price_is_of_no_account(name, unit):
    close = closes()
    some, other = (indicator_of(name, 2).update_many(panel) for panel in (close, close * unit))
    first = 1 if name.endswith(("level", "trend")) else 0  # the level is a price
    np.testing.assert_allclose(other[first:], some[first:], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_a_price_that_never_moves_gives_no_infinity_and_no_surprise(name):
    found = indicator_of(name, 1, warm=3).update_many(np.full((50, 1), 5.0))
    assert np.isfinite(found[:, 2:]).all()
    assert np.abs(found[1:, 2:]).max() < 1e-6


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", [0.0, -3.0, NAN])
def test_a_price_that_is_none_counts_as_no_print(name, bad):
    close = closes(60, 1)
    holed = np.insert(close, [0, 30, 45], bad, axis=0)
    kept = np.delete(np.arange(63), [0, 31, 47])
    whole, through = indicator_of(name, 1).update_many(close), indicator_of(name, 1).update_many(holed)
    np.testing.assert_array_equal(through[:, kept], whole)
    np.testing.assert_array_equal(through[:, 31], through[:, 30])


def test_a_steady_rise_is_a_slope_many_deviations_above_nothing():
    rising = np.exp(0.01 * np.arange(200) + np.random.default_rng(1).normal(0, 0.005, 200))[:, None]
    _, slope, slope_zscore, *_ = indicator_of("kalman_trend", 1).update_many(rising)[:, -1, 0]
    assert slope == pytest.approx(0.01, rel=0.2)
    assert slope_zscore > 5


def test_standardised_innovations_of_a_random_walk_have_a_deviation_of_one():
    close = closes(3000, 4)
    zscore = indicator_of("kalman_level", 4, ratio=1e6).update_many(close)[1, 300:]
    assert zscore.std() == pytest.approx(1.0, rel=0.05)


def test_a_large_move_is_a_surprise_of_as_many_deviations():
    close = closes(400, 1)
    close[300:] *= 1.2
    zscore = indicator_of("kalman_level", 1).update_many(close)[1, :, 0]
    assert np.argmax(np.abs(zscore[20:])) + 20 == 300
    assert zscore[300] > 10
