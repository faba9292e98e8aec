"""I2 on histories made by hand: one that breaks it, one that just keeps it."""

import pytest
from msgspec.structs import replace

from tests.simulation.judge.story import ref
from tests.simulation.judge_builders import a_bare_position, a_running_daemon


def a_cut_entry():
    """60 of 100 filled, the rest of the entry gone, the stop still over 100."""
    story = a_running_daemon()
    story.bracket()
    story.fill(story.order("E"), 60.0)
    story.gone(ref("E"))
    return story


def test_a_stop_over_an_entry_that_may_still_fill_keeps_i2():
    story = a_running_daemon()
    story.bracket()
    story.fill(story.order("E"), 60.0)
    story.later(100)
    assert story.broken() == []


def test_a_stop_larger_than_the_position_for_long_breaks_i2():
    story = a_cut_entry()
    story.wait(5)
    story.row()
    story.later(32)
    assert story.broken() == ["I2"]


@pytest.mark.parametrize(("later_s", "broken"), [(65, []), (75, ["I2"])])
def test_where_no_row_comes_it_is_cut_at_the_next_comparison(later_s, broken):
    story = a_cut_entry()
    story.later(later_s)
    assert story.broken() == broken


def test_a_stop_that_is_cut_on_the_next_row_keeps_i2():
    story = a_cut_entry()
    story.wait(30)
    story.hold(story.order("S", 60.0), change="modified")
    story.later(3600)
    assert story.broken() == []


def test_two_stops_for_one_position_are_too_much():
    story = a_running_daemon()
    story.long()
    story.place(story.order("P1"))
    story.later(75)
    assert story.broken() == ["I2"]


def test_a_stop_is_never_sent_for_more_than_is_held_or_may_come():
    story = a_running_daemon()
    story.long()
    story.gone(ref("S"))
    story.place(story.order("P1", 150.0))
    assert story.broken() == ["I2"]


def test_a_stop_on_the_wrong_side_breaks_i2():
    story = a_running_daemon()
    story.long()
    story.gone(ref("S"))
    story.place(story.order("P1", side="BUY", stop_price=101.0))
    assert "I2" in story.broken()


@pytest.mark.parametrize(("group", "oca_type"), [("", 0), ("g", 3)])
def test_a_leg_without_overfill_protection_breaks_i2(group, oca_type):
    story = a_running_daemon()
    story.bracket()
    target = story.order("T", oca_group=group)
    story.journal("BarsClosed", target, warm_up=False)
    story.send(target, oca_type=oca_type)
    assert story.broken() == ["I2"]


def a_second_stop_that_filled():
    story = a_running_daemon()
    story.long()
    story.place(story.order("P1"))
    story.fill(story.order("S"))
    story.fill(story.order("P1"))
    return story


def test_two_stops_that_both_fill_turn_the_position_round():
    story = a_second_stop_that_filled()
    story.later(2)
    assert any(breach.invariant == "I2" and "turned" in breach.text for breach in story.breaches())


def test_the_brokers_own_overfill_is_not_the_daemons():
    story = a_second_stop_that_filled()
    story.fault(35, "overfill_group")
    story.later(2)
    assert not any("turned" in breach.text for breach in story.breaches())


@pytest.mark.parametrize(
    ("after_s", "is_slow", "is_turned"),
    [(0, False, False), (None, False, True), (8, True, False), (8, False, True)],
)
def test_what_fills_although_its_cancel_was_sent_and_swallowed_is_the_brokers_doing(after_s, is_slow, is_turned):
    """Found by simulation (brutal 42248); over a slow line it may be under way for seconds (storm 15775)."""
    story = a_running_daemon()
    story.long()
    story.place(story.order("P1"))
    story.fill(story.order("S"))
    if is_slow:
        story.fault(0, "slow", source="network", phase="began")
    story.cancel(ref("P1"))
    if after_s is not None:
        story.wait(after_s)
        story.fault(32, "cancel_unanswered")
    if is_slow:
        story.fault(0, "slow", source="network", phase="ended")
    story.wait(25)
    story.fill(story.order("P1"))
    story.later(2)
    assert any("turned" in breach.text for breach in story.breaches()) == is_turned


