"""The engine across a split: same decisions as on bars that never split, and the stop where it belongs."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from research.backtest.run import run_replay
from shared.commands import Notify, PlaceBracket, ReplaceStop
from shared.io.bar_store import BarPanel, load_bars
from tests.backtest.builders import a_config
from tests.costs.builders import a_daily_panel, a_table

SMA = {"kind": "sma_cross", "params": {"fast": 3, "slow": 8}}
WIDE = {"exits": {"method": "percent", "stop_pct": 20.0, "target_pct": 60.0}}
ATR = {
    "sizing": {"method": "atr", "risk_fraction": 0.002, "atr_period": 5, "atr_multiple": 2.0},
    "exits": {"method": "atr", "stop_atr": 3.0, "target_atr": 90.0, "atr_period": 5},
}
FIRST = date(2014, 1, 6)
DATA = Path(__file__).parents[3] / "shared" / "data"


def daily_config(*symbols, strategy=SMA, exits=WIDE, **replay):
    config = a_config(*symbols, strategy={**strategy, **exits}, interval_s=86_400, warm_up=10)
    free = {"commission": "none", "slippage_bps": 0.0, "participation": 1.0}
    return config.model_copy(update={"replay": config.replay.model_copy(update={**free, **replay})})


def a_wave(days=70):
    """A price that rises, falls and rises again, on even cents so that halves are on the tick grid."""
    at = np.arange(days)
    return np.round((200 + 40 * np.sin(at / 9.0) + at * 0.3) * 25) / 25


def split_at(panel, row, ratio):
    """The same market as it would have traded with a split before `row`."""
    scale = np.where(np.arange(len(panel)) < row, 1.0, ratio)[:, None]
    prices = {name: getattr(panel, name) / scale for name in ("open", "high", "low", "close")}
    return BarPanel(
        symbols=panel.symbols,
        opened_at=panel.opened_at,
        closed_at=panel.closed_at,
        interval_s=panel.interval_s,
        volume=panel.volume * scale,
        **prices,
    )


def days_of_fills(result):
    return [(entry.fill.filled_at, entry.fill.side, entry.fill.ref[-2:]) for entry in result.fills]


@pytest.fixture
def whole():
    return a_daily_panel(a_wave(), first=FIRST, spread=1.0)


@pytest.mark.parametrize("exits", [WIDE, ATR])
@pytest.mark.parametrize("row", [20, 28, 36, 44, 52])
def test_a_replay_over_a_split_decides_as_on_bars_that_never_split(tmp_path, whole, exits, row):
    ex_date = date.fromordinal(FIRST.toordinal() + row // 5 * 7 + row % 5)
    table = a_table(tmp_path, f"SPY,{ex_date},0,2")
    plain = run_replay(daily_config("SPY", exits=exits), whole)
    split = run_replay(daily_config("SPY", exits=exits, actions=str(table)), split_at(whole, row, 2.0))
    assert [entry[:2] for entry in days_of_fills(split)] == [entry[:2] for entry in days_of_fills(plain)]
    assert plain.fills
    assert split.curve.net_liquidation == pytest.approx(plain.curve.net_liquidation, rel=2e-4)


def test_without_the_table_the_same_split_is_a_crash(whole):
    """What the table is for: the average crosses, the stop fires, half the position is gone."""
    split = run_replay(daily_config("SPY"), split_at(whole, 15, 2.0))
    plain = run_replay(daily_config("SPY"), whole)
    assert days_of_fills(split) != days_of_fills(plain)


def test_a_position_that_splits_gets_its_stop_back_before_the_open(tmp_path, whole):
    row = 15
    ex_date = date.fromordinal(FIRST.toordinal() + row // 5 * 7 + row % 5)
    table = a_table(tmp_path, f"SPY,{ex_date},0,2")
    result = run_replay(daily_config("SPY", actions=str(table)), split_at(whole, row, 2.0))
    of_day = [entry for entry in result.decisions if entry.decided_at.date() == ex_date]
    bracket = next(one.command.bracket for one in result.decisions if isinstance(one.command, PlaceBracket))
    ((decided_at, stop),) = [
        (one.decided_at, one.command.order) for one in of_day if isinstance(one.command, ReplaceStop)
    ]
    assert stop.quantity == 2 * bracket.entry.quantity
    assert 2 * (stop.stop_price or 0.0) == pytest.approx(bracket.stop_loss.stop_price, abs=0.02)
    assert decided_at.hour == 14  # New York 09:00-09:30 in January
    told = [one.command.code for one in of_day if isinstance(one.command, Notify)]
    assert [code for code in ("corporate_action", "settled", "healed") if code in told] == [
        "corporate_action",
        "settled",
        "healed",
    ]


@pytest.mark.recorded
@pytest.mark.skipif(not DATA.is_dir(), reason=f"recorded market data is absent: {DATA}")
def test_apples_seven_for_one_of_2014_by_hand():
    """176 at 564.57 become 1,232; 3.29 x 176 and 0.47 x 1,232 of dividends; the average is not crossed."""
    panel = load_bars(
        DATA / "daily/panel_a_2009_2018.parquet", symbols=("AAPL",), start=date(2014, 1, 2), end=date(2014, 9, 30)
    )
    config = daily_config(
        "AAPL",
        strategy={"kind": "sma_cross", "params": {"fast": 5, "slow": 50}},
        actions=str(DATA / "events/corporate_actions_panel_a.csv"),
    )
    config = config.model_copy(update={"bars": config.bars.model_copy(update={"warm_up": 60})})
    result = run_replay(config, panel, start=date(2014, 4, 15))
    (entry,) = result.fills
    shares = entry.fill.quantity
    assert [(flow.session, flow.kind) for flow in result.cash_flows] == [
        (date(2014, 5, 8), "dividend"),
        (date(2014, 8, 7), "dividend"),
    ]
    assert [flow.amount for flow in result.cash_flows] == pytest.approx([3.29 * shares, 0.47 * 7 * shares])
    close = float(panel.close[-1, 0])
    by_hand = 1_000_000 - shares * entry.fill.price + (3.29 + 0.47 * 7) * shares + 7 * shares * close
    assert result.curve.net_liquidation[-1] == pytest.approx(by_hand, abs=0.005)
