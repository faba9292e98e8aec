"""Every row of the registry that TA-Lib knows too, on random walks and on real daily bars."""

import numpy as np
import pytest
import talib

from shared.indicators.registry import SPECS
from tests.indicators.bars import a_market, fed
from tests.indicators.panels import DATA, needs_recorded_data
from tests.indicators.talib_table import OFF, TALIB

MARKET = a_market(400, 3, seed=11)
OTHER = {"period": 7, "fast": 4, "slow": 11, "signal": 5, "fast_k": 14, "width": 1.5, "up": 1.0, "long_start": 0.05}
OTHER |= {"minimum": 3, "maximum": 12}

every_row = pytest.mark.parametrize("name", sorted(TALIB))


@every_row
def test_values_and_warm_up_are_those_of_talib_with_the_defaults(name):
    _assert_same(name, MARKET, {})


@every_row
def test_values_and_warm_up_are_those_of_talib_with_other_parameters(name):
    fitting = {
        parameter.name: OTHER[parameter.name]
        for parameter in SPECS[name].parameters
        if parameter.fault_of(OTHER.get(parameter.name)) is None
    }
    _assert_same(name, MARKET, fitting)


@pytest.mark.recorded
@needs_recorded_data
@every_row
def test_values_are_those_of_talib_on_real_daily_bars(name):
    _assert_same(name, _real_market(), {})


def _assert_same(name, market, params):
    spec = SPECS[name]
    ours = fed(spec, market, **params)
    ours = ours[np.newaxis] if ours.ndim == 2 else ours
    theirs = _by_column(name, market, {p.name: p.default for p in spec.parameters} | params)
    assert ours.shape == theirs.shape
    # A value that passes through zero is a difference of numbers of the size of the output's scale.
    scale = np.nanmax(np.abs(theirs), axis=(1, 2), keepdims=True)
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    told = ~np.isnan(ours)
    off = np.abs(ours - theirs) / np.maximum(np.abs(theirs), 1e-3 * scale)
    assert off[told].max() <= OFF.get(name, 1e-9)


def _with_prefix(values, warm_up):
    """TA-Lib has no NaN among whole numbers: it writes 0 before they are warm."""
    told = np.array(values, dtype=float)
    if values.dtype.kind == "i":
        told[: warm_up - 1] = np.nan
    return told


def _by_column(name, market, params):
    function, told, fixed = TALIB[name]
    inputs = SPECS[name].inputs
    given = {theirs: params[ours] for theirs, ours in told.items()} | fixed
    warm_up = SPECS[name].warm_up(params)
    columns = []
    for i in range(market["close"].shape[1]):
        found = getattr(talib, function)(*(np.ascontiguousarray(market[field][:, i]) for field in inputs), **given)
        outputs = found if isinstance(found, tuple) else (found,)
        columns.append([_with_prefix(values, warm_up) for values in outputs])
    return np.stack(columns, axis=-1)


def _real_market():
    from pyarrow import parquet

    symbols = ["SPY", "IWM", "AAPL", "IBM"]
    table = parquet.read_table(DATA / "daily" / "lean_daily_raw.parquet", filters=[("symbol", "in", symbols)])
    frame = table.to_pandas()
    market = {
        field: np.ascontiguousarray(frame.pivot(index="date", columns="symbol", values=field).dropna().to_numpy(float))
        for field in ("open", "high", "low", "close", "volume")
    }
    return market | {"periods": np.random.default_rng(1).uniform(0.0, 40.0, market["close"].shape)}
