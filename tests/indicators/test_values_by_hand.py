"""Short series whose answers fit on a slip of paper, and what a million bars must not do."""

import math
import tracemalloc

import numpy as np
import pytest

from shared.indicators.atr import Atr, atr
from shared.indicators.ema import Ema, ema
from shared.indicators.rate_of_change import RateOfChange, rate_of_change
from shared.indicators.sma import Sma, sma

NAN = math.nan


def a_column(*values):
    return np.array(values).reshape(-1, 1)


def listed(panel):
    return [None if math.isnan(value) else value for value in panel[:, 0]]


def test_sma_is_the_mean_of_the_last_prints():
    assert listed(sma(a_column(1, 2, NAN, 6, 1), 3)) == [None, None, None, 3, 3]


def test_ema_starts_from_the_mean_and_moves_by_its_weight():
    assert listed(ema(a_column(1, 2, 6, 5, NAN, 0), 3)) == [None, None, 3, 4, 4, 2]


def test_rate_of_change_is_a_fraction_of_the_print_period_prints_ago():
    assert listed(rate_of_change(a_column(10, 20, NAN, 15, 10), 2)) == [None, None, None, 0.5, -0.5]


def test_atr_has_no_true_range_on_the_first_bar_and_spans_gaps():
    high, low, close = (
        a_column(11, 12, NAN, 20, 21),
        a_column(9, 10, NAN, 18, 19),
        a_column(10, 11, NAN, 19, 20),
    )
    high, low = a_column(11, 12, NAN, 20, 21), a_column(9, 10, NAN, 18, 19)
    close = a_column(10, 11, NAN, 19, 20)
    assert listed(atr(high, low, close, 2)) == [None, None, None, 5.5, 3.75]


def test_atr_follows_a_jump_of_the_price_in_the_instrument_that_jumped_alone():
    two = Atr(2, 2)
    for close in (10.0, 11.0, 12.0):  # true ranges of 2
        two.update([close + 1, close + 1], [close - 1, close - 1], [close, close])
    two.follow_jumps([6.0, NAN], 0.1)
    assert two.value.tolist() == [1.0, 2.0]
    two.follow_jumps([6.5, 13.0], 0.1)  # 6 x 1.083, 12 x 1.083: no jumps
    assert two.value.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_bar_with_one_missing_price_is_no_print_for_atr(missing):
    bar = [12.0, 10.0, 11.0]
    bar[missing] = NAN
    live, other = Atr(1, 1), Atr(1, 1)
    live.update([11], [9], [10])
    live.update(*([price] for price in bar))
    other.update([11], [9], [10])
    assert live.update([15], [14], [15]).tolist() == other.update([15], [14], [15]).tolist() == [5.0]


def test_each_instrument_is_warm_by_its_own_prints():
    closes = np.array([[1, NAN], [2, 10], [3, 20]])
    assert np.isnan(sma(closes, 2)).tolist() == [[True, True], [False, True], [False, False]]


def test_sma_stays_on_the_exact_mean_over_a_million_bars():
    rng = np.random.default_rng(11)
    closes = (100 * np.exp(np.cumsum(rng.normal(0, 0.002, 1_000_000)))).reshape(-1, 1)
    values = sma(closes, 20)[:, 0]
    ends = np.arange(20, 1_000_001, 997)
    exact = np.array([math.fsum(closes[end - 20 : end, 0]) / 20 for end in ends])
    assert np.max(np.abs(values[ends - 1] - exact) / np.spacing(exact)) <= 1
    assert abs(values[-1] - math.fsum(closes[-20:, 0]) / 20) <= np.spacing(values[-1])


def test_sma_forgets_a_monstrous_print_once_it_has_left_the_window():
    live = Sma(1, 3)
    live.update_many(a_column(0.1, 0.2, 0.3, 1e17))
    # A plain running sum would be wrong in its first digit here.
    assert live.update_many(a_column(0.1, 0.2, 0.3))[-1, 0] == pytest.approx(0.2, rel=1e-15)


@pytest.mark.parametrize("indicator", [Sma, Ema, RateOfChange])
def test_memory_does_not_grow_with_the_number_of_bars(indicator):
    live = indicator(50, 20)
    row = np.full(50, 100.0)
    live.update(row)
    before = _state_bytes(live)
    tracemalloc.start()
    for _ in range(200):
        live.update(row)
    start = tracemalloc.get_traced_memory()[0]
    for _ in range(2000):
        live.update(row)
    grown = tracemalloc.get_traced_memory()[0] - start
    tracemalloc.stop()
    assert grown < 50 * 8 * 10
    assert _state_bytes(live) == before


def _state_bytes(indicator):
    return sum(value.nbytes for value in vars(indicator).values() if isinstance(value, np.ndarray))
