"""I19 and I20 on histories made by hand: one that breaks them, one that just keeps them."""

import pytest
from msgspec.structs import replace

from tests.simulation.judge.story import ref
from tests.simulation.judge_builders import a_running_daemon


def a_split_position():
    """Long 100, split two for one; the broker has taken the orders away and a person was told."""
    story = a_running_daemon()
    story.long()
    story.gone(ref("S"))
    story.split()
    story.journal("OrderCancelled", ref=ref("S"), reason="split")
    story.wait(2)
    story.report(positions={"SPY": 200.0})
    story.say("corporate_action", "SPY: 200 shares instead of 100, a split?")
    story.wait(10)
    return story


def test_after_a_split_that_nobody_accepted_nothing_leaves():
    story = a_split_position()
    story.place(story.order("P1", 200.0, stop_price=49.5))
    assert story.broken() == ["I19"]


def test_after_the_accept_the_stop_is_put_back():
    story = a_split_position()
    story.command("accept", "instrument:SPY")
    story.place(story.order("P1", 200.0, stop_price=99.0))
    story.later(60)
    assert story.broken() == []


def test_a_fraction_of_a_share_is_owed_no_stop_and_no_place_in_the_book():
    story = a_running_daemon()
    story.long(91.0)
    story.gone(ref("S"))
    story.split(0.1)
    story.say("corporate_action", "SPY: 9.1 shares instead of 91, a split?")
    story.wait(2)
    story.command("accept", "instrument:SPY")
    story.place(story.order("P1", 9.0, stop_price=99.0))
    story.wait(60)
    story.look(positions={"SPY": 9.0})
    assert story.broken() == []


def test_until_then_the_missing_stop_is_a_persons_business():
    story = a_split_position()
    story.later(3600)
    assert story.broken() == []


def test_after_the_accept_its_time_begins_anew():
    story = a_split_position()
    story.later(3600)
    story.command("accept", "instrument:SPY")
    story.later(60)
    early = story.broken()
    story.later(10)
    assert (early, story.broken()) == ([], ["I1"])


def test_an_accept_that_was_refused_ends_no_split():
    """brutal 40265: it came before the daemon could know of the split, which waits for a person as before."""
    story = a_split_position()
    story.journal("OperatorCommanded", verb="accept", scope="instrument:SPY", notices=("operator", "accept_refused"))
    story.later(3600)
    assert story.broken() == []


def test_a_person_may_flatten_instead():
    story = a_split_position()
    story.command("flatten")
    story.place(story.order("X1", 200.0))
    assert story.broken() == []


@pytest.mark.parametrize(("shares", "broken"), [(1.0, []), (30.0, ["I19"])])
def test_a_split_that_leaves_less_than_a_share_of_a_strangers_waits_for_nobody(shares, broken):
    """Found in its own judgement (brutal 54329): the book holds none, and a fraction has no order."""
    story = a_running_daemon()
    story.strange(shares)
    story.wait(10)
    story.say("quantity_break", f"SPY: the book holds 0, the broker {shares:g}")
    story.split(0.5)
    story.wait(1)
    story.report(positions={"SPY": shares / 2})
    story.wait(300)
    story.place(story.order("E", 10.0))
    assert [name for name in story.broken() if name == "I19"] == broken


def test_a_person_may_flatten_what_was_adopted_as_well():
    """Found in its own judgement (brutal 108): no entry of ours had opened that plan."""
    story = a_split_position()
    story.command("flatten")
    story.place(replace(story.order("X1", 50.0), ref=ref("X1").replace(":t:", ":adopted:")))
    assert [name for name in story.broken() if name == "I19"] == []


@pytest.mark.parametrize(("verbs", "broken"), [(("flatten", "resume"), []), (("resume",), ["I19"])])
def test_what_a_person_wanted_flat_is_closed_also_after_he_lets_entries_come_again(verbs, broken):
    """Found by simulation (brutal 54140): the line was down between the two words."""
    story = a_split_position()
    for verb in verbs:
        story.command(verb)
    story.place(story.order("X1", 200.0))
    assert [name for name in story.broken() if name == "I19"] == broken


@pytest.mark.parametrize("change", ["split", "strange"])
def test_a_change_that_nobody_of_ours_made_is_told(change):
    story = a_running_daemon()
    story.long()
    story.wait(10)
    getattr(story, change)()
    story.look(positions={"SPY": 100.0})
    story.later(91)
    assert "I19" in story.broken()


def test_a_change_that_was_told_keeps_i19():
    story = a_running_daemon()
    story.long()
    story.strange()
    story.look(positions={"SPY": 100.0})
    story.wait(30)
    story.notice("foreign_position", "SPY: 50 shares are not ours", level="warning")
    story.later(600)
    assert story.broken() == []


