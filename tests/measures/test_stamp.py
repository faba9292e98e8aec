"""Two runs have the same hash exactly if they read the same: proven by changing one thing at a time."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from research.measures.stamp import stamped, strategy_of
from shared.config import Config, load_config
from shared.config_sections import ReplayConfig
from shared.errors import DataError
from shared.io.bar_store import load_bars, save_bars
from shared.io.fingerprints import canonical_config, code_hash, config_hash, dataset_hash, panel_hash
from tests.backtest.builders import MOMENTUM, SMA, a_config
from tests.measures.builders import a_daily_panel, a_stamp

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = (ROOT / "config.toml").read_text()


def shipped(folder, *changes):
    text = SHIPPED
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    (folder / "config.toml").write_text(text)
    return load_config(folder / "config.toml")


def rewritten(config, **sections):
    """The same configuration with some keys of its sections changed."""
    whole = config.model_dump(by_alias=True)
    for name, keys in sections.items():
        whole[name] = {**whole[name], **keys} if isinstance(keys, dict) else keys
    return Config.model_validate(whole).based_at(config.base_dir)


@pytest.mark.parametrize(
    "section",
    [
        {"mode": "paper", "account": "DU1234567"},
        {"broker": {"port": 4002}},
        {"log_dir": "elsewhere"},
        {"metrics": {"port": 9108}},
        {"risk": {"owner": "somebody else", "reason": "another", "reviewed_on": "2020-01-01"}},
    ],
    ids=["account", "port", "folder", "metrics", "signature"],
)
def test_what_only_faces_outside_is_no_other_configuration(section):
    config = a_config("SPY", strategy=SMA)
    assert config_hash(rewritten(config, **section)) == config_hash(config)


@pytest.mark.parametrize(
    "section",
    [
        {"replay": {"slippage_bps": 2.5}},
        {"risk": {"price_collar_pct": 4.0}},
        {"execution": {"entry": "limit"}},
        {"bars": {"warm_up": 31}},
        {"session": {"flatten_before_close_s": 0}},
        {"universe": {"symbols": ["SPY", "IBM"]}},
        {"universe": {"tick": 0.05}},
    ],
    ids=str,
)
def test_what_a_replay_reads_is_another_configuration(section):
    config = a_config("SPY", strategy=SMA)
    assert config_hash(rewritten(config, **section)) != config_hash(config)


def test_another_parameter_is_another_configuration():
    config = a_config("SPY", strategy=SMA)
    other = a_config("SPY", strategy=SMA | {"params": {"fast": 6, "slow": 20}})
    assert config_hash(other) != config_hash(config)


def test_comments_change_nothing(tmp_path):
    plain = config_hash(shipped(tmp_path))
    assert config_hash(shipped(tmp_path, ("[replay]", "# a comment\n[replay]"))) == plain


def test_a_default_that_is_written_out_changes_nothing():
    config = a_config("SPY", strategy=SMA)
    assert config_hash(rewritten(config, replay={"participation": 0.1})) == config_hash(config)


def test_every_section_that_is_not_named_as_outside_counts():
    assert set(canonical_config(a_config("SPY", strategy=SMA))) == {
        "bars",
        "execution",
        "insiders",
        "reconcile",
        "replay",
        "risk",
        "session",
        "strategy",
        "universe",
    }


TABLES = ["actions", "borrow", "rates", "spreads"]


@pytest.mark.parametrize("key", TABLES)
def test_the_content_of_a_table_that_the_configuration_names_counts(tmp_path, key):
    config = rewritten(a_config("SPY", strategy=SMA), replay={key: "table.csv"}).based_at(tmp_path)
    (tmp_path / "table.csv").write_text("one\n")
    before = config_hash(config)
    (tmp_path / "table.csv").write_text("two\n")
    assert config_hash(config) != before


def test_the_name_of_a_table_does_not_count(tmp_path):
    (tmp_path / "one.csv").write_text("the same\n")
    (tmp_path / "two.csv").write_text("the same\n")
    one = rewritten(a_config("SPY", strategy=SMA), replay={"actions": "one.csv"}).based_at(tmp_path)
    two = rewritten(one, replay={"actions": str(tmp_path / "two.csv")})
    assert config_hash(one) == config_hash(two)


def test_these_are_all_the_tables_there_are():
    assert sorted(name for name, field in ReplayConfig.model_fields.items() if field.default == "") == TABLES


def test_the_content_of_the_groups_file_counts(tmp_path):
    config = rewritten(a_config("SPY", strategy=SMA), risk={"groups_file": "groups.toml"}).based_at(tmp_path)
    (tmp_path / "groups.toml").write_text("")
    before = config_hash(config)
    (tmp_path / "groups.toml").write_text("# another\n")
    assert config_hash(config) != before


def test_a_file_that_is_named_and_not_there_is_said_in_one_line(tmp_path):
    config = rewritten(a_config("SPY", strategy=SMA), replay={"actions": "gone.csv"}).based_at(tmp_path)
    with pytest.raises(DataError, match=r"gone\.csv: cannot be read: No such file or directory, allowed: a file"):
        config_hash(config)


def test_another_line_in_a_strategy_file_is_other_code(tmp_path):
    config = a_config("SPY", strategy={"kind": "mine.py", "params": {}}).based_at(tmp_path)
    (tmp_path / "mine.py").write_text("one = 1\n")
    before = code_hash(config)
    (tmp_path / "mine.py").write_text("one = 2\n")
    assert code_hash(config) != before
    assert code_hash(a_config("SPY", strategy=SMA)) == code_hash(a_config("SPY", strategy=MOMENTUM))


PANEL = a_daily_panel([[100.0, 50.0], [101.0, np.nan], [102.0, 51.0]], symbols=("BBB", "AAA"))


def touched(name, at, value):
    values = getattr(PANEL, name).copy()
    values[at] = value
    return replace(PANEL, **{name: values})


@pytest.mark.parametrize(
    "other",
    [
        touched("close", (1, 0), np.nextafter(101.0, 102.0)),
        touched("volume", (0, 1), 1_001.0),
        touched("open", (0, 0), np.nan),
        replace(PANEL, opened_at=PANEL.opened_at + 1),
        replace(PANEL, symbols=("BBB", "AAC")),
        replace(PANEL, interval_s=60),
    ],
    ids=["one ulp", "one share", "a bar gone", "a nanosecond", "a name", "interval"],
)
def test_the_smallest_change_of_the_bars_is_other_data(other):
    assert panel_hash(other) != panel_hash(PANEL)


def test_two_columns_that_are_swapped_are_other_data():
    mixed = replace(PANEL, open=PANEL.close, close=touched("open", (0, 0), 1.0).open)
    assert panel_hash(mixed) != panel_hash(replace(mixed, open=mixed.close, close=mixed.open))


def test_the_order_of_the_symbols_and_the_kind_of_nothing_do_not_matter():
    turned = replace(
        PANEL,
        symbols=("AAA", "BBB"),
        **{name: getattr(PANEL, name)[:, ::-1] for name in ("open", "high", "low", "close", "volume")},
    )
    other_nan = touched("close", (1, 1), np.array([0x7FF8_0000_0000_0001], dtype=np.uint64).view(np.float64)[0])
    assert panel_hash(turned) == panel_hash(other_nan) == panel_hash(PANEL)


def test_csv_and_parquet_of_the_same_bars_are_the_same_data(tmp_path):
    save_bars(tmp_path / "bars.parquet", PANEL)
    parquet = load_bars(tmp_path / "bars.parquet")
    lines = ["symbol,date,open,high,low,close,volume"]
    days = ("2013-10-07", "2013-10-08", "2013-10-09")
    bars = [(at, column) for column in range(2) for at in range(3) if not np.isnan(PANEL.close[at, column])]
    lines += [
        f"{PANEL.symbols[column]},{days[at]}," + ",".join([repr(float(PANEL.close[at, column]))] * 4) + ",1000"
        for at, column in bars
    ]
    (tmp_path / "bars.csv").write_text("\n".join(lines) + "\n")
    csv = load_bars(tmp_path / "bars.csv", interval_s=86_400)
    assert panel_hash(csv) == panel_hash(parquet)


def test_more_days_are_other_data_of_the_same_data_set():
    longer = a_daily_panel([[100.0, 50.0]] * 4, symbols=("BBB", "AAA"))
    assert dataset_hash(longer) == dataset_hash(PANEL)
    assert panel_hash(longer) != panel_hash(PANEL)


@pytest.mark.parametrize("seed", ["0", "1"])
def test_hashes_are_the_same_in_another_process(seed):
    """All but that of the code, which somebody may edit while this runs."""
    config = a_config("AAA", "BBB", strategy=SMA, interval_s=86_400)
    program = (
        "from tests.measures.test_stamp import PANEL, a_config, SMA, config_hash, panel_hash, a_stamp\n"
        "config = a_config('AAA', 'BBB', strategy=SMA, interval_s=86_400)\n"
        "print(config_hash(config), panel_hash(PANEL), a_stamp().trial)"
    )
    other = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert other.stdout.split() == [config_hash(config), panel_hash(PANEL), a_stamp().trial]


def test_a_stamp_names_versions_and_git():
    stamp = stamped(a_config("AAA", "BBB", strategy=SMA, interval_s=86_400), PANEL, start=date(2013, 10, 8))
    assert stamp.versions["numpy"] == np.__version__
    assert set(stamp.versions) == {"openbell", "numpy", "numba", "backtrader"}
    is_checkout = (ROOT / ".git").exists()
    assert (len(stamp.git_revision or ""), stamp.git_dirty is not None) == ((40, True) if is_checkout else (0, False))
    assert (stamp.strategy, stamp.symbols, stamp.start) == ("sma_cross", 2, date(2013, 10, 8))


@pytest.mark.parametrize(
    "change",
    [{"config_hash": "x"}, {"data_hash": "x"}, {"code_hash": "x"}, {"seed": 1}, {"start": date(2013, 10, 8)}],
    ids=str,
)
def test_each_part_of_the_origin_makes_another_trial(change):
    assert a_stamp(**change).trial != a_stamp().trial


def test_the_count_and_the_revision_make_no_other_trial():
    assert a_stamp(trials=7, git_revision="a" * 40, versions={"numpy": "9"}).trial == a_stamp().trial


def test_strategies_are_counted_by_their_kinds():
    config = a_config("SPY", strategy={"kind": "research/own/mine.py", "params": {}})
    assert strategy_of(config) == "mine.py"
