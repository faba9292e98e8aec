import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import variance

import pytest
from msgspec import Struct

from research.measures.ledger import Ledger
from shared.errors import NotFound, Refused
from tests.measures.builders import a_stamp

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Outcome(Struct, frozen=True):
    sharpe: float | None = 1.0
    first_session: date = date(2013, 10, 7)
    last_session: date = date(2013, 10, 11)


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "state" / "trials.sqlite")


def tried(ledger, sharpe=1.0, **stamp):
    return ledger.record(a_stamp(**stamp), Outcome(sharpe), command="openbell replay", at=NOON)


def test_a_trial_is_written_with_all_that_it_was(ledger):
    tried(ledger, seed=3)
    (trial,) = ledger.trials()
    assert (trial.number, trial.trial, trial.seed) == (1, a_stamp(seed=3).trial, 3)
    assert (trial.first_session, trial.last_session, trial.sharpe) == (date(2013, 10, 7), date(2013, 10, 11), 1.0)
    assert (trial.command, trial.recorded_at, trial.strategy) == ("openbell replay", NOON, "sma_cross")
    assert (trial.config_hash, trial.data_hash, trial.code_hash) == ("c" * 64, "d" * 64, "e" * 64)


def test_the_same_trial_again_is_no_new_one(ledger):
    assert tried(ledger).is_new
    again = tried(ledger, sharpe=2.0)
    assert (again.is_new, again.sharpe, again.count.trials) == (False, 1.0, 1)
    assert len(ledger.trials()) == 1


@pytest.mark.parametrize("change", [{"config_hash": "x"}, {"code_hash": "x"}, {"seed": 1}], ids=str)
def test_another_configuration_code_or_seed_is_one_more_attempt(ledger, change):
    tried(ledger)
    assert tried(ledger, **change).count.trials == 2


def test_more_days_of_the_same_bars_are_another_row_but_no_further_attempt(ledger):
    tried(ledger, sharpe=1.0)
    longer = tried(ledger, sharpe=3.0, data_hash="later")
    assert (longer.is_new, longer.count.trials, len(ledger.trials())) == (True, 1, 2)
    tried(ledger, sharpe=5.0, config_hash="x")
    assert ledger.count(a_stamp()).sharpe_variance == pytest.approx(variance([3.0, 5.0]))  # the latest of each


def test_attempts_are_counted_by_strategy_and_data_set(ledger):
    tried(ledger)
    tried(ledger, strategy="cross_momentum", config_hash="x")
    tried(ledger, dataset="other", config_hash="y")
    assert [(each.strategy, each.trials) for each in ledger.counts()] == [
        ("cross_momentum", 1),
        ("sma_cross", 1),
        ("sma_cross", 1),
    ]


def test_trials_without_a_sharpe_ratio_count_and_have_no_part_in_the_variance(ledger):
    tried(ledger, sharpe=None)
    tried(ledger, sharpe=1.0, config_hash="x")
    count = ledger.count(a_stamp())
    assert (count.trials, count.sharpe_variance) == (2, None)


def test_before_the_first_trial_nothing_was_tried(ledger):
    assert ledger.count(a_stamp()).trials == 0
    with pytest.raises(NotFound, match="no trial ledger here"):
        ledger.trials()
    assert not ledger.path.parent.exists()


@pytest.mark.parametrize("sql", ["DELETE FROM trials", "UPDATE trials SET sharpe = 9"])
def test_what_is_written_stays(ledger, sql):
    tried(ledger)
    with sqlite3.connect(ledger.path) as connection, pytest.raises(sqlite3.IntegrityError, match="a trial is never"):
        connection.execute(sql)
    connection.close()


def test_an_empty_file_that_a_kill_left_is_a_ledger_without_trials(ledger):
    ledger.path.parent.mkdir()
    ledger.path.touch()
    assert (ledger.trials(), ledger.counts(), ledger.count(a_stamp()).trials) == ([], [], 0)
    assert tried(ledger).is_new


def test_a_file_that_is_none_is_refused_and_left_alone(ledger):
    ledger.path.parent.mkdir()
    ledger.path.write_text("something else entirely, and long enough to be looked at\n" * 20)
    with pytest.raises(Refused, match="cannot be used as a trial ledger"):
        tried(ledger)
    assert ledger.path.read_text().startswith("something else")


def test_another_database_is_refused(ledger):
    ledger.path.parent.mkdir()
    with sqlite3.connect(ledger.path) as connection:
        connection.execute("CREATE TABLE mine (a)")
    connection.close()
    with pytest.raises(Refused, match="is not a trial ledger of Openbell"):
        tried(ledger)


def test_a_ledger_of_another_version_is_refused(ledger):
    tried(ledger)
    with sqlite3.connect(ledger.path) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(Refused, match="version 2, this release reads 1"):
        ledger.trials()


def test_a_folder_that_cannot_be_made_is_said_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match=r"file: cannot be made \(File exists\), allowed: a folder of yours"):
        tried(Ledger(tmp_path / "file" / "trials.sqlite"))


WRITER = """
import sys
from pathlib import Path
from research.measures.ledger import Ledger
from tests.measures.builders import a_stamp
from tests.measures.test_ledger import Outcome
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
sys.stdin.readline()
for number in range(count):
    Ledger(path).record(a_stamp(config_hash=f"{name}-{number}"), Outcome(), command="writer")
    Ledger(path).record(a_stamp(config_hash=f"shared-{number}"), Outcome(), command="writer")
    print(number, flush=True)
"""


def a_writer(path, name, count):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(count)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def go(writer):
    writer.stdin.write("\n")
    writer.stdin.flush()


def test_processes_that_write_at_once_lose_nothing_and_count_nothing_twice(ledger):
    writers = [a_writer(ledger.path, name, 12) for name in "abc"]
    for writer in writers:
        go(writer)
    assert [writer.communicate(timeout=60) and writer.returncode for writer in writers] == [0, 0, 0]
    trials = ledger.trials()
    assert sorted(trial.config_hash for trial in trials) == sorted(
        [f"{name}-{number}" for name in (*"abc", "shared") for number in range(12)]
    )
    assert [trial.number for trial in trials] == list(range(1, 49))


@pytest.mark.parametrize("lines", [1, 4, 9])
def test_a_writer_that_is_killed_loses_nothing_that_it_was_told_is_written(ledger, lines):
    writer = a_writer(ledger.path, "a", 10_000)
    go(writer)
    said = [int(writer.stdout.readline()) for _ in range(lines)]
    os.kill(writer.pid, signal.SIGKILL)
    said += [int(line) for line in writer.communicate(timeout=60)[0].split()]
    kept = {trial.config_hash for trial in ledger.trials()}
    assert {f"{name}-{number}" for name in ("a", "shared") for number in said} <= kept
    assert tried(ledger).is_new
    with sqlite3.connect(ledger.path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


TORN = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
row = connection.execute("SELECT * FROM trials").fetchone()
for number in range(2, 500):
    values = (number, f"torn-{number}", *row[2:])
    connection.execute(f"INSERT INTO trials VALUES ({', '.join('?' * len(values))})", values)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_rows_that_were_half_written_are_taken_back(ledger):
    """A cache of one page makes SQLite write into the file before the commit: the kill leaves it torn."""
    tried(ledger)
    subprocess.run([sys.executable, "-c", TORN, str(ledger.path)], check=False, timeout=60)
    assert ledger.path.with_name(ledger.path.name + "-journal").exists()
    assert [trial.number for trial in ledger.trials()] == [1]
    assert tried(ledger, config_hash="x").count.trials == 2
