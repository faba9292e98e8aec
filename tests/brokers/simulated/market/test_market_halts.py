"""Limit up, limit down, by hand: the mean of five minutes, 5 % around it, a pause of five minutes."""

import numpy as np
import pytest

from brokers.simulated.market.halts import Pause, pauses_in

STEPS = 4680


def a_path(*jumps, start=100.0, steps=STEPS):
    """A flat price that stands at `price` from `step` on, for each (step, price)."""
    close = np.full(steps, start)
    for step, price in jumps:
        close[step:] = price
    return close


def a_walk(a_step, steps=STEPS):
    """A price that goes up by so much a step."""
    return 100 + a_step * np.arange(steps, dtype=np.float64)


def test_a_price_five_percent_from_the_mean_of_five_minutes_pauses_for_five_minutes():
    assert pauses_in(a_path((1000, 105.01))) == [Pause(1000, 1060)]
    assert pauses_in(a_path((1000, 94.99))) == [Pause(1000, 1060)]


def test_a_price_inside_the_band_does_not_pause():
    assert pauses_in(a_path((1000, 105.0), (1500, 99.75))) == []


def test_a_slow_walk_over_any_distance_does_not_pause():
    assert pauses_in(a_walk(0.01)) == []


def test_a_quick_walk_pauses_where_it_leaves_the_band():
    # 20 cents a step: at step n the mean of the n before it is 0.1 (n + 1) behind and stands at 100 + 0.1 (n - 1);
    # 0.1 (n + 1) > 0.05 (100 + 0.1 (n - 1)) from n = 52 on.
    assert pauses_in(a_walk(0.2, steps=500))[0].first == 52


def test_in_the_last_25_minutes_the_band_is_twice_as_wide():
    assert pauses_in(a_path((STEPS - 300, 109.9))) == []
    assert pauses_in(a_path((STEPS - 301, 109.9))) == [Pause(STEPS - 301, STEPS - 241)]
    assert pauses_in(a_path((STEPS - 300, 110.1))) == [Pause(STEPS - 300, STEPS - 240)]


def test_a_pause_that_would_last_into_the_close_ends_in_the_closing_auction():
    assert pauses_in(a_path((STEPS - 30, 111.0))) == [Pause(STEPS - 30, STEPS - 1)]


def test_after_a_pause_the_mean_begins_anew():
    # Without forgetting, the mean of 100 and 106 would pause it again; a second jump does.
    assert pauses_in(a_path((1000, 106.0))) == [Pause(1000, 1060)]
    assert pauses_in(a_path((1000, 106.0), (1070, 112.0))) == [Pause(1000, 1060), Pause(1070, 1130)]


@pytest.mark.parametrize(
    ("start", "inside", "outside"),
    [
        (3.01, 3.16, 3.17),  # above three dollars: 5 %
        (2.00, 2.40, 2.41),  # from 0.75 to three: 20 %
        (0.50, 0.65, 0.66),  # below: 15 cents
        (0.10, 0.17, 0.18),  # or 75 %, if that is less
    ],
)
def test_cheap_shares_have_wider_bands(start, inside, outside):
    assert pauses_in(a_path((1000, inside), start=start)) == []
    assert pauses_in(a_path((1000, outside), start=start)) == [Pause(1000, 1060)]
