"""Whatever a kill or a power cut leaves of the journal, a start finds every acknowledged row and nothing half done.

The whole enumeration is `python -m bench power`; here a short day and a sample of its states.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from shared.io import journal as journal_module
from shared.io import journal_sqlite
from tests.simulation.power.enumeration import enumerated, restarts, scratch, told, upgraded
from tests.simulation.power.operations import Recording
from tests.simulation.power.states import states_of
from tests.simulation.power.story import a_day

ALL = 1_000_000
WEAKER = {"PRAGMA synchronous = FULL": "PRAGMA synchronous = NORMAL"}
WITHOUT_TRANSACTIONS = {"BEGIN IMMEDIATE": "SELECT 1", "COMMIT": "SELECT 1"}


@pytest.fixture(scope="module")
def day() -> Recording:
    return told(minutes=18, seed=1)


@pytest.fixture(scope="module")
def briefly() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


def faults_of(recording, *, kills=ALL, cuts=ALL):
    return [str(breach) for breach in enumerated(recording, kills_max=kills, cuts_max=cuts, seed=1).breaches]


def test_the_day_under_record_holds_all_that_a_journal_goes_through(day):
    last = day.contents[-1]
    assert (last.runs, last.events > 100, last.commands > 50, last.snapshots >= 4) == (2, True, True, True)
    assert {type(operation).__name__ for operation in day.operations} == {
        "Wrote", "Cut", "Synced", "Made", "Removed", "Renamed", "FolderSynced",
    }  # fmt: skip
    assert b"PlaceBracket" in b"".join(row[3] for row in day.rows["commands"])
    assert day.promises[-1].has_backup


def test_after_a_kill_at_any_write_every_acknowledged_row_is_there_and_recovery_gives_the_engine_that_saw_it(day):
    found = enumerated(day, kills_max=200, cuts_max=0, seed=1)
    assert [str(breach) for breach in found.breaches] == []
    assert (found.kills, found.contents > 60) == (200, True)


def test_after_a_power_cut_at_any_write_every_acknowledged_row_is_there_and_no_transaction_is_half_done(day):
    found = enumerated(day, kills_max=0, cuts_max=500, seed=1)
    assert [str(breach) for breach in found.breaches] == []
    assert (found.cuts, found.contents > 60) == (500, True)


def test_every_kind_of_loss_is_among_the_states(day):
    assert {state.what for state in states_of(day, 1)} == {
        "kill",
        "only names arrived",
        "no name arrived",
        "a name lost",
        "a name lost and all writes",
        "one lost",
        "one torn",
        "one torn, none after it",
        "one file lost",
        "a selection",
    }


def test_a_crash_in_the_start_after_a_crash_loses_nothing_either(day):
    found = [enumerated(again, kills_max=10, cuts_max=25, seed=1) for again in restarts(day, 4, seed=1)]
    assert [str(breach) for each in found for breach in each.breaches] == []
    assert len(found) == 4


def test_a_crash_while_version_1_is_brought_up_to_date_loses_nothing():
    found = enumerated(upgraded(), kills_max=ALL, cuts_max=ALL, seed=1)
    assert [str(breach) for breach in found.breaches] == []
    assert found.kills + found.cuts > 400


def recorded_with(folder, name, instead=None):
    (folder / name).mkdir()
    return a_day(folder / name, minutes=2, seed=1, instead=instead)


def test_without_full_synchronisation_acknowledged_rows_are_lost_and_it_is_seen(briefly):
    faults = faults_of(recorded_with(briefly, "normal", WEAKER), kills=0, cuts=250)
    assert any("acknowledged rows are lost: " in fault and " events" in fault for fault in faults)


def test_without_full_synchronisation_a_kill_alone_loses_nothing(briefly):
    assert faults_of(recorded_with(briefly, "killed", WEAKER), cuts=0) == []


def test_without_the_transaction_half_of_one_is_seen(briefly):
    faults = faults_of(recorded_with(briefly, "torn", WITHOUT_TRANSACTIONS), cuts=0)
    assert any("half a transaction: no transaction ends at " in fault for fault in faults)


def test_without_the_chain_over_events_it_is_seen(day, monkeypatch):
    monkeypatch.setattr(journal_module, "link", lambda previous, record: b"")
    faults = faults_of(next(restarts(day, 1, seed=1)), kills=12, cuts=0)
    assert any("it or its commands were changed after they were written" in fault for fault in faults)


def test_without_syncing_the_folders_the_whole_journal_is_lost_and_it_is_seen(briefly, monkeypatch):
    """What this enumeration found first: the names `state` and `state/paper` were never made durable."""
    monkeypatch.setattr(journal_sqlite, "_sync_folders", lambda path: None)
    faults = faults_of(recorded_with(briefly, "nameless"), kills=0, cuts=250)
    assert any("acknowledged rows are lost: 1 runs" in fault for fault in faults)


def test_a_note_taken_back_after_the_log_is_gone_refuses_a_whole_journal_and_it_is_seen(briefly, monkeypatch):
    """What it found next: a kill between the removal of the log and the note about it made the next start refuse."""
    monkeypatch.setattr(journal_sqlite, "_fold_in", lambda connection, lock_file: False)
    faults = faults_of(recorded_with(briefly, "late"), cuts=0)
    assert any("sqlite-wal: is gone although the last daemon" in fault for fault in faults)


def test_an_engine_that_saw_something_else_is_seen(briefly):
    recording = recorded_with(briefly, "other")
    others = {events: bytes(16) for events in recording.engines}
    faults = faults_of(replace(recording, engines=others), kills=30, cuts=0)
    assert any("the recovered engine is not the one that saw these" in fault for fault in faults)
