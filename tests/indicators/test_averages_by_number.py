"""MA, MACDEXT and bands with every average that has a number; and nothing of TA-Lib's is absent."""

from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import talib

from shared.errors import ConfigError, InvariantViolated
from shared.indicators.feature_name import feature_of
from shared.indicators.registry import SPECS, indicator_of
from strategies.base import Strategy
from tests.indicators.bars import a_market, fed, streamed
from tests.indicators.panels import same_bits
from tests.indicators.talib_table import TALIB
from tests.strategies.rows import a_universe

MARKET = a_market(300, 3, seed=13)
HOLES = a_market(300, 3, seed=13, missing=0.2)
GROUPS = (
    "Overlap Studies",
    "Momentum Indicators",
    "Volatility Indicators",
    "Volume Indicators",
    "Pattern Recognition",
    "Price Transform",
    "Cycle Indicators",
    "Statistic Functions",
)
# Theirs that are called otherwise here and compared elsewhere.
CALLED = {
    "CVI": "chaikin_volatility",
    "EFI": "force",
    "MARKETFI": "market_facilitation",
    "PERCENTRANK": "percent_rank",
    "RVOL": "relative_volume",
}
PAIRS = list(zip(MARKET["close"].T, MARKET["periods"].T, strict=True))
MACD = {"fast": 5, "slow": 12, "signal": 4}
TYPES = ("fast_type", "slow_type", "signal_type")
every_type = pytest.mark.parametrize("kind", range(10))


class Keeper(Strategy):
    """Keeps an indicator."""

    def __init__(self, universe):
        super().__init__(universe)
        self.kept = SPECS["macdext"].make(3)

    def on_row(self, _row, _closed_at, /):
        return []


@pytest.mark.parametrize("group", GROUPS)
def test_no_function_of_talib_is_absent_from_the_registry(group):
    here = {theirs for theirs, _, _ in TALIB.values()}
    absent = {
        name
        for name in talib.get_function_groups()[group]
        if name not in here and CALLED.get(name, name.lower().replace("cdl", "cdl_")) not in SPECS
    }
    assert absent == set()


@every_type
@pytest.mark.parametrize("period", [2, 10])
def test_an_average_by_number_is_that_of_talib(kind, period):
    ours = fed(SPECS["ma"], MARKET, period=period, type=kind)
    _assert_theirs(ours[np.newaxis], lambda close: (talib.MA(close, period, kind),))


@every_type
def test_a_macd_of_any_average_is_that_of_talib(kind):
    types = (kind, (kind + 1) % 10, (kind + 2) % 10)
    ours = fed(SPECS["macdext"], MARKET, **MACD, **dict(zip(TYPES, types, strict=True)))
    theirs = {"fastmatype": types[0], "slowmatype": types[1], "signalmatype": types[2]}
    _assert_theirs(ours, partial(_function("MACDEXT"), fastperiod=5, slowperiod=12, signalperiod=4, **theirs))


def test_a_macd_whose_fast_side_is_the_slower_is_turned_round():
    told = {"fast": 12, "fast_type": 1, "slow": 5, "slow_type": 0, "signal": 4}
    _assert_theirs(fed(SPECS["macdext"], MARKET, **told), lambda close: _function("MACDEXT")(close, 12, 1, 5, 0, 4, 0))


@every_type
def test_bands_around_any_average_are_those_of_talib(kind):
    ours = fed(SPECS["bbands_ma"], MARKET, period=10, up=1.5, down=2.5, type=kind)
    _assert_theirs(ours, lambda close: talib.BBANDS(close, 10, 1.5, 2.5, kind))


@every_type
def test_an_average_whose_period_comes_with_the_bar_is_that_of_talib(kind):
    ours = fed(SPECS["mavp"], MARKET, minimum=3, maximum=9, type=kind)
    theirs = _function("MAVP")
    columns = [
        theirs(np.ascontiguousarray(close), np.ascontiguousarray(periods), 3, 9, kind) for close, periods in PAIRS
    ]
    expected = np.stack(columns, axis=-1)
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(expected))
    np.testing.assert_allclose(ours, expected, rtol=1e-9)


@pytest.mark.parametrize(
    "close",
    [HOLES["close"], np.full((300, 3), 50.0), np.zeros((300, 3)), MARKET["close"] * 1e-12, MARKET["close"] * 1e9],
    ids=["holes", "one price", "zeros", "tiny", "huge"],
)
def test_such_an_average_of_the_prints_of_any_market_is_that_of_talib(close):
    periods = HOLES["periods"]
    prints = ~np.isnan(close + periods)[:, 1]
    ours = fed(SPECS["mavp"], {"close": close, "periods": periods})[prints, 1]
    theirs = _function("MAVP")(close[prints, 1], periods[prints, 1])
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_a_period_is_cut_off_and_held_within_its_bounds():
    close = np.array([[1.0], [2.0], [4.0], [8.0], [16.0], [32.0]])
    periods = np.array([[2.0], [2.0], [-7.0], [2.9], [3.0], [1e9]])
    values = indicator_of("mavp", 1, minimum=2, maximum=3).update_many(close, periods)[:, 0]
    assert values[2:].tolist() == [3.0, 6.0, 28.0 / 3.0, 56.0 / 3.0]


