"""Trailing stops, if-touched orders, trigger methods, times in force, halts and forced fills, by hand."""

import math

import pytest

from brokers.simulated.matching import Cancelled, Filled, Matcher, StatusChanged, Trailed
from tests.brokers.simulated.builders import a_matcher, an_order, fills, trails

# ---- trailing stops


def test_a_trailing_sell_stop_follows_the_market_up_and_never_down():
    matcher = a_matcher(an_order(1, "SELL", 100, "TRAIL"))
    assert trails(matcher.on_trade(0, 100.0, 100)) == [Trailed(1, 99.0, None)]
    assert trails(matcher.on_trade(0, 101.5, 100)) == [Trailed(1, 100.5, None)]
    assert trails(matcher.on_trade(0, 101.0, 100)) == []
    assert matcher.order(1).stop_price == 100.5


def test_a_trailing_buy_stop_follows_the_market_down_and_never_up():
    matcher = a_matcher(an_order(1, "BUY", 100, "TRAIL"))
    matcher.on_trade(0, 100.0, 100)
    matcher.on_trade(0, 98.0, 100)
    matcher.on_trade(0, 98.9, 100)
    assert matcher.order(1).stop_price == 99.0


def test_a_trailing_stop_that_is_reached_fills_like_a_stop():
    matcher = a_matcher(an_order(1, "SELL", 100, "TRAIL"))
    matcher.on_trade(0, 100.0, 100)
    outcomes = matcher.on_trade(0, 98.9, 500)
    assert outcomes == [StatusChanged(1, "Submitted", ""), Filled(1, 100, 98.9)]


def test_a_trail_in_percent_is_rounded_away_from_the_market():
    matcher = a_matcher(an_order(1, "SELL", 100, "TRAIL", trail_amount=None, trail_percent=3.0))
    matcher.on_trade(0, 33.33, 100)
    assert matcher.order(1).stop_price == 32.33  # 33.33 * 0.97 = 32.3301


def test_a_trailing_stop_that_is_given_a_price_keeps_it_until_the_market_is_better():
    matcher = a_matcher(an_order(1, "SELL", 100, "TRAIL", stop_price=99.5))
    assert trails(matcher.on_trade(0, 100.0, 100)) == []
    assert trails(matcher.on_trade(0, 100.6, 100)) == [Trailed(1, 99.6, None)]


def test_without_a_trade_the_quote_gives_a_trailing_stop_its_first_price():
    matcher = a_matcher(an_order(1, "SELL", 100, "TRAIL"))
    assert trails(matcher.on_quote(0, 99.99, 100.01)) == [Trailed(1, 98.99, None)]


def test_a_trailing_limit_keeps_its_offset_and_fills_from_the_event_after_its_trigger():
    matcher = a_matcher(an_order(1, "SELL", 100, "TRAIL LIMIT"))
    assert trails(matcher.on_trade(0, 100.0, 100)) == [Trailed(1, 99.0, 98.75)]
    assert trails(matcher.on_trade(0, 102.0, 100)) == [Trailed(1, 101.0, 100.75)]
    assert matcher.on_trade(0, 100.9, 500) == [StatusChanged(1, "Submitted", "")]
    assert fills(matcher.on_trade(0, 100.8, 500)) == [Filled(1, 100, 100.75)]


def test_a_trailing_limit_with_two_prices_keeps_the_distance_between_them():
    given = {"limit_offset": None, "stop_price": 99.0, "limit_price": 98.5}
    matcher = a_matcher(an_order(1, "SELL", 100, "TRAIL LIMIT", **given))
    assert trails(matcher.on_trade(0, 101.0, 100)) == [Trailed(1, 100.0, 99.5)]


def test_the_limit_of_a_trailing_limit_stands_before_the_market_moves():
    matcher = a_matcher(an_order(1, "SELL", 100, "TRAIL LIMIT", stop_price=99.0))
    assert matcher.order(1).limit_price == 98.75
    assert matcher.on_trade(0, 99.0, 500) == [StatusChanged(1, "Submitted", "")]
    assert fills(matcher.on_trade(0, 98.8, 500)) == [Filled(1, 100, 98.75)]