@pytest.mark.parametrize(
    ("sought", "status", "broken"), [(True, "Inactive", []), (True, "Submitted", ["I2"]), (False, "Inactive", ["I2"])]
)
def test_a_stop_for_which_shares_are_sought_hears_no_cancel(sought, status, broken):
    """Its plan has sold what the account held; the cancel comes to nothing until shares are found (TWS.md 4.33)."""
    story = a_running_daemon()
    story.long()
    if sought:
        story.fault(33, "locate_found")
    story.place(story.order("P1"))
    story.told("orderStatus", permId="1700000003", status=status)
    story.cancel(ref("P1"))
    story.later(75)
    assert story.broken() == broken


@pytest.mark.parametrize(
    ("sought", "status", "is_cancelled", "is_turned"),
    [
        (True, "Inactive", True, False),
        (True, "Inactive", False, True),
        (True, "Submitted", True, True),
        (False, "Inactive", True, True),
    ],
)
def test_a_cancel_unheard_while_shares_are_sought_is_not_heard_once_they_are_found(
    sought, status, is_cancelled, is_turned
):
    """brutal 101108: a held exit, asked for its cancel four times, filled behind the stop that had closed the rest."""
    story = a_running_daemon()
    story.long()
    if sought:
        story.fault(33, "locate_found")
    story.place(story.order("P1"))
    story.told("orderStatus", permId="1700000003", status=status)
    if is_cancelled:
        story.cancel(ref("P1"))
    story.fill(story.order("S"))
    story.wait(25)
    story.fill(story.order("P1"))
    story.later(2)
    assert any("turned" in breach.text for breach in story.breaches()) == is_turned


def test_what_left_while_an_execution_was_under_way_could_not_know():
    story = a_running_daemon()
    story.long()
    story.fill(story.order("S"), is_told=False)
    exit_ = story.order("X1")
    story.journal("BarsClosed", exit_, warm_up=False)
    story.send(exit_)
    story.hold(exit_)
    story.fill(exit_)
    story.later(2)
    assert "I2" not in story.broken()


@pytest.mark.parametrize(("is_there", "is_turned"), [(False, False), (True, True)])
def test_an_exit_that_crosses_an_execution_of_its_plan_could_not_know(is_there, is_turned):
    """Found by simulation (brutal 3503)."""
    story = a_running_daemon()
    story.long()
    target, exit_ = story.order("T"), story.order("X1")
    story.place(target)
    story.journal("TimerFired", exit_)
    story.send(exit_)
    if is_there:
        story.hold(exit_)
    story.fill(target, 60.0)
    story.hold(exit_)
    story.fill(exit_)
    story.later(2)
    assert any("turned" in breach.text for breach in story.breaches()) == is_turned


def test_a_flipped_position_is_given_back_on_the_other_side():
    story = a_second_stop_that_filled()
    story.fault(35, "overfill_group")
    story.place(replace(story.order("X1"), side="BUY", oca_group=""))
    story.later(20)
    assert story.broken() == []


def test_what_gives_back_more_than_was_turned_over_breaks_i2():
    story = a_second_stop_that_filled()
    story.fault(35, "overfill_group")
    story.place(replace(story.order("X1", 120.0), side="BUY", oca_group=""))
    assert story.broken() == ["I2"]


def test_two_orders_that_give_back_the_same_shares_break_i2():
    story = a_second_stop_that_filled()
    story.fault(35, "overfill_group")
    story.place(replace(story.order("X1"), side="BUY", oca_group=""))
    story.place(replace(story.order("X2"), side="BUY", oca_group=""))
    assert any("X2: may overfill" in breach.text for breach in story.breaches())


def test_an_exit_outside_the_group_of_its_plan_breaks_i2():
    story = a_running_daemon()
    story.long()
    story.place(replace(story.order("X1"), oca_group=""))
    assert story.broken() == ["I2"]


def test_a_stop_behind_shares_that_were_adopted_is_not_too_much():
    story = a_running_daemon()
    story.strange(9.0)
    story.look(positions={})
    story.say("settled", "SPY: accepted by a person, BUY 9")
    story.place(story.order("P1", 9.0, number=5))
    story.later(3600)
    adopted = story.broken()
    story.hold(story.order("P1", 20.0, number=5), change="modified")
    story.later(75)
    assert (adopted, story.broken()) == ([], ["I2"])


