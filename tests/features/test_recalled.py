"""A strategy decides the same on stored features as on streaming ones, byte for byte; foreign ones are refused."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from research.backtest.run import RunOptions, run_replay
from shared.errors import DataError, NotFound
from shared.io.bar_store import load_bars
from tests.backtest.builders import SMA
from tests.experiments.builders import a_walk, daily_config, daily_panel
from tests.features.builders import built, first_days, stored

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "pullback.py"
PULLBACK = {"kind": str(EXAMPLE), "params": {"period": 5, "trend": 20}}
FEATURES = ("rsi(5)", "sma(20)")
SYMBOLS = ("AA", "BB", "CC")


def a_case(days=260, seed=3, **fields):
    return daily_config(*SYMBOLS, strategy=PULLBACK, **fields), daily_panel(a_walk(days, seed, 3), *SYMBOLS)


def assert_same(one, other):
    assert len(one.fill_lines()) > 3
    assert one.decision_lines() == other.decision_lines()
    assert one.fill_lines() == other.fill_lines()


@pytest.mark.parametrize("sparse", [True, False])
def test_stored_and_streaming_features_lead_to_the_same_decisions(sparse, tmp_path):
    config, panel = a_case()
    built(panel, tmp_path, *FEATURES)
    recalled = run_replay(config, panel, options=RunOptions(features=tmp_path, sparse=sparse))
    assert_same(recalled, run_replay(config, panel, options=RunOptions(sparse=sparse)))


KALMAN = "kalman_trend(0.1,0.0001,250,60).slope_zscore"
DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "daily" / "panel_a_2009_2018.parquet"


def test_the_kalman_trend_decides_the_same_both_ways(tmp_path):
    config = daily_config(*SYMBOLS, strategy={"kind": "kalman_trend", "params": {}})
    panel = daily_panel(a_walk(400, 5, 3), *SYMBOLS)
    built(panel, tmp_path, KALMAN)
    recalled = run_replay(config, panel, options=RunOptions(features=tmp_path))
    assert_same(recalled, run_replay(config, panel))


@pytest.mark.recorded
@pytest.mark.skipif(not DATA.is_file(), reason=f"recorded market data is absent: {DATA}")
def test_the_kalman_trend_decides_the_same_both_ways_on_real_bars(tmp_path):
    symbols = ("AAPL", "IBM", "JPM", "XOM")
    panel = load_bars(DATA, symbols=symbols, start=date(2009, 1, 2), end=date(2013, 12, 31))
    config = daily_config(*symbols, strategy={"kind": "kalman_trend", "params": {}})
    built(panel, tmp_path, KALMAN)
    recalled = run_replay(config, panel, options=RunOptions(features=tmp_path))
    assert_same(recalled, run_replay(config, panel))


def test_values_come_from_the_files_and_not_from_the_bars(tmp_path):
    config, panel = a_case()
    built(panel, tmp_path, *FEATURES)
    for path in next(tmp_path.glob("rsi*")).glob("*.parquet"):
        path.unlink()
    with pytest.raises(DataError, match=r"parquet: missing, allowed: .*; build again"):
        run_replay(config, panel, options=RunOptions(features=tmp_path))


def test_a_bar_that_the_price_screen_hides_is_no_part_of_a_recalled_feature(tmp_path):
    config, panel = a_case()
    panel.close[100, 1] *= 3.0  # beyond [risk] price_jump_pct_max: the strategy never sees it
    panel.high[100, 1] *= 3.0
    built(panel, tmp_path, *FEATURES)
    recalled = run_replay(config, panel, options=RunOptions(features=tmp_path))
    assert_same(recalled, run_replay(config, panel))


def test_a_replay_that_begins_later_decides_as_it_would_streaming(tmp_path):
    config, panel = a_case(warm_up=30)
    built(panel, tmp_path, *FEATURES)
    start = date(2015, 6, 1)
    recalled = run_replay(config, panel, start=start, options=RunOptions(features=tmp_path))
    assert_same(recalled, run_replay(config, panel, start=start))


def test_a_replay_of_some_symbols_reads_their_columns(tmp_path):
    _, panel = a_case()
    built(panel, tmp_path, *FEATURES)
    config = daily_config("CC", "AA", strategy=PULLBACK)
    fewer = daily_panel(panel.close[:, [2, 0]], "CC", "AA")
    recalled = run_replay(config, fewer, options=RunOptions(features=tmp_path))
    assert_same(recalled, run_replay(config, fewer))


def test_a_replay_that_ends_earlier_reads_the_first_rows(tmp_path):
    config, panel = a_case()
    built(panel, tmp_path, *FEATURES)
    earlier = first_days(panel, 200)
    assert_same(run_replay(config, earlier, options=RunOptions(features=tmp_path)), run_replay(config, earlier))


def test_features_of_other_bars_are_refused(tmp_path):
    config, panel = a_case()
    built(panel, tmp_path, *FEATURES)
    panel.volume[17, 1] += 1
    with pytest.raises(DataError, match=r"the features of BB were computed from other bars than are replayed"):
        run_replay(config, panel, options=RunOptions(features=tmp_path))


def test_features_that_end_before_the_bars_are_refused(tmp_path):
    config, panel = a_case()
    built(first_days(panel, 250), tmp_path, *FEATURES)
    with pytest.raises(DataError, match=r"no row of 2015-12-\d\dT14:30 UTC and 9 more that are replayed"):
        run_replay(config, panel, options=RunOptions(features=tmp_path))


def test_features_of_other_code_are_refused(tmp_path):
    config, panel = a_case()
    built(panel, tmp_path, *FEATURES)
    path = next(tmp_path.glob("rsi*")) / "features.json"
    record = path.read_text()
    path.write_text(record.replace(record.split('"code": "')[1][:64], "0" * 64))
    with pytest.raises(DataError, match=r"rsi\(5\) was computed by other code, allowed: this one's; build again"):
        run_replay(config, panel, options=RunOptions(features=tmp_path))


def test_features_of_other_symbols_are_refused(tmp_path):
    config, panel = a_case()
    built(daily_panel(panel.close[:, :2], "AA", "BB"), tmp_path, *FEATURES)
    with pytest.raises(DataError, match=r"no features of CC, allowed: bars of all symbols; build again"):
        run_replay(config, panel, options=RunOptions(features=tmp_path))


def test_a_feature_that_was_not_built_is_named(tmp_path):
    config, panel = a_case()
    built(panel, tmp_path, "rsi(5)")
    with pytest.raises(NotFound, match=r"no feature sma\(20\), allowed: those that openbell features build was given"):
        run_replay(config, panel, options=RunOptions(features=tmp_path))


def test_a_folder_without_features_is_named(tmp_path):
    config, panel = a_case()
    with pytest.raises(NotFound, match=r"no features \(bars.json is missing\)"):
        run_replay(config, panel, options=RunOptions(features=tmp_path))


def test_a_damaged_file_is_found_by_its_checksum(tmp_path):
    config, panel = a_case()
    built(panel, tmp_path, *FEATURES)
    path = sorted(next(tmp_path.glob("rsi*")).glob("*.parquet"))[3]
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0x10
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match=r"parquet: damaged \(.*\), allowed: a whole file; build again with --anew"):
        run_replay(config, panel, options=RunOptions(features=tmp_path))


def test_features_that_no_strategy_asks_for_are_refused(tmp_path):
    _, panel = a_case()
    built(panel, tmp_path, *FEATURES)
    config = daily_config(*SYMBOLS, strategy=SMA)
    with pytest.raises(DataError, match="no strategy asks for features"):
        run_replay(config, panel, options=RunOptions(features=tmp_path))


def test_values_are_not_a_number_until_warm(tmp_path):
    _, panel = a_case()
    built(panel, tmp_path, "sma(20)")
    assert np.flatnonzero(np.isnan(stored(tmp_path, "sma(20)")[:, 0])).tolist() == list(range(19))
