"""I7 to I11, I13 and I14 on histories made by hand: one that breaks them, one that just keeps them."""

import pytest

from tests.simulation.judge.story import CLOSES, OPENS, Story, ref


def a_running_daemon(**settings):
    story = Story(**settings)
    story.start()
    story.wait(60)
    return story


def enter(story, quantity=100.0, number=1, **sent):
    """A bracket that is durable, sent and at the broker."""
    entry, stop = story.order("E", quantity, number=number), story.order("S", quantity, number=number)
    story.row()
    story.journal("BarsClosed", entry, stop, warm_up=False, close=[100.0, 100.0], bid=None, ask=None)
    story.send(entry, **sent)
    story.send(stop)
    story.hold(entry)
    story.hold(stop)


# ---------------------------------------------------------------- I7


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


# ---------------------------------------------------------------- I8


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


def test_entries_far_enough_apart_keep_i8():
    story = a_running_daemon(limits={"max_orders_per_s": 1.0, "max_orders_per_min": 2.0})
    for number in range(1, 4):
        enter(story, number=number)
        story.wait(30)
    assert story.broken() == []


def test_a_child_that_is_larger_than_its_parent_breaks_i8():
    story = a_running_daemon()
    story.place(story.order("E", 100.0), story.order("S", 101.0))
    assert "I8" in story.broken()


# ---------------------------------------------------------------- I9


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


def test_where_nothing_says_flat_a_position_may_be_held_over_the_close():
    story = a_position_before_the_close(rules={"flatten_before_close_s": 0.0})
    story.later(300)
    assert story.broken() == []


# ---------------------------------------------------------------- I10, I11


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


# ---------------------------------------------------------------- I13


@pytest.mark.parametrize("again", ["a start", "a new line", "1102"])
def test_no_entry_before_a_complete_report(again):
    story = a_running_daemon()
    match again:
        case "a start":
            story.end()
            story.begin()
            story.connect()
        case "a new line":
            story.connect("down")
            story.connect()
        case _:
            story.error(1102)
    story.wait(5)
    story.report("executions")
    enter(story)
    assert story.broken() == ["I13"]


def test_an_entry_that_was_under_way_when_1100_came_keeps_i13():
    story = a_running_daemon()
    story.row()
    story.journal("BarsClosed", story.order("E"), warm_up=False)
    story.error(1100)
    story.wait(0.5)
    story.send(story.order("E"))
    assert story.broken() == []


# ---------------------------------------------------------------- I14


@pytest.mark.parametrize("verb", ["halt", "block", "flatten", "reduce", "observe"])
def test_after_a_kill_no_entry_is_decided_also_after_a_restart(verb):
    story = a_running_daemon()
    story.command(verb)
    story.end()
    story.start()
    story.wait(60)
    story.row()
    story.journal("BarsClosed", story.order("E"), warm_up=False)
    assert story.broken() == ["I14"]


@pytest.mark.parametrize(
    ("scope", "broken"), [("instrument:SPY", ["I14"]), ("instrument:QQQ", []), ("strategy:t", ["I14"])]
)
def test_a_kill_holds_in_its_scope(scope, broken):
    story = a_running_daemon()
    story.command("halt", scope)
    story.wait(5)
    enter(story)
    assert story.broken() == broken


def test_a_person_ends_it():
    story = a_running_daemon()
    story.command("halt")
    story.wait(5)
    story.command("resume")
    enter(story)
    assert story.broken() == []


def test_an_entry_that_was_durable_before_it_and_leaves_late_breaks_i14():
    story = a_running_daemon()
    story.row()
    story.journal("BarsClosed", story.order("E"), warm_up=False)
    story.command("halt")
    story.wait(2)
    story.send(story.order("E"))
    assert story.broken() == ["I14"]


@pytest.mark.parametrize("verb", ["halt", "flatten"])
def test_working_entries_are_pulled_within_two_seconds(verb):
    story = a_running_daemon()
    story.bracket()
    story.wait(10)
    story.command(verb)
    story.later(2.9)
    early = story.broken()
    story.later(0.2)
    assert (early, story.broken()) == ([], ["I14"])


def test_a_cancel_that_was_sent_in_time_keeps_i14_whatever_becomes_of_it():
    story = a_running_daemon()
    story.bracket()
    story.wait(10)
    story.command("halt")
    story.wait(1)
    story.cancel(ref("E"))
    story.later(60)
    assert story.broken() == []


def test_block_leaves_working_entries_alone():
    story = a_running_daemon()
    story.bracket()
    story.wait(10)
    story.command("block")
    story.later(60)
    assert story.broken() == []


def test_without_a_line_they_are_pulled_after_the_reconnect():
    story = a_running_daemon()
    story.bracket()
    story.connect("down")
    story.command("halt")
    story.wait(60)
    story.connect()
    story.later(29)
    early = story.broken()
    story.later(3)
    assert (early, story.broken()) == ([], ["I14"])


def test_flatten_closes_what_is_held():
    story = a_running_daemon()
    story.long()
    story.wait(10)
    story.command("flatten")
    story.later(11)
    assert story.broken() == ["I14"]


@pytest.mark.parametrize(("observed", "broken"), [("instrument:SPY", []), ("instrument:IBM", ["I14"])])
def test_where_a_person_lets_nothing_be_sent_a_flatten_of_the_account_sends_nothing(observed, broken):
    story = a_running_daemon()
    story.long()
    story.command("observe", observed)
    story.wait(10)
    story.command("flatten")
    story.later(11)
    assert story.broken() == broken


def test_a_flatten_that_sent_its_exit_keeps_i14():
    story = a_running_daemon()
    story.long()
    story.wait(10)
    story.command("flatten")
    story.wait(1)
    story.place(story.order("X1"))
    story.later(60)
    assert story.broken() == []


@pytest.mark.parametrize(("status", "broken"), [("Submitted", []), ("PendingSubmit", ["I14"])])
def test_a_flatten_sends_nothing_where_an_exit_is_in_the_market_for_all_of_it(status, broken):
    """brutal 40088: the exchange had halted the stock while the exit worked."""
    story = a_running_daemon()
    story.long()
    story.place(story.order("X1"))
    story.told("orderStatus", permId="1700000003", status=status)
    story.wait(10)
    story.command("flatten")
    story.later(11)
    assert story.broken() == broken


def test_a_state_that_is_active_again_by_itself_breaks_i14():
    story = a_running_daemon()
    story.command("halt")
    story.wait(5)
    story.look(state="HALTED")
    kept = story.broken()
    story.look(state="ACTIVE")
    assert (kept, story.broken()) == ([], ["I14"])
