"""Live against backtest where the live start went on from the stored bars: the backtest does too."""

from datetime import timedelta

import pytest

from research.nightly.gap_step import GapStep, read_gap
from research.nightly.night import night_of
from research.nightly.sequence import Way, carry_out
from tests.features.live_day import EMA_AND_RSI, a_walk_of_minutes, ended, live_config, lived, store, stored_part
from tests.runtime.builders import CLOSE

EMA = {"kind": "ema_and_rsi.py", "params": {}}
CASES = [pytest.param({}, 1, id="kalman_trend"), pytest.param(EMA, 148, id="ema and rsi")]
"""Of each a walk on which the rows of the journal alone would not have bought (tests/features/test_live_start.py)."""


def compared(config):
    night = night_of(config, CLOSE.date(), CLOSE + timedelta(hours=1), None)
    record = carry_out(night, (GapStep(),), Way(now=lambda: CLOSE, say=lambda _line: None))["gap"]
    assert record.status == "done", record.said
    return read_gap(night)


@pytest.mark.parametrize(("changes", "seed"), CASES)
async def test_what_the_stored_bars_led_to_is_decided_in_the_backtest_too(tmp_path, changes, seed):
    (tmp_path / "ema_and_rsi.py").write_text(EMA_AND_RSI)
    config, panel = live_config(tmp_path, "stored", **changes), a_walk_of_minutes(seed)
    store(config, stored_part(panel))
    await ended(*await lived(config, panel))
    report = compared(config)
    assert "SPY" in [line.symbol for line in report.lines if line.live is not None]
    assert (report.decided_live_only, report.decided_replay_only) == (0, 0)


async def test_a_memory_of_other_strategies_is_left_out(tmp_path):
    config, panel = live_config(tmp_path, "stored"), a_walk_of_minutes(1)
    store(config, stored_part(panel))
    await ended(*await lived(config, panel))
    (tmp_path / "ema_and_rsi.py").write_text(EMA_AND_RSI)
    await ended(*await lived(live_config(tmp_path, "rows", name="other", **EMA), panel, begins=65, minutes=0))
    assert compared(config) is not None
