"""TA-Lib is the reference: on random walks and on real daily bars."""

from collections.abc import Callable

import numpy as np
import pytest
import talib

from shared.indicators.atr import atr
from shared.indicators.ema import ema
from shared.indicators.indicator import FloatArray
from shared.indicators.rate_of_change import rate_of_change
from shared.indicators.sma import sma
from tests.indicators.panels import DATA, a_walk, needs_recorded_data

OURS: dict[str, Callable[..., FloatArray]] = {
    "SMA": lambda high, low, close, period: sma(close, period),
    "EMA": lambda high, low, close, period: ema(close, period),
    "ROCP": lambda high, low, close, period: rate_of_change(close, period),
    "ATR": atr,
}
THEIRS: dict[str, Callable[..., FloatArray]] = {
    "SMA": lambda high, low, close, period: talib.SMA(close, period),
    "EMA": lambda high, low, close, period: talib.EMA(close, period),
    "ROCP": lambda high, low, close, period: talib.ROCP(close, period),
    "ATR": talib.ATR,
}


@pytest.mark.parametrize("period", [2, 14, 50])
@pytest.mark.parametrize("name", OURS)
def test_values_and_warm_up_are_those_of_talib_on_random_walks(name, period):
    bars = a_walk()
    _assert_close(OURS[name](*bars, period), _by_column(THEIRS[name], bars, period))


@pytest.mark.recorded
@needs_recorded_data
@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("symbol", ["SPY", "QQQ", "IWM", "EEM", "AAPL", "IBM", "GOOGL"])
def test_values_are_those_of_talib_on_real_daily_bars(name, symbol):
    bars = _real_bars(symbol)
    _assert_close(OURS[name](*bars, 20), _by_column(THEIRS[name], bars, 20))


def test_an_atr_of_one_bar_is_the_true_range():
    high, low, close = a_walk()
    _assert_close(atr(high, low, close, 1), _by_column(talib.ATR, (high, low, close), 1))


def _assert_close(ours, theirs):
    # rtol: TA-Lib's own running sum drifts; atol: a rate of change may pass through zero.
    np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-15, equal_nan=True)


def _by_column(indicator, bars, period):
    columns = zip(*(np.ascontiguousarray(panel.T) for panel in bars), strict=True)
    return np.column_stack([indicator(high, low, close, period) for high, low, close in columns])


def _real_bars(symbol):
    from pyarrow import parquet

    table = parquet.read_table(DATA / "daily" / "lean_daily_raw.parquet", filters=[("symbol", "=", symbol)]).sort_by(
        "date"
    )
    return tuple(table[name].to_numpy().reshape(-1, 1) for name in ("high", "low", "close"))