def test_a_trailing_child_begins_to_trail_when_its_parent_fills():
    matcher = a_matcher(an_order(1, "BUY", 100, "LMT", transmit=False), an_order(2, "SELL", 100, "TRAIL", parent_key=1))
    matcher.on_trade(0, 105.0, 100)
    assert matcher.order(2).stop_price is None
    matcher.on_trade(0, 100.0, 100)
    assert trails(matcher.on_trade(0, 101.0, 100)) == [Trailed(2, 100.0, None)]


def test_a_trailing_child_begins_at_the_market_of_its_parents_fill_not_of_its_own_arrival():
    matcher = a_matcher()
    matcher.on_trade(0, 105.0, 100)
    matcher.submit(an_order(1, "BUY", 100, "LMT", transmit=False), market_open=True)
    matcher.submit(an_order(2, "SELL", 100, "TRAIL", parent_key=1), market_open=True)
    outcomes = matcher.on_trade(0, 100.0, 100)
    assert trails(outcomes) == [Trailed(2, 99.0, None)]
    assert fills(matcher.on_trade(0, 99.5, 100)) == []


def test_a_trailing_stop_that_arrives_in_an_open_market_begins_at_the_last_trade():
    matcher = a_matcher()
    matcher.on_trade(0, 100.0, 100)
    matcher.on_quote(0, 99.98, 100.02)
    assert trails(matcher.submit(an_order(1, "SELL", 100, "TRAIL"), market_open=True)) == [Trailed(1, 99.0, None)]


def test_a_trailing_stop_does_not_begin_at_a_price_of_the_day_before():
    matcher = a_matcher()
    matcher.on_trade(0, 100.0, 100)
    matcher.on_close()
    assert trails(matcher.submit(an_order(1, "SELL", 100, "TRAIL"), market_open=False)) == []
    assert trails(matcher.on_quote(0, 90.0, 90.02)) == [Trailed(1, 89.0, None)]


def test_a_trailing_stop_does_not_begin_at_a_price_from_before_a_halt():
    matcher = a_matcher()
    matcher.on_trade(0, 100.0, 100)
    matcher.halt(0)
    matcher.submit(an_order(1, "SELL", 100, "TRAIL"), market_open=True)
    matcher.resume(0)
    assert trails(matcher.on_quote(0, 90.0, 90.02)) == [Trailed(1, 89.0, None)]


def test_a_trailing_stop_with_a_method_by_quote_follows_what_the_method_looks_at():
    matcher = a_matcher(an_order(1, "SELL", 100, "TRAIL", stop_price=99.0, trigger_method=4))
    assert trails(matcher.on_trade(0, 103.0, 100)) == []
    assert trails(matcher.on_quote(0, 100.98, 101.0)) == [Trailed(1, 100.0, None)]  # a sell looks at the ask


def test_a_trail_can_be_changed_from_dollars_to_percent():
    matcher = a_matcher(an_order(1, "SELL", 100, "TRAIL", stop_price=99.0))
    matcher.modify(1, trail_percent=0.5)
    assert trails(matcher.on_trade(0, 100.0, 100)) == [Trailed(1, 99.5, None)]


# ---- if touched


@pytest.mark.parametrize(("side", "away", "touch"), [("BUY", 100.5, 100.0), ("SELL", 99.5, 100.0)])
def test_a_market_if_touched_order_waits_until_the_market_comes_its_way(side, away, touch):
    matcher = a_matcher(an_order(1, side, 100, "MIT"))
    assert matcher.order(1).why_held == "trigger"
    assert matcher.on_trade(0, away, 500) == []
    assert fills(matcher.on_trade(0, touch, 500)) == [Filled(1, 100, touch)]


def test_a_limit_if_touched_order_is_a_limit_from_its_trigger_on():
    matcher = a_matcher(an_order(1, "SELL", 100, "LIT", stop_price=101.0, limit_price=100.5))
    assert matcher.on_trade(0, 101.0, 500) == [StatusChanged(1, "Submitted", "")]
    assert fills(matcher.on_quote(0, 100.4, 100.6)) == []
    assert fills(matcher.on_quote(0, 100.5, 100.7)) == [Filled(1, 100, 100.5)]


# ---- trigger methods


def stop_with(method):
    return a_matcher(an_order(1, "SELL", 100, "STP", trigger_method=method))


