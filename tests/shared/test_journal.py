"""What `append` has acknowledged is there afterwards, whoever dies when."""

import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.commands import AskBroker, CancelOrder
from shared.errors import NotFound, Refused
from shared.events import TimerFired
from shared.io.journal import Journal, JournalReader, Run, run_id_of
from shared.messages import decode_command, encode

AT = datetime(2013, 10, 8, 14, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]


def a_run(name="r1", mode="paper"):
    return Run(
        id=name,
        started_at=AT.isoformat(),
        mode=mode,
        config_json="{}",
        base_dir="/",
        code_version="0",
        strategy_hashes="{}",
    )


def an_event(number=0):
    return TimerFired(received_at=AT, timer_id=str(number))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "paper" / "journal.sqlite"


@pytest.fixture
def journal(path):
    with Journal.create(path, "paper") as journal:
        journal.start_run(a_run(), b"start")
        yield journal


def test_an_event_and_its_commands_come_back_as_they_went_in(journal):
    journal.append(an_event(7), [AskBroker(reasons=("why",)), CancelOrder(ref="x")])
    (record,) = journal.records()
    assert (record.seq, record.run_id, record.kind) == (1, "r1", "TimerFired")
    assert record.payload == encode(an_event(7))
    assert [decode_command(command) for command in record.commands] == [
        AskBroker(reasons=("why",)),
        CancelOrder(ref="x"),
    ]


def test_numbers_rise_by_one_over_all_runs(path, journal):
    journal.append(an_event(), [])
    journal.close()
    with Journal.create(path, "paper") as again:
        again.start_run(a_run("r2"), b"")
        assert again.append(an_event(), []) == 2
        assert [run.after_seq for run in again.runs()] == [0, 1]
        assert [record.seq for record in again.records(run_id="r2")] == [2]


def test_an_event_whose_commands_cannot_be_written_is_not_written_either(journal):
    with pytest.raises(NotImplementedError):
        journal.append(an_event(), [AskBroker(), object()])
    assert journal.last_seq() == 0
    assert journal.append(an_event(), []) == 1


def test_every_commit_is_synchronous_and_in_wal_mode(journal):
    assert journal._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert journal._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize("verb", ["UPDATE events SET kind = 'x'", "DELETE FROM commands", "DELETE FROM runs"])
def test_nothing_that_was_written_can_be_changed(journal, verb):
    journal.append(an_event(), [AskBroker()])
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        journal._connection.execute(verb)


def test_each_run_keeps_the_state_it_started_from(path, journal):
    journal.append(an_event(), [])
    journal.write_snapshot(b"later")
    assert journal.start_snapshot("r1").payload == b"start"
    assert (journal.last_snapshot().payload, journal.last_snapshot().seq) == (b"later", 1)


def test_a_second_daemon_is_refused_with_the_pid_of_the_first(path, journal):
    with pytest.raises(Refused, match=rf"pid {os.getpid()}\) is writing this journal"):
        Journal.create(path, "paper")


def test_a_reader_reads_while_the_daemon_writes(path, journal):
    with JournalReader.open(path) as reader:
        assert list(reader.records()) == []
        journal.append(an_event(), [CancelOrder(ref="x")])
        assert [record.seq for record in reader.records()] == [1]
        assert reader.last_commands(5, ("CancelOrder", "Flatten"))[0][0] == AT.isoformat()
        assert reader.last_commands(5, ("Cancel",)) == []


def test_a_reader_cannot_write(path, journal):
    with JournalReader.open(path) as reader, pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("INSERT INTO snapshots (run_id, seq, payload) VALUES ('r1', 0, 'x')")


def test_paper_and_live_never_share_a_file(path, journal):
    journal.close()
    with pytest.raises(Refused, match="holds paper runs, mode is live"):
        Journal.create(path, "live")


def test_a_missing_journal_is_not_found(tmp_path):
    with pytest.raises(NotFound, match="no journal here"):
        JournalReader.open(tmp_path / "journal.sqlite")


def test_an_unknown_run_is_not_found(journal):
    with pytest.raises(NotFound, match="no run 'r9'"):
        journal.run("r9")


def test_a_file_that_is_no_database_is_refused_in_one_line(path):
    path.parent.mkdir()
    path.write_text("a diary\n" * 200)
    with pytest.raises(Refused, match=r"cannot be read as a journal \(file is not a database\)"):
        Journal.create(path, "paper")


def test_another_database_is_not_taken_for_a_journal(path):
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE diary (line TEXT)")
    other.close()
    with pytest.raises(Refused, match="not a journal of Openbell"):
        Journal.create(path, "paper")


def test_a_journal_of_another_release_is_refused(path, journal):
    journal._connection.execute("PRAGMA user_version = 99")
    journal.close()
    with pytest.raises(Refused, match="journal version 99, this release reads 1"):
        Journal.create(path, "paper")


def test_a_damaged_journal_is_refused(path, journal):
    for number in range(200):
        journal.append(an_event(number), [AskBroker(reasons=("x" * 200,))])
    journal.close()
    data = bytearray(path.read_bytes())
    data[8192:12288] = bytes(4096)
    path.write_bytes(data)
    with pytest.raises(Refused, match=r"damaged|cannot be read"):
        Journal.create(path, "paper")


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.shared.test_journal import Journal, a_run, an_event
from shared.commands import AskBroker
journal = Journal.create(Path(sys.argv[1]), "paper")
journal.start_run(a_run(), b"start")
for number in range(1_000_000):
    print(journal.append(an_event(number), [AskBroker(), AskBroker()]), flush=True)
"""


@pytest.mark.process
@pytest.mark.parametrize("rows", [1, 57, 211])
def test_no_acknowledged_row_is_lost_when_the_writer_is_killed_in_mid_append(path, rows):
    command = [sys.executable, "-c", WRITER, str(path), str(ROOT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(rows):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        acknowledged = rows + len(writer.stdout.readlines())
    with Journal.create(path, "paper") as journal:
        records = list(journal.records())
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    assert acknowledged <= len(records) <= acknowledged + 1
    assert {len(record.commands) for record in records} == {2}


def test_run_names_sort_by_time():
    assert run_id_of(datetime(2026, 11, 21, 4, 2, 28, 517_000, tzinfo=UTC), 42) == "20261121T040228517Z-42"
