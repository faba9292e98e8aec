"""What a split changes of the judge's own figures, on histories made by hand."""

import pytest

from tests.simulation.history import Broker
from tests.simulation.judge.ledger import Ledger
from tests.simulation.judge.story import ref
from tests.simulation.judge_builders import a_running_daemon


def shares_that_just_split():
    """200 shares that were 100, and the broker has taken their stop away; nobody has heard of it."""
    story = a_running_daemon()
    story.long(100.0)
    story.gone(ref("S"))
    story.split(2.0)
    return story


def strange_and_told(story, shares):
    """Somebody buys by hand (sells, if negative), and the daemon's question for executions finds it."""
    by_hand = story.order("E", shares, ref="")
    story.told("execDetails", execId=story.fill(by_hand, is_told=False)["exec_id"])


@pytest.mark.parametrize(("shares", "broken"), [(199.0, []), (250.0, ["I7"])])
def test_after_a_split_what_is_held_counts_at_the_price_of_after_it(shares, broken):
    """brutal 73: 6 shares of after it counted at the price of before, and an entry elsewhere broke the net limit."""
    story = a_running_daemon(limits={"max_net_exposure": 0.03})
    story.look(equity=1e6)
    story.long(100.0)
    story.gone(ref("S"))
    story.split(2.0)
    story.say("corporate_action", "SPY: 200 shares instead of 100, a split?")
    story.wait(60)
    entry = story.order("E", shares, symbol="QQQ", ref=ref("E", symbol="QQQ"))
    story.row()
    story.journal("BarsClosed", entry, warm_up=False, close=[50.0, 100.0], bid=None, ask=None)
    story.send(entry)
    assert story.broken() == broken


@pytest.mark.parametrize(("is_bought_anew", "broken"), [(False, []), (True, ["I1", "I5"])])
def test_what_was_sold_of_a_split_and_comes_back_waits_for_a_person_again(is_bought_anew, broken):
    """brutal 2213: the broker liquidated before anybody had accepted, and took that back half an hour later."""
    story = shares_that_just_split()
    story.say("corporate_action", "SPY: 200 shares instead of 100, a split?")
    sale = story.fill(story.order("X", 200.0, ref="", side="SELL"), is_told=False)
    story.look()
    if is_bought_anew:
        story.bracket(10.0, number=2)
        story.fill(story.order("E", 10.0, number=2))
    story.wait(600)
    story.correct(sale, 0.0)
    story.say("corporate_action", "SPY: 200 shares instead of 100, a split?")
    story.wait(3600)
    story.look(positions={"SPY": 100.0})
    assert story.broken() == broken


@pytest.mark.parametrize(("was_known", "broken"), [(False, []), (True, ["I14"])])
def test_what_an_exit_has_left_that_raced_a_split_is_no_second_flattens_to_close(was_known, broken):
    """Of 200 shares an exit closed the 100 of before; in the book that plan is over, the others are nobody's."""
    story = shares_that_just_split()
    story.wait(1)
    if was_known:
        story.journal("OrderCancelled", ref=ref("S"), reason="split")
        story.report(positions={"SPY": 200.0})
    story.command("flatten")
    story.place(story.order("X1", 100.0))
    story.fill(story.order("X1", 100.0))
    story.say("quantity_break", "SPY: the book holds 0, the broker 100")
    story.command("flatten")
    story.later(60)
    assert story.broken() == broken


@pytest.mark.parametrize(("shown", "broken"), [({}, []), ({"SPY": 101.0}, ["I19"])])
def test_a_strangers_shares_that_no_report_had_shown_have_not_split_for_the_daemon(shown, broken):
    """brutal 2641: they split within the second in which he traded them, the first report showed those of after."""
    story = a_running_daemon()
    story.strange(101.0)
    story.report(positions=shown)
    story.wait(1)
    story.split(0.5)
    story.wait(10)
    story.report(positions={"SPY": 50.5})
    story.say("settled", "SPY: book set to the broker's, foreign: BUY 50")
    story.place(story.order("P1", 50.0, ref="OB1:adopted:20260310:SPY-1:P1"))
    assert story.broken() == broken


@pytest.mark.parametrize(("is_wanted", "broken"), [(True, []), (False, ["I19"])])
def test_a_flatten_answers_a_split_where_the_book_is_set_for_it(is_wanted, broken):
    """brutal 188, 738: what the market did not take at once had a stop; less than a share was left, and nobody's."""
    story = shares_that_just_split()
    story.wait(10)
    story.report(positions={"SPY": 200.0})
    if is_wanted:
        story.command("flatten")
    story.say("settled", "SPY: book set to the broker's for a flatten: split taken over, 200 shares")
    story.place(story.order("P1", 150.0))
    assert story.broken() == broken


@pytest.mark.parametrize(("is_told", "broken"), [(True, []), (False, ["I19"])])
def test_a_split_of_what_the_broker_takes_back_altogether_waits_for_nobody_once_that_was_told(is_told, broken):
    """brutal 3204: the entry of before was busted; reports were clean, and the next row came before the next look."""
    story = a_running_daemon()
    story.bracket(100.0)
    bought = story.fill(story.order("E", 100.0))
    story.gone(ref("S"))
    story.split(2.0)
    story.wait(1)
    story.report(positions={"SPY": 200.0})
    story.say("corporate_action", "SPY: 200 shares instead of 100, a split?")
    story.wait(60)
    story.correct(bought, 0.0, is_told=is_told)
    story.report(positions={})
    story.bracket(10.0, number=2)
    assert story.broken() == broken


