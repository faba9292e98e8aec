"""Recovery equals no crash; the audit finds what is not as it was."""

import sqlite3

import pytest

from daemon.engine.assembly import build_engine
from daemon.runtime.recovery import recover
from shared.commands import PlaceBracket
from shared.errors import InvariantViolated, Refused
from shared.io.journal import Journal, JournalReader
from shared.io.journal_audit import audit_run
from shared.messages import encode
from tests.runtime.builders import a_config, a_morning, journalled

EVENTS = a_morning()


@pytest.fixture
def config(tmp_path):
    return a_config(tmp_path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.sqlite"


def recovered(path, config, code_version="test"):
    with JournalReader.open(path) as journal:
        return recover(journal, config, build_engine, code_version)


def altered(path, statement, *values):
    """Change the file behind the journal's back."""
    with sqlite3.connect(path) as file:
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {name}")
        file.execute(statement, values)
    file.close()


def test_the_morning_of_these_tests_places_an_order(path, config):
    _, commands = journalled(path, config, EVENTS)
    assert any(isinstance(command, PlaceBracket) for command in commands)


@pytest.mark.parametrize("snapshot_after", [None, 3, 9, len(EVENTS)])
def test_an_engine_recovered_from_the_journal_is_the_engine_that_never_crashed(path, config, snapshot_after):
    alive, _ = journalled(path, config, EVENTS, snapshot_after=snapshot_after)
    assert recovered(path, config).snapshot() == alive.snapshot()


@pytest.mark.parametrize("crash_after", range(1, len(EVENTS)))
def test_after_a_crash_at_any_event_the_next_commands_are_those_without_it(path, config, crash_after):
    alive, _ = journalled(path, config, EVENTS[:crash_after], snapshot_after=2)
    again = recovered(path, config)
    rest = EVENTS[crash_after:]
    assert [list(map(encode, again.handle(event))) for event in rest] == [
        list(map(encode, alive.handle(event))) for event in rest
    ]


def test_a_new_journal_gives_a_fresh_engine(path, config):
    with Journal.create(path, "paper") as journal:
        engine = recover(journal, config, build_engine, "test")
    assert engine.snapshot() == build_engine(config).snapshot()


def test_a_tail_that_gives_other_commands_refuses_to_start_and_names_the_first_difference(path, config):
    journalled(path, config, EVENTS)
    altered(path, "DELETE FROM commands WHERE kind = 'PlaceBracket'")
    with pytest.raises(InvariantViolated, match=r"event \d+ \(BarsClosed\).* the engine gives PlaceBracket"):
        recovered(path, config)


def test_after_an_upgrade_another_decision_in_the_tail_is_passed_over(path, config):
    alive, _ = journalled(path, config, EVENTS)
    altered(path, "DELETE FROM commands WHERE kind = 'PlaceBracket'")
    assert recovered(path, config, code_version="newer").snapshot() == alive.snapshot()


def test_the_tail_is_handled_under_the_configuration_it_was_written_under(path, config, tmp_path):
    journalled(path, config, EVENTS)
    stricter = a_config(tmp_path, risk={"max_order_quantity": 1})
    assert recovered(path, stricter).book.positions().keys() == {"SPY"}


def test_another_universe_over_an_old_journal_is_refused(path, config, tmp_path):
    journalled(path, config, EVENTS)
    other = a_config(tmp_path, universe={"symbols": ["SPY", "IBM", "QQQ"]})
    with pytest.raises(Refused, match=r"universe.symbols: SPY, IBM, QQQ, but the journal was written for SPY, IBM"):
        recovered(path, other)


def audited(path):
    with JournalReader.open(path) as journal:
        return audit_run(journal, journal.run("r1"), build_engine)


def test_an_untouched_run_is_identical(path, config):
    _, commands = journalled(path, config, EVENTS)
    verdict = audited(path)
    assert (verdict.identical, verdict.events, verdict.commands) == (True, len(EVENTS), len(commands))


def test_the_audit_finds_one_flipped_byte_in_a_command(path, config):
    journalled(path, config, EVENTS)
    with sqlite3.connect(path) as file:
        where = "SELECT seq, position, payload FROM commands WHERE kind = 'PlaceBracket'"
        seq, position, payload = file.execute(where).fetchone()
    file.close()
    flipped = payload.replace(b"SPY-1:E", b"SPY-2:E")
    altered(path, "UPDATE commands SET payload = ? WHERE seq = ? AND position = ?", flipped, seq, position)
    verdict = audited(path)
    assert not verdict.identical
    assert verdict.first_difference.startswith(f"event {seq} (BarsClosed), command {position}: the journal has")
    assert "SPY-2:E" in verdict.first_difference


def test_the_audit_finds_a_changed_event(path, config):
    journalled(path, config, EVENTS)
    altered(path, "UPDATE events SET payload = (SELECT payload FROM events WHERE seq = 8) WHERE seq = 9")
    assert not audited(path).identical


def test_the_audit_survives_an_event_that_cannot_be_read(path, config):
    journalled(path, config, EVENTS)
    altered(path, "UPDATE events SET payload = x'c1' WHERE seq = 6")
    assert audited(path).first_difference.startswith("event 6 (BarsClosed)")
