"""I5, I6 and I12 on histories made by hand: one that breaks them, one that just keeps them."""

import pytest

from tests.simulation.judge.story import ref
from tests.simulation.judge_builders import a_long_position, a_running_daemon


def test_a_book_that_is_the_brokers_breaks_nothing():
    story = a_long_position()
    story.look()
    assert story.broken() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"positions": {"SPY": 90.0}}, "the book holds 90, the broker 100"),
        ({"positions": {"SPY": 100.0, "QQQ": 5.0}}, "the book holds 5, the broker 0"),
        ({"average_prices": {"SPY": 100.02}}, "average price 100.02"),
    ],
)
def test_a_book_that_differs_at_rest_breaks_i5(change, said):
    story = a_long_position()
    story.look(**change)
    (breach,) = story.breaches()
    assert breach.invariant == "I5"
    assert said in breach.text


def test_an_average_price_within_a_ten_thousandth_keeps_i5():
    story = a_long_position()
    story.look(average_prices={"SPY": 100.009})
    assert story.broken() == []


def test_average_prices_of_several_plans_are_not_the_brokers():
    story = a_long_position()
    story.bracket(50.0, number=2)
    story.fill(story.order("E", 50.0, number=2))
    story.wait(60)
    story.look(average_prices={"SPY": 101.0})
    assert story.broken() == []


@pytest.mark.parametrize(("was_beside", "broken"), [(True, []), (False, ["I5"])])
def test_a_bust_brings_back_the_average_over_the_plans_of_before_it_was_flat(was_beside, broken):
    """brutal 41050: what came back had been bought beside another plan's shares."""
    story = a_long_position()
    if not was_beside:
        story.fill(story.order("S"))
    story.bracket(50.0, number=2)
    story.fill(story.order("E", 50.0, number=2))
    if was_beside:
        story.fill(story.order("S"))
    story.correct(story.fill(story.order("S", 50.0, number=2)), 0.0)
    story.place(story.order("P1", 50.0, number=2))
    story.wait(60)
    story.look(average_prices={"SPY": 101.0})
    assert story.broken() == broken


@pytest.mark.parametrize(
    ("closes", "mine", "broken"), [(True, 101.2, []), (True, 101.0, ["I5"]), (False, 101.2, ["I5"]), (True, 100.0, [])]
)
def test_the_book_may_have_the_price_of_a_whole_entry_only_where_some_was_closed_between_its_parts(
    closes, mine, broken
):
    """brutal 3481: 60 shares of 102 had gone again when 40 came at 100, which is what they cost at the broker."""
    story = a_running_daemon()
    story.bracket()
    first = story.fill(story.order("E"), 60.0)
    dearer = first | {"exec_id": "0000e0d5.1.1.02", "order_ref": first["ref"], "price": 102.0}
    story.broker("correction", replaces=first["exec_id"], execution=dearer)
    story.told("execDetails", execId=dearer["exec_id"])
    story.journal("FillCorrected", fill=dearer)
    if closes:
        story.fill(story.order("S"), 60.0)
    story.fill(story.order("E"), 40.0)
    story.wait(60)
    story.look(average_prices={"SPY": mine})
    assert story.broken() == broken


@pytest.mark.parametrize(("is_given_back", "mine", "broken"), [(1, 102, []), (1, 101, ["I5"]), (0, 102, ["I5"])])
def test_the_book_may_have_the_price_of_the_entry_where_shares_that_were_sold_twice_were_bought_back(
    is_given_back, mine, broken
):
    """brutal 2172: both legs had filled, 14 were bought back, and then the first of the sales was taken back."""
    story = a_running_daemon()
    story.bracket()
    first = story.fill(story.order("E"))
    dearer = first | {"exec_id": "0000e0d5.1.1.02", "order_ref": first["ref"], "price": 102.0}
    story.broker("correction", replaces=first["exec_id"], execution=dearer)
    story.told("execDetails", execId=dearer["exec_id"])
    story.journal("FillCorrected", fill=dearer)
    sold = story.fill(story.order("T"))
    if is_given_back:
        story.fault(35, "overfill_group")
        story.fill(story.order("S"))
        back = story.order("X1", side="BUY", oca_group="")
        story.place(back)
        story.fill(back)
    story.correct(sold, 0.0)
    story.place(story.order("P1", oca_group="OB1:one:20260310:SPY-1#1"))
    story.wait(60)
    story.look(average_prices={"SPY": mine})
    assert story.broken() == broken


def test_orders_that_differ_for_longer_than_three_comparisons_break_i5():
    story = a_long_position()
    story.wait(30)
    story.look(working=())
    early = len(story.breaches())
    story.wait(10)
    story.look(working=())
    assert (early, story.broken()) == (0, ["I5"])


@pytest.mark.parametrize("change", [{"is_up": False}, {"is_reconciled": False}, {"is_quiet": False}])
def test_a_book_that_is_not_at_rest_is_not_compared(change):
    story = a_long_position()
    story.look(positions={}, **change)
    assert story.broken() == []


