"""The filters live: the bits of the batch whatever is missing, by a snapshot, deaf to neighbours and future."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import ConfigError, InvariantViolated
from shared.indicators.kalman_level import KalmanLevel
from shared.indicators.kalman_regression import KalmanRegression
from shared.indicators.kalman_trend import KalmanTrend
from strategies.state import Snapshot, pack, unpack
from tests.indicators.panels import same_bits

MAKE: dict[str, Callable[[int], KalmanLevel | KalmanTrend]] = {
    "level": lambda n: KalmanLevel(n, level_variance=0.1, observation_variance=1.0),
    "level with a prior": lambda n: KalmanLevel(n, level_variance=0.1, observation_variance=1.0, prior=(3.0, 2.0)),
    "trend": lambda n: KalmanTrend(n, level_variance=0.1, slope_variance=0.01, observation_variance=1.0),
}


def a_panel(seed, rows, n, missing=0.2):
    rng = np.random.default_rng(seed)
    panel = 50 + np.cumsum(rng.normal(size=(rows, n)), axis=0)
    panel[rng.random((rows, n)) < missing] = np.nan
    return panel


panels = st.builds(a_panel, st.integers(0, 2**32 - 1), st.integers(0, 40), st.integers(1, 9), st.floats(0, 0.9))


@pytest.mark.parametrize("kind", MAKE)
@settings(deadline=None, max_examples=40)
@given(panel=panels)
def test_batch_equals_stream_bit_for_bit_through_random_gaps(kind, panel):
    live, batch = MAKE[kind](panel.shape[1]), MAKE[kind](panel.shape[1])
    streamed = np.array([live.update(row) for row in panel]).reshape(panel.shape)
    assert same_bits(streamed, batch.update_many(panel))
    assert same_bits(live.value, batch.value)


@settings(deadline=None, max_examples=40)
@given(panel=panels)
def test_a_regressions_batch_equals_its_stream_bit_for_bit(panel):
    live, batch = (a_regression(panel.shape[1]) for _ in range(2))
    other = np.flip(panel, axis=0) / 7
    streamed = np.array([live.update(y, x) for y, x in zip(panel, other, strict=True)]).reshape(panel.shape)
    assert same_bits(streamed, batch.update_many(panel, other))


@pytest.mark.parametrize("kind", MAKE)
def test_a_neighbour_changes_no_bit(kind):
    panel = a_panel(1, 60, 8)
    alone = np.column_stack([MAKE[kind](1).update_many(panel[:, i : i + 1]) for i in range(8)])
    assert same_bits(MAKE[kind](8).update_many(panel), alone)


@pytest.mark.parametrize("kind", MAKE)
def test_the_future_changes_no_bit(kind):
    panel = a_panel(2, 60, 3)
    changed = panel.copy()
    changed[40:] = 1e9
    assert same_bits(MAKE[kind](3).update_many(panel)[:40], MAKE[kind](3).update_many(changed)[:40])


@pytest.mark.parametrize("kind", MAKE)
def test_a_snapshot_carries_a_filter_on_with_the_same_bits(kind):
    panel = a_panel(3, 40, 4)
    whole, first = MAKE[kind](4), MAKE[kind](4)
    expected = whole.update_many(panel)[25:]
    first.update_many(panel[:25])
    written = pack(Snapshot(strategy="s", symbols=("A",), params={}, state={"filter": first}))
    assert same_bits(unpack(written).state["filter"].update_many(panel[25:]), expected)


@pytest.mark.parametrize("kind", MAKE)
def test_an_infinite_number_is_a_missing_one(kind):
    missing, infinite = a_panel(4, 20, 2, 0.0), a_panel(4, 20, 2, 0.0)
    missing[7, 0], infinite[7, 0] = np.nan, np.inf
    assert same_bits(MAKE[kind](2).update_many(missing), MAKE[kind](2).update_many(infinite))


def test_each_instrument_may_have_its_own_noise():
    panel = a_panel(5, 30, 2)
    both = KalmanLevel(2, level_variance=[0.1, 2.0], observation_variance=[1.0, 3.0]).update_many(panel)
    second = KalmanLevel(1, level_variance=2.0, observation_variance=3.0).update_many(panel[:, 1:])
    assert same_bits(both[:, 1:].copy(), second)


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"observation_variance": 0.0}, "observation_variance 0.0, allowed: finite numbers from above 0"),
        ({"observation_variance": -1.0}, "observation_variance -1.0, allowed"),
        ({"level_variance": float("nan")}, "level_variance nan, allowed: finite numbers from 0"),
        ({"level_variance": [1.0, 2.0, 3.0]}, r"level_variance of shape \(3,\), allowed: a number or \(2,\)"),
        ({"prior": (float("inf"), 1.0)}, "prior mean inf, allowed: one finite number"),
    ],
)
def test_noise_that_is_none_is_refused_with_its_value(params, told):
    with pytest.raises(ConfigError, match=told):
        KalmanLevel(2, **{"level_variance": 0.1, "observation_variance": 1.0, **params})


def test_unknown_fields_and_unequal_panels_are_refused():
    with pytest.raises(InvariantViolated, match=r"fields \['slope'\], allowed: level, variance"):
        MAKE["level"](1).update_fields([[1.0]], ("slope",))
    with pytest.raises(InvariantViolated, match="panels of 2 and 3 rows"):
        a_regression(1).update_many(np.ones((2, 1)), np.ones((3, 1)))


def a_regression(n):
    return KalmanRegression(
        n, intercept_variance=0.1, slope_variance=0.1, observation_variance=1.0, prior_variances=(10.0, 10.0)
    )
