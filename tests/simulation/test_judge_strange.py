"""I19 where the broker's reports lag behind or fail, on histories made by hand; the rest is in test_judge_people."""

import pytest

from tests.simulation.judge.story import ref
from tests.simulation.judge_builders import a_running_daemon


@pytest.mark.parametrize(("later_s", "broken"), [(34, []), (36, ["I19"])])
def test_a_change_that_the_reports_show_late_is_owed_from_then_on(later_s, broken):
    """Found by simulation (brutal 631): two reports lagged behind, the next one needed a second look."""
    story = a_running_daemon()
    story.strange(60.0)
    for _ in range(2):
        story.wait(60)
        story.report(positions={"SPY": 0.0})
    story.wait(60)
    story.report(positions={"SPY": 60.0})
    story.later(later_s)
    assert story.broken() == broken


@pytest.mark.parametrize(
    ("leg", "after_s", "report", "broken"),
    [
        ("P1", 2.0, None, ["I19"]),
        ("P1", 2.5, None, []),
        ("E", 20.0, None, ["I19"]),
        ("P1", 3.0, 200.0, ["I19"]),
        ("P1", 1.2, 100.0, []),
    ],
)
def test_after_a_cancel_of_a_split_all_waits_for_a_report_but_a_stop_only_for_half_of_its_time(
    leg, after_s, report, broken
):
    """brutal 426, 601: the answer got lost, and whether the shares have split or not, they need a stop within 5 s."""
    story = a_running_daemon()
    story.long()
    story.gone(ref("S"))
    story.split()
    story.journal("OrderCancelled", ref=ref("S"), reason="split")
    story.wait(1)
    story.report(*([] if report else ["positions"]), positions=None if report is None else {"SPY": report})
    story.wait(after_s - 1)
    story.place(story.order(leg, stop_price=49.5, number=2 if leg == "E" else 1))
    assert [name for name in story.broken() if name == "I19"] == broken


@pytest.mark.parametrize(("ratio", "broken"), [(0.1, []), (0.5, ["I19"])])
def test_less_than_a_share_that_a_split_leaves_of_a_strangers_is_nothing_to_be_told(ratio, broken):
    """brutal 7015: his 3 shares, told long ago, became 0.3, which nobody can trade."""
    story = a_running_daemon()
    story.strange(3.0)
    story.say("quantity_break", "SPY: the book holds 0, the broker 3")
    story.report(positions={"SPY": 3.0})
    story.wait(60)
    story.split(ratio)
    story.wait(20)
    story.report(positions={"SPY": 3.0 * ratio})
    story.later(600)
    assert story.broken() == broken


@pytest.mark.parametrize(("bought", "broken"), [(1.0, []), (2.0, ["I19"])])
def test_a_strangers_share_against_a_fraction_of_ours_is_nothing_to_be_told(bought, broken):
    """storm 8279: a split had left 0.4 short, somebody bought one, and the broker's 0.6 are no share of anybody."""
    story = a_running_daemon()
    entry = story.order("E", 4.0, side="SELL")
    story.place(entry)
    story.fill(entry)
    story.split(0.1)
    story.command("accept", "instrument:SPY")
    story.wait(60)
    story.strange(bought)
    story.later(300)
    assert [name for name in story.broken() if name == "I19"] == broken


@pytest.mark.parametrize(("in_the_book", "broken"), [({}, []), ({"SPY": 100.0}, ["I19"])])
def test_where_nothing_is_held_here_as_well_as_there_nothing_is_owed(in_the_book, broken):
    """storm 19739: a hand's purchase was taken back; whose the 8 were that were sold before, nobody can tell."""
    story = a_running_daemon()
    story.long()
    story.strange(-100.0)
    story.wait(30)
    story.look(positions=in_the_book)
    story.later(600)
    assert [name for name in story.broken() if name == "I19"] == broken
