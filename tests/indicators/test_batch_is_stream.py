"""Batch and stream give the same bits, whatever is missing where."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import ConfigError, InvariantViolated
from shared.indicators.atr import Atr, atr
from shared.indicators.ema import Ema, ema
from shared.indicators.rate_of_change import RateOfChange, rate_of_change
from shared.indicators.sma import Sma, sma
from tests.indicators.panels import a_walk, same_bits

ON_CLOSES = [(Sma, sma), (Ema, ema), (RateOfChange, rate_of_change)]

gaps = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(0, 60), st.integers(1, 5), st.integers(1, 12), st.floats(0, 0.9)
)


@settings(deadline=None, max_examples=40)
@given(gaps)
@pytest.mark.parametrize(("streaming", "batch"), ON_CLOSES)
def test_batch_equals_stream_bit_for_bit_through_random_gaps(streaming, batch, drawn):
    (_, _, close), period = _with_gaps(*drawn)
    live = streaming(close.shape[1], period)
    streamed = np.array([live.update(row) for row in close]).reshape(close.shape)
    assert same_bits(streamed, batch(close, period))


@settings(deadline=None, max_examples=40)
@given(gaps)
def test_atr_batch_equals_stream_bit_for_bit_through_random_gaps(drawn):
    (high, low, close), period = _with_gaps(*drawn)
    live = Atr(close.shape[1], period)
    streamed = np.array([live.update(*row) for row in zip(high, low, close, strict=True)])
    assert same_bits(streamed.reshape(close.shape), atr(high, low, close, period))


@settings(deadline=None, max_examples=40)
@given(gaps)
@pytest.mark.parametrize(("_", "batch"), ON_CLOSES)
def test_an_instrument_with_gaps_has_the_values_of_its_prints_alone(_, batch, drawn):
    (_, _, close), period = _with_gaps(*drawn)
    whole = batch(close, period)
    for i in range(close.shape[1]):
        printed = ~np.isnan(close[:, i])
        assert same_bits(whole[printed, i].copy(), batch(close[printed, i : i + 1], period)[:, 0].copy())


@settings(deadline=None, max_examples=40)
@given(gaps)
def test_without_a_print_the_value_is_that_of_the_last_print(drawn):
    (_, _, close), period = _with_gaps(*drawn)
    values = sma(close, period)
    silent = np.isnan(close[1:])
    assert same_bits(values[1:][silent], values[:-1][silent])


@pytest.mark.parametrize(("streaming", "batch"), ON_CLOSES)
def test_a_stream_may_start_from_a_batch(streaming, batch):
    _, _, close = a_walk(rows=100)
    live = streaming(3, 10)
    first = live.update_many(close[:60])
    rest = np.array([live.update(row) for row in close[60:]])
    assert same_bits(np.vstack([first, rest]), batch(close, 10))


def test_read_only_strided_and_single_precision_rows_are_taken_as_they_are():
    _, _, close = a_walk(rows=40)
    close = close.astype(np.float32).astype(np.float64)
    wide = np.repeat(close, 2, axis=1)
    wide.flags.writeable = False
    live, strided, single = Sma(3, 5), Sma(3, 5), Sma(3, 5)
    expected = np.array([live.update(row) for row in close])
    assert same_bits(np.array([strided.update(row[::2]) for row in wide]), expected)
    assert same_bits(np.array([single.update(row) for row in close.astype(np.float32)]), expected)
    assert same_bits(sma(wide[:, ::2], 5), expected)


def test_a_value_handed_out_is_never_changed_by_the_next_row():
    live = Sma(1, 1)
    first = live.update([1.0])
    live.update([2.0])
    assert first.tolist() == [1.0]


@pytest.mark.parametrize("indicator", [Sma, Ema, RateOfChange, Atr])
@pytest.mark.parametrize("period", [0, -3, 2.0, True, "5"])
def test_a_period_that_is_no_positive_whole_number_is_refused_with_its_value(indicator, period):
    with pytest.raises(ConfigError, match=rf"{indicator.__name__}: period {period!r}, allowed: whole"):
        indicator(2, period)


def test_a_row_of_another_width_is_refused():
    with pytest.raises(InvariantViolated, match=r"Sma: row of shape \(1,\), allowed: \(2,\)"):
        Sma(2, 5).update([1.0])


def test_panels_that_do_not_fit_are_refused():
    with pytest.raises(InvariantViolated, match=r"shape \(2,\), allowed: \(T, n\)"):
        sma([1.0, 2.0], 2)
    with pytest.raises(InvariantViolated, match=r"panel of shape \(5, 1\), allowed: \(T, 2\)"):
        Ema(2, 3).update_many(np.ones((5, 1)))
    with pytest.raises(InvariantViolated, match="panels of 5, 4 and 5 rows"):
        atr(np.ones((5, 2)), np.ones((4, 2)), np.ones((5, 2)), 3)


def _with_gaps(seed, rows, n, period, missing):
    """High, low and close with a share of `missing` prints; in some only one of the three is missing."""
    bars = a_walk(rows, n, seed=seed)
    rng = np.random.default_rng(seed)
    silent = rng.random((rows, n)) < missing
    for panel in bars[:2]:
        panel[silent & (rng.random((rows, n)) < 0.8)] = np.nan
    bars[2][silent] = np.nan
    return bars, period