def test_five_seconds_after_a_fault_it_is_compared_again():
    story = a_long_position()
    story.fault(19, "duplicate_executions")
    story.wait(4)
    story.look(positions={"SPY": 200.0})
    early = len(story.breaches())
    story.wait(2)
    story.look(positions={"SPY": 200.0})
    assert (early, story.broken()) == (0, ["I5"])


def test_a_fault_that_touches_no_order_excuses_nothing():
    story = a_long_position()
    story.fault(47, "bad_ticks")
    story.look(positions={})
    assert story.broken() == ["I5"]


def test_a_lock_alone_excuses_nothing():
    story = a_long_position()
    story.look(positions={}, locks=("SPY",))
    assert story.broken() == ["I5"]


def test_shares_that_a_stranger_bought_may_be_left_out_of_the_book():
    story = a_long_position()
    story.strange(50.0)
    story.say("foreign_position", "SPY: 50 shares are not ours")
    story.wait(70)
    story.look(positions={"SPY": 100.0})
    ours_alone = story.broken()
    story.look(positions={"SPY": 130.0})
    assert (ours_alone, story.broken()) == ([], ["I5"])


@pytest.mark.parametrize(
    ("policy", "wait_s", "broken"), [("report", 600, []), ("adopt", 80, []), ("adopt", 100, ["I5"])]
)
def test_shares_that_are_to_be_adopted_come_into_the_book_in_time(policy, wait_s, broken):
    """A comparison, with the half minute that a question may take, finds them; half a minute later they are adopted."""
    story = a_running_daemon(rules={"foreign": policy})
    story.strange(50.0)
    story.say("foreign_position", "SPY: 50 shares are not ours")
    story.wait(wait_s)
    story.look(positions={})
    assert story.broken() == broken


@pytest.mark.parametrize(("wait_s", "broken"), [(20, []), (40, ["I5"])])
def test_shares_that_the_reports_hide_are_adopted_once_they_show_them(wait_s, broken):
    """Found by simulation (brutal 42086): positions lag behind what a stranger has sold (TWS.md 4.53)."""
    story = a_running_daemon(rules={"foreign": "adopt"})
    story.strange(50.0)
    story.say("foreign_position", "SPY: 50 shares are not ours")
    story.wait(60)
    story.report(positions={})
    story.wait(600)
    story.look(positions={})
    hidden = story.broken()
    story.report(positions={"SPY": 50.0})
    story.wait(wait_s)
    story.look(positions={})
    assert (hidden, story.broken()) == ([], broken)


@pytest.mark.parametrize(("apart_s", "broken"), [(0.5, []), (5.0, ["I5"])])
def test_what_is_settled_may_be_of_a_moment_before_the_brokers_last_execution(apart_s, broken):
    """storm 15986: a hand's purchase was taken back while the report of the accept was on its way."""
    story = a_running_daemon()
    story.strange(50.0)
    story.report(positions={"SPY": 50.0})
    story.strange(-50.0)
    story.wait(apart_s)
    story.say("settled", "SPY: book set to the broker's, accepted by a person: BUY 50")
    story.wait(600)
    story.look(positions={"SPY": 50.0})
    assert [name for name in story.broken() if name == "I5"] == broken


@pytest.mark.parametrize(("wait_s", "broken"), [(50, []), (80, ["I5"])])
def test_shares_that_the_reports_hid_are_adopted_once_a_report_was_due_that_shows_them(wait_s, broken):
    """storm 17752: reports hid 15 of a stranger's, ours bought 209 beside them, and nobody had asked since."""
    story = a_running_daemon(rules={"foreign": "adopt", "reconcile_every_s": 45.0})
    story.strange(50.0)
    story.report(positions={})
    story.wait(600)
    story.long(200.0)
    story.wait(wait_s)
    story.look(positions={"SPY": 200.0})
    assert [name for name in story.broken() if name == "I5"] == broken


def test_adopted_shares_that_the_reports_hide_may_leave_the_book_until_they_are_shown():
    """Found by simulation (brutal 42221): positions lag behind, and the book was set to what they said."""
    story = a_running_daemon(rules={"foreign": "adopt"})
    story.strange(50.0)
    story.report(positions={"SPY": 50.0})
    story.say("settled", "SPY: book set to the broker's, foreign: BUY 50")
    stop = story.order("P1", 50.0, number=5)
    story.place(stop)
    story.wait(60)
    story.fill(stop, 6.0)
    story.report(positions={})
    story.say("settled", "SPY: book set to the broker's, foreign: SELL 50")
    story.gone(stop.ref)
    story.wait(24)
    story.look(positions={})
    hidden = story.broken()
    story.report(positions={"SPY": 44.0})
    story.wait(40)
    story.look(positions={})
    assert (hidden, story.broken()) == ([], ["I5"])


def test_what_cannot_be_told_from_ours_is_not_adopted():
    """100 of ours and 30 sold by a stranger: 70 may be our own stop at work."""
    story = a_running_daemon(rules={"foreign": "adopt"})
    story.long()
    story.strange(-30.0)
    story.say("quantity_break", "SPY: the book holds 100, the broker 70")
    story.wait(600)
    story.look(positions={"SPY": 100.0})
    assert story.broken() == []