def test_a_bar_without_a_period_is_none():
    close, periods = np.arange(1.0, 7.0)[:, np.newaxis], np.full((6, 1), 2.0)
    periods[3] = np.nan
    values = indicator_of("mavp", 1, minimum=2, maximum=2).update_many(close, periods)[:, 0]
    assert values[1:].tolist() == [1.5, 2.5, 2.5, 4.0, 5.5]


def test_a_minimum_beyond_the_maximum_is_refused():
    with pytest.raises(ConfigError, match=r"mavp: minimum 9, allowed: whole numbers up to maximum, 5"):
        indicator_of("mavp", 1, minimum=9, maximum=5)


def test_panels_of_closes_and_periods_that_do_not_fit_are_refused():
    with pytest.raises(InvariantViolated, match="mavp: panels of 4 and 3 rows, allowed: equally many"):
        indicator_of("mavp", 2).update_many(np.ones((4, 2)), np.ones((3, 2)))


def test_what_no_bar_has_makes_no_feature_and_that_is_said_in_one_line():
    with pytest.raises(
        ConfigError, match=r"feature 'mavp': mavp needs periods with every bar, allowed: indicators of o"
    ):
        feature_of("mavp")


@pytest.mark.parametrize("name", ["macdext", "bbands_ma"])
@pytest.mark.parametrize("kind", [1, 6])
def test_what_is_made_of_averages_is_the_same_row_by_row_whatever_is_missing(name, kind):
    told = {parameter.name: kind for parameter in SPECS[name].parameters if parameter.name.endswith("type")}
    assert same_bits(streamed(SPECS[name], HOLES, **told), fed(SPECS[name], HOLES, **told))


@pytest.mark.parametrize("name", ["macdext", "bbands_ma"])
def test_what_is_made_of_averages_goes_on_from_a_snapshot_with_the_same_bits(name):
    whole = fed(SPECS[name], HOLES)
    keeper, other = Keeper(a_universe("A", "B", "C")), Keeper(a_universe("A", "B", "C"))
    keeper.kept = SPECS[name].make(3)
    keeper.kept.update_many(HOLES["close"][:150])
    other.restore(keeper.snapshot())
    assert same_bits(other.kept.update_many(HOLES["close"][150:]), np.ascontiguousarray(whole[:, 150:]))


def test_the_forecast_oscillator_is_that_of_fractions():
    """TA-Lib's running sums are off by more than 1e-9 here, ours are not."""
    close = MARKET["close"][:, 0].tolist()
    exact = [_forecast_oscillator([Fraction(value) for value in close[t - 5 : t + 1]]) for t in range(5, len(close))]
    ours = fed(SPECS["fosc"], MARKET, period=5)[5:, 0]
    np.testing.assert_allclose(ours, exact, rtol=0, atol=1e-11)


def test_a_fractal_is_told_when_it_is_known_and_a_tie_is_none():
    high = np.array([1.0, 2.0, 5.0, 3.0, 2.0, 4.0, 4.0, 1.0, 1.0])[:, np.newaxis]
    swings = indicator_of("fractal", 1).update_many(high, high - 10.0)[0, :, 0]
    assert swings[4:].tolist() == [100.0, 0.0, 0.0, 0.0, 0.0]


def test_a_number_that_stands_for_no_average_is_refused():
    with pytest.raises(ConfigError, match=r"ma: type 10, allowed: whole numbers from 0 to 9"):
        indicator_of("ma", 1, type=10)


def test_a_panel_that_does_not_fit_what_is_made_of_averages_is_refused():
    with pytest.raises(InvariantViolated, match=r"MacdOfAverages: panel of shape \(4, 3\), allowed: \(T, 2\)"):
        indicator_of("macdext", 2).update_many(np.ones((4, 3)))


def _function(name: str):
    """Its stub knows the names of averages only, no numbers."""
    return getattr(talib, name)


def _forecast_oscillator(prints):
    *window, close = prints
    middle, mean = Fraction(len(window) - 1, 2), sum(window) / len(window)
    slope = sum((k - middle) * value for k, value in enumerate(window)) / sum((k - middle) ** 2 for k in range(5))
    return float(100 * (close - (mean + slope * (len(window) - middle))) / close)


def _assert_theirs(ours, theirs):
    columns = [theirs(np.ascontiguousarray(MARKET["close"][:, i])) for i in range(3)]
    expected = np.stack([np.stack(lines) for lines in columns], axis=-1)
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(expected))
    scale = np.nanmax(np.abs(expected), axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(ours / scale, expected / scale, rtol=1e-9, atol=1e-12)
