"""How many shares adopted plans may stand behind, on histories made by hand."""

import pytest
from msgspec.structs import replace

from tests.simulation.judge.story import ref
from tests.simulation.judge_builders import a_running_daemon


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
    story = a_running_daemon()
    story.fill(adopt(story, -2.0, 1))
    adopt(story, 50.0, 2, quantity)
    story.later(5)
    story.strange(-2.0)
    story.look(positions={"SPY": 50.0})
    story.say("quantity_break", "SPY: the book holds 50, the broker 48")
    story.later(600)
    assert story.broken() == broken


@pytest.mark.parametrize(("quantity", "broken"), [(16.0, []), (17.0, ["I2"])])
def test_an_adopted_plan_stands_behind_what_it_has_sold_itself_where_another_has_the_strangers(quantity, broken):
    """storm 12876: an exit had given 16 back, and then the purchase was taken back: 16 short beside 15 long."""
    story = a_running_daemon()
    adopt(story, 15.0, 2)
    sale = story.order("X2", 16.0, ref="OB1:adopted:20260310:SPY-1:X2")
    story.place(sale)
    story.fill(sale)
    stop = story.order("P2", quantity, ref="OB1:adopted:20260310:SPY-1:P2", side="BUY", stop_price=101.0)
    story.place(stop)
    story.later(600)
    assert [name for name in story.broken() if name == "I2"] == broken


@pytest.mark.parametrize(("shares", "broken"), [(400.0, []), (600.0, ["I7"])])
def test_what_was_closed_of_adopted_shares_is_no_exposure(shares, broken):
    """brutal 1898: of 183 adopted shares 172 were sold; they counted as 172 short beside the entry of another."""
    story = a_running_daemon(limits={"max_gross_exposure": 0.05})
    story.command("accept", "instrument:SPY")
    story.fill(adopt(story, 183.0, 1), 172.0)
    story.look(equity=1e6, positions={"SPY": 11.0})
    entry = story.order("E", shares, symbol="QQQ", ref=ref("E", symbol="QQQ"))
    story.journal("BarsClosed", entry, warm_up=False, close=[100.0, 100.0], bid=None, ask=None)
    story.send(entry)
    assert story.broken() == broken


@pytest.mark.parametrize(("adopted", "broken"), [(4.0, []), (0.0, ["I2"])])
def test_what_a_stranger_takes_back_of_his_side_costs_the_plans_on_the_other_side_nothing(adopted, broken):
    """brutal 6851: 4 short were adopted, 758 long came and 2 of a stranger; an exit of 756 left 2 behind each stop."""
    story = a_running_daemon()
    stop = adopt(story, -adopted, 1) if adopted else None
    story.long(758.0)
    story.strange(adopted - 2.0)
    story.place(story.order("X1", 756.0))
    story.fill(story.order("X1", 756.0))
    story.hold(story.order("S", 2.0), change="modified")
    story.look(positions={})
    story.report(positions={})
    story.say("settled", "SPY: book set to the broker's, accepted by a person: 0 shares")
    if stop is not None:
        story.hold(replace(stop, quantity=2.0), change="modified")
    story.later(600)
    assert story.broken() == broken


def test_what_was_adopted_splits_with_the_rest():
    """brutal 15343: beside 100 of ours 90 had been sold short and adopted; an accept took 90 of the 200 away."""
    story = a_running_daemon()
    story.long(100.0)
    story.strange(-90.0)
    story.report(positions={"SPY": 10.0})
    story.say("settled", "SPY: book set to the broker's, foreign: adopted:SPY-1:E SELL 90")
    story.gone(ref("S"))
    story.split(2.0)
    story.say("corporate_action", "SPY: 20 shares instead of 10, a split?")
    story.report(positions={"SPY": 20.0})
    story.wait(10)
    story.command("accept", "instrument:SPY")
    story.say("settled", "SPY: book set to the broker's, accepted by a person: split taken over, 20 shares")
    stop = story.order("P1", 180.0, ref="OB1:adopted:20260310:SPY-1:P1", side="BUY")
    story.place(stop, story.order("P1", 200.0))
    story.later(600)
    assert story.broken() == []


@pytest.mark.parametrize(("short", "broken"), [(80.0, []), (84.0, ["I5"])])
def test_what_an_adopted_plan_has_bought_back_is_no_long_position_that_the_broker_could_sell(short, broken):
    """A storm over brutal 31250: a hand had bought 174 more, the broker sold the 94, the book still held 80 short."""
    story = a_running_daemon()
    story.fill(adopt(story, -84.0, 1), 4.0)
    story.strange(174.0)
    sold = {"perm_id": 77, "order_ref": "", "client_id": 0, "symbol": "SPY", "side": "SELL", "price": 100.0}
    story.broker("execution", exec_id="0000e0d5.1.77.01", quantity=94.0, filled=94.0, liquidation=True, **sold)
    story.say("quantity_break", f"SPY: the book holds -{short:g}, the broker 0")
    story.wait(600)
    story.look(at_broker={}, positions={"SPY": -short}, locks=("SPY",))
    assert story.broken() == broken