@pytest.mark.parametrize(("is_told", "broken"), [(True, []), (False, ["I19"])])
def test_a_further_change_by_somebody_else_is_told_as_well(is_told, broken):
    story = a_running_daemon()
    story.strange(-8.0)
    story.notice("quantity_break", "SPY: the book holds 0, the broker -8", level="warning")
    story.wait(30)
    story.strange(60.0)
    if is_told:
        story.notice("quantity_break", "SPY: the book holds 0, the broker 52", level="warning")
    story.later(600)
    assert story.broken() == broken


@pytest.mark.parametrize(("shown", "broken"), [(0.0, []), (60.0, ["I19"])])
def test_a_change_that_the_reports_do_not_show_yet_is_owed_to_nobody(shown, broken):
    """brutal 41042: positions that lag behind (TWS.md 4.53)."""
    story = a_running_daemon()
    story.strange(60.0)
    story.wait(20)
    story.report(positions={"SPY": shown})
    story.later(600)
    assert story.broken() == broken


def test_what_the_broker_liquidates_is_closed_and_no_strangers():
    story = a_running_daemon()
    story.long()
    story.gone(ref("S"))
    story.broker(
        "execution", exec_id="0000e0d5.1.77.01", perm_id=77, order_ref="", client_id=0, symbol="SPY", side="SELL",
        quantity=100.0, price=100.0, filled=100.0, liquidation=True,
    )  # fmt: skip
    story.command("flatten")
    story.later(600)
    assert story.broken() == []


def test_a_liquidation_that_is_corrected_leaves_the_rest_ours():
    """Found in its own judgement (brutal 21042): the rest was taken for a stranger's, and its stop for too much."""
    story = a_running_daemon()
    story.long()
    story.gone(ref("S"))
    sale = {"perm_id": 77, "order_ref": "", "client_id": 0, "symbol": "SPY", "side": "SELL", "price": 100.0}
    story.broker("execution", exec_id="0000e0d5.1.77.01", quantity=100.0, filled=100.0, liquidation=True, **sale)
    corrected = {"exec_id": "0000e0d5.1.77.02", "quantity": 60.0, "filled": 100.0, "liquidation": True, **sale}
    story.broker("correction", replaces="0000e0d5.1.77.01", execution=corrected)
    story.place(story.order("P1", 40.0))
    story.later(600)
    assert story.broken() == []


@pytest.mark.parametrize(("swallowed", "broken"), [(True, []), (False, ["I2", "I3"])])
def test_a_twin_whose_cancel_the_broker_swallows_is_its_own_doing(swallowed, broken):
    story = a_running_daemon()
    story.long()
    story.hold(story.order("S"), perm_id=99)
    story.wait(1)
    story.cancel(ref("S"))
    if swallowed:
        story.fault(32, "cancel_unanswered")
    story.later(200)
    assert story.broken() == broken


def test_an_account_number_in_an_alert_breaks_i20():
    story = a_running_daemon()
    story.alert("operator", "resumed by somebody")
    clean = story.broken()
    story.alert("operator", "account DU1234567 was resumed")
    assert (clean, story.broken()) == ([], ["I20"])
    assert "1234567" not in story.breaches()[0].text


def test_a_split_that_nobody_could_know_of_yet_forbids_nothing():
    """What a report asked for after it shows does."""
    story = a_running_daemon()
    story.long()
    story.gone(ref("S"))
    story.wait(2)
    story.split()
    story.place(story.order("P1", stop_price=49.5))
    early = story.broken()
    story.wait(1)
    story.report(positions={"SPY": 200.0})
    story.place(story.order("P2", stop_price=49.5))
    assert (early, "I19" in story.broken()) == ([], True)


def test_an_order_that_left_before_a_split_could_be_known_and_executes_behind_it_blurs_its_ratio():
    """Found by simulation (brutal 42112): 13 shares of the book were 25, and no ratio makes one of the other."""
    story = a_running_daemon()
    story.long()
    story.gone(ref("S"))
    story.split()
    story.bracket(7.0, number=2)
    story.journal("OrderCancelled", ref=ref("S"), reason="split")
    early = story.broken()
    story.fill(story.order("E", 7.0, number=2))
    story.report(positions={"SPY": 207.0})
    story.place(story.order("P1", 100.0, stop_price=99.0))
    blurred = story.broken()
    story.command("accept", "instrument:SPY")
    story.split()
    story.journal("OrderCancelled", ref=ref("P1"), reason="split")
    story.place(story.order("P2", 100.0, stop_price=99.0))
    assert (early, blurred, "I19" in story.broken()) == ([], [], True)
