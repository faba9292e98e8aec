"""I13 and I14 on histories made by hand: one that breaks them, one that just keeps them."""

import pytest

from tests.simulation.judge.story import ref
from tests.simulation.judge_builders import a_running_daemon, enter


@pytest.mark.parametrize("again", ["a start", "a new line", "1102"])
def test_no_entry_before_a_complete_report(again):
    story = a_running_daemon()
    match again:
        case "a start":
            story.end()
            story.begin()
            story.connect()
        case "a new line":
            story.connect("down")
            story.connect()
        case _:
            story.error(1102)
    story.wait(5)
    story.report("executions")
    enter(story)
    assert story.broken() == ["I13"]


def test_an_entry_that_was_under_way_when_1100_came_keeps_i13():
    story = a_running_daemon()
    story.row()
    story.journal("BarsClosed", story.order("E"), warm_up=False)
    story.error(1100)
    story.wait(0.5)
    story.send(story.order("E"))
    assert story.broken() == []


@pytest.mark.parametrize("verb", ["halt", "block", "flatten", "reduce", "observe"])
def test_after_a_kill_no_entry_is_decided_also_after_a_restart(verb):
    story = a_running_daemon()
    story.command(verb)
    story.end()
    story.start()
    story.wait(60)
    story.row()
    story.journal("BarsClosed", story.order("E"), warm_up=False)
    assert story.broken() == ["I14"]


@pytest.mark.parametrize(
    ("scope", "broken"), [("instrument:SPY", ["I14"]), ("instrument:QQQ", []), ("strategy:t", ["I14"])]
)
def test_a_kill_holds_in_its_scope(scope, broken):
    story = a_running_daemon()
    story.command("halt", scope)
    story.wait(5)
    enter(story)
    assert story.broken() == broken


def test_a_person_ends_it():
    story = a_running_daemon()
    story.command("halt")
    story.wait(5)
    story.command("resume")
    enter(story)
    assert story.broken() == []


def test_an_entry_that_was_durable_before_it_and_leaves_late_breaks_i14():
    story = a_running_daemon()
    story.row()
    story.journal("BarsClosed", story.order("E"), warm_up=False)
    story.command("halt")
    story.wait(2)
    story.send(story.order("E"))
    assert story.broken() == ["I14"]


@pytest.mark.parametrize("verb", ["halt", "flatten"])
def test_working_entries_are_pulled_within_two_seconds(verb):
    story = a_running_daemon()
    story.bracket()
    story.wait(10)
    story.command(verb)
    story.later(2.9)
    early = story.broken()
    story.later(0.2)
    assert (early, story.broken()) == ([], ["I14"])


def test_a_cancel_that_was_sent_in_time_keeps_i14_whatever_becomes_of_it():
    story = a_running_daemon()
    story.bracket()
    story.wait(10)
    story.command("halt")
    story.wait(1)
    story.cancel(ref("E"))
    story.later(60)
    assert story.broken() == []


def test_block_leaves_working_entries_alone():
    story = a_running_daemon()
    story.bracket()
    story.wait(10)
    story.command("block")
    story.later(60)
    assert story.broken() == []


def test_without_a_line_they_are_pulled_after_the_reconnect():
    story = a_running_daemon()
    story.bracket()
    story.connect("down")
    story.command("halt")
    story.wait(60)
    story.connect()
    story.later(29)
    early = story.broken()
    story.later(3)
    assert (early, story.broken()) == ([], ["I14"])


def test_flatten_closes_what_is_held():
    story = a_running_daemon()
    story.long()
    story.wait(10)
    story.command("flatten")
    story.later(11)
    assert story.broken() == ["I14"]


@pytest.mark.parametrize(("observed", "broken"), [("instrument:SPY", []), ("instrument:IBM", ["I14"])])
def test_where_a_person_lets_nothing_be_sent_a_flatten_of_the_account_sends_nothing(observed, broken):
    story = a_running_daemon()
    story.long()
    story.command("observe", observed)
    story.wait(10)
    story.command("flatten")
    story.later(11)
    assert story.broken() == broken


def test_a_flatten_that_sent_its_exit_keeps_i14():
    story = a_running_daemon()
    story.long()
    story.wait(10)
    story.command("flatten")
    story.wait(1)
    story.place(story.order("X1"))
    story.later(60)
    assert story.broken() == []


@pytest.mark.parametrize(("status", "broken"), [("Submitted", []), ("PendingSubmit", ["I14"])])
def test_a_flatten_sends_nothing_where_an_exit_is_in_the_market_for_all_of_it(status, broken):
    """brutal 40088: the exchange had halted the stock while the exit worked."""
    story = a_running_daemon()
    story.long()
    story.place(story.order("X1"))
    story.told("orderStatus", permId="1700000003", status=status)
    story.wait(10)
    story.command("flatten")
    story.later(11)
    assert story.broken() == broken


def test_a_state_that_is_active_again_by_itself_breaks_i14():
    story = a_running_daemon()
    story.command("halt")
    story.wait(5)
    story.look(state="HALTED")
    kept = story.broken()
    story.look(state="ACTIVE")
    assert (kept, story.broken()) == ([], ["I14"])


@pytest.mark.parametrize(("later_s", "broken"), [(5.0, []), (60.0, ["I14"])])
def test_a_second_flatten_has_nothing_to_send_while_the_exit_of_the_first_may_be_on_its_way(later_s, broken):
    """storm 9072: it had left into a deaf line, and is taken as lost once two reports do not show it."""
    story = a_running_daemon()
    story.long(100.0)
    story.command("flatten")
    exit_ = story.order("X1", 100.0)
    story.journal("TimerFired", exit_)
    story.send(exit_)
    story.wait(later_s)
    story.command("flatten")
    story.later(15.0)
    assert [name for name in story.broken() if name == "I14"] == broken


@pytest.mark.parametrize(("observed", "broken"), [("strategy:t", []), ("instrument:IBM", ["I14"])])
def test_where_a_person_lets_nothing_be_sent_any_more_a_flatten_that_has_not_begun_ends(observed, broken):
    """brutal 113830: the process died with the exit in its hand, and 30 s after it a person wanted to observe."""
    story = a_running_daemon()
    story.long()
    story.command("flatten")
    story.wait(1)
    story.command("observe", observed)
    story.later(60)
    assert story.broken() == broken
