"""The sixty-one candlestick patterns are TA-Lib's, to the integer."""

import numpy as np
import pytest
import talib
from talib import abstract

from shared.errors import ConfigError, InvariantViolated
from shared.indicators.registry import SPECS
from tests.indicators.panels import DATA, needs_recorded_data
from tests.indicators.reference_bars import a_row, cent_bars, values_of

PATTERNS = [spec for spec in SPECS.values() if spec.group == "pattern"]
NAMES = [spec.name for spec in PATTERNS]
# Large and small candles; the second make ties by the thousand.
CENTS = [cent_bars(2_500, 5, seed=1), cent_bars(2_500, 5, seed=2, volatility=0.002)]


def test_every_pattern_of_talib_is_there():
    theirs = {f"cdl_{name[3:].lower()}" for name in talib.get_function_groups()["Pattern Recognition"]}
    assert set(NAMES) == theirs
    assert len(theirs) == 61


@pytest.mark.parametrize("bars", CENTS, ids=["wide", "narrow"])
@pytest.mark.parametrize("spec", PATTERNS, ids=NAMES)
def test_a_pattern_has_the_integers_and_the_warm_up_of_talib(spec, bars):
    _assert_theirs(spec, bars, {})


@pytest.mark.parametrize("penetration", [0.0, 0.7])
@pytest.mark.parametrize("name", [spec.name for spec in PATTERNS if spec.parameters])
def test_a_penetration_is_the_one_of_talib(name, penetration):
    _assert_theirs(SPECS[name], CENTS[0], {"penetration": penetration})


@pytest.mark.recorded
@needs_recorded_data
@pytest.mark.parametrize("spec", PATTERNS, ids=NAMES)
def test_a_pattern_is_that_of_talib_on_real_daily_bars(spec, real_bars):
    _assert_theirs(spec, real_bars, {})


@pytest.mark.parametrize("name", ["cdl_hikkake", "cdl_hikkakemod", "cdl_engulfing", "cdl_3outside"])
def test_these_patterns_happen_in_the_bars_of_the_test(name):
    assert np.count_nonzero(np.nan_to_num(values_of(SPECS[name], CENTS[0]))) > 5


def test_a_pattern_names_the_rules_that_judge_it():
    assert SPECS["cdl_doji"].make(1).kernels == ("shared.indicators.candle_patterns_single:judge",)


def test_a_doji_by_hand():
    """Ten candles of length 2, so that a body of at most 0.2 is a doji; the eleventh has 0.2, the next 0.21."""
    live = SPECS["cdl_doji"].make(1)
    verdicts = [live.update(*a_row(10, 11, 9.0, 10.5))[0] for _ in range(10)]
    assert np.isnan(verdicts).all()
    assert live.update(*a_row(10, 11, 9.0, 10.19)).tolist() == [100.0]
    assert live.update(*a_row(10, 11, 9.0, 10.21)).tolist() == [0.0]
    assert live.update(*a_row(10, 11, np.nan, 10.0)).tolist() == [0.0]
    assert live.update(*a_row(10, 11, 9.0, 10.0)).tolist() == [100.0]


def test_what_does_not_fit_is_refused():
    with pytest.raises(InvariantViolated, match="1 inputs, allowed: open, high, low, close"):
        SPECS["cdl_doji"].make(1).update(*a_row(1))
    with pytest.raises(InvariantViolated, match="panels of 2, 2, 2, 3 rows, allowed: equally many"):
        SPECS["cdl_doji"].make(1).update_many(*(np.ones((rows, 1)) for rows in (2, 2, 2, 3)))
    with pytest.raises(ConfigError, match="penetration -1, allowed: numbers from 0"):
        SPECS["cdl_mathold"].make(1, penetration=-1)


def _assert_theirs(spec, bars, params):
    ours = values_of(spec, bars, **params)
    function = abstract.Function(f"CDL{spec.name[4:].upper()}")  # type: ignore[attr-defined]  # its stub lacks it
    four = [bars[name] for name in ("open", "high", "low", "close")]
    columns = zip(*(np.ascontiguousarray(panel.T) for panel in four), strict=True)
    theirs = np.column_stack([getattr(talib, function.info["name"])(*column, **params) for column in columns])
    warm = np.arange(len(ours)) >= function.lookback
    assert np.isnan(ours[~warm]).all()
    np.testing.assert_array_equal(ours[warm], theirs[warm])


@pytest.fixture(scope="module")
def real_bars():
    from pyarrow import parquet

    table = parquet.read_table(DATA / "daily" / "lean_daily_raw.parquet", filters=[("symbol", "=", "SPY")])
    table = table.sort_by("date")
    return {name: table[name].to_numpy().reshape(-1, 1) for name in ("open", "high", "low", "close")}
