"""What a killed run may not have told any more is told by the next one."""

import pytest

from daemon.runtime.last_words import last_words
from shared.commands import Notify
from shared.events import OperatorCommanded
from shared.io.journal import Journal, JournalReader
from tests.runtime.builders import a_config, a_run, at

BREAK = Notify(level="warning", code="quantity_break", text="SPY: the book holds 0, the broker -12")


def killed_after(folder, *said, stops=False):
    """What the next start has to tell of a run that noted each of these notices in its second, and was killed."""
    path = folder / "journal.sqlite"
    with Journal.create(path, "paper") as journal:
        journal.start_run(a_run(a_config(folder)), b"")
        for second, notice in said:
            verb = OperatorCommanded(received_at=at(second), verb="halt", scope="account", actor="me")
            journal.append(verb, [notice])
        if stops:
            journal.write_snapshot(b"")
    with JournalReader.open(path) as journal:
        return last_words(journal)


def test_a_notice_that_was_durable_when_the_run_was_killed_is_told_by_the_next(tmp_path):
    """storm 865: the process died between the commit and the telling; nobody heard of somebody's 12 shares."""
    (told,) = killed_after(tmp_path, (10, BREAK))
    assert (told.level, told.code) == ("warning", "maybe_untold")
    assert "quantity_break: SPY: the book holds 0, the broker -12" in told.text


def test_one_line_says_it_all_once_and_is_as_urgent_as_the_worst_of_it(tmp_path):
    lost = Notify(level="critical", code="unprotectable", text="SPY: no stop")
    (told,) = killed_after(tmp_path, (10, BREAK), (11, lost), (12, BREAK))
    assert told.level == "critical"
    assert [told.text.count(notice.text) for notice in (BREAK, lost)] == [1, 1]


@pytest.mark.parametrize(
    "said",
    [
        [],
        [(10, Notify(level="info", code="filled", text="SPY"))],
        [(10, BREAK), (21, Notify(level="info", code="filled", text="SPY"))],
    ],
    ids=["nothing was said", "for the log only", "long ago"],
)
def test_what_nobody_has_to_be_told_or_has_been_told_long_ago_is_not_repeated(tmp_path, said):
    assert killed_after(tmp_path, *said) == []


def test_a_run_that_was_stopped_has_told_everything(tmp_path):
    assert killed_after(tmp_path, (10, BREAK), stops=True) == []


def test_a_new_journal_has_no_last_words(tmp_path):
    with Journal.create(tmp_path / "journal.sqlite", "paper") as journal:
        assert last_words(journal) == []