def test_the_default_method_looks_at_trades_only():
    matcher = stop_with(0)
    assert matcher.on_quote(0, 98.0, 98.5) == []
    assert matcher.on_trade(0, 99.0, 500) != []


def test_double_last_needs_two_trades_in_a_row():
    matcher = stop_with(3)
    assert fills(matcher.on_trade(0, 99.0, 500)) == []
    assert fills(matcher.on_trade(0, 100.5, 500)) == []
    assert fills(matcher.on_trade(0, 99.0, 500)) == []
    assert fills(matcher.on_trade(0, 99.0, 500)) == [Filled(1, 100, 99.0)]


def test_one_ask_is_enough_for_method_four_and_two_are_needed_for_method_one():
    assert fills(stop_with(4).on_quote(0, 99.8, 100.0)) == [Filled(1, 100, 99.8)]
    twice = stop_with(1)
    assert fills(twice.on_quote(0, 99.8, 100.0)) == []
    assert fills(twice.on_quote(0, 99.8, 100.0)) == [Filled(1, 100, 99.8)]


@pytest.mark.parametrize("event", ["trade", "quote"])
def test_method_seven_takes_whichever_comes_first(event):
    matcher = stop_with(7)
    outcomes = matcher.on_trade(0, 100.0, 500) if event == "trade" else matcher.on_quote(0, 99.9, 100.0)
    assert [fill.key for fill in fills(outcomes)] == [1]


def test_method_eight_looks_at_the_midpoint():
    matcher = stop_with(8)
    assert fills(matcher.on_quote(0, 99.0, 101.02)) == []
    assert fills(matcher.on_quote(0, math.nan, 100.0)) == []
    assert fills(matcher.on_quote(0, 99.0, 101.0)) == [Filled(1, 100, 99.0)]


def test_a_stop_sleeps_outside_regular_hours_unless_it_is_allowed_to_act():
    matcher = a_matcher(an_order(1, "SELL", 100, "STP"), an_order(2, "SELL", 100, "STP", outside_rth=True))
    assert [fill.key for fill in fills(matcher.on_trade(0, 99.0, 500, regular=False))] == [2]


# ---- times in force


def test_an_ioc_order_takes_what_is_shown_and_the_rest_is_cancelled():
    matcher = a_matcher()
    matcher.on_quote(0, 99.99, 100.0, ask_size=60)
    outcomes = matcher.submit(an_order(1, "BUY", 100, tif="IOC"), market_open=True)
    assert outcomes == [StatusChanged(1, "Submitted", ""), Filled(1, 60, 100.0), Cancelled(1, "not filled at once")]


def test_a_fok_order_is_filled_whole_or_not_at_all():
    matcher = a_matcher()
    matcher.on_quote(0, 99.99, 100.0, ask_size=60)
    assert matcher.submit(an_order(1, "BUY", 100, tif="FOK"), market_open=True)[1:] == [
        Cancelled(1, "not filled at once")
    ]
    matcher.on_quote(0, 99.99, 100.0, ask_size=100)
    assert fills(matcher.submit(an_order(2, "BUY", 100, tif="FOK"), market_open=True)) == [Filled(2, 100, 100.0)]


def test_an_ioc_order_in_a_closed_market_is_cancelled():
    outcomes = a_matcher().submit(an_order(1, "BUY", 100, tif="IOC"), market_open=False)
    assert outcomes[-1] == Cancelled(1, "not filled at once")


def test_an_ioc_child_has_its_chance_at_the_event_after_its_parents_fill():
    parent = an_order(1, "BUY", 100, transmit=False)
    matcher = a_matcher(parent, an_order(2, "SELL", 100, limit_price=100.0, parent_key=1, tif="IOC"))
    assert fills(matcher.on_quote(0, 99.99, 100.0)) == [Filled(1, 100, 100.0)]
    assert not matcher.order(2).done
    assert fills(matcher.on_quote(0, 100.0, 100.02)) == [Filled(2, 100, 100.0)]


def test_an_immediate_stop_limit_has_its_chance_at_the_event_after_its_trigger():
    matcher = a_matcher(an_order(1, "SELL", 100, "STP LMT", limit_price=99.0, tif="IOC"))
    assert matcher.on_trade(0, 100.0, 500) == [StatusChanged(1, "Submitted", "")]
    assert matcher.on_trade(0, 99.5, 40) == [Filled(1, 40, 99.0), Cancelled(1, "not filled at once")]


