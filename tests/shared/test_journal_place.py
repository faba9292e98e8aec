"""Where a configuration's journal is, and copies of it from wherever that is."""

import pytest

from shared.commands import AskBroker
from shared.errors import ConfigError
from shared.io.journal import Journal, JournalReader, writer_of
from shared.io.journal_database import PostgresPlace
from shared.io.journal_place import journal_place, open_journal, read_journal
from shared.io.journal_verify import verify
from tests.runtime.builders import a_config
from tests.shared.test_journal import a_run, an_event

URL = "postgresql://bell@db.example.org:5433/trading"


def test_without_a_url_it_is_a_file_of_the_mode(tmp_path):
    assert journal_place(a_config(tmp_path)) == tmp_path / "state" / "paper" / "journal.sqlite"
    assert journal_place(a_config(tmp_path, mode="live")) == tmp_path / "state" / "live" / "journal.sqlite"


@pytest.mark.parametrize("mode", ["paper", "live"])
def test_with_a_url_it_is_a_schema_of_the_mode(tmp_path, mode):
    assert journal_place(a_config(tmp_path, mode=mode, journal={"url": URL})) == PostgresPlace(
        url=URL, schema=f"openbell_{mode}"
    )


def test_the_password_is_the_secret_of_that_name(tmp_path):
    (tmp_path / "secrets").mkdir()
    secret = tmp_path / "secrets" / "journal_password"
    secret.write_text("a long secret\n")
    secret.chmod(0o600)
    place = journal_place(a_config(tmp_path, journal={"url": URL}))
    assert isinstance(place, PostgresPlace)
    assert place.password == "a long secret"
    assert "a long secret" not in f"{place!r} {place}"


def test_a_secret_that_others_may_read_is_not_used(tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "journal_password").write_text("a long secret\n")
    (tmp_path / "secrets" / "journal_password").chmod(0o644)
    with pytest.raises(ConfigError, match="others may read it"):
        journal_place(a_config(tmp_path, journal={"url": URL}))


def test_a_place_on_a_server_is_shown_without_its_user():
    assert str(PostgresPlace(url=URL, schema="s")) == "postgresql://db.example.org:5433/trading schema s"


def test_a_configuration_opens_and_reads_its_journal_on_the_server(tmp_path, postgres):
    config = a_config(tmp_path, journal={"url": postgres.url})
    with open_journal(config) as journal:
        journal.start_run(a_run(), b"start")
        journal.append(an_event(), [AskBroker()])
        with read_journal(config) as reader:
            assert [record.seq for record in reader.records()] == [1]
        assert writer_of(journal_place(config)) is not None
    assert list(tmp_path.iterdir()) == []


def test_a_copy_is_a_whole_sqlite_journal_wherever_the_original_is(place, tmp_path):
    with Journal.create(place, "paper") as journal:
        journal.start_run(a_run(), b"start")
        for number in range(1_100):
            journal.append(an_event(number), [AskBroker(), AskBroker()])
        journal.write_snapshot(b"later")
        copy = tmp_path / "copy.sqlite"
        with JournalReader.open(place) as reader:
            reader.copy_to(copy)
        with JournalReader.open(copy) as copied:
            verdict = verify(copied, lambda run, snapshot: None)
            assert list(copied.records()) == list(journal.records())
    assert (verdict.findings, verdict.events, verdict.commands, verdict.snapshots) == ((), 1_100, 2_200, 2)
