"""How many shares adopted plans may stand behind, on histories made by hand."""

import pytest

from tests.simulation.judge.story import Story, ref


def adopt(story, shares, number, quantity=0.0):
    """A stranger buys (or sells) so many, a person accepts, and a stop comes behind them."""
    story.strange(shares)
    story.look(positions={})
    story.say("settled", f"SPY: accepted by a person: {shares:g}")
    side = {"side": "BUY", "stop_price": 101.0} if shares < 0 else {}
    stop = story.order("P1", quantity or abs(shares), ref=f"OB1:adopted:20260310:SPY-{number}:P1", **side)
    story.place(stop)
    return stop


@pytest.mark.parametrize(("quantity", "broken"), [(50.0, []), (53.0, ["I2"])])
def test_what_an_adopted_plan_has_bought_back_stands_behind_the_next_one(quantity, broken):
    """brutal 2487: after a hand had sold of it, the two shares that an earlier one had bought were not counted."""
    story = Story()
    story.start()
    story.wait(60)
    story.fill(adopt(story, -2.0, 1))
    adopt(story, 50.0, 2, quantity)
    story.later(5)
    story.strange(-2.0)
    story.look(positions={"SPY": 50.0})
    story.say("quantity_break", "SPY: the book holds 50, the broker 48")
    story.later(600)
    assert story.broken() == broken


@pytest.mark.parametrize(("shares", "broken"), [(400.0, []), (600.0, ["I7"])])
def test_what_was_closed_of_adopted_shares_is_no_exposure(shares, broken):
    """brutal 1898: of 183 adopted shares 172 were sold; they counted as 172 short beside the entry of another."""
    story = Story(limits={"max_gross_exposure": 0.05})
    story.start()
    story.wait(60)
    story.command("accept", "instrument:SPY")
    story.fill(adopt(story, 183.0, 1), 172.0)
    story.look(equity=1e6, positions={"SPY": 11.0})
    entry = story.order("E", shares, symbol="QQQ", ref=ref("E", symbol="QQQ"))
    story.journal("BarsClosed", entry, warm_up=False, close=[100.0, 100.0], bid=None, ask=None)
    story.send(entry)
    assert story.broken() == broken
