"""openbell journal, positions and orders: what was written down, for people and for programs."""

import json
import os
import sqlite3
from pathlib import Path

import pytest

from shared.io.journal import Journal, JournalReader
from tests.runtime.builders import ACCOUNT, a_config, a_morning, a_run, journalled

EVENTS = a_morning()
ARGUMENTS = ("--journal", "journal.sqlite")
JOURNAL = Path("journal.sqlite")


@pytest.fixture
def written(openbell, tmp_path):
    """A morning's journal: one bracket in SPY, filled, and later stopped."""
    journalled(tmp_path / "journal.sqlite", a_config(tmp_path), EVENTS)
    return openbell


def edit(statement):
    with sqlite3.connect(JOURNAL) as file:
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {name}")
        file.execute(statement)
    file.close()


def test_a_whole_journal_is_said_to_be_whole(written):
    ended = written("journal", "verify", *ARGUMENTS)
    assert ended.code == 0
    assert ended.out.startswith(f"journal.sqlite: whole (1 runs, {len(EVENTS)} events, ")
    facts = written("journal", "verify", *ARGUMENTS, "--json").facts("journal-verify")
    assert (facts["whole"], facts["last_seq"]) == (True, len(EVENTS))


def test_an_edited_journal_is_exit_6_with_the_place(written):
    edit("UPDATE events SET kind = 'X' WHERE seq = 3")
    ended = written("journal", "verify", *ARGUMENTS)
    assert (ended.code, ended.out.splitlines()[0]) == (
        6,
        "event 3 (X): it or its commands were changed after they were written",
    )
    assert written("journal", "verify", *ARGUMENTS, "--json").facts("journal-verify")["whole"] is False


def test_a_snapshot_that_no_engine_takes_is_found(written, tmp_path):
    with Journal.create(tmp_path / "journal.sqlite", "paper") as journal:
        journal.start_run(a_run(a_config(tmp_path), name="r2"), b"no state")
    ended = written("journal", "verify", *ARGUMENTS)
    assert ended.code == 6
    assert f"snapshot 2 (after event {len(EVENTS)}): cannot be used (" in ended.out


def test_show_prints_the_last_events_with_their_commands(written):
    shown = written("journal", "show", "-n", "30", *ARGUMENTS).out
    assert f"{len(EVENTS):>8}  2013-10-08T13:39:00" in shown
    assert "BUY 10 SPY at 166.0" in shown
    (filled,) = written("journal", "show", "--kind", "OrderFilled", *ARGUMENTS, "--json").lines("journal-event")
    assert (filled["kind"], filled["event"]["fill"]["quantity"]) == ("OrderFilled", 10)


def test_an_export_masks_accounts_and_is_valid_line_by_line(written):
    ended = written("journal", "export", *ARGUMENTS)
    lines = ended.lines("journal-event")
    assert [line["type"] for line in lines] == ["run", *["event"] * len(EVENTS)]
    assert ACCOUNT not in ended.out
    assert "DU***67" in ended.out
    assert "NaN" not in ended.out


def test_accounts_are_exported_when_asked_for(written):
    assert ACCOUNT in written("journal", "export", "--with-accounts", *ARGUMENTS).out


def test_an_export_to_a_file_is_written_wholly_or_not_at_all(written):
    assert written("journal", "export", "--out", "out.ndjson", *ARGUMENTS).code == 0
    assert len(Path("out.ndjson").read_text().splitlines()) == len(EVENTS) + 1
    again = written("journal", "export", "--out", "out.ndjson", *ARGUMENTS)
    assert (again.code, again.err) == (4, "out.ndjson: is there already, name another file\n")
    lost = written("journal", "export", "--out", "no/out.ndjson", *ARGUMENTS)
    assert (lost.code, lost.err) == (4, "no/out.ndjson: cannot be written (No such file or directory)\n")


def test_an_unknown_run_is_exit_3(written):
    assert written("journal", "export", "--run", "r9", *ARGUMENTS).code == 3