def test_what_was_accepted_once_stays_in_the_book_until_the_next_time():
    story = a_running_daemon()
    story.strange(50.0)
    story.say("settled", "SPY: accepted by a person, BUY 50")
    story.strange(-20.0)
    story.say("quantity_break", "SPY: the book holds 50, the broker 30")
    story.wait(600)
    story.look(positions={"SPY": 50.0})
    accepted = story.broken()
    story.look(positions={"SPY": 40.0})
    assert (accepted, story.broken()) == ([], ["I5"])


@pytest.mark.parametrize(("whose", "broken"), [("accepted by a person", []), ("concluded", ["I1", "I5"])])
def test_what_a_person_accepted_on_a_late_figure_is_nobodys_from_then_on(whose, broken):
    """brutal 41033: the broker still showed 0 of 100, and that was accepted."""
    story = a_long_position()
    story.gone(ref("S"))
    story.report(positions={})
    story.say("quantity_break", "SPY: the book holds 100, the broker 0")
    story.say("settled", f"SPY: book set to the broker's, {whose}: SELL 100")
    story.report(positions={"SPY": 100.0})
    story.say("quantity_break", "SPY: the book holds 0, the broker 100")
    story.later(100)
    story.look(positions={})
    assert story.broken() == broken


def test_what_an_adopted_plan_has_closed_is_no_part_of_what_is_given_up_after_it():
    """brutal 1121: 12 short had been adopted and bought back; then a late figure of 0 of our 100 was accepted."""
    story = a_running_daemon()
    story.strange(-12.0)
    story.report(positions={"SPY": -12.0})
    story.say("settled", "SPY: book set to the broker's, foreign: adopted:SPY-1:E SELL 12")
    stop = story.order("P1", 12.0, ref="OB1:adopted:20260310:SPY-1:P1", side="BUY")
    story.place(stop)
    story.fill(stop)
    story.long()
    story.gone(ref("S"))
    story.report(positions={})
    story.say("quantity_break", "SPY: the book holds 100, the broker 0")
    story.say("settled", "SPY: book set to the broker's, accepted by a person: SELL 100")
    story.later(100)
    story.look(positions={})
    given_up = story.broken()
    story.look(positions={"SPY": 12.0})
    assert (given_up, story.broken()) == ([], ["I5"])


def test_an_execution_that_came_twice_and_is_booked_twice_breaks_i6():
    story = a_running_daemon()
    story.bracket()
    fill = story.fill(story.order("E"))
    story.journal("OrderFilled", fill=fill)
    story.wait(60)
    story.look()
    once = story.broken()
    story.look(positions={"SPY": 200.0})
    assert (once, story.broken()) == ([], ["I6"])


def test_an_execution_that_came_twice_explains_only_its_own_shares():
    story = a_running_daemon()
    story.bracket()
    fill = story.fill(story.order("E"))
    story.journal("OrderFilled", fill=fill)
    story.wait(60)
    story.look(positions={"SPY": 130.0})
    assert story.broken() == ["I5"]


@pytest.mark.parametrize("change", [{"quantity": 90.0}, {"exec_id": "0000e0d5.9.9.01"}, {"side": "SELL"}])
def test_an_execution_that_the_broker_never_gave_breaks_i6(change):
    story = a_running_daemon()
    story.bracket()
    fill = story.fill(story.order("E"), is_told=False)
    story.journal("OrderFilled", fill=fill | change)
    assert story.broken() == ["I6"]


def test_a_correction_replaces_and_is_no_second_execution():
    story = a_running_daemon()
    story.bracket()
    fill = story.fill(story.order("E"))
    story.correct(fill, 60.0)
    story.send(story.order("S", 60.0))
    story.hold(story.order("S", 60.0), change="modified")
    story.wait(60)
    story.look()
    assert story.broken() == []


@pytest.mark.parametrize("code", ["lost_order", "settled", "reconciled"])
def test_nothing_is_concluded_from_a_report_with_unanswered_questions(code):
    story = a_running_daemon()
    story.report(notices=(code,))
    complete = story.broken()
    story.report("executions", notices=(code,))
    assert (complete, story.broken()) == ([], ["I12"])


def test_an_order_that_leaves_the_book_after_an_incomplete_report_breaks_i12():
    story = a_long_position()
    story.look()
    story.report("open_orders")
    story.wait(1)
    story.look(working=())
    assert story.broken() == ["I12"]


def test_an_order_that_leaves_the_book_because_it_was_cancelled_keeps_i12():
    story = a_long_position()
    story.look()
    story.report("open_orders")
    story.journal("OrderCancelled", ref=ref("S"), reason="")
    story.wait(1)
    story.look(working=())
    assert story.broken() == []


@pytest.mark.parametrize(("reported", "broken"), [({}, []), ({"SPY": 100.0}, ["I14"])])
def test_a_flatten_sends_nothing_for_shares_that_the_broker_denies(reported, broken):
    """Found in its own judgement (brutal 138): its reports held the position back."""
    story = a_running_daemon()
    story.long()
    story.wait(10)
    story.report(positions=reported)
    story.command("flatten")
    story.later(11)
    assert story.broken() == broken
