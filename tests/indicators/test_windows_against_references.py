"""Volume, volatility and statistics: TA-Lib, pandas, scipy and published formulas know the answers."""

import numpy as np
import pandas as pd
import pytest
import talib
from scipy import stats

from shared.indicators.registry import SPECS
from tests.indicators.reference_bars import a_row, cent_bars, values_of

BARS = cent_bars(400, 3, seed=3)
NAMED = {"force": "EFI", "relative_volume": "RVOL", "market_facilitation": "MARKETFI", "chaikin_volatility": "CVI"} | {
    "percent_rank": "PERCENTRANK"
}
TALIB = [
    "ad",
    "adosc",
    "cmf",
    "obv",
    "pvt",
    "nvi",
    "pvi",
    "force",
    "vwap",
    "relative_volume",
    "market_facilitation",
    "trange",
    "natr",
    "adr",
    "chaikin_volatility",
    "max",
    "min",
    "maxindex",
    "minindex",
    "minmax",
    "percent_rank",
    "percentile",
    "sum",
    "var",
    "stddev",
    "correl",
    "beta",
    "linearreg",
    "linearreg_slope",
    "linearreg_intercept",
    "linearreg_angle",
    "tsf",
]
CLOSE, VOLUME = pd.DataFrame(BARS["close"]), pd.DataFrame(BARS["volume"])
OPEN, HIGH, LOW = (pd.DataFrame(BARS[name]) for name in ("open", "high", "low"))
TYPICAL = (HIGH + LOW + CLOSE) / 3
CHANGE, LOG = CLOSE.pct_change(), np.log(CLOSE).diff()
VOLATILITY = LOG.rolling(20).std() * 252**0.5
UP, DOWN, DAY = np.log(HIGH / OPEN), np.log(LOW / OPEN), np.log(CLOSE / OPEN)
NIGHT = np.log(OPEN / CLOSE.shift())
RS = UP * (UP - DAY) + DOWN * (DOWN - DAY)
K = 0.34 / (1.34 + 21 / 19)
FROM_HIGH = (CLOSE / CLOSE.rolling(14).max() - 1) * 100


def of_year(variance):
    return (variance * 252) ** 0.5


PANDAS = {
    "skew": CLOSE.rolling(20).apply(lambda x: stats.skew(x, bias=False), raw=True),
    "kurt": CLOSE.rolling(20).apply(lambda x: stats.kurtosis(x, bias=False), raw=True),
    "zscore": (CLOSE - CLOSE.rolling(20).mean()) / CLOSE.rolling(20).std(),
    "volume_zscore": (VOLUME - VOLUME.rolling(20).mean()) / VOLUME.rolling(20).std(),
    "coefficient_of_variation": CLOSE.rolling(20).std() / CLOSE.rolling(20).mean(),
    "rolling_rank": CLOSE.rolling(60).rank(pct=True),
    "quantile": CLOSE.rolling(60).quantile(0.5),
    "median_deviation": CLOSE - CLOSE.rolling(20).median(),
    "drawdown": CLOSE / CLOSE.rolling(252).max() - 1,
    "autocorr": CHANGE.rolling(20).corr(CHANGE.shift(1)),
    "price_volume_correl": CLOSE.rolling(30).corr(VOLUME),
    "turnover": (CLOSE * VOLUME).rolling(20).mean(),
    "vwap_rolling": (TYPICAL * VOLUME).rolling(20).sum() / VOLUME.rolling(20).sum(),
    "amihud": (CHANGE.abs() / (CLOSE * VOLUME)).rolling(20).mean() * 1e6,
    "ulcer": (FROM_HIGH**2).rolling(14).mean() ** 0.5,
    "realised_volatility": VOLATILITY,
    "volatility_of_volatility": VOLATILITY.rolling(20).std(),
    "ewma_volatility": of_year((LOG**2).ewm(alpha=0.06, adjust=False).mean()),
    "downside_deviation": of_year((LOG.clip(upper=0) ** 2).rolling(20).mean()),
    "parkinson": of_year((np.log(HIGH / LOW) ** 2).rolling(20).mean() / (4 * np.log(2))),
    "garman_klass": of_year((np.log(HIGH / LOW) ** 2 / 2 - (2 * np.log(2) - 1) * DAY**2).rolling(20).mean()),
    "rogers_satchell": of_year(RS.rolling(20).mean()),
    "yang_zhang": of_year(
        NIGHT.rolling(20).var() + K * DAY.iloc[1:].rolling(20).var() + (1 - K) * RS.iloc[1:].rolling(20).mean()
    ),
}


