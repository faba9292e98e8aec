"""What a person reads about the daemon must not look alive when it is not."""

import os
import subprocess
import sys

from daemon.runtime.status import Status, heartbeat_line, screen
from shared.io.journal import writer_of

BEAT = {
    "verdict": "ok",
    "causes": [],
    "every_s": 10.0,
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


def test_a_heartbeat_older_than_three_intervals_is_no_sign_of_life():
    assert lines(age_s=31.0)[1] == "NO HEARTBEAT for 31 s: process 1 lives but may hang"
    assert lines(age_s=30.0)[1] == "verdict     OK: nothing to say"


def test_the_verdict_stands_first_and_every_cause_under_it():
    bad = BEAT | {"verdict": "critical", "causes": ["broker not connected", "orders of unknown fate: 1"]}
    shown = lines(heartbeat=bad)
    assert shown[1:3] == ["verdict     CRITICAL: broker not connected", "            orders of unknown fate: 1"]


def test_a_line_of_tail_names_verdict_and_causes():
    bad = BEAT | {"at": "2013-10-08T14:00:00Z", "verdict": "degraded", "causes": ["not reconciled"]}
    line = heartbeat_line(bad)
    assert line.startswith("2013-10-08T14:00:00  degraded  ACTIVE")
    assert line.endswith("[not reconciled]")


def test_what_is_latched_halted_or_doubtful_is_shown_by_name():
    shown = lines(
        heartbeat=BEAT
        | {
            "latches": {"account": ["max_day_loss: lost 500"]},
            "halted": ["IBM"],
            "data_quality": {"": "delayed"},
            "quiet": "daily restart of the gateway until 04:50 UTC",
        }
    )
    assert "latches     account: max_day_loss: lost 500" in shown
    assert "halted      IBM" in shown
    assert "data        all: delayed" in shown
    assert "quiet       daily restart of the gateway until 04:50 UTC" in shown


def test_the_writer_of_a_journal_is_the_living_process_in_its_lock(tmp_path):
    assert writer_of(a_lock(tmp_path, os.getpid())) == os.getpid()


def test_a_killed_process_writes_no_journal(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert writer_of(a_lock(tmp_path, gone.pid)) is None
    assert writer_of(tmp_path / "never.sqlite") is None
