"""I9 to I11 on histories made by hand: one that breaks them, one that just keeps them."""

import pytest

from tests.simulation.judge.story import CLOSES, OPENS, Story, ref
from tests.simulation.judge_builders import a_running_daemon, enter


@pytest.mark.parametrize(
    ("at", "broken"),
    [
        (OPENS + 59.0, ["I9"]),
        (OPENS + 61.0, []),
        (CLOSES - 900.0, []),
        (CLOSES - 890.0, ["I9"]),
        (CLOSES + 3600.0, ["I9"]),
    ],
)
def test_entries_leave_within_the_window_of_the_session(at, broken):
    story = Story()
    story.now = at - 60.0
    story.start()
    story.wait(60)
    enter(story)
    assert story.broken() == broken


def a_position_before_the_close(**settings):
    story = Story(**settings)
    story.now = CLOSES - 1000.0
    story.start()
    story.wait(60)
    story.long()
    story.wait(CLOSES - 290.0 - story.now)
    return story


def test_a_position_that_is_held_over_the_close_with_no_exit_sent_breaks_i9():
    story = a_position_before_the_close()
    story.later(300)
    assert story.broken() == ["I9"]


def test_an_exit_that_was_sent_before_the_close_keeps_i9():
    story = a_position_before_the_close()
    story.place(story.order("X1"))
    story.later(300)
    assert story.broken() == []


@pytest.mark.parametrize(("sold", "broken"), [(100.0, []), (99.0, ["I9"])])
def test_what_a_stranger_has_sold_is_not_held_over_the_close(sold, broken):
    story = a_position_before_the_close()
    story.strange(-sold)
    story.later(300)
    assert [name for name in story.broken() if name == "I9"] == broken


@pytest.mark.parametrize(
    ("state", "is_told", "broken"), [("HALTED", True, []), ("HALTED", False, ["I9"]), ("REDUCING", True, ["I9"])]
)
def test_what_a_limit_that_halts_forbids_to_close_may_be_held_over_the_close_if_a_person_knows(state, is_told, broken):
    """Found by simulation (brutal 3494): a liquidation that the broker took back."""
    story = a_position_before_the_close()
    story.say("limit_latched", f"account is {state} until a person resets it: SPY: the broker closed 90 shares")
    if is_told:
        story.notice("exit_denied", f"t SELL 100 SPY: trading state is {state}", level="warning")
    story.later(300)
    assert [name for name in story.broken() if name == "I9"] == broken


def test_where_nothing_says_flat_a_position_may_be_held_over_the_close():
    story = a_position_before_the_close(rules={"flatten_before_close_s": 0.0})
    story.later(300)
    assert story.broken() == []


@pytest.mark.parametrize(("age_s", "broken"), [(69.0, []), (71.0, ["I10"])])
def test_no_entry_on_a_price_that_is_older_than_its_limit_since_the_end_of_its_bar(age_s, broken):
    """brutal 40200: the last print before a halt was the first of its minute; the bar is of five seconds here."""
    story = a_running_daemon()
    enter(story, last_at=story.now - age_s)
    assert story.broken() == broken


def test_no_entry_when_the_daemons_own_rows_have_had_no_price_for_long():
    story = a_running_daemon()
    story.row()
    story.wait(70)
    story.row(close=None)
    story.journal("TimerFired", story.order("E"), story.order("S"))
    story.send(story.order("E"))
    assert story.broken() == ["I10"]


@pytest.mark.parametrize(("bid", "ask", "broken"), [(100.0, 100.0, []), (100.1, 100.0, ["I10"]), (0.0, 100.0, ["I10"])])
def test_no_entry_on_a_crossed_or_empty_quote(bid, ask, broken):
    story = a_running_daemon()
    story.journal("BarsClosed", story.order("E"), warm_up=False, close=[100.0, 100.0], bid=[bid, bid], ask=[ask, ask])
    story.send(story.order("E"))
    assert story.broken() == broken


def test_no_entry_between_1100_and_a_fresh_row():
    story = a_running_daemon()
    story.row()
    story.error(1100)
    story.wait(10)
    story.error(1101)
    story.report()
    story.journal("TimerFired", story.order("E"))
    story.send(story.order("E"))
    assert story.broken() == ["I10"]


def test_an_entry_after_1101_a_report_and_a_fresh_row_keeps_i10_and_i13():
    story = a_running_daemon()
    story.row()
    story.error(1100)
    story.wait(10)
    story.error(1101)
    story.report()
    enter(story)
    assert story.broken() == []


