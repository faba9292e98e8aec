"""I7 and I8 on histories made by hand: one that breaks them, one that just keeps them."""

import pytest

from tests.simulation.judge.story import ref
from tests.simulation.judge_builders import a_running_daemon, enter


@pytest.mark.parametrize(
    ("limit", "value", "more"),
    [
        ("max_order_quantity", 100.0, 99.0),
        ("max_order_notional", 10_000.0, 9_000.0),
        ("max_position_quantity", 100.0, 99.0),
        ("max_position_notional", 10_000.0, 9_000.0),
    ],
)
def test_an_entry_beyond_a_limit_breaks_i7_and_one_at_it_does_not(limit, value, more):
    kept, broken = a_running_daemon(limits={limit: value}), a_running_daemon(limits={limit: more})
    enter(kept)
    enter(broken)
    assert (kept.broken(), broken.broken()) == ([], ["I7"])


@pytest.mark.parametrize("stage", ["working", "part filled", "on the way"])
def test_an_entry_in_flight_counts_for_the_position(stage):
    story = a_running_daemon(limits={"max_position_quantity": 150.0})
    if stage == "on the way":
        story.row()
        story.journal("BarsClosed", story.order("E"), warm_up=False)
        story.send(story.order("E"))
    else:
        enter(story)
    if stage == "part filled":
        story.fill(story.order("E"), 40.0, is_told=False)
    enter(story, 60.0, number=2)
    assert story.broken() == ["I7"]


@pytest.mark.parametrize(("limit", "broken"), [(180.0, ["I7"]), (200.0, [])])
def test_what_plans_hold_short_makes_no_room_for_a_long(limit, broken):
    """Long 100 and short 60 are 40, until the stop of the short closes it."""
    story = a_running_daemon(limits={"max_position_quantity": limit})
    story.long()
    short = story.order("E", 60.0, number=2, side="SELL")
    story.place(short, story.order("S", 60.0, number=2, side="BUY"))
    story.fill(short)
    enter(story, number=3)
    assert story.broken() == broken


@pytest.mark.parametrize(("liquidated", "broken"), [(100.0, []), (40.0, ["I7"])])
def test_adopted_shares_that_the_broker_liquidates_do_not_count_any_more(liquidated, broken):
    story = a_running_daemon(limits={"max_position_quantity": 150.0})
    story.strange(100.0)
    story.say("settled", "SPY: accepted by a person, BUY 100")
    sale = {"perm_id": 77, "order_ref": "", "client_id": 0, "symbol": "SPY", "side": "SELL", "price": 100.0}
    story.broker(
        "execution", exec_id="0000e0d5.1.77.01", quantity=liquidated, filled=liquidated, liquidation=True, **sale
    )
    enter(story)
    assert story.broken() == broken


@pytest.mark.parametrize(("is_told", "broken"), [(False, []), (True, ["I7"])])
def test_shares_whose_sale_the_broker_took_back_count_from_when_it_has_said_so(is_told, broken):
    """A storm over brutal 31205: the line was deaf, the next entry left for as many again."""
    story = a_running_daemon(limits={"max_position_quantity": 150.0})
    story.long()
    story.correct(story.fill(story.order("S")), 0.0, is_told=is_told)
    enter(story, number=2)
    assert story.broken() == broken


@pytest.mark.parametrize(("limit", "broken"), [(130.0, []), (120.0, ["I7"])])
def test_an_entry_whose_execution_the_broker_has_made_smaller_counts_for_what_is_left(limit, broken):
    story = a_running_daemon(limits={"max_position_quantity": limit})
    enter(story)
    story.correct(story.fill(story.order("E")), 30.0, is_told=False)
    enter(story, number=2)
    assert story.broken() == broken


def test_an_entry_that_ended_does_not_count_any_more():
    story = a_running_daemon(limits={"max_position_quantity": 150.0})
    enter(story)
    story.gone(ref("S"))
    story.gone(ref("E"))
    enter(story, 100.0, number=2)
    assert story.broken() == []


def test_gross_exposure_counts_positions_and_working_entries_against_equity():
    story = a_running_daemon(limits={"max_gross_exposure": 0.02})
    story.look(equity=1e6)
    enter(story, 150.0)
    kept = story.broken()
    enter(story, 100.0, number=2)
    assert (kept, story.broken()) == ([], ["I7"])


def test_an_entry_after_a_latched_limit_breaks_i7_until_a_person_resets_it():
    story = a_running_daemon()
    story.say("limit_latched", "account is REDUCING until a person resets it: max_day_loss: 21000, at most 20000")
    story.wait(5)
    story.command("resume")
    enter(story)
    latched = story.broken()
    story.command("reset")
    enter(story, number=2)
    assert latched == ["I7"]
    assert len(story.breaches()) == 1


def test_a_latch_of_another_instrument_stops_nothing():
    story = a_running_daemon()
    story.say("limit_latched", "instrument:QQQ is REDUCING until a person resets it: max_instrument_day_loss")
    story.wait(5)
    enter(story)
    assert story.broken() == []


def test_a_loss_of_the_day_that_the_broker_shows_for_long_stops_entries_latched_or_not():
    story = a_running_daemon(limits={"max_day_loss": 20_000.0})
    story.look(equity=1_000_000.0)
    story.wait(60)
    story.look(equity=979_000.0)
    story.wait(299)
    enter(story)
    early = story.broken()
    story.wait(2)
    enter(story, number=2)
    assert (early, story.broken()) == ([], ["I7"])


