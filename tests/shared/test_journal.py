"""What `append` has acknowledged is there afterwards, in SQLite as in PostgreSQL."""

import os
from datetime import UTC, datetime

import pytest

from shared.commands import AskBroker, CancelOrder
from shared.errors import NotFound, Refused
from shared.events import TimerFired
from shared.io.journal import Journal, JournalError, JournalReader, Run, run_id_of, writer_of
from shared.messages import decode_command, encode

AT = datetime(2013, 10, 8, 14, 0, tzinfo=UTC)


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
def journal(place):
    with Journal.create(place, "paper") as journal:
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


def test_a_run_comes_back_as_it_went_in(journal):
    assert journal.runs() == [a_run()]
    assert journal.run("r1").config_json == "{}"


def test_numbers_rise_by_one_over_all_runs(place, journal):
    journal.append(an_event(), [])
    journal.close()
    with Journal.create(place, "paper") as again:
        again.start_run(a_run("r2"), b"")
        assert again.append(an_event(), []) == 2
        assert [run.after_seq for run in again.runs()] == [0, 1]
        assert [record.seq for record in again.records(run_id="r2")] == [2]


def test_more_records_than_one_page_come_in_order_with_their_own_commands(journal):
    for number in range(1, 1_203):
        journal.append(an_event(number), [CancelOrder(ref=str(number))] if number % 500 == 0 else [])
    records = list(journal.records(after_seq=2))
    assert [record.seq for record in records] == list(range(3, 1_203))
    assert {record.seq: record.commands for record in records if record.commands} == {
        500: (encode(CancelOrder(ref="500")),),
        1000: (encode(CancelOrder(ref="1000")),),
    }
    assert len(list(journal.events_of_kind("TimerFired", run_id="r1"))) == 1_202


def test_a_backlog_is_written_at_once_each_event_with_its_own_commands(place, journal):
    assert journal.append_all([(an_event(1), [AskBroker()]), (an_event(2), []), (an_event(3), [AskBroker()])]) == 3
    assert [(record.seq, len(record.commands)) for record in journal.records()] == [(1, 1), (2, 0), (3, 1)]
    assert journal.append_all([]) == 3
    with pytest.raises(NotImplementedError):
        journal.append_all([(an_event(4), []), (an_event(5), [object()])])
    assert journal.last_seq() == 3


def test_an_event_whose_commands_cannot_be_written_is_not_written_either(journal):
    with pytest.raises(NotImplementedError):
        journal.append(an_event(), [AskBroker(), object()])
    assert journal.last_seq() == 0
    assert journal.append(an_event(), []) == 1


def test_what_the_database_refuses_is_a_journal_error_and_leaves_nothing_half_written(journal):
    journal.append(an_event(1), [AskBroker()])
    journal._seq = 0  # a second row of this number
    with pytest.raises(JournalError, match=r"cannot be written \(.*(UNIQUE|duplicate key).*\)$"):
        journal.append(an_event(2), [AskBroker(), AskBroker()])
    assert [(record.seq, len(record.commands)) for record in journal.records()] == [(1, 1)]
    journal._seq = 1
    assert journal.append(an_event(2), []) == 2


@pytest.mark.parametrize("table", ["runs", "events", "commands", "snapshots"])
@pytest.mark.parametrize("change", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_nothing_that_was_written_can_be_changed(journal, table, change):
    journal.append(an_event(), [AskBroker()])
    column = "mode" if table == "runs" else "seq"
    with pytest.raises(JournalError, match="append-only"), journal._database.transaction():
        journal._database.write(change.format(table, column, column), [()])


def test_each_run_keeps_the_state_it_started_from(journal):
    journal.append(an_event(), [])
    journal.write_snapshot(b"later")
    assert journal.start_snapshot("r1").payload == b"start"
    assert (journal.last_snapshot().payload, journal.last_snapshot().seq) == (b"later", 1)


def test_an_empty_journal_knows_nothing(place):
    with Journal.create(place, "paper") as journal:
        assert (journal.last_seq(), journal.last_received_at(), journal.last_snapshot()) == (0, None, None)
        assert (journal.runs(), list(journal.records())) == ([], [])


def test_the_last_event_tells_when_it_was(journal):
    journal.append(an_event(), [])
    assert journal.last_received_at() == AT


def test_a_second_daemon_is_refused_with_the_pid_of_the_first(place, journal):
    with pytest.raises(Refused, match=rf"another daemon \(pid {os.getpid()}\) is writing this journal"):
        Journal.create(place, "paper")


def test_the_writer_is_known_while_it_writes(place, journal):
    assert writer_of(place) == os.getpid()


def test_after_the_first_daemon_has_gone_the_next_one_may_write(place, journal):
    journal.close()
    journal.close()
    with Journal.create(place, "paper") as again:
        assert again.runs() == [a_run()]


def test_a_reader_reads_while_the_daemon_writes(place, journal):
    with JournalReader.open(place) as reader:
        assert list(reader.records()) == []
        journal.append(an_event(), [CancelOrder(ref="x")])
        assert [record.seq for record in reader.records()] == [1]
        assert reader.last_commands(5, ("CancelOrder", "Flatten"))[0][0] == AT.isoformat()
        assert reader.last_commands(5, ("Cancel",)) == []


def test_a_reader_cannot_write(place, journal):
    with JournalReader.open(place) as reader, pytest.raises(Refused, match=r"read-?only"):
        list(reader._database.rows("INSERT INTO snapshots (run_id, seq, payload, digest) VALUES ('r1', 0, '', '')"))


def test_the_disk_or_server_is_asked_to_prove_that_it_answers(journal):
    journal.sync()
    journal.close()
    with pytest.raises(JournalError, match=r"cannot be written \(.*closed"):
        journal.sync()


def test_paper_and_live_never_share_a_journal(place, journal):
    journal.close()
    with pytest.raises(Refused, match="holds paper runs, mode is live"):
        Journal.create(place, "live")


def test_a_missing_journal_is_not_found(place):
    with pytest.raises(NotFound, match="no journal here; `openbell run` writes one"):
        JournalReader.open(place)


def test_an_unknown_run_is_not_found(journal):
    with pytest.raises(NotFound, match="no run 'r9'"):
        journal.run("r9")


def test_run_names_sort_by_time():
    assert run_id_of(datetime(2026, 11, 21, 4, 2, 28, 517_000, tzinfo=UTC), 42) == "20261121T040228517Z-42"