@pytest.mark.parametrize(("limit", "broken"), [(103.0, []), (103.5, ["I11"]), (96.0, ["I11"])])
def test_a_limit_price_outside_the_collar_breaks_i11(limit, broken):
    story = a_running_daemon()
    story.place(story.order("E", order_type="LMT", limit_price=limit))
    assert story.broken() == broken


def test_a_stop_computed_from_no_price_breaks_i11():
    story = a_running_daemon()
    story.place(story.order("E"), story.order("S", stop_price=99_000.0))
    assert story.broken() == ["I11"]


@pytest.mark.parametrize(("stop_price", "broken"), [(98.0, []), (40.0, ["I11"])])
def test_a_stop_may_stand_behind_the_last_row_of_the_warm_up_wherever_the_market_is_now(stop_price, broken):
    """storm 19148: what nobody held had split, and was adopted before a row of now."""
    story = a_running_daemon()
    story.journal("BarsClosed", warm_up=True, closed_at="2026-03-09T20:00:00+00:00", close=[100.0, 100.0])
    stop = story.order("P1", 50.0, ref="OB1:adopted:20260310:SPY-1:P1", stop_price=stop_price)
    story.journal("TimerFired", stop)
    story.send(stop, last=200.0)
    assert [name for name in story.broken() if name == "I11"] == broken


@pytest.mark.parametrize(("stop_price", "broken"), [(30.0, []), (29.0, ["I11"])])
def test_a_stop_by_the_average_range_stands_as_many_moves_away_as_is_configured(stop_price, broken):
    """storm 8856: after a gap of 15 % the range of three bars was 59, and 7.5 of it 442 below 849."""
    story = a_running_daemon(rules={"stop_moves": 2.5})
    story.row(100.0, None, None)
    story.row(80.0, None, None)
    orders = story.order("E"), story.order("S", stop_price=stop_price)
    story.journal("TimerFired", *orders)
    for order in orders:
        story.send(order, last=80.0)
    assert story.broken() == broken


@pytest.mark.parametrize(
    ("stop_price", "has_row", "broken"), [(9.9, False, []), (0.99, False, ["I11"]), (9.9, True, ["I11"])]
)
def test_a_stop_may_be_of_the_scale_of_a_split_before_the_first_price_of_it(stop_price, has_row, broken):
    """brutal 41000: a person accepted within seconds of the split, the market's last bar was of before it."""
    story = a_running_daemon()
    story.long(100.0)
    story.gone(ref("S"))
    story.split(10.0)
    priced_at = story.now
    story.command("accept", "instrument:SPY")
    if has_row:
        story.wait(10)
        story.row()
        priced_at = story.now
    stop = story.order("P1", 1000.0, stop_price=stop_price)
    story.journal("TimerFired", stop)
    story.send(stop, last_at=priced_at)
    story.hold(stop)
    assert story.broken() == broken


@pytest.mark.parametrize(("has_traded", "broken"), [(False, []), (True, ["I11"])])
def test_a_stop_may_be_of_the_scale_of_before_a_split_until_a_row_has_a_price(has_traded, broken):
    """storm 2479: the rows of a paused instrument had none, and adopted shares stood behind the last one known."""
    story = a_running_daemon()
    story.report(positions={})
    story.strange(-45.0)
    story.row()
    story.split(2.0)
    for _ in range(2):
        story.wait(60)
        story.row(49.0 if has_traded else None, None, None)
    stop = story.order("P1", 90.0, ref="OB1:adopted:20260310:SPY-1:P1", side="BUY", stop_price=102.0)
    story.journal("TimerFired", stop)
    story.send(stop, last=49.0, last_at=story.now)
    assert [name for name in story.broken() if name == "I11"] == broken


@pytest.mark.parametrize(
    ("name", "rows", "broken"),
    [("adopted", 1, []), ("adopted", 2, ["I11"]), ("t", 1, ["I11"])],
)
def test_a_stop_of_adopted_shares_may_stand_at_their_cost_while_one_row_alone_is_far_from_it(name, rows, broken):
    """brutal 40087: a print ten times the cost; nobody knows yet which of the two is right."""
    story = a_running_daemon()
    story.strange()
    story.look(positions={})
    story.row()
    for _ in range(rows):
        story.row(1000.0, None, None)
    stop = story.order("P1", 50.0, ref=f"OB1:{name}:20260310:SPY-1:P1")
    story.journal("TimerFired", stop)
    story.send(stop, last=1000.0)
    assert story.broken() == broken
