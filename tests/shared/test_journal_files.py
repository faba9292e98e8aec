"""The SQLite file meets what disks and people do to files: one clear line, nothing half-written."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from shared.commands import AskBroker
from shared.errors import InvariantViolated, Refused
from shared.io.journal import Journal, JournalError, JournalReader
from tests.shared.test_journal import a_run, an_event

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "paper" / "journal.sqlite"


@pytest.fixture
def journal(path):
    with Journal.create(path, "paper") as journal:
        journal.start_run(a_run(), b"start")
        yield journal


def connection_of(journal):
    return journal._database._connection


def test_every_commit_is_synchronous_and_in_wal_mode(journal):
    assert connection_of(journal).execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection_of(journal).execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_only_its_owner_may_read_it(path, journal):
    journal.append(an_event(), [])
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir() if "shm" not in file.name} == {0o600}


def test_a_file_that_is_no_database_is_refused_in_one_line(path):
    path.parent.mkdir()
    path.write_text("a diary\n" * 200)
    with pytest.raises(Refused, match=r"journal\.sqlite: cannot be read as a journal \(file is not a database\)$"):
        Journal.create(path, "paper")


def test_another_database_is_not_taken_for_a_journal(path):
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE diary (line TEXT)")
    other.close()
    with pytest.raises(Refused, match="is a database, but not a journal of Openbell"):
        Journal.create(path, "paper")


@pytest.mark.parametrize("version", [0, 99])
def test_a_journal_of_another_release_is_refused(path, journal, version):
    connection_of(journal).execute(f"PRAGMA user_version = {version}")
    journal.close()
    with pytest.raises(Refused, match=f"journal version {version}, this release reads 1 to 2"):
        Journal.create(path, "paper")


@pytest.fixture
def long(path, journal):
    for number in range(200):
        journal.append(an_event(number), [AskBroker(reasons=("x" * 200,))])
    journal.close()
    return path


def test_a_journal_with_a_page_of_zeros_is_refused(long):
    data = bytearray(long.read_bytes())
    data[8192:12288] = bytes(4096)
    long.write_bytes(data)
    with pytest.raises(Refused, match=r"damaged|cannot be read") as caught:
        Journal.create(long, "paper")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("left", [100, 4096, 20_000])
def test_a_journal_cut_short_is_refused(long, left):
    os.truncate(long, left)
    with pytest.raises(Refused, match=r"damaged|cannot be read"):
        Journal.create(long, "paper")


def test_flipped_bits_in_the_structure_are_refused(long):
    data = bytearray(long.read_bytes())
    for page in range(4096, len(data), 4096):
        data[page + 3] ^= 0xFF  # the number of cells of the page
    long.write_bytes(data)
    with pytest.raises(Refused, match=r"damaged|cannot be read"):
        Journal.create(long, "paper")


def test_a_refused_journal_is_left_as_it_was(long):
    os.truncate(long, 20_000)
    before = long.read_bytes()
    with pytest.raises(Refused):
        Journal.create(long, "paper")
    assert long.read_bytes() == before


def test_on_a_full_disk_nothing_is_half_written_and_what_was_acknowledged_stays(path, journal):
    pages = connection_of(journal).execute("PRAGMA page_count").fetchone()[0]
    connection_of(journal).execute(f"PRAGMA max_page_count = {pages + 2}")
    acknowledged = journal.append(an_event(1), [AskBroker()])
    with pytest.raises(JournalError, match=r"journal\.sqlite: cannot be written \(database or disk is full\)$"):
        journal.append(an_event(2), [AskBroker(reasons=("x" * 100_000,))])
    assert [record.seq for record in journal.records()] == [acknowledged]
    journal.close()
    with Journal.create(path, "paper") as again:
        assert [len(record.commands) for record in again.records()] == [1]


def test_a_full_disk_ends_the_run_as_a_broken_invariant_does(journal):
    assert issubclass(JournalError, InvariantViolated)


def test_a_file_that_may_not_grow_fails_in_one_line(path):
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2]); import resource, signal\n"
        "from tests.shared.test_journal import Journal, a_run, an_event\n"
        "journal = Journal.create(Path(sys.argv[1]), 'paper'); journal.start_run(a_run(), b'start')\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "for number in range(10_000): journal.append(an_event(number), []); print(number + 1, flush=True)\n"
    )
    command = [sys.executable, "-c", code, str(path), str(ROOT)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    said = ended.stderr.splitlines()[-1]
    assert said.startswith("shared.io.journal_database.JournalError: ")
    assert "journal.sqlite: cannot be written (" in said
    with Journal.create(path, "paper") as journal:
        assert journal.last_seq() == int(ended.stdout.splitlines()[-1])
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 200_000


def test_a_journal_locked_by_another_program_fails_in_one_line(path, journal):
    connection_of(journal).execute("PRAGMA busy_timeout = 1")
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match=r"cannot be written \(database is locked\)$"):
            journal.append(an_event(), [])
        other.execute("ROLLBACK")
    other.close()
    assert journal.append(an_event(), []) == 1


def test_a_folder_that_is_a_file_is_refused_in_one_line(tmp_path):
    (tmp_path / "state").write_text("")
    with pytest.raises(Refused, match=r"cannot be written \(.*\); check state_dir and its owner$"):
        Journal.create(tmp_path / "state" / "paper" / "journal.sqlite", "paper")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not write here")
def test_a_read_only_folder_is_refused_in_one_line(tmp_path):
    (tmp_path / "paper").mkdir()
    child = os.fork()
    if child == 0:  # what follows must not return into pytest
        told = 1
        try:
            os.setuid(65_534)
            Journal.create(tmp_path / "paper" / "journal.sqlite", "paper")
        except Refused as error:
            said = "cannot be written (Permission denied); check state_dir and its owner"
            told = 0 if str(error).endswith(said) else 2
        finally:
            os._exit(told)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


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


def killed_after(path, rows):
    """Let a process write and kill it; how many rows it acknowledged."""
    command = [sys.executable, "-c", WRITER, str(path), str(ROOT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(rows):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        return rows + len(writer.stdout.readlines())


@pytest.mark.process
@pytest.mark.parametrize("rows", [1, 57, 211])
def test_no_acknowledged_row_is_lost_when_the_writer_is_killed_in_mid_append(path, rows):
    acknowledged = killed_after(path, rows)
    with Journal.create(path, "paper") as journal:
        records = list(journal.records())
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    assert acknowledged <= len(records) <= acknowledged + 1
    assert {len(record.commands) for record in records} == {2}


@pytest.mark.process
def test_a_write_ahead_log_lost_after_a_kill_is_noticed_before_anything_is_traded(path):
    killed_after(path, 5)
    log = path.with_name("journal.sqlite-wal")
    kept = log.read_bytes()
    log.unlink()
    with pytest.raises(Refused, match=r"sqlite-wal: is gone although the last daemon \(pid \d+\) did not end in order"):
        Journal.create(path, "paper")
    log.write_bytes(kept)
    with Journal.create(path, "paper") as journal:
        assert journal.last_seq() >= 5


KILLED_BY_ITSELF = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.shared.test_journal import Journal, a_run, an_event
journal = Journal.create(Path(sys.argv[1]), "paper")
journal.start_run(a_run(), b"start")
journal._database._connection.execute("PRAGMA user_version = 99")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.process
def test_a_start_refused_after_a_kill_does_not_make_the_next_one_miss_the_log(path):
    """The refusing start closes the file, which folds the log in and removes it: nothing is missing then."""
    subprocess.run([sys.executable, "-c", KILLED_BY_ITSELF, str(path), str(ROOT)], check=False)
    assert path.with_name("journal.sqlite-wal").exists()
    for _ in range(2):  # the second start must say the same as the first
        with pytest.raises(Refused, match="journal version 99, this release reads 1 to 2"):
            Journal.create(path, "paper")
    assert not path.with_name("journal.sqlite-wal").exists()


def test_a_log_that_a_reader_keeps_open_is_still_noted_after_the_end(path, journal):
    journal.append(an_event(), [])
    with sqlite3.connect(path, isolation_level=None) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM events").fetchone()
        connection_of(journal).execute("PRAGMA busy_timeout = 1")
        journal.append(an_event(), [])
        journal.close()
        assert path.with_name("journal.sqlite.lock").read_text() == f"{os.getpid()} wal\n"
        reader.execute("COMMIT")
    reader.close()


def test_a_log_folded_in_at_the_end_of_an_orderly_run_is_not_missed(path, journal):
    journal.append(an_event(), [])
    journal.close()
    assert not path.with_name("journal.sqlite-wal").exists()
    Journal.create(path, "paper").close()


def test_who_accepts_the_loss_removes_the_lock_file(path, journal):
    journal.close()
    path.with_name("journal.sqlite.lock").write_text("1 wal\n")
    with pytest.raises(Refused, match=r"or remove .*journal\.sqlite\.lock to go on with what is left"):
        Journal.create(path, "paper")
    path.with_name("journal.sqlite.lock").unlink()
    Journal.create(path, "paper").close()


def test_a_journal_damaged_while_it_is_read_is_told_in_one_line(long):
    with JournalReader.open(long) as journal:
        data = bytearray(long.read_bytes())
        data[4096:] = os.urandom(len(data) - 4096)
        long.write_bytes(data)
        with pytest.raises(Refused, match=r"journal\.sqlite: cannot be read as a journal \("):
            list(journal.records())
