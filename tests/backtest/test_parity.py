"""The same rows through the plain loop and through backtrader: the same logs, byte for byte."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from research.backtest.assembly import build_driver, timeline_of
from research.backtest.bar_drive import drive_bars
from research.backtest.replay import replay_bars
from shared.io.bar_store import load_bars
from shared.orders import Side
from tests.backtest.builders import (
    MINUTE_S,
    MOMENTUM,
    SMA,
    ScriptedEngine,
    a_bracket,
    a_config,
    a_driver,
    a_panel,
    flat,
)

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"recorded market data is absent: {DATA}")
STRATEGIES = [pytest.param(SMA, id="sma_cross"), pytest.param(MOMENTUM, id="cross_momentum")]
OCTOBER_8 = date(2013, 10, 8)

ROWS = [
    flat(100.0),
    flat(100.5),
    (100.0, 101.0, 98.5, 99.0),
    flat(99.5),
    (99.5, 103.0, 99.4, 102.5),
    flat(102.0),
]


def run(drive):
    engine = ScriptedEngine({0: [a_bracket(1)], 3: [a_bracket(2)]})
    driver, timeline = a_driver(engine, a_panel(ROWS, minutes_per_session=3), minutes_per_session=3)
    return engine, drive(driver, timeline)


def test_backtrader_and_the_plain_loop_give_the_engine_the_same_events():
    (plain, _), (under_backtrader, _) = run(drive_bars), run(replay_bars)
    assert plain.kinds() == under_backtrader.kinds()
    assert [event.received_at for event in plain.events] == [event.received_at for event in under_backtrader.events]


def test_backtrader_and_the_plain_loop_leave_the_same_logs():
    (_, plain), (_, under_backtrader) = run(drive_bars), run(replay_bars)
    assert len(plain.fills) == 4
    assert plain.decision_lines() == under_backtrader.decision_lines()
    assert plain.fill_lines() == under_backtrader.fill_lines()
    assert plain.curve.net_liquidation.tobytes() == under_backtrader.curve.net_liquidation.tobytes()


def through_both(config, panel, start=None):
    """The engine itself over the panel, once through each driver."""
    timeline = timeline_of(config, panel, start)
    return (
        drive_bars(build_driver(config, panel, timeline), timeline),
        replay_bars(build_driver(config, panel, timeline), timeline),
    )


def assert_same_logs(plain, under_backtrader):
    assert {entry.fill.side for entry in plain.fills} == {Side.BUY, Side.SELL}
    assert plain.decision_lines() == under_backtrader.decision_lines()
    assert plain.fill_lines() == under_backtrader.fill_lines()
    assert plain.curve.closed_at == under_backtrader.curve.closed_at
    assert plain.curve.net_liquidation.tobytes() == under_backtrader.curve.net_liquidation.tobytes()


def test_the_engine_trades_a_synthetic_walk_alike_under_both():
    closes = 100.0 * np.exp(np.cumsum(np.random.default_rng(5).normal(0, 5e-4, 600)))
    opens = np.concatenate(([100.0], closes[:-1]))
    bars = np.column_stack((opens, np.maximum(opens, closes) + 0.02, np.minimum(opens, closes) - 0.02, closes))
    assert_same_logs(*through_both(a_config("SPY", strategy=SMA), a_panel(bars.tolist())))


@pytest.mark.recorded
@needs_data
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_real_minutes_of_2013_10_08_after_a_warm_up_from_the_day_before(strategy):
    config = a_config("SPY", "IBM", strategy=strategy)
    file = DATA / "intraday" / "minute_trades_lean.parquet"
    panel = load_bars(file, symbols=("SPY", "IBM"), end=OCTOBER_8)
    assert_same_logs(*through_both(config, panel, OCTOBER_8))


@pytest.mark.recorded
@needs_data
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_real_week_of_minutes_of_five_instruments(strategy):
    symbols = ("AAPL", "MSFT", "SPY", "TSLA", "XLP")
    file = DATA / "intraday" / "minute_2019-02_alphavantage.parquet"
    config = a_config(*symbols, strategy=strategy, interval_s=MINUTE_S)
    assert_same_logs(*through_both(config, load_bars(file, symbols=symbols)))


@pytest.mark.recorded
@needs_data
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_two_real_years_of_days_of_eight_instruments(strategy):
    symbols = ("AAPL", "ABT", "ADM", "AES", "XEL", "XOM", "XRAY", "ZION")
    file = DATA / "daily" / "panel_a_2009_2018.parquet"
    panel = load_bars(file, symbols=symbols, start=date(2014, 7, 1), end=date(2016, 6, 30))
    config = a_config(*symbols, strategy=strategy, interval_s=86_400)
    assert_same_logs(*through_both(config, panel, date(2014, 10, 1)))