@pytest.mark.parametrize("name", TALIB)
def test_values_and_warm_up_are_those_of_talib(name):
    ours = values_of(SPECS[name], BARS)
    function = getattr(talib, NAMED.get(name, name.upper()))
    columns = [[np.ascontiguousarray(BARS[field][:, i]) for field in SPECS[name].inputs] for i in range(3)]
    theirs = np.stack([np.array(function(*column), dtype=float) for column in columns], axis=-1)
    if name in {"maxindex", "minindex"}:  # TA-Lib has no NaN among whole numbers
        theirs[: SPECS[name].prints_until_warm() - 1] = np.nan
    _assert_close(ours, theirs)


@pytest.mark.parametrize("name", PANDAS)
def test_values_and_warm_up_are_those_of_the_formula(name):
    _assert_close(values_of(SPECS[name], BARS), PANDAS[name].to_numpy())


@pytest.mark.parametrize("name", ["max", "min", "maxindex", "minindex"])
def test_equal_extremes_are_told_apart_as_in_talib(name):
    few = {"close": np.random.default_rng(8).integers(1, 4, (600, 1)).astype(float)}
    ours = values_of(SPECS[name], few, period=5)[:, 0]
    np.testing.assert_array_equal(ours[4:], getattr(talib, name.upper())(few["close"][:, 0], 5)[4:])


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_quantile_keeps_its_window_sorted_through_ties(share):
    few = {"close": np.random.default_rng(8).integers(1, 9, (400, 2)).astype(float)}
    theirs = pd.DataFrame(few["close"]).rolling(11).quantile(share).to_numpy()
    _assert_close(values_of(SPECS["quantile"], few, period=11, share=share), theirs)


@pytest.mark.parametrize("period", [8, 21, 100])
def test_hurst_is_the_rescaled_range_of_the_window(period):
    moves = np.lib.stride_tricks.sliding_window_view(LOG[0].to_numpy()[1:], period)
    walk = np.cumsum(moves - moves.mean(axis=1, keepdims=True), axis=1)
    reach = np.maximum(walk.max(axis=1), 0) - np.minimum(walk.min(axis=1), 0)
    expected = np.log(reach / moves.std(axis=1)) / np.log(period / 2)
    found = values_of(SPECS["hurst"], BARS, period=period)[period:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["var", "stddev", "zscore", "realised_volatility", "linearreg_slope"])
def test_a_price_that_never_moves_has_no_spread_at_all(name):
    still = {field: np.full((150, 1), 33.3) for field in BARS}
    assert set(values_of(SPECS[name], still)[60:, 0].tolist()) == {0.0}


def test_equal_highs_and_lows_are_as_old_as_the_newest_of_them_as_in_talib():
    few = {"high": np.random.default_rng(8).integers(4, 7, (600, 1)).astype(float)}
    few["low"] = few["high"] - np.random.default_rng(9).integers(1, 3, (600, 1))
    few["close"] = few["high"]
    theirs = np.stack(talib.AROON(few["high"][:, 0], few["low"][:, 0], 6))
    np.testing.assert_allclose(values_of(SPECS["aroon"], few, period=6)[..., 0], theirs, rtol=1e-12)


def test_the_variance_ratio_is_the_unbiased_one_of_lo_and_mackinlay():
    moves = LOG[0].to_numpy()[-100:]
    joined = np.convolve(moves, np.ones(5), "valid")
    many = np.sum((joined - 5 * moves.mean()) ** 2) / (5 * (100 - 5 + 1) * (1 - 5 / 100))
    expected = many / moves.var(ddof=1)
    assert values_of(SPECS["variance_ratio"], BARS)[-1, 0] == pytest.approx(expected, rel=1e-9)