def test_an_all_or_none_order_waits_for_the_size():
    matcher = a_matcher(an_order(1, "BUY", 100, all_or_none=True))
    assert fills(matcher.on_quote(0, 99.98, 100.0, ask_size=99)) == []
    assert fills(matcher.on_quote(0, 99.98, 100.0, ask_size=100)) == [Filled(1, 100, 100.0)]


def test_a_gtd_order_ends_at_its_instant():
    matcher = a_matcher(an_order(1, tif="GTD", good_till=1000.0), an_order(2, tif="GTC"))
    assert matcher.on_time(999.0) == []
    assert matcher.on_time(1000.0) == [Cancelled(1, "good till date has passed")]
    assert [order.key for order in matcher.working()] == [2]


def test_an_order_does_not_work_before_its_good_after_time():
    matcher = Matcher()
    matcher.on_time(500.0)
    matcher.submit(an_order(1, good_after=1000.0), market_open=True)
    assert matcher.order(1).status == "PreSubmitted"
    assert matcher.on_quote(0, 99.0, 99.5) == []
    assert matcher.on_time(999.0) == []
    assert matcher.on_time(1000.0) == [StatusChanged(1, "Submitted", ""), Filled(1, 100, 99.5)]


def test_an_immediate_order_has_its_chance_when_its_time_comes():
    matcher = Matcher()
    matcher.on_time(500.0)
    matcher.submit(an_order(1, tif="IOC", good_after=1000.0), market_open=True)
    matcher.on_quote(0, 99.0, 99.5, ask_size=60)
    assert fills(matcher.on_time(1000.0)) == [Filled(1, 60, 99.5)]
    assert matcher.order(1).status == "Cancelled"


def test_a_child_whose_hour_comes_as_its_parent_ends_is_cancelled_with_it():
    matcher = Matcher()
    matcher.on_time(0.0)
    matcher.submit(an_order(1, tif="GTD", good_till=100.0, transmit=False), market_open=True)
    matcher.submit(an_order(2, "SELL", parent_key=1, good_after=100.0), market_open=True)
    assert [one.key for one in matcher.on_time(100.0)] == [1, 2]
    assert matcher.order(2).status == "Cancelled"


def test_a_change_after_its_hour_does_not_make_an_order_begin_again():
    matcher = Matcher()
    matcher.on_time(0.0)
    matcher.submit(an_order(1, good_after=100.0), market_open=True)
    matcher.on_time(100.0)
    matcher.modify(1, limit_price=99.0)
    assert matcher.on_time(200.0) == []


def test_an_order_whose_hour_comes_while_the_market_is_closed_is_released_by_the_first_regular_event():
    matcher = a_matcher()
    matcher.on_time(0.0)
    matcher.submit(an_order(1, limit_price=50.0, good_after=100.0), market_open=False)
    assert matcher.on_time(100.0) == [StatusChanged(1, "PreSubmitted", "")]
    assert matcher.on_quote(0, 90.0, 90.02, regular=False) == []
    assert matcher.on_quote(0, 90.0, 90.02) == [StatusChanged(1, "Submitted", "")]


def test_an_order_with_both_instants_begins_and_ends():
    matcher = Matcher()
    matcher.on_time(0.0)
    matcher.submit(an_order(1, tif="GTD", good_after=100.0, good_till=200.0), market_open=True)
    assert matcher.on_time(150.0) == [StatusChanged(1, "Submitted", "")]
    assert matcher.on_time(250.0) == [Cancelled(1, "good till date has passed")]


def test_time_does_not_run_back():
    matcher = Matcher()
    matcher.on_time(10.0)
    with pytest.raises(AssertionError, match="runs back"):
        matcher.on_time(9.0)


# ---- auctions


def test_an_opening_order_trades_in_the_opening_auction_and_nowhere_else():
    matcher = a_matcher(an_order(1, "BUY", 100, "MKT", tif="OPG"), market_open=False)
    assert fills(matcher.on_quote(0, 99.99, 100.01, regular=False)) == []
    assert fills(matcher.on_auction(0, 101.0, kind="open")) == [Filled(1, 100, 101.0)]


