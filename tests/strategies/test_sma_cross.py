import pytest

from shared.errors import ConfigError
from strategies.sma_cross import SmaCross
from tests.strategies.rows import FIRST_CLOSE, a_row, a_universe, said

NAN = float("nan")


def a_cross(*symbols, **params):
    return SmaCross(a_universe(*symbols), **{"fast": 1, "slow": 2, **params})


def test_nothing_is_said_before_the_slow_average_is_warm():
    assert said(a_cross("SPY", fast=2, slow=3), [a_row(1), a_row(2)]) == [[], []]


def test_long_above_flat_below_and_silent_when_equal():
    rows = [a_row(10), a_row(11), a_row(9), a_row(9)]
    assert said(a_cross("SPY"), rows) == [[], [("SPY", 1.0)], [("SPY", 0.0)], []]


def test_short_below_when_it_may_be_short():
    assert said(a_cross("SPY", long_only=False), [a_row(10), a_row(9)]) == [[], [("SPY", -1.0)]]


def test_the_view_is_repeated_on_every_row():
    rows = [a_row(10), a_row(11), a_row(12), a_row(13)]
    assert said(a_cross("SPY"), rows) == [[]] + [[("SPY", 1.0)]] * 3


def test_an_instrument_that_printed_nothing_is_skipped_and_loses_no_history():
    rows = [a_row(10, 10), a_row(11, NAN), a_row(12, 9)]
    assert said(a_cross("SPY", "IBM"), rows) == [[], [("SPY", 1.0)], [("SPY", 1.0), ("IBM", 0.0)]]


def test_the_reason_names_both_averages():
    strategy = a_cross("SPY")
    strategy.on_row(a_row(10), FIRST_CLOSE)
    assert [s.reason for s in strategy.on_row(a_row(11), FIRST_CLOSE)] == ["sma 1 above sma 2"]


@pytest.mark.parametrize(("fast", "slow"), [(5, 5), (6, 5), (0, 5), (-1, 5)])
def test_fast_must_be_below_slow_and_positive(fast, slow):
    with pytest.raises(ConfigError, match=f"fast {fast} and slow {slow}, allowed: 0 < fast < slow"):
        a_cross("SPY", fast=fast, slow=slow)