@pytest.mark.parametrize(("is_settled", "broken"), [(False, []), (True, ["I2"])])
def test_the_stop_of_adopted_shares_rests_until_the_book_is_set_anew(is_settled, broken):
    """A person sells them by hand: until somebody accepts that, the book holds what was accepted before."""
    story = a_running_daemon()
    story.strange(9.0)
    story.say("settled", "SPY: accepted by a person, BUY 9")
    story.place(story.order("P1", 9.0, number=5))
    story.strange(-9.0)
    if is_settled:
        story.say("settled", "SPY: accepted by a person, SELL 9")
    story.later(3600)
    assert story.broken() == broken


@pytest.mark.parametrize(("denied", "broken"), [({}, []), ({"SPY": 60.0}, []), ({"SPY": 100.0}, ["I1"])])
def test_what_the_broker_denies_is_a_persons_business_once_it_was_told(denied, broken):
    story = a_bare_position()
    story.wait(1)
    story.say("stop_unconfirmed", "SPY: 100 shares have no whole stop")
    story.report(positions=denied)
    story.later(300)
    assert story.broken() == broken


@pytest.mark.parametrize(("text", "broken"), [("accepted by a person, SELL 100", []), ("foreign", ["I1"])])
def test_shares_that_a_person_gave_up_at_the_brokers_false_word_are_no_plans_any_more(text, broken):
    """TWS.md 4.53: the report holds the position back; only a person's word makes the book follow it."""
    story = a_bare_position()
    story.wait(1)
    story.say("stop_unconfirmed", "SPY: 100 shares have no whole stop")
    story.report(positions={})
    story.say("settled", f"SPY: book set to the broker's, {text}")
    story.later(100)
    story.report(positions={"SPY": 100.0})
    story.later(300)
    assert story.broken() == broken


def test_what_a_person_accepts_of_two_sides_is_taken_off_neither():
    """brutal 40112: the shares of the long plan were taken off the short one, whose stop was then too much."""
    story = a_running_daemon()
    story.long(21.0)
    entry = story.order("E", 99.0, number=2, side="SELL")
    story.place(entry, story.order("S", 99.0, number=2, side="BUY", stop_price=101.0))
    story.fill(entry)
    story.report(positions={"SPY": -78.0})
    story.say("settled", "SPY: book set to the broker's, accepted by a person")
    story.later(300)
    assert story.broken() == []


@pytest.mark.parametrize(("quantity", "broken"), [(2.0, []), (3.0, ["I2"])])
def test_the_whole_shares_that_fractions_of_a_split_add_up_to_may_stand_behind_one_plan(quantity, broken):
    """8 and 15 shares, a tenth of each: 2 whole ones of 0.8 and 1.5 (brutal 240)."""
    story = a_running_daemon()
    for number, shares in ((1, 8.0), (2, 15.0)):
        story.bracket(shares, number)
        story.fill(story.order("E", shares, number=number))
    for number in (1, 2):
        story.gone(ref("S", number))
    story.split(0.1)
    story.command("accept", "instrument:SPY")
    story.place(story.order("P1", quantity, number=2))
    story.later(600)
    assert [name for name in story.broken() if name == "I2"] == broken


def test_a_report_with_the_execution_as_it_was_tells_nothing_of_its_correction():
    """The answer had left before (brutal 614)."""
    story = a_running_daemon()
    story.bracket()
    fill = story.fill(story.order("E"))
    story.correct(fill, 50.0, is_told=False)
    story.told("execDetails", execId=fill["exec_id"])
    story.journal("BrokerReported", unanswered=[], fills=[fill])
    story.wait(1)
    story.row()
    story.later(35)
    assert story.broken() == []


@pytest.mark.parametrize(("corrected", "broken"), [(100.0, []), (50.0, ["I2"])])
def test_what_is_corrected_after_a_split_counts_in_the_shares_of_before(corrected, broken):
    """brutal 964: the stop for 200 new shares stood behind 100."""
    story = a_running_daemon()
    story.bracket()
    fill = story.fill(story.order("E"))
    story.gone(ref("S"))
    story.split(2.0)
    story.correct(fill, corrected)
    story.command("accept", "instrument:SPY")
    story.place(story.order("P1", 200.0))
    story.later(600)
    assert [name for name in story.broken() if name == "I2"] == broken