@pytest.mark.parametrize(("limit", "filled"), [(101.0, True), (102.0, True), (100.99, False)])
def test_a_limit_on_open_is_filled_at_the_auctions_price_or_cancelled(limit, filled):
    matcher = a_matcher(an_order(1, "BUY", 100, limit_price=limit, tif="OPG"), market_open=False)
    outcomes = matcher.on_auction(0, 101.0, kind="open")
    assert fills(outcomes) == ([Filled(1, 100, 101.0)] if filled else [])
    assert matcher.order(1).status == ("Filled" if filled else "Cancelled")


def test_at_the_close_market_orders_come_before_limits_and_what_is_left_is_cancelled():
    matcher = a_matcher(
        an_order(1, "SELL", 100, "LOC", limit_price=99.0),
        an_order(2, "SELL", 100, "MOC"),
        an_order(3, "SELL", 100, "LOC", limit_price=98.0),
    )
    outcomes = matcher.on_auction(0, 100.0, 250, kind="close")
    assert fills(outcomes) == [Filled(2, 100, 100.0), Filled(3, 100, 100.0), Filled(1, 50, 100.0)]
    assert outcomes[-1] == Cancelled(1, "not filled in the auction at the close")


def test_the_opening_auction_leaves_closing_orders_alone():
    matcher = a_matcher(an_order(1, "SELL", 100, "MOC"))
    assert matcher.on_auction(0, 100.0, kind="open") == []
    assert fills(matcher.on_trade(0, 100.0, 1000)) == []


def test_an_auction_without_a_price_cancels_what_waited_for_it():
    matcher = a_matcher(an_order(1, "SELL", 100, "MOC"))
    assert matcher.on_auction(0, math.nan, kind="close") == [Cancelled(1, "not filled in the auction at the close")]


# ---- halts, forced fills, changes


def test_while_halted_nothing_is_matched_and_the_quote_from_before_is_gone_afterwards():
    matcher = a_matcher()
    matcher.on_quote(0, 99.99, 100.01)
    matcher.halt(0)
    assert matcher.is_halted(0)
    assert fills(matcher.submit(an_order(1, "BUY", 100, "MKT"), market_open=True)) == []
    assert matcher.on_quote(0, 90.0, 91.0) == matcher.on_trade(0, 90.0, 500) == []
    matcher.resume(0)
    assert fills(matcher.submit(an_order(2, "BUY", 100, "MKT"), market_open=True)) == []
    assert [fill.key for fill in fills(matcher.on_quote(0, 94.0, 95.0))] == [1, 2]


def test_a_forced_fill_does_not_tell_the_oca_group():
    matcher = a_matcher(
        an_order(1, "SELL", 100, limit_price=110.0, oca_group="g", oca_type=1),
        an_order(2, "SELL", 100, "STP", stop_price=90.0, oca_group="g", oca_type=1),
    )
    assert matcher.force_fill(1, 100, 110.0) == [Filled(1, 100, 110.0)]
    assert matcher.force_fill(2, 100, 90.0) == [Filled(2, 100, 90.0)]


def test_more_than_what_remains_cannot_be_forced():
    matcher = a_matcher(an_order(1))
    with pytest.raises(ValueError, match="101 of 100"):
        matcher.force_fill(1, 101, 100.0)


def test_the_trail_of_a_working_order_can_be_changed():
    matcher = a_matcher(an_order(1, "SELL", 100, "TRAIL"))
    matcher.on_trade(0, 100.0, 100)
    assert matcher.modify(1, trail_amount=0.5) == [StatusChanged(1, "PreSubmitted", "trigger")]
    assert trails(matcher.on_trade(0, 100.0, 100)) == [Trailed(1, 99.5, None)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"order_type": "TRAIL", "trail_amount": None}, "trail_amount or trail_percent None"),
        ({"order_type": "TRAIL", "stop_price": -1.0}, "stop_price -1.0"),
        ({"order_type": "TRAIL LIMIT", "limit_offset": None}, "needs limit_offset"),
        ({"order_type": "MIT", "stop_price": None}, "stop_price None"),
        ({"order_type": "LOC", "limit_price": math.nan}, "limit_price nan"),
    ],
)
def test_an_order_that_could_not_work_is_refused_with_its_reason(changes, said):
    with pytest.raises(ValueError, match=said):
        Matcher().submit(an_order(1, "SELL", 100, **changes), market_open=True)
