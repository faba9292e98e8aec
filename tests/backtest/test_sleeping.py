"""A replay that passes over quiet rows and one that looks at every row leave the same, byte for byte."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from research.backtest.assembly import build_driver, timeline_of
from research.backtest.run import RunOptions, run_replay
from shared.io.bar_store import load_bars
from tests.backtest.builders import MOMENTUM, SMA, a_config
from tests.backtest.random_markets import (
    EXITS,
    LIMITS,
    SIZINGS,
    STRATEGIES,
    Weather,
    a_random_config,
    a_random_panel,
)

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "breakout.py"
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"recorded market data is absent: {DATA}")
EVERY_ROW = RunOptions(sparse=False)
NEXT_DAY = date(2013, 10, 4)

weathers = st.builds(
    Weather,
    seed=st.integers(0, 2**32 - 1),
    move=st.sampled_from([3e-4, 1e-3, 3e-3]),
    missing=st.sampled_from([0.0, 0.05, 0.4]),
    still=st.sampled_from([0.0, 0.5]),
    spikes=st.sampled_from([0.0, 0.004]),
    shifts=st.sampled_from([0.0, 0.003]),
    halted=st.booleans(),
    thin=st.booleans(),
)
configs = st.builds(
    a_random_config,
    st.sampled_from(sorted(STRATEGIES)),
    st.sampled_from(sorted(EXITS)),
    st.sampled_from(sorted(SIZINGS)),
    st.sampled_from(sorted(LIMITS)),
    entry=st.sampled_from(["market", "limit"]),
    desks=st.sampled_from([1, 2]),
)


def assert_same(sparse, dense):
    assert sparse.decision_lines() == dense.decision_lines()
    assert sparse.fill_lines() == dense.fill_lines()
    assert sparse.cash_flows == dense.cash_flows
    assert sparse.curve.closed_at == dense.curve.closed_at
    assert sparse.curve.sessions == dense.curve.sessions
    assert sparse.curve.net_liquidation.tobytes() == dense.curve.net_liquidation.tobytes()
    assert sparse.curve.gross.tobytes() == dense.curve.gross.tobytes()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(weather=weathers, config=configs, start=st.sampled_from([None, NEXT_DAY]))
def test_quiet_rows_lead_to_nothing_in_any_market(weather, config, start):
    panel = a_random_panel(weather, rows=400)
    dense = run_replay(config, panel, start=start, options=EVERY_ROW)
    assert_same(run_replay(config, panel, start=start), dense)


@pytest.mark.parametrize("exits", sorted(EXITS))
@pytest.mark.parametrize("sizing", sorted(SIZINGS))
@pytest.mark.parametrize("strategy", ["sma_cross_slow", "cross_momentum_slow"])
def test_every_strategy_sizing_and_exit_trades_alike_asleep_and_awake(strategy, sizing, exits):
    config, panel = a_random_config(strategy, exits, sizing, "wide"), a_random_panel(Weather(seed=5), rows=320)
    sparse = run_replay(config, panel)
    assert len(sparse.fills) > 4
    assert_same(sparse, run_replay(config, panel, options=EVERY_ROW))


@pytest.mark.parametrize("limits", ["tight", "drawdown", "losses", "one_of_each"])
def test_a_limit_trips_on_the_same_row_asleep_and_awake(limits):
    config = a_random_config("sma_cross_slow", "percent_far", "fixed", limits)
    panel = a_random_panel(Weather(seed=1, move=3e-3), rows=320)
    sparse = run_replay(config, panel)
    latched = [notice for notice in sparse.notices if notice.code == "limit_latched"]
    assert latched
    assert_same(sparse, run_replay(config, panel, options=EVERY_ROW))


RISING = Weather(seed=4, move=1e-4, drift=(1e-3, 0.0, 0.0))


def test_a_price_that_has_drifted_far_while_asleep_is_no_jump():
    config = a_random_config("cross_momentum_slow", "no_target", "fixed", "jumps")
    panel = a_random_panel(RISING, rows=320)
    sparse = run_replay(config, panel)
    assert len(sparse.fills) > 2
    assert_same(sparse, run_replay(config, panel, options=EVERY_ROW))


def test_a_drawdown_that_grows_bar_by_bar_trips_on_the_same_row():
    config = a_random_config("cross_momentum_slow", "no_target", "fixed", "drawdown")
    panel = a_random_panel(Weather(seed=4, move=5e-5, drift=(-8e-5, -1e-4, -1e-4)), rows=320)
    sparse = run_replay(config, panel)
    assert "limit_latched" in [notice.code for notice in sparse.notices]
    assert_same(sparse, run_replay(config, panel, options=EVERY_ROW))


def spiked(panel, row, factor):
    """The first instrument prints `factor` times its price for one bar."""
    high, close = panel.high.copy(), panel.close.copy()
    close[row, 0] *= factor
    high[row, 0] = close[row, 0]
    return replace(panel, high=high, close=close)


def test_a_price_nobody_believes_is_in_the_curve_all_the_same():
    config = a_random_config("cross_momentum_slow", "no_target", "fixed", "lifted")
    panel = spiked(a_random_panel(RISING, rows=140), 100, 10.0)
    sparse = run_replay(config, panel)
    assert sparse.curve.gross[100] > 5 * sparse.curve.gross[99] > 0
    assert_same(sparse, run_replay(config, panel, options=EVERY_ROW))


def test_a_conviction_that_could_not_be_sized_is_taken_up_when_it_is_said_again():
    config = a_random_config("cross_momentum", "no_target", "fixed", "lifted")
    panel = spiked(a_random_panel(RISING, rows=60), 13, 10.0)  # rows 6, 13, 20 ... rebalance
    sparse = run_replay(config, panel)
    assert_same(sparse, run_replay(config, panel, options=EVERY_ROW))
    entries = [entry.fill for entry in sparse.fills if entry.fill.symbol == "AAA"]
    assert entries[0].filled_at == sparse.curve.closed_at[21]


def drive_and_count(driver, timeline):
    """As bar_drive.py, with the rows that the driver looked at."""
    rows, number = [], 0
    driver.start()
    while number < len(timeline.rows):
        driver.match(number)
        driver.decide(number)
        rows.append(number)
        number = driver.next_row(number)
    return rows, driver.finish()


def seen(config, panel):
    timeline = timeline_of(config, panel)
    return drive_and_count(build_driver(config, panel, timeline), timeline)


def test_most_rows_of_a_slow_strategy_are_passed_over():
    config = a_random_config("cross_momentum_slow", "percent_far", "fixed", "wide")
    rows, result = seen(config, a_random_panel(Weather(seed=3, move=3e-4), rows=600))
    assert len(result.fills) > 4
    assert len(rows) < 150


def test_a_session_edge_is_always_looked_at():
    config = a_random_config("cross_momentum_slow", "percent_far", "fixed", "wide")
    rows, _ = seen(config, a_random_panel(Weather(seed=3, move=3e-4), rows=600))
    assert {0, 150, 300, 450} <= set(rows)


def test_the_timer_of_an_entry_that_has_filled_wakes_nobody():
    config = a_random_config("cross_momentum_slow", "percent_far", "fixed", "wide")
    panel = a_random_panel(Weather(seed=3, move=3e-4), rows=600)
    rows, result = seen(config, panel)
    closes = timeline_of(config, panel).rows.closed_at
    exits = {entry.fill.filled_at for entry in result.fills if not entry.fill.ref.endswith(":E")}
    entered = {entry.fill.filled_at for entry in result.fills} - exits  # after an exit a row counts the losses
    assert len(entered) > 2
    # Decided a row before it filled; config.execution.entry_timeout_s is two rows.
    assert all(closes.index(filled_at) + 1 not in rows for filled_at in entered)


def test_a_strategy_that_speaks_only_row_by_row_is_shown_every_row():
    plain = a_random_config("sma_cross", "percent", "fixed", "wide")
    own = plain.strategies[0].model_copy(update={"kind": str(EXAMPLE), "params": {"period": 10}})
    config = plain.model_copy(update={"strategies": (own,)})
    rows, _ = seen(config, a_random_panel(Weather(seed=3), rows=200))
    assert rows == list(range(200))


def test_rows_outside_the_sessions_between_the_others_change_nothing():
    """The panel holds bars before the open: the replayed rows do not lie in one piece."""
    config = a_random_config("sma_cross_slow", "percent_far", "atr", "wide")
    panel = a_random_panel(Weather(seed=8), rows=320)
    early = panel.opened_at[::150] - 5 * 3_600 * 10**9
    at = np.searchsorted(panel.opened_at, early)
    opened = np.insert(panel.opened_at, at, early)
    fields = {
        name: np.insert(getattr(panel, name), at, 1.0, axis=0) for name in ("open", "high", "low", "close", "volume")
    }
    mixed = replace(panel, opened_at=opened, closed_at=opened + 60 * 10**9, **fields)
    sparse = run_replay(config, mixed)
    assert_same(sparse, run_replay(config, mixed, options=EVERY_ROW))
    assert sparse.decision_lines() == run_replay(config, panel).decision_lines()


@pytest.mark.recorded
@needs_data
@pytest.mark.parametrize("strategy", [pytest.param(SMA, id="sma_cross"), pytest.param(MOMENTUM, id="cross_momentum")])
def test_a_real_week_of_minutes_of_five_instruments_asleep_and_awake(strategy):
    symbols = ("AAPL", "MSFT", "SPY", "TSLA", "XLP")
    panel = load_bars(DATA / "intraday" / "minute_2019-02_alphavantage.parquet", symbols=symbols)
    config = a_config(*symbols, strategy=strategy)
    sparse = run_replay(config, panel)
    assert sparse.fills
    assert_same(sparse, run_replay(config, panel, options=EVERY_ROW))


@pytest.mark.recorded
@needs_data
def test_two_real_years_of_days_with_an_unadjusted_split_asleep_and_awake():
    symbols = ("AAPL", "ABT", "ADM", "XOM")
    file = DATA / "daily" / "panel_a_2009_2018.parquet"
    panel = load_bars(file, symbols=symbols, start=date(2013, 7, 1), end=date(2015, 6, 30))
    config = a_config(*symbols, strategy=SMA, interval_s=86_400)
    sparse = run_replay(config, panel)
    assert_same(sparse, run_replay(config, panel, options=EVERY_ROW))