@pytest.mark.parametrize(("left", "broken"), [(960_500.0, []), (959_500.0, ["I7"])])
def test_a_loss_since_a_reset_is_counted_from_the_lower_of_the_looks_before_and_after_it(left, broken):
    """brutal 1495: between both the account had won 65, and the judge counted 1,000 lost while it was 960."""
    story = a_running_daemon(limits={"max_day_loss": 20_000.0})
    story.look(equity=980_000.0)
    story.command("reset")
    story.wait(30)
    story.look(equity=981_000.0)
    story.wait(60)
    story.look(equity=left)
    story.wait(301)
    enter(story)
    assert story.broken() == broken


@pytest.mark.parametrize(("left", "broken"), [(980_500.0, []), (979_500.0, ["I7"])])
def test_a_reset_takes_away_nothing_of_what_was_won(left, broken):
    """storm 3705: 500 had been won when a person reset the account, and the loss went on counting from the morning."""
    story = a_running_daemon(limits={"max_day_loss": 20_000.0})
    story.look(equity=1e6)
    story.wait(30)
    story.look(equity=1_005_000.0)
    story.command("reset")
    story.wait(30)
    story.look(equity=1_005_000.0)
    story.wait(60)
    story.look(equity=left)
    story.wait(301)
    enter(story)
    assert story.broken() == broken


@pytest.mark.parametrize(
    ("limit", "apart_s"), [("max_orders_per_s", 0.1), ("max_orders_per_min", 5.0), ("max_orders_per_day", 100.0)]
)
def test_more_entries_than_a_cap_break_i8_and_as_many_do_not(limit, apart_s):
    story = a_running_daemon(limits={limit: 3.0})
    for number in range(1, 4):
        enter(story, number=number)
        story.gone(ref("S", number))
        story.gone(ref("E", number))
        story.wait(apart_s)
    kept = story.broken()
    enter(story, number=4)
    assert (kept, story.broken()) == ([], ["I8"])


@pytest.mark.parametrize(("apart_s", "broken"), [(30.0, []), (29.9995, []), (29.9, ["I8"])])
def test_entries_far_enough_apart_keep_i8(apart_s, broken):
    """storm 13135: of two rows a minute apart the first was handled a tenth of a millisecond slower."""
    story = a_running_daemon(limits={"max_orders_per_s": 1.0, "max_orders_per_min": 2.0})
    for number in range(1, 4):
        enter(story, number=number)
        story.wait(apart_s)
    assert story.broken() == broken


def test_a_child_that_is_larger_than_its_parent_breaks_i8():
    story = a_running_daemon()
    story.place(story.order("E", 100.0), story.order("S", 101.0))
    assert "I8" in story.broken()


def test_what_an_adopted_plan_has_sold_leaves_an_accept_no_less_of_ours_to_take():
    """brutal 272: 12 had been adopted and sold; of our 42 that a hand had sold an accept left 12."""
    story = a_running_daemon(limits={"max_position_quantity": 100.0})
    story.strange(12.0)
    story.report(positions={"SPY": 12.0})
    story.say("settled", "SPY: book set to the broker's, foreign: adopted:SPY-1:E BUY 12")
    adopted = story.order("X1", 12.0, ref="OB1:adopted:20260310:SPY-1:X1")
    story.place(adopted)
    story.fill(adopted)
    story.long(42.0)
    story.strange(-42.0)
    story.report(positions={})
    story.say("settled", "SPY: book set to the broker's, accepted by a person: SPY-1:X1 SELL 42")
    story.gone(ref("S"))
    enter(story, 100.0, number=2)
    assert "I7" not in story.broken()


@pytest.mark.parametrize(("against", "broken"), [(-60.0, []), (-20.0, ["I7"])])
def test_what_a_stranger_holds_against_an_entry_makes_the_accounts_net_smaller(against, broken):
    """storm 5121: 87 shares of another symbol that a hand had sold short, and that nobody had adopted yet."""
    story = a_running_daemon(limits={"max_net_exposure": 0.005})
    story.strange(against)
    story.look(equity=1e6, positions={})
    entry = story.order("E", 100.0, symbol="QQQ", ref=ref("E", symbol="QQQ"))
    story.journal("BarsClosed", entry, warm_up=False, close=[100.0, 100.0], bid=None, ask=None)
    story.send(entry)
    assert [name for name in story.broken() if name == "I7"] == broken


@pytest.mark.parametrize(("is_told", "broken"), [(False, []), (True, ["I7"])])
def test_what_was_sold_elsewhere_makes_the_net_larger_once_the_daemon_has_heard_of_it(is_told, broken):
    """storm 6406: a stop sold 445 in the millisecond in which an entry against them was decided."""
    story = a_running_daemon(limits={"max_net_exposure": 0.005})
    story.long(60.0)
    story.fill(story.order("S", 60.0), is_told=is_told)
    story.look(equity=1e6, positions={})
    entry = story.order("E", 100.0, symbol="QQQ", ref=ref("E", symbol="QQQ"), side="SELL")
    story.journal("BarsClosed", entry, warm_up=False, close=[100.0, 100.0], bid=None, ask=None)
    story.send(entry)
    assert [name for name in story.broken() if name == "I7"] == broken