def test_shares_that_an_accept_took_from_one_of_two_sides_are_given_back_when_its_stop_still_sells_them():
    """brutal 9979: 6 bought and 14 sold by plans, 26 by a hand; the stop of the 6 sold in the moment of the accept."""
    story = a_running_daemon()
    story.long(6.0)
    short = story.order("E", 14.0, number=2, side="SELL")
    story.place(short, story.order("S", 14.0, number=2, side="BUY"))
    story.fill(short)
    story.strange(-26.0)
    story.told("execDetails", execId="0000e0d5.1.3.01")
    story.look(positions={"SPY": -8.0})
    story.say("settled", "SPY: accepted by a person, SPY-1:X1 SELL 6, adopted:SPY-1:E SELL 20")
    story.fill(story.order("S", 6.0))
    story.place(replace(story.order("X2", 6.0), side="BUY", oca_group=""))
    assert "I2" not in story.broken()


@pytest.mark.parametrize(("is_claimed", "broken"), [(True, []), (False, ["I1"])])
def test_what_a_hand_has_brought_back_of_shares_sold_too_many_is_the_plans_again(is_claimed, broken):
    """storm 16667: 38 of 437 came back by hand; a person accepted later that nothing is held, and 38 were left bare."""
    story = a_running_daemon()
    story.long()
    story.place(story.order("T"))
    story.fill(story.order("S"))
    story.fill(story.order("T"))
    story.strange(100.0)
    taken = f"{ref('E')} BUY 100 at about 100" if is_claimed else "foreign"
    story.say("settled", f"SPY: book set to the broker's, executed before the broker's memory begins: {taken}")
    second = story.order("E", 300.0, number=2)
    story.place(second, story.order("S", 300.0, number=2))
    story.fill(second)
    story.strange(-300.0)
    story.report(positions={})
    story.say("settled", "SPY: book set to the broker's, accepted by a person: SELL 300 at about 100")
    story.gone(ref("S", 2))
    story.later(600)
    assert [name for name in story.broken() if name == "I1"] == broken


@pytest.mark.parametrize(("quantity", "broken"), [(22.0, []), (23.0, ["I2"])])
def test_the_whole_shares_that_fractions_add_up_to_may_be_a_strangers_in_part(quantity, broken):
    """storm 3737: half of 43 of ours and of 39 adopted ones are 41 shares, 22 behind one stop and 19 behind another."""
    story = a_running_daemon()
    story.long(43.0)
    story.gone(ref("S"))
    story.strange(39.0)
    story.report(positions={"SPY": 82.0})
    story.say("settled", "SPY: book set to the broker's, foreign: adopted:SPY-1:E BUY 39")
    story.split(0.5)
    story.command("accept", "instrument:SPY")
    story.place(story.order("P1", 19.0, ref="OB1:adopted:20260310:SPY-1:P1"), story.order("P1", quantity))
    story.later(600)
    assert [name for name in story.broken() if name == "I2"] == broken


@pytest.mark.parametrize("request_id", ["-1", "11"])
@pytest.mark.parametrize(("is_decided_first", "broken"), [(True, []), (False, ["I2"])])
def test_what_was_decided_before_an_execution_that_was_told_had_its_turn_could_not_know(
    is_decided_first, request_id, broken
):
    """storm 5762: two executions came in one delivery; the first asked for a stop, the second had closed the plan.

    storm 14904: so may the answer to a question tell them.
    """
    story = a_running_daemon()
    story.long()
    target = story.order("T")
    story.place(target)
    fill = story.fill(target, is_told=False)
    story.told("execDetails", reqId=request_id, orderId="5", symbol="SPY", execId=fill["exec_id"])
    stop = story.order("P1")
    if is_decided_first:
        story.journal("OrderFilled", stop, fill=fill | {"exec_id": "0000e0d5.1.99.01"})
        story.journal("OrderFilled", fill=fill)
    else:
        story.journal("OrderFilled", fill=fill)
        story.journal("TimerFired", stop)
    story.send(stop)
    assert [name for name in story.broken() if name == "I2"] == broken


@pytest.mark.parametrize(("back", "broken"), [(13.0, []), (14.0, ["I2"])])
def test_what_goes_back_of_a_split_is_whole_shares(back, broken):
    """storm 6046: 139 had become 13.9, 13 of them were sold twice, and 13 came back; -12.1 was what there was then."""
    story = a_running_daemon()
    story.long(139.0)
    story.gone(ref("S"))
    story.split(0.1)
    story.command("accept", "instrument:SPY")
    for _ in range(2):
        story.place(story.order("X1", 13.0))
        story.fill(story.order("X1", 13.0))
    story.place(story.order("X2", back, side="BUY", oca_group=""))
    story.later(600)
    assert [name for name in story.broken() if name == "I2"] == broken
