"""What the judge makes of orders that were on their way when a symbol split, on histories made by hand."""

import pytest

from tests.simulation.judge.story import Story, ref
from tests.simulation.judge_builders import a_running_daemon

ADOPTED_STOP = "OB1:adopted:20260310:SPY-1:P1"


def an_entry_on_its_way(*, is_there: bool = False) -> Story:
    """100 shares are held, and the next bracket, short, has left; the broker splits the symbol before it comes."""
    story: Story = a_running_daemon()
    story.long(100.0)
    legs = story.order("E", 23.0, number=2, side="SELL"), story.order("S", 23.0, number=2, side="BUY")
    story.row()
    story.journal("BarsClosed", *legs, warm_up=False, close=[100.0, 100.0], bid=None, ask=None)
    for leg in legs:
        story.send(leg)
        if is_there:
            story.hold(leg)
    story.gone(ref("S"))
    story.split(1.5)
    for leg in legs:
        if not is_there:
            story.hold(leg)
    return story


@pytest.mark.parametrize(("is_there", "broken"), [(False, []), (True, ["I19"])])
def test_an_order_that_was_on_its_way_at_a_split_blurs_its_ratio(is_there, broken):
    """brutal 3112: 150 shares and 23 sold short of after it are 127, and no ratio makes them of 77."""
    story = an_entry_on_its_way(is_there=is_there)
    story.fill(story.order("E", 23.0, number=2, side="SELL"))
    story.journal("OrderCancelled", ref=ref("S"), reason="split")
    story.report(positions={"SPY": 127.0})
    story.place(story.order("P1", 100.0))
    assert story.broken() == broken


@pytest.mark.parametrize(("is_there", "broken"), [(False, []), (True, ["I1", "I2"])])
def test_of_what_a_person_accepts_after_a_blurred_split_no_plan_holds_a_part(is_there, broken):
    """brutal 3112: the book let go of the short plan and adopted 27 shares, which have their stop."""
    story = an_entry_on_its_way(is_there=is_there)
    short, stop = (story.order(leg, 23.0, number=2, side=side) for leg, side in (("E", "SELL"), ("S", "BUY")))
    story.fill(short)
    story.journal("OrderCancelled", ref=ref("S"), reason="split")
    story.wait(5)
    story.report(positions={"SPY": 127.0})
    story.command("accept", "instrument:SPY")
    story.say(
        "settled", "SPY: book set to the broker's, accepted by a person: SPY-2:X1 BUY 23, adopted:SPY-1:E BUY 127"
    )
    story.place(story.order("P1", 127.0, ref=ADOPTED_STOP))
    story.fill(stop)
    story.place(story.order("X2", 23.0, number=2, side="SELL", oca_group=""))
    story.fill(story.order("X2", 23.0, number=2, side="SELL"))
    story.later(600)
    assert story.broken() == broken


@pytest.mark.parametrize(("is_refused", "broken"), [(True, []), (False, ["I5"])])
def test_an_accept_that_is_refused_has_not_answered_the_split(is_refused, broken):
    """brutal 6841: a stranger had bought since; until the next accept the book held the shares of before."""
    story = a_running_daemon()
    story.long(100.0)
    story.gone(ref("S"))
    story.split(0.5)
    story.say("corporate_action", "SPY: 50 shares instead of 100, a split?")
    story.report(positions={"SPY": 50.0})
    story.strange(341.0)
    story.wait(10)
    story.command("accept", "instrument:SPY")
    if is_refused:
        story.notice("accept_refused", "SPY: 50 was accepted, but the break is now 391; nothing was settled", "warning")
    story.wait(30)
    story.report(positions={"SPY": 391.0})
    story.wait(30)
    story.look(positions={"SPY": 100.0})
    assert story.broken() == broken
