"""Three steps with the algebra of a textbook, done by hand or with plain matrices."""

import numpy as np
import pytest

from shared.indicators.kalman import log_likelihood
from shared.indicators.kalman_level import KalmanLevel, kalman_level
from shared.indicators.kalman_regression import KalmanRegression
from shared.indicators.kalman_trend import KalmanTrend

NAN = float("nan")


def test_three_steps_of_a_level_with_variances_of_one():
    # 10: level 10, variance 1. 12: predicted variance 2, expected 3, gain 2/3. 9: 5/3, expected 8/3, gain 5/8.
    level = KalmanLevel(1, level_variance=1, observation_variance=1)
    found = level.update_fields([[10.0], [12.0], [9.0]], KalmanLevel.FIELDS)[:, :, 0]
    second = 10 + 2 / 3 * 2
    third = second + 5 / 8 * (9 - second)
    np.testing.assert_allclose(found[0], [10, second, third], rtol=1e-14)
    np.testing.assert_allclose(found[1], [1, 2 / 3, 5 / 8], rtol=1e-14)
    np.testing.assert_allclose(found[2], [NAN, 2, 9 - second], rtol=1e-14)
    np.testing.assert_allclose(found[3], [NAN, 3, 8 / 3], rtol=1e-14)


def test_the_likelihood_of_a_level_is_that_of_its_innovations():
    level = KalmanLevel(1, level_variance=1, observation_variance=1)
    _, _, innovation, variance = level.update_fields([[10.0], [12.0], [NAN]], KalmanLevel.FIELDS)
    expected = -0.5 * (np.log(2 * np.pi * 3) + 4 / 3)
    np.testing.assert_allclose(log_likelihood(innovation, variance)[:, 0], [0, expected, 0], rtol=1e-14)


def test_three_steps_of_a_trend_equal_plain_matrices():
    trend = KalmanTrend(1, level_variance=0.5, slope_variance=0.25, observation_variance=2.0, first_slope_variance=3.0)
    found = trend.update_fields([[10.0], [12.0], [15.0]], ("level", "slope", "level_variance", "slope_variance"))
    across, noise, seen = np.array([[1, 1], [0, 1.0]]), np.diag([0.5, 0.25]), np.array([[1, 0.0]])
    mean, covariance = np.array([10, 0.0]), np.diag([2, 3.0])
    expected = [[*mean, 2.0, 3.0]]
    mean, covariance = _textbook(mean, covariance, across, noise, seen, 12.0)
    expected.append([*mean, *np.diag(covariance)])
    mean, covariance = _textbook(mean, covariance, across, noise, seen, 15.0)
    expected.append([*mean, *np.diag(covariance)])
    np.testing.assert_allclose(found[:, :, 0].T, expected, rtol=1e-14)


def test_two_steps_of_a_regression_equal_plain_matrices():
    regression = KalmanRegression(
        1, intercept_variance=0.1, slope_variance=0.2, observation_variance=0.5, prior_variances=(4.0, 9.0)
    )
    found = regression.update_fields([[5.0], [7.0]], [[2.0], [3.0]], ("intercept", "slope"))[:, :, 0]
    noise, still = np.diag([0.1, 0.2]), np.eye(2)
    first, covariance = _textbook(np.zeros(2), np.diag([4, 9.0]), still, noise, np.array([[1, 2.0]]), 5.0, 0.5)
    second, _ = _textbook(first, covariance, still, noise, np.array([[1, 3.0]]), 7.0, 0.5)
    np.testing.assert_allclose(found.T, [first, second], rtol=1e-14)


def test_nothing_printed_leaves_the_level_and_adds_its_noise_to_the_variance():
    level = KalmanLevel(1, level_variance=0.25, observation_variance=1)
    found = level.update_fields([[10.0], [NAN], [NAN]], ("level", "variance", "innovation"))[:, :, 0]
    assert found[0].tolist() == [10, 10, 10]
    assert found[1].tolist() == [1, 1.25, 1.5]
    assert np.isnan(found[2]).all()


def test_nothing_printed_lets_a_trend_go_on_by_its_slope():
    trend = KalmanTrend(1, level_variance=1, slope_variance=1, observation_variance=1)
    trend.update_many([[10.0], [12.0]])
    level, slope = trend.field("level"), trend.field("slope")
    assert trend.update([NAN]) == pytest.approx(level + slope, rel=1e-15)
    assert trend.field("slope") == slope


def test_an_instrument_begins_at_its_first_print_whatever_the_others_did():
    panel = np.array([[1.0, NAN], [2.0, NAN], [3.0, 7.0], [4.0, 8.0]])
    both = kalman_level(panel, 0.5, 1.0)
    assert np.isnan(both[:2, 1]).all()
    assert both[2:, 1].tolist() == kalman_level(panel[2:, 1:], 0.5, 1.0)[:, 0].tolist()


def _textbook(mean, covariance, across, noise, seen, observed, observation=2.0):
    mean, covariance = across @ mean, across @ covariance @ across.T + noise
    gain = covariance @ seen.T / (seen @ covariance @ seen.T + observation)
    return mean + gain[:, 0] * (observed - (seen @ mean)[0]), covariance - gain @ seen @ covariance