def test_a_backup_is_a_whole_journal_that_only_its_owner_reads(written):
    assert written("journal", "backup", "copy.sqlite", *ARGUMENTS).code == 0
    assert Path("copy.sqlite").stat().st_mode & 0o777 == 0o600
    with JournalReader.open(JOURNAL) as original, JournalReader.open(Path("copy.sqlite")) as copy:
        assert list(copy.records()) == list(original.records())
        assert copy.last_snapshot() == original.last_snapshot()
    assert sorted(file.name for file in Path().iterdir() if "copy" in file.name) == ["copy.sqlite"]


def test_a_daemon_can_go_on_from_a_backup(written, tmp_path):
    written("journal", "backup", "copy.sqlite", *ARGUMENTS)
    with Journal.create(Path("copy.sqlite"), "paper") as journal:
        journal.start_run(a_run(a_config(tmp_path), name="r2"), b"")
        assert journal.append(EVENTS[0], []) == len(EVENTS) + 1


def test_a_backup_of_a_damaged_journal_is_refused_and_leaves_nothing(written):
    edit("UPDATE events SET received_at = 'x' WHERE seq = 3")
    ended = written("journal", "backup", "copy.sqlite", *ARGUMENTS)
    assert (ended.code, "not written, the copy is not whole: event 3" in ended.err) == (1, True)
    assert not Path("copy.sqlite").exists()


def test_a_backup_overwrites_nothing(written):
    Path("copy.sqlite").write_text("mine")
    assert written("journal", "backup", "copy.sqlite", *ARGUMENTS).code == 4
    assert Path("copy.sqlite").read_text() == "mine"


@pytest.fixture
def held(openbell, tmp_path):
    """A configuration whose journal ends with ten of 301 shares of SPY bought."""
    shipped = (Path(__file__).resolve().parents[2] / "config.toml").read_text()
    (tmp_path / "config.toml").write_text(shipped)
    journalled(tmp_path / "state" / "paper" / "journal.sqlite", a_config(tmp_path), EVENTS[:11])
    return openbell


def test_positions_show_what_is_held_and_its_stop(held):
    shown = held("positions")
    assert shown.code == 0
    assert f"run r1, daemon pid {os.getpid()}" in shown.out  # the journal was written by this very process
    (position,) = held("positions", "--json").facts("positions")["positions"]
    assert (position["symbol"], position["quantity"], position["average_price"]) == ("SPY", 10, 166.0)
    assert position["stops"][0].startswith("SELL 301 STP 164.34 GTC")


def test_orders_show_age_and_permanent_id(held):
    facts = held("orders", "--json").facts("orders")
    orders = {order["ref"].rpartition(":")[2]: order for order in facts["orders"]}
    assert set(orders) == {"E", "S", "T"}
    assert (orders["E"]["quantity"], orders["E"]["filled"], orders["E"]["perm_id"]) == (301, 10, 1)
    assert (orders["S"]["side"], orders["S"]["order_type"], orders["S"]["stop_price"]) == ("SELL", "STP", 164.34)
    assert {order["age_s"] for order in orders.values()} == {1.0}
    assert "OB1:sma:20131008:SPY-1:S" in held("orders").out


@pytest.mark.parametrize("command", [["positions"], ["orders"], ["journal", "verify"], ["journal", "show"]])
def test_where_nothing_ever_ran_it_is_exit_3(openbell, command):
    Path("config.toml").write_text((Path(__file__).resolve().parents[2] / "config.toml").read_text())
    ended = openbell(*command)
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (3, "", 1)


def test_version_names_the_code_that_decides(openbell):
    facts = openbell("version", "--json").facts("version")
    assert facts["code"].startswith(f"{facts['release']}+")
    assert f"code       {facts['code']}" in openbell("version").out


def test_audit_is_valid_against_its_schema(written):
    assert written("audit", *ARGUMENTS, "--json").facts("audit")["identical"] is True


def test_json_says_which_schema_it_follows(written):
    assert json.loads(written("audit", *ARGUMENTS, "--json").out)["schema"] == "openbell.audit/1"
