"""What a person reads about the daemon must not look alive when it is not."""

import os
import subprocess
import sys

from daemon.runtime.status import Status, screen
from shared.io.journal import writer_of

BEAT = {
    "mode": "paper",
    "run": "r1",
    "state": "ACTIVE",
    "connection": "up",
    "reconciled": True,
    "market_at": "2013-10-08T14:00:00+00:00",
    "session": "2013-10-08",
    "closes_at": "2013-10-08T20:00:00+00:00",
    "loop_age_s": 0,
    "probe_age_s": 0.3,
    "data_age_s": 4.0,
    "clock_offset_s": 0.1,
    "gross_exposure": 0.0,
    "equity": 1e6,
    "day_profit": 0.0,
    "positions": [],
    "working": [],
    "locks": {},
}


def lines(**facts):
    return list(screen(Status(**{"writer": 1, "age_s": 2.0, "heartbeat": BEAT, "decisions": [], **facts})))


def a_lock(folder, pid):
    (folder / "journal.sqlite.lock").write_text(f"{pid}\n")
    return folder / "journal.sqlite"


def test_a_daemon_that_is_gone_is_said_to_be_gone():
    assert lines(writer=None)[1].startswith("NOT RUNNING")


def test_a_daemon_that_lives_without_beating_is_said_to_hang():
    assert lines(age_s=61.0)[1] == "NO HEARTBEAT for 61 s: process 1 lives but may hang"


def test_a_daemon_that_beats_is_shown_without_a_warning():
    assert lines()[1].startswith("trading     ACTIVE, broker up, reconciled")


def test_the_writer_of_a_journal_is_the_living_process_in_its_lock(tmp_path):
    assert writer_of(a_lock(tmp_path, os.getpid())) == os.getpid()


def test_a_killed_process_writes_no_journal(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert writer_of(a_lock(tmp_path, gone.pid)) is None
    assert writer_of(tmp_path / "never.sqlite") is None
