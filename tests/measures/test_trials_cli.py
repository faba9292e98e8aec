from datetime import UTC, datetime
from pathlib import Path

import pytest

from research.measures.ledger import Ledger
from tests.measures.builders import a_stamp
from tests.measures.test_ledger import Outcome

SHIPPED = (Path(__file__).resolve().parents[2] / "config.toml").read_text()


@pytest.fixture
def tried(openbell, tmp_path):
    """Three attempts at one data set and one at another, in the state_dir of the shipped configuration."""
    (tmp_path / "config.toml").write_text(SHIPPED)
    ledger = Ledger(tmp_path / "state" / "trials.sqlite")
    at = datetime(2026, 11, 21, 12, tzinfo=UTC)
    for number, sharpe in enumerate((0.5, 1.0, 1.5)):
        ledger.record(a_stamp(config_hash=f"{number}" * 64), Outcome(sharpe), command="openbell sweep", at=at)
    other = a_stamp(config_hash="9" * 64, strategy="cross_momentum")
    ledger.record(other, Outcome(None), command="openbell replay", at=at)
    return openbell


def test_the_list_shows_the_latest_trials_oldest_first(tried):
    lines = tried("trials", "list", "-n", "2").out.splitlines()
    assert [line.split()[0] for line in lines] == ["3", "4"]
    assert "Sharpe   +1.50  sma_cross  2013-10-07 to 2013-10-11  1 symbols of 60 s" in lines[0]
    assert lines[0].endswith("openbell sweep")
    assert "Sharpe     n/a  cross_momentum" in lines[1]


def test_the_list_can_be_of_one_strategy(tried):
    lines = tried("trials", "list", "--strategy", "cross_momentum").out.splitlines()
    assert [line.split()[0] for line in lines] == ["4"]
    assert tried("trials", "list", "--strategy", "unknown").out == "no trials of unknown\n"


def test_the_count_says_what_luck_alone_would_show(tried):
    # three trials with variance 1/4: 0.5 x (0.4228 x 0.4307 + 0.5772 x 1.1606), from the normal's table
    first, second = tried("trials", "count").out.splitlines()
    assert first.startswith("     1  cross_momentum  data set 555555555555")
    assert first.endswith("a Sharpe ratio of 0.00")
    assert second.startswith("     3  sma_cross")
    assert second.endswith("a Sharpe ratio of 0.43")


def test_json_follows_its_schemas(tried):
    trials = tried("trials", "list", "--json").facts("trials-list")["trials"]
    assert [trial["sharpe"] for trial in trials] == [0.5, 1.0, 1.5, None]
    counts = tried("trials", "count", "--json").facts("trials-count")["counts"]
    assert [(count["trials"], count["sharpe_variance"]) for count in counts] == [(1, None), (3, 0.25)]


def test_a_ledger_can_be_named(tried, tmp_path):
    named = tmp_path / "state" / "trials.sqlite"
    assert tried("trials", "count", "--ledger", named).out == tried("trials", "count").out


def test_no_ledger_is_exit_3_in_one_line_and_leaves_nothing_behind(openbell, tmp_path):
    ended = openbell("trials", "list", "--ledger", tmp_path / "none.sqlite")
    assert (ended.code, ended.err) == (
        3,
        f"{tmp_path / 'none.sqlite'}: no trial ledger here; `openbell replay` writes one\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_ledger_is_exit_4(openbell, tmp_path):
    (tmp_path / "file").write_text("not a database, whatever its name may say\n" * 50)
    ended = openbell("trials", "count", "--ledger", tmp_path / "file")
    assert (ended.code, ended.err.count("\n")) == (4, 1)


def test_a_wrong_configuration_is_exit_78(openbell, tmp_path):
    (tmp_path / "config.toml").write_text("mode = 3\n")
    assert openbell("trials", "list").code == 78


def test_a_count_below_one_is_a_wrong_usage(tried):
    assert tried("trials", "list", "-n", "0").code == 2
