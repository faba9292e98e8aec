"""What a split changes of the judge's own figures, on histories made by hand."""

import pytest

from tests.simulation.judge.story import Story, ref


@pytest.mark.parametrize(("shares", "broken"), [(199.0, []), (250.0, ["I7"])])
def test_after_a_split_what_is_held_counts_at_the_price_of_after_it(shares, broken):
    """brutal 73: 6 shares of after it counted at the price of before, and an entry elsewhere broke the net limit."""
    story = Story(limits={"max_net_exposure": 0.03})
    story.start()
    story.wait(60)
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
    story = Story()
    story.start()
    story.long(100.0)
    story.gone(ref("S"))
    story.split(2.0)
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
    story = Story()
    story.start()
    story.long(100.0)
    story.gone(ref("S"))
    story.split(2.0)
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
    story = Story()
    story.start()
    story.wait(60)
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
    story = Story()
    story.start()
    story.long(100.0)
    story.gone(ref("S"))
    story.split(2.0)
    story.wait(10)
    story.report(positions={"SPY": 200.0})
    if is_wanted:
        story.command("flatten")
    story.say("settled", "SPY: book set to the broker's for a flatten: split taken over, 200 shares")
    story.place(story.order("P1", 150.0))
    assert story.broken() == broken