def test_the_half_life_is_that_of_the_regression_of_changes_on_levels():
    close = BARS["close"][-61:, 0]
    pull = np.polyfit(close[:-1], np.diff(close), 1)[0]
    assert -1 < pull < 0
    assert values_of(SPECS["half_life"], BARS)[-1, 0] == pytest.approx(-np.log(2) / np.log(1 + pull), rel=1e-9)


def test_entropy_is_shannons():
    shares = BARS["close"][-10:, 0] / BARS["close"][-10:, 0].sum()
    assert values_of(SPECS["entropy"], BARS)[-1, 0] == pytest.approx(stats.entropy(shares, base=2), rel=1e-12)


def test_ease_of_movement_by_hand():
    live = SPECS["emv"].make(1, period=1, scale=100.0)
    live.update(*a_row(11, 9, 500))
    # The middle rose by 2, the range is 4, the volume 8 of the scale: 2 x 4 / 8.
    assert live.update(*a_row(14, 10, 800)).tolist() == [1.0]
    assert live.update(*a_row(15, 11, 0)).tolist() == [0.0]


def test_klinger_by_hand():
    live = SPECS["kvo"].make(1, fast=2, slow=3, signal=2)
    bars = [
        (11, 9, 10, 100),
        (13, 9, 12, 100),
        (14, 12, 13, 200),
        (12, 9, 10, 100),
        (15, 11, 14, 100),
        (16, 15, 16, 50),
    ]
    forces, ranges = [], [2, 4, 2, 3, 4, 1]
    runs = [0, 2 + 4, 6 + 2, 2 + 3, 3 + 4, 7 + 1]  # a run goes on while the trend holds, begins anew when it turns
    for k, trend in ((1, 1), (2, 1), (3, -1), (4, 1), (5, 1)):
        forces.append(bars[k][3] * abs(2 * ranges[k] / runs[k] - 1) * trend * 100)
    fast = pd.Series(talib.EMA(np.array(forces), 2))
    line = (fast - talib.EMA(np.array(forces), 3)).to_numpy()
    signal = talib.EMA(line, 2)
    told = [live.update(*a_row(*bar)) for bar in bars][-1]
    np.testing.assert_allclose(told[:, 0], [line[-1], signal[-1]], rtol=1e-12)


WINDOWED = [
    "var",
    "stddev",
    "zscore",
    "skew",
    "kurt",
    "sum",
    "linearreg",
    "linearreg_slope",
    "correl",
    "beta",
    "autocorr",
    "cmf",
    "vwap_rolling",
    "amihud",
    "turnover",
    "adr",
    "ulcer",
    "parkinson",
    "garman_klass",
    "rogers_satchell",
    "yang_zhang",
    "realised_volatility",
    "downside_deviation",
    "quantile",
    "rolling_rank",
    "relative_volume",
    "entropy",
    "wma",
    "hma",
    "bbands",
    "mfi",
    "ultosc",
    "vortex",
    "efficiency_ratio",
    "vwma",
    "aroon",
    "donchian",
    "half_life",
]


@pytest.mark.parametrize("monster", [1e17, 1e-12, 0.0, -5.0])
@pytest.mark.parametrize("name", WINDOWED)
def test_a_monstrous_print_is_forgotten_when_it_has_left_the_window(name, monster):
    struck = {field: panel.copy() for field, panel in BARS.items()}
    for panel in struck.values():
        panel[200] = monster
    after = 200 + 2 * SPECS[name].prints_until_warm() + 2
    _assert_close(values_of(SPECS[name], struck)[..., after:, :], values_of(SPECS[name], BARS)[..., after:, :])


@pytest.mark.parametrize("name", [spec.name for spec in SPECS.values() if spec.group in {"volatility", "volume"}])
def test_without_volume_and_without_movement_there_is_still_a_number(name):
    still = {field: np.full((120, 2), 50.0) for field in BARS} | {"volume": np.zeros((120, 2))}
    values = values_of(SPECS[name], still)
    assert np.isfinite(values[..., SPECS[name].prints_until_warm() - 1 :, :]).all()


def _assert_close(ours, theirs):
    assert ours.shape == theirs.shape
    # A value that passes through zero is a difference of numbers of the size of the column.
    size = 1e-10 * np.nanstd(theirs)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=size, equal_nan=True)