@pytest.mark.parametrize(("left", "held"), [(0.0, 200.0), (10.0, 180.0)])
def test_what_the_broker_liquidated_before_a_split_comes_back_to_its_plan_in_shares_of_after(left, held):
    """40 of 100 were closed, the 60 became 120: without the sale they are 200, and none of them is a stranger's."""
    story = a_running_daemon()
    story.long(100.0)
    sale = {"order_ref": "", "perm_id": 900, "symbol": "SPY", "side": "SELL", "price": 100.0, "liquidation": True}
    story.broker("execution", exec_id="0000e0d5.1.77.01", quantity=40.0, filled=40.0, **sale)
    story.split(2.0)
    story.broker("correction", execution={"exec_id": "0000e0d5.1.77.02", "quantity": left, **sale})
    ledger = Ledger()
    for record in story.records:
        if isinstance(record, Broker):
            ledger.take(record)
    assert (ledger.own["SPY"], ledger.foreign["SPY"]) == (held, 0.0)


@pytest.mark.parametrize(("is_of_the_split", "broken"), [(False, []), (True, ["I19"])])
def test_a_correction_of_what_a_stranger_sold_when_nothing_was_left_brings_no_split_back(is_of_the_split, broken):
    """brutal 7228: 65 were sold by hand long after the split's shares had gone, and 33 of them were taken back."""
    story = shares_that_just_split()
    story.say("corporate_action", "SPY: 200 shares instead of 100, a split?")
    by_hand = story.order("X", 200.0, ref="", side="SELL")
    gone = story.fill(by_hand, is_told=False)
    story.look()
    story.wait(60)
    later = story.fill(by_hand, 65.0, is_told=False)
    story.say("quantity_break", "SPY: the book holds 0, the broker -65")
    story.wait(60)
    story.correct(gone if is_of_the_split else later, 33.0, is_told=False)
    story.journal("OrderCancelled", ref=ref("P", number=5), reason="split")
    story.send(story.order("P1", 10.0, number=5))
    assert [name for name in story.broken() if name == "I19"] == broken


@pytest.mark.parametrize("is_adopted", [False, True])
@pytest.mark.parametrize(("is_accepted", "broken"), [(False, []), (True, ["I5"])])
def test_a_split_of_which_a_stranger_has_sold_all_still_waits_for_a_person(is_adopted, is_accepted, broken):
    """brutal 3861: of 160 adopted shares that had become 80 somebody sold all; an accept settles that."""
    story = a_running_daemon(rules={"foreign": "adopt"})
    if is_adopted:
        strange_and_told(story, 100.0)
        story.report(positions={"SPY": 100.0})
        story.say("settled", "SPY: book set to the broker's, foreign: BUY 100")
    else:
        story.long(100.0)
        story.gone(ref("S"))
    story.split(0.5)
    story.wait(1)
    story.report(positions={"SPY": 50.0})
    story.say("corporate_action", "SPY: 50 shares instead of 100, a split?")
    story.wait(60)
    strange_and_told(story, -50.0)
    story.report(positions={})
    story.say("quantity_break", "SPY: the book holds 100, the broker 0")
    if is_accepted:
        story.command("accept", "instrument:SPY")
    story.wait(600)
    story.look(positions={"SPY": 100.0})
    assert story.broken() == broken


@pytest.mark.parametrize(("back", "broken"), [(0.0, []), (20.0, ["I19"])])
def test_nobody_can_be_told_that_nothing_has_split(back, broken):
    """A stranger had sold the 100 shares of ours before; what he gives back of them after it is a change."""
    story = a_running_daemon()
    story.long(100.0)
    story.gone(ref("S"))
    strange_and_told(story, -100.0)
    story.report(positions={})
    story.say("quantity_break", "SPY: the book holds 100, the broker 0")
    story.wait(60)
    story.split(2.0)
    story.wait(1)
    story.report(positions={})
    if back:
        strange_and_told(story, back)
        story.report(positions={"SPY": back})
    story.later(600)
    assert [name for name in story.broken() if name == "I19"] == broken


@pytest.mark.parametrize(("quantity", "broken"), [(108.0, []), (107.0, ["I1"])])
def test_a_fraction_that_has_split_into_shares_is_closed_by_the_other_side_once_a_person_accepts(quantity, broken):
    """brutal 104049: 0.8 shares that no order could sell became 2.4 beside a plan of -111; -108.6 were accepted."""
    story = a_running_daemon()
    story.long(108.0)
    story.gone(ref("S"))
    story.split(0.1)
    story.command("accept", "instrument:SPY")
    story.fill(story.order("X1", 10.0))
    entry = story.order("E", 37.0, number=2, side="SELL")
    story.place(entry, story.order("S", 37.0, number=2, side="BUY", stop_price=101.0))
    story.fill(entry)
    story.gone(ref("S", 2))
    story.split(3.0)
    story.command("accept", "instrument:SPY")
    story.report(positions={"SPY": -108.6})
    story.say("settled", "SPY: book set to the broker's, accepted by a person: SPY-2:X1 BUY 3 at about 100")
    story.place(story.order("P1", quantity, number=2, side="BUY", stop_price=101.0))
    story.later(600)
    assert [name for name in story.broken() if name == "I1"] == broken
