"""A journal that was edited, cut or torn does not pass for whole."""

import sqlite3
from pathlib import Path

import psycopg
import pytest

from shared.commands import AskBroker, CancelOrder
from shared.errors import Refused
from shared.io.journal import Journal, JournalReader
from shared.io.journal_verify import verify
from tests.shared.test_journal import a_run, an_event

OLD = Path(__file__).with_name("journal_v1.sql")


@pytest.fixture
def place(place):
    """Two runs, ten events with two commands each, four snapshots."""
    with Journal.create(place, "paper") as journal:
        for name in ("r1", "r2"):
            journal.start_run(a_run(name), b"start")
            for number in range(5):
                journal.append(an_event(number), [AskBroker(reasons=("why",)), CancelOrder(ref="x")])
            journal.write_snapshot(b"later")
    return place


def edit(place, *statements):
    """Change rows behind the journal's back."""
    if isinstance(place, Path):
        with sqlite3.connect(place) as file:
            for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                file.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                file.execute(statement)
        file.close()
        return
    with psycopg.connect(place.url, autocommit=True) as server:
        # A replica's session fires no triggers, not even those of foreign keys.
        server.execute(f"SET search_path TO {place.schema}; SET session_replication_role = replica".encode())
        for statement in statements:
            server.execute(statement.encode())


def verified(place, snapshot_fault=lambda run, snapshot: None):
    with JournalReader.open(place) as journal:
        return verify(journal, snapshot_fault)


def test_an_untouched_journal_is_whole(place):
    verdict = verified(place)
    assert verdict.findings == ()
    assert (verdict.runs, verdict.events, verdict.commands, verdict.snapshots, verdict.last_seq) == (2, 10, 20, 4, 10)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET payload = (SELECT payload FROM events WHERE seq = 4) WHERE seq = 3",
        "UPDATE events SET received_at = '2013-10-08T14:00:01+00:00' WHERE seq = 3",
        "UPDATE events SET run_id = 'r2' WHERE seq = 3",
        "UPDATE commands SET payload = (SELECT payload FROM commands WHERE seq = 3 AND position = 0) WHERE seq = 3",
        "DELETE FROM commands WHERE seq = 3 AND position = 1",
    ],
)
def test_a_changed_event_or_command_is_named(place, statement):
    edit(place, statement)
    expected = "event 3 (TimerFired): it or its commands were changed after they were written"
    assert verified(place).findings == (expected,)


def test_missing_events_are_named(place):
    edit(place, "DELETE FROM commands WHERE seq IN (3, 7, 8)", "DELETE FROM events WHERE seq IN (3, 7, 8)")
    assert verified(place).findings == ("event 3 is missing", "events 7 to 8 are missing")


def test_events_cut_off_before_the_last_snapshot_are_missed(place):
    edit(place, "DELETE FROM commands WHERE seq > 8", "DELETE FROM events WHERE seq > 8")
    assert verified(place).findings == ("snapshot 4 (after event 10): events 9 to 10 are missing",)


def test_a_changed_run_is_named(place):
    edit(place, "UPDATE runs SET config_json = '{\"mode\": \"live\"}' WHERE id = 'r1'")
    assert verified(place).findings == ("run r1: was changed after it was written",)


def test_a_run_without_its_start_is_named(place):
    edit(place, "DELETE FROM snapshots WHERE run_id = 'r2'")
    assert verified(place).findings == ("run r2: its start snapshot is missing",)


def test_a_changed_snapshot_is_named(place):
    edit(place, "UPDATE snapshots SET payload = (SELECT payload FROM snapshots WHERE seq = 0) WHERE seq = 10")
    assert verified(place).findings == ("snapshot 4 (after event 10): was changed after it was written",)


def test_a_snapshot_that_no_engine_takes_is_named(place):
    def fault(run, snapshot):
        return f"no state of {run.id}" if snapshot.payload == b"later" else None

    assert verified(place, fault).findings == (
        "snapshot 2 (after event 5): cannot be used (no state of r1)",
        "snapshot 4 (after event 10): cannot be used (no state of r2)",
    )


def test_a_thousand_faults_are_told_in_twenty_lines(place):
    edit(place, "UPDATE events SET kind = 'X'")
    findings = verified(place).findings
    assert len(findings) == 20  # each of ten events is changed, and is not what it is called
    edit(place, "UPDATE runs SET base_dir = 'x'")
    assert verified(place).findings[-1] == "and 2 more"


def test_events_that_cannot_be_decoded_are_named(place):
    empty = "x''" if isinstance(place, Path) else "''"
    edit(place, f"UPDATE events SET payload = {empty} WHERE seq = 3")
    assert verified(place).findings[1].startswith("event 3 (TimerFired): cannot be read (")


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "journal.sqlite"
    with sqlite3.connect(path) as file:
        file.executescript(OLD.read_text())
    file.close()
    return path


def test_a_journal_of_version_1_can_be_read_but_not_verified(old):
    with JournalReader.open(old) as journal:
        assert journal.version == 1
        assert [(record.seq, len(record.commands)) for record in journal.records()] == [(1, 2), (2, 0), (3, 1)]
        with pytest.raises(Refused, match="journal version 1 has no chain; `openbell run` brings it up to date"):
            verify(journal, lambda run, snapshot: None)


def test_a_writer_brings_version_1_up_to_date_and_loses_nothing(old):
    with JournalReader.open(old) as before:
        runs = before.runs()
        records = [(record.seq, record.payload, record.commands) for record in before.records()]
    with Journal.create(old, "paper") as journal:
        assert journal.runs() == runs
        assert [(record.seq, record.payload, record.commands) for record in journal.records()] == records
        last = journal.last_snapshot()
        assert last is not None
        assert last.payload == b"again"
        journal.start_run(a_run("r3"), b"start")
        journal.append(an_event(), [AskBroker()])
    verdict = verified(old)
    assert (verdict.findings, verdict.runs, verdict.events, verdict.snapshots) == ((), 3, 4, 4)


def test_an_upgraded_journal_is_append_only_again(old):
    Journal.create(old, "paper").close()
    with sqlite3.connect(old) as file, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        file.execute("UPDATE events SET kind = 'x'")
    file.close()


def test_a_second_writer_finds_the_upgrade_done(old):
    Journal.create(old, "paper").close()
    Journal.create(old, "paper").close()
    assert verified(old).findings == ()


def test_an_upgrade_that_fails_changes_nothing(old):
    with sqlite3.connect(old) as file:
        file.execute("DROP TRIGGER events_UPDATE_refused")
        file.execute("CREATE TRIGGER sabotage BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'sabotage'); END")
    file.close()
    with pytest.raises(Refused, match=r"cannot be read as a journal \(sabotage\)"):
        Journal.create(old, "paper")
    with JournalReader.open(old) as journal:
        assert (journal.version, journal.last_seq()) == (1, 3)
