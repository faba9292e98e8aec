"""The door: whatever a replay leaves, its figures are numbers or null."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import fields

from bench.panels import minute_panel
from bench.replay_case import CASE, config_of
from research.backtest.run import run_replay
from research.backtest.summary import summarise
from research.measures.bootstrap import BandOptions
from research.measures.ledger import TrialCount
from research.measures.measured import Measures, measured
from research.measures.predictions import convictions_of
from shared.errors import DataError
from shared.orders import Side
from tests.measures.builders import a_daily_curve, a_daily_panel, a_fill, a_result, a_round_trip

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "measures.md").read_text()


class Against(Struct, frozen=True):
    name: str
    returns: np.ndarray


def figures_in(value):
    """Every number of a JSON value."""
    if isinstance(value, dict):
        return [number for each in value.values() for number in figures_in(each)]
    if isinstance(value, list):
        return [number for each in value for number in figures_in(each)]
    return [value] if isinstance(value, int | float) else []


def as_json(measures):
    text = msgspec.json.encode(measures).decode()
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def structs_of(kind):
    """The struct and all structs among its fields."""
    nested = {arg for field in fields(kind) for arg in _parts(field.type) if isinstance(arg, type)}
    return {kind}.union(*(structs_of(each) for each in nested if issubclass(each, Struct)))


def _parts(kind):
    return [kind, *(part for arg in getattr(kind, "__args__", ()) for part in _parts(arg))]


EVERY_FIGURE = sorted({field.name for kind in structs_of(Measures) for field in fields(kind)})


@pytest.mark.parametrize("name", EVERY_FIGURE)
def test_the_page_explains_every_figure(name):
    assert f"`{name}`" in PAGE


def test_the_code_of_the_page_runs():
    code = PAGE.split("```python\n")[1].split("```")[0]
    result, panel = a_result(a_daily_curve(*range(100, 130))), a_daily_panel([100.0] * 30)
    names = {"result": result, "panel": panel}
    exec(code, names)
    assert names["measures"] == measured(result, panel=panel, bands=BandOptions())


def test_a_whole_replay_has_all_its_figures():
    panel = minute_panel(symbols=6, bars=1_200)
    config = config_of(CASE, panel.symbols)
    result = run_replay(config, panel)
    sessions = len(set(result.curve.sessions))
    found = measured(
        result,
        benchmark=Against("index", np.linspace(-0.01, 0.01, sessions)),
        trials=TrialCount(strategy="sma_cross", dataset="x", trials=10, sharpe_variance=0.5),
        panel=panel,
        convictions=convictions_of(config, panel),
        bands=BandOptions(draws=10),
    )
    summary = summarise(result)
    assert (found.sharpe, found.drawdown.depth_pct_max) == (summary.sharpe, summary.drawdown_pct_max)
    assert found.returns.total_return_pct == pytest.approx(summary.total_return_pct, rel=1e-12)
    assert found.trading.trips.hit_rate_pct == summary.win_rate_pct
    assert found.benchmark is not None
    assert found.capacity is not None
    assert found.significance.trials == 10
    assert found.predictions[0].rows > 100
    assert [each.name for each in found.instruments] == list(panel.symbols)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Measures) == found


def test_nothing_traded_is_a_run_of_zeros_and_nulls():
    found = measured(
        a_result(a_daily_curve(*[100.0] * 30)), panel=a_daily_panel([100.0] * 30), bands=BandOptions(draws=10)
    )
    assert (found.returns.total_return_pct, found.returns.volatility_pct, found.sharpe) == (0.0, 0.0, None)
    assert (found.trading.fills, found.trading.turnover_annual, found.trading.exposure_pct) == (0, 0.0, 0.0)
    assert (found.strategies, found.instruments, found.predictions, found.benchmark) == ((), (), (), None)
    assert found.significance.probabilistic_sharpe is None


def test_one_day_has_a_return_and_no_ratio():
    found = measured(a_result(a_daily_curve(101.0)))
    assert found.returns.total_return_pct == pytest.approx(1.0)
    assert (found.sharpe, found.returns.volatility_pct, found.bands) == (None, None, None)


def test_ruin_ends_the_series_and_not_the_report():
    found = measured(a_result(a_daily_curve(50.0, -10.0, 5.0, 200.0), a_round_trip(-110.0)), bands=BandOptions())
    assert (found.returns.days, found.returns.days_missing) == (2, 2)
    assert found.returns.total_return_pct == pytest.approx(-110.0)
    assert (found.returns.annual_return_pct, found.returns.calmar) == (None, None)
    assert found.final_equity == 200.0


def test_a_run_without_any_equity_is_refused_in_one_line():
    with pytest.raises(DataError, match="none of 2 rows has an equity, allowed: a replay of at least one row"):
        measured(a_result(a_daily_curve(np.nan, np.nan)))


EQUITY = st.one_of(
    st.floats(min_value=-1e6, max_value=1e9),
    st.sampled_from([0.0, -0.0, 100.0, 1e-300, float("nan")]),
)


@settings(max_examples=80, deadline=None)
@given(closes=st.lists(EQUITY, min_size=1, max_size=40), profits=st.lists(st.floats(-1e3, 1e3), max_size=4))
def test_whatever_the_equity_does_every_figure_is_a_number_or_null(closes, profits):
    assume(np.isfinite(closes).any())
    fills = [fill for at, profit in enumerate(profits) for fill in a_round_trip(profit, session=2 * at)]
    found = measured(
        a_result(a_daily_curve(*closes, gross=[1.0] * len(closes)), [*fills, a_fill(Side.BUY, 1, 100.0)]),
        benchmark=Against("index", np.full(len(closes), 0.01)),
        trials=TrialCount(strategy="x", dataset="x", trials=3, sharpe_variance=0.1),
        panel=a_daily_panel([100.0] * len(closes)),
        bands=BandOptions(draws=5),
    )
    numbers = figures_in(as_json(found))
    assert np.isfinite(numbers).all()
    encoded = msgspec.to_builtins(found)
    assert np.isfinite(figures_in(encoded) or [0.0]).all()
