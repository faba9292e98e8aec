"""The replay's money against a backtest that shares nothing with it but the bars: plain backtrader."""

import pytest

from bench.panels import minute_panel
from bench.plain_backtrader import frames_of, run_plain
from bench.replay_case import CASE, config_of
from research.backtest.assembly import build_driver, timeline_of
from research.backtest.replay import replay_bars
from shared.orders import Leg
from tests.backtest.builders import legs_of


def test_where_the_rules_are_the_same_fills_and_final_equity_are_those_of_plain_backtrader():
    panel = minute_panel(symbols=6, bars=600)
    config = config_of(CASE, panel.symbols)
    timeline = timeline_of(config, panel)
    ours = replay_bars(build_driver(config, panel, timeline), timeline)
    fills, equity = run_plain(frames_of(panel))
    assert legs_of(ours) == {Leg.ENTRY, Leg.STOP_LOSS, Leg.TAKE_PROFIT, Leg.EXIT}
    assert len(ours.fills) == fills
    assert ours.curve.net_liquidation[-1] == pytest.approx(equity, rel=1e-12)