@pytest.mark.parametrize(("side", "broken"), [("SELL", []), ("BUY", ["I2"])])
def test_adopted_shares_that_came_twice_go_back_outside_the_group(side, broken):
    """brutal 4252: the broker and the daemon bought the same 128, and of the accepted ones none were left."""
    story = a_running_daemon()
    stop = adopt(story, -100.0, 1)
    bought = {"perm_id": 77, "order_ref": "", "client_id": 0, "symbol": "SPY", "side": "BUY", "price": 100.0}
    story.broker("execution", exec_id="0000e0d5.1.77.01", quantity=100.0, filled=100.0, liquidation=True, **bought)
    story.fill(stop)
    story.place(story.order("X1", ref="OB1:adopted:20260310:SPY-1:X1", side=side, oca_group=""))
    assert story.broken() == broken


@pytest.mark.parametrize(("closed", "broken"), [(78.0, []), (38.0, ["I19"])])
def test_where_adopted_shares_are_sold_nothing_of_ours_can_split(closed, broken):
    """storm 718: 37 that a hand had bought since split while the daemon was down; what was adopted was long closed."""
    story = a_running_daemon()
    story.fill(adopt(story, 78.0, 1), closed)
    story.report(positions={"SPY": 78.0 - closed} if closed < 78.0 else {})
    story.strange(37.0)
    story.split(1.5)
    story.wait(10)
    story.report(positions={"SPY": (115.0 - closed) * 1.5})
    story.place(story.order("P1", 55.0, ref="OB1:adopted:20260310:SPY-2:P1"))
    assert [name for name in story.broken() if name == "I19"] == broken


@pytest.mark.parametrize(("is_accepted", "broken"), [(False, []), (True, ["I5"])])
def test_a_fraction_that_a_split_leaves_of_adopted_shares_waits_for_a_person(is_accepted, broken):
    """storm 1520: 5 were adopted, a split of 1:10 left half a share, and the book went on holding 5 as it should."""
    story = a_running_daemon()
    stop = adopt(story, 5.0, 1)
    story.report(positions={"SPY": 5.0})
    story.gone(stop.ref)
    story.split(0.1)
    story.wait(1)
    story.report(positions={"SPY": 0.5})
    story.say("corporate_action", "SPY: the book holds 5, the broker 0.5")
    if is_accepted:
        story.command("accept", "instrument:SPY")
    story.wait(600)
    story.look(at_broker={"SPY": 0.5}, positions={"SPY": 5.0}, locks=("SPY",))
    assert story.broken() == broken


@pytest.mark.parametrize(("kept", "broken"), [(31.0, []), (32.0, ["I2"])])
def test_what_a_corrected_liquidation_gives_back_may_be_ours_or_adopted(kept, broken):
    """storm 1649: 63 were bought back, 51 ours and 12 adopted, then only 32: the book gave all 31 back to ours."""
    story = a_running_daemon()
    adopt(story, -12.0, 1)
    story.place(story.order("E", 51.0, side="SELL"), story.order("S", 51.0, side="BUY"))
    story.fill(story.order("E", 51.0, side="SELL"))
    bought = {"perm_id": 77, "order_ref": "", "client_id": 0, "symbol": "SPY", "side": "BUY", "price": 100.0}
    for name in (ref("S"), "OB1:adopted:20260310:SPY-1:P1"):
        story.gone(name)
    story.broker("execution", exec_id="0000e0d5.1.77.01", quantity=63.0, filled=63.0, liquidation=True, **bought)
    story.wait(60)
    changed = bought | {"exec_id": "0000e0d5.1.77.02", "quantity": 32.0}
    story.broker("correction", replaces="0000e0d5.1.77.01", execution=changed, **changed)
    story.place(story.order("P1", kept, side="BUY"))
    story.later(600)
    assert [name for name in story.broken() if name == "I2"] == broken


@pytest.mark.parametrize(("is_accepted", "broken"), [(False, []), (True, ["I5"])])
def test_what_the_broker_sells_of_a_split_that_nobody_knows_of_leaves_the_rest_in_the_book(is_accepted, broken):
    """storm 2366: 41 adopted shares had become 4.1, all of which were liquidated; the book took 4 off its 41."""
    story = a_running_daemon()
    stop = adopt(story, 41.0, 1)
    story.report(positions={"SPY": 41.0})
    story.gone(stop.ref)
    story.split(0.1)
    sold = {"perm_id": 77, "order_ref": "", "client_id": 0, "symbol": "SPY", "side": "SELL", "price": 1000.0}
    story.broker("execution", exec_id="0000e0d5.1.77.01", quantity=4.1, filled=4.1, liquidation=True, **sold)
    story.wait(1)
    story.report(positions={})
    story.say("quantity_break", "SPY: the book holds 37, the broker 0")
    if is_accepted:
        story.command("accept", "instrument:SPY")
    story.wait(600)
    story.look(at_broker={}, positions={"SPY": 37.0}, locks=("SPY",))
    assert story.broken() == broken
