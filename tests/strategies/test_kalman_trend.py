"""The trend follower: long while the slope is surely up."""

import numpy as np
import pytest

from shared.errors import ConfigError
from shared.indicators.registry import indicator_of
from strategies.kalman_trend import KalmanTrend
from tests.strategies.rows import FIRST_CLOSE, a_row, a_universe, said

NAN = float("nan")
RISING = [100 * 1.01**t * (1 + 0.002 * (-1) ** t) for t in range(30)]
FALLING = [100 / price * 100 for price in RISING]


def a_trend(*symbols, **params):
    return KalmanTrend(a_universe(*symbols), **{"warm": 10, "slope_ratio": 0.01, **params})


def test_nothing_is_said_before_the_filter_is_warm():
    assert said(a_trend("SPY"), [a_row(price) for price in RISING[:9]]) == [[]] * 9


def test_long_in_a_rise_and_flat_in_a_fall():
    rows = [a_row(up, down) for up, down in zip(RISING, FALLING, strict=True)]
    assert said(a_trend("SPY", "IBM"), rows)[-1] == [("SPY", 1.0), ("IBM", 0.0)]


def test_short_in_a_fall_when_it_may_be_short():
    assert said(a_trend("SPY", long_only=False), [a_row(price) for price in FALLING])[-1] == [("SPY", -1.0)]


def test_flat_while_the_slope_is_within_its_deviations():
    flat = [100 + (-1) ** t for t in range(30)]
    strategy = a_trend("SPY", long_only=False)
    assert said(strategy, [a_row(price) for price in flat])[-1] == [("SPY", 0.0)]


def test_the_view_is_the_feature_against_the_threshold():
    close = 100 * np.exp(np.cumsum(np.random.default_rng(5).normal(0, 0.01, (80, 1)), axis=0))
    slope = indicator_of("kalman_trend", 1, slope_ratio=0.01, warm=10).update_many(close)[2, 9:, 0]
    expected = np.where(slope > 0.7, 1.0, np.where(slope < -0.7, -1.0, 0.0))
    found = said(a_trend("SPY", zscore=0.7, long_only=False), [a_row(price) for price in close[:, 0]])[9:]
    assert [view for [(_, view)] in found] == expected.tolist()
    assert set(expected) == {1.0, 0.0, -1.0}


def test_an_instrument_that_printed_nothing_is_not_mentioned():
    strategy = a_trend("SPY")
    assert said(strategy, [a_row(price) for price in [*RISING, NAN]])[-1] == []


def test_the_reason_names_the_deviations():
    strategy = a_trend("SPY", zscore=1.5)
    reasons = [[s.reason for s in strategy.on_row(a_row(price), FIRST_CLOSE)] for price in RISING]
    assert reasons[-1] == ["slope above 1.5 deviations"]


@pytest.mark.parametrize("zscore", [-0.1, NAN, 101.0])
def test_a_threshold_that_is_none_is_refused(zscore):
    with pytest.raises(ConfigError, match=r"kalman_trend: zscore .*, allowed: 0 to 100"):
        a_trend("SPY", zscore=zscore)


def test_a_parameter_of_the_filter_out_of_bounds_is_refused_with_its_name():
    with pytest.raises(ConfigError, match="slope_ratio"):
        a_trend("SPY", slope_ratio=-1.0)
