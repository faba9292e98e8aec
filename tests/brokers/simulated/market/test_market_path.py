"""The documented path inside a bar."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.simulated.market.path import five_second_steps, path_inside
from shared.market import Bar


@pytest.mark.parametrize(
    ("bar", "prices"),
    [
        (Bar(10, 12, 9, 11, 400), (10, 9, 12, 11)),  # rose: the low first
        (Bar(10, 12, 9, 9.5, 400), (10, 12, 9, 9.5)),  # fell: the high first
        (Bar(10, 12, 9, 10, 400), (10, 9, 12, 10)),
    ],
)
def test_a_bar_that_did_not_fall_visits_its_low_first(bar, prices):
    assert path_inside(bar) == (prices, (100, 100, 100, 100))


def test_the_volume_is_cut_in_four_and_the_last_point_takes_the_remainder():
    assert path_inside(Bar(10, 10, 10, 10, 403))[1] == (100, 100, 100, 103)
    assert path_inside(Bar(10, 10, 10, 10, 1))[1] == (0.25, 0.25, 0.25, 0.25)


def test_a_minute_becomes_twelve_steps_along_its_path():
    steps = five_second_steps(Bar(10.00, 10.08, 9.96, 10.04, 1_205))
    assert steps.close.tolist() == [
        *(9.99, 9.98, 9.97, 9.96),
        *(9.99, 10.02, 10.05, 10.08),
        *(10.07, 10.06, 10.05, 10.04),
    ]
    assert steps.open.tolist() == [10.00, *steps.close.tolist()[:-1]]
    assert steps.volume.tolist() == [101, 101, 100, 101, 100, 100, 100, 101, 100, 100, 100, 101]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.floats(0.01, 5_000), min_size=4, max_size=4),
    st.booleans(),
    st.integers(0, 10_000_000),
)
def test_twelve_steps_give_back_exactly_their_minute(prices, rises, volume):
    low, first, second, high = sorted(prices)
    opened, close = (first, second) if rises else (second, first)
    steps = five_second_steps(Bar(opened, high, low, close, volume))
    assert (steps.open[0], steps.high.max(), steps.low.min(), steps.close[-1]) == (opened, high, low, close)
    assert math.fsum(steps.volume) == pytest.approx(volume, abs=0 if volume >= 12 else 1e-9)
    assert (steps.open[1:] == steps.close[:-1]).all()
    assert ((steps.low <= np.minimum(steps.open, steps.close)) & (steps.high >= steps.open)).all()


def test_a_minute_without_a_trade_gives_steps_without_a_trade():
    steps = five_second_steps(Bar(*[math.nan] * 5))
    assert np.isnan(steps.close).all()
    assert np.isnan(steps.volume).all()
