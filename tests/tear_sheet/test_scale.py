import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from research.tear_sheet.scale import scale_of

FINITE = st.floats(-1e9, 1e9, allow_nan=False)


def test_a_scale_ends_on_round_values_around_the_series():
    scale = scale_of(np.array([0.3, 9.1]), include=(0.0,))
    assert (scale.low, scale.high, scale.ticks) == (0.0, 10.0, (0.0, 2.0, 4.0, 6.0, 8.0, 10.0))


def test_a_share_is_counted_from_the_bottom():
    assert scale_of(np.array([0.0, 10.0])).share(2.5) == pytest.approx(0.25)


@given(st.lists(FINITE, min_size=1, max_size=20))
def test_no_value_lies_outside_its_scale(values):
    places = scale_of(np.array(values)).place(np.array(values))
    assert places.min() >= -1e-9
    assert places.max() <= 1 + 1e-9


@given(st.floats(1e-3, 1e6), st.floats(1.0, 1e4))
def test_a_logarithmic_scale_holds_both_ends_and_has_ticks_between(low, ratio):
    scale = scale_of(np.array([low, low * ratio]), log=True)
    assert scale.low <= low
    assert low * ratio <= scale.high * (1 + 1e-9)
    assert len(scale.ticks) >= 1


def test_equal_ratios_are_equally_far_apart_on_a_logarithmic_scale():
    scale = scale_of(np.array([1.0, 100.0]), log=True)
    assert scale.share(10.0) - scale.share(1.0) == pytest.approx(scale.share(100.0) - scale.share(10.0))


def test_nan_is_no_value_and_nothing_at_all_still_has_a_scale():
    assert scale_of(np.array([np.nan, 2.0, 4.0])).low == 2.0
    assert scale_of(np.array([np.nan])).ticks == (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def test_a_series_that_never_moves_has_room_above_and_below():
    scale = scale_of(np.array([5.0, 5.0]))
    assert scale.low < 5.0 < scale.high
