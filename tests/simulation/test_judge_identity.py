"""I3, I4 and I15 on histories made by hand: one that breaks them, one that just keeps them."""

import pytest
from msgspec.structs import replace

from tests.simulation.judge.story import ref
from tests.simulation.judge_builders import a_long_position, a_running_daemon


def test_an_entry_that_is_decided_twice_breaks_i3():
    story = a_running_daemon()
    story.bracket()
    story.journal("BarsClosed", story.order("E"), warm_up=False)
    assert story.broken() == ["I3"]


def test_an_entry_that_is_sent_again_under_another_id_breaks_i3():
    story = a_running_daemon()
    story.bracket()
    story.send(story.order("E"), order_id=99)
    assert story.broken() == ["I3"]


def test_a_change_under_the_same_id_keeps_i3():
    story = a_running_daemon()
    story.bracket()
    story.send(story.order("S", 60.0))
    story.hold(story.order("S", 60.0), change="modified")
    assert story.broken() == []


def test_two_living_orders_that_were_sent_twice_break_i3_at_once():
    story = a_long_position()
    story.send(story.order("S"), order_id=99)
    story.hold(story.order("S"), perm_id=5, order_id=99)
    assert story.broken() == ["I3"]


def test_a_twin_that_the_broker_made_is_a_breach_only_if_it_is_left_alive():
    story = a_long_position()
    story.fault(37, "duplicate_live")
    story.hold(story.order("S"), perm_id=5)
    story.later(30)
    early = len(story.breaches())
    story.later(32)
    assert early == 0
    assert "I3" in story.broken()


def test_a_twin_that_is_pulled_keeps_i3():
    story = a_long_position()
    story.fault(37, "duplicate_live")
    story.hold(story.order("S"), perm_id=5)
    story.wait(20)
    story.broker("ended", perm_id=5, order_ref=ref("S"))
    story.later(600)
    assert story.broken() == []


def test_more_shares_than_were_ordered_break_i3():
    story = a_running_daemon()
    story.bracket()
    story.fill(story.order("E"))
    story.fill(story.order("E"), 10.0)
    assert "I3" in story.broken()


def test_an_execution_that_was_taken_back_does_not_count():
    story = a_running_daemon()
    story.bracket()
    fill = story.fill(story.order("E"), 60.0)
    story.correct(fill, 50.0)
    story.fill(story.order("E"), 50.0)
    assert "I3" not in story.broken()


def test_an_order_that_leaves_before_it_is_durable_breaks_i4():
    story = a_running_daemon()
    story.row()
    story.send(story.order("E"))
    assert story.broken() == ["I4"]


def test_an_order_of_the_broker_that_the_journal_does_not_have_breaks_i4():
    story = a_running_daemon()
    story.hold(story.order("S"))
    assert story.broken() == ["I4"]


def test_an_order_entered_by_hand_is_nobodys_breach():
    story = a_running_daemon()
    story.broker(
        "order", perm_id=9, client_id=0, order_id=0, order_ref="", symbol="SPY", side="BUY", quantity=5.0,
        stop_price=None, change="new",
    )  # fmt: skip
    assert story.broken() == []


@pytest.mark.parametrize("change", [{"side": "SELL"}, {"quantity": 500.0}])
def test_what_leaves_is_what_was_written(change):
    story = a_running_daemon()
    story.row()
    story.journal("BarsClosed", story.order("E"), warm_up=False)
    story.send(replace(story.order("E"), **change))
    assert story.broken() == ["I4"]


@pytest.mark.parametrize("name", ["", "of a stranger"])
def test_what_is_not_ours_is_never_cancelled(name):
    story = a_running_daemon()
    story.cancel(name)
    assert story.broken() == ["I4"]


def test_our_own_order_may_be_cancelled():
    story = a_running_daemon()
    story.bracket()
    story.cancel(ref("E"))
    assert story.broken() == []


def test_a_row_that_was_acknowledged_and_is_written_again_breaks_i15():
    story = a_running_daemon()
    story.row()
    story.journal("BarsClosed", warm_up=False, sequence=1)
    assert story.broken() == ["I15"]


@pytest.mark.parametrize(
    ("what", "invariant"),
    [("recovery", "I15"), ("audit", "I17"), ("secrets", "I20"), ("clock", "I21"), ("memory", "I22")],
)
def test_what_the_world_found_is_a_breach_of_what_it_names(what, invariant):
    story = a_running_daemon()
    story.checked(what, invariant, is_good=True)
    good = story.broken()
    story.checked(what, invariant, is_good=False)
    assert (good, story.broken()) == ([], [invariant])
