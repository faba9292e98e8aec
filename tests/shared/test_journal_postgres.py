"""What only a server can do to a journal: go away, ask for a password, be set to forget."""

import pytest

from shared.commands import AskBroker
from shared.errors import Refused
from shared.io.journal import Journal, JournalError, JournalReader, writer_of
from shared.io.journal_database import PostgresPlace
from tests.fakes.postgres import PostgresServer
from tests.shared.test_journal import a_run, an_event


@pytest.fixture
def own():
    """A server of the test's own, which it may kill."""
    server = PostgresServer()
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.remove()


def at(server, schema="openbell_paper", password=""):
    return PostgresPlace(url=server.url, schema=schema, password=password)


def started(place):
    journal = Journal.create(place, "paper")
    journal.start_run(a_run(), b"start")
    return journal


def test_a_server_lost_in_mid_run_ends_it_in_one_line_and_what_was_acknowledged_stays(own):
    journal = started(at(own))
    acknowledged = journal.append(an_event(1), [AskBroker()])
    own.kill()
    with pytest.raises(JournalError, match=r"/postgres schema openbell_paper: cannot be written \(") as caught:
        journal.append(an_event(2), [AskBroker()])
    assert "\n" not in str(caught.value)
    with pytest.raises(JournalError):
        journal.sync()
    journal.close()
    own.start()
    with Journal.create(at(own), "paper") as again:
        assert [record.seq for record in again.records()] == [acknowledged]


def test_a_server_lost_while_reading_is_told_in_one_line(own):
    started(at(own)).close()
    with JournalReader.open(at(own)) as reader:
        own.kill()
        with pytest.raises(Refused, match=r"cannot be read as a journal \("):
            reader.last_seq()


def test_a_server_that_is_not_there_is_told_in_one_line():
    nowhere = PostgresPlace(url="postgresql://bell@127.0.0.1:1/bell", schema="openbell_paper")
    with pytest.raises(
        Refused, match=r"^postgresql://127\.0\.0\.1:1/bell schema openbell_paper: cannot be used \("
    ) as caught:
        Journal.create(nowhere, "paper")
    assert "\n" not in str(caught.value)
    with pytest.raises(Refused, match="cannot be used"):
        writer_of(nowhere)


def test_a_server_that_would_forget_in_a_power_cut_is_refused(own):
    own.kill()
    own.start("fsync=off")
    with pytest.raises(Refused, match="the server runs with fsync off"):
        Journal.create(at(own), "paper")


def test_commits_wait_for_the_disk_even_where_the_server_would_not(own):
    own.kill()
    own.start("synchronous_commit=off")
    with started(at(own)) as journal:
        assert list(journal._database.rows("SHOW synchronous_commit")) == [("on",)]


def test_a_writer_that_died_leaves_the_journal_free(own):
    journal = started(at(own))
    own.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'openbell pid%'")
    with pytest.raises(JournalError):
        journal.append(an_event(), [])
    journal.close()
    assert writer_of(at(own)) is None
    Journal.create(at(own), "paper").close()


def test_paper_and_live_stand_in_schemas_of_their_own(postgres):
    with started(at(postgres, "openbell_a")), Journal.create(at(postgres, "openbell_b"), "live") as live:
        assert live.runs() == []


def test_foreign_tables_are_not_taken_for_a_journal(postgres):
    postgres.execute("CREATE SCHEMA diary; CREATE TABLE diary.lines (line TEXT)")
    with pytest.raises(Refused, match="schema diary: holds tables, but not a journal of Openbell"):
        Journal.create(at(postgres, "diary"), "paper")


def test_a_journal_of_another_release_is_refused(postgres):
    started(at(postgres, "openbell_v")).close()
    replica = "SET session_replication_role = replica"
    postgres.execute(f"{replica}; UPDATE openbell_v.journal_version SET version = 99")
    with pytest.raises(Refused, match="journal version 99, this release reads 2"):
        JournalReader.open(at(postgres, "openbell_v"))


def test_the_password_is_asked_for_and_never_shown(own):
    own.execute("ALTER USER postgres PASSWORD 'hunter2'")
    own.ask_for_passwords()
    started(at(own, password="hunter2")).close()
    with pytest.raises(Refused, match="cannot be used") as caught:
        Journal.create(at(own, password="hunter3"), "paper")
    assert "hunter3" not in str(caught.value) + repr(at(own, password="hunter3"))
