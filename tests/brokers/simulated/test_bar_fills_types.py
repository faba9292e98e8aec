"""The written bar rules for trailing stops, if-touched orders, auctions and times in force, by hand."""

import pytest

from brokers.simulated.bar_fills import BarMatcher
from brokers.simulated.matching import Cancelled, Filled, Trailed
from shared.market import Bar
from tests.brokers.simulated.builders import an_order, fills, trails


def a_bar(open_, high, low, close, volume=1e6):
    return Bar(open_, high, low, close, volume)


def a_matcher(*orders, **options):
    matcher = BarMatcher(**options)
    for order in orders:
        matcher.submit(order, at=0.0)
    return matcher


def test_a_trailing_stop_follows_a_bar_only_when_it_is_over():
    matcher = a_matcher(an_order(1, "SELL", 100, "TRAIL", stop_price=99.0))
    outcomes = matcher.on_bar(0, a_bar(100.0, 105.0, 99.5, 100.0), 60.0)
    assert outcomes == [Trailed(1, 104.0, None)]
    assert fills(matcher.on_bar(0, a_bar(103.0, 103.5, 102.0, 103.0), 120.0)) == [Filled(1, 100, 103.0)]


def test_a_trailing_stop_without_a_price_begins_at_its_first_bars_open():
    matcher = a_matcher(an_order(1, "SELL", 100, "TRAIL"))
    assert fills(matcher.on_bar(0, a_bar(100.0, 100.2, 98.5, 98.6), 60.0)) == [Filled(1, 100, 99.0)]


def test_a_trailing_child_follows_its_entry_bar_only_to_the_close():
    parent = an_order(1, "BUY", 100, "MKT", transmit=False)
    matcher = a_matcher(parent, an_order(2, "SELL", 100, "TRAIL", parent_key=1))
    outcomes = matcher.on_bar(0, a_bar(100.0, 110.0, 99.5, 103.0), 60.0)
    assert trails(outcomes) == [Trailed(2, 102.0, None)]


def test_a_trailing_limit_is_a_limit_from_the_bar_after_its_trigger():
    matcher = a_matcher(an_order(1, "SELL", 100, "TRAIL LIMIT", stop_price=99.0, limit_price=98.75))
    assert fills(matcher.on_bar(0, a_bar(100.0, 100.5, 98.9, 99.0), 60.0)) == []
    assert fills(matcher.on_bar(0, a_bar(98.8, 99.2, 98.8, 99.0), 120.0)) == [Filled(1, 100, 98.8)]


@pytest.mark.parametrize(
    ("side", "bar", "price"),
    [
        ("BUY", a_bar(101.0, 101.5, 100.0, 101.0), 100.0),
        ("BUY", a_bar(99.0, 101.5, 98.0, 101.0), 99.0),
        ("SELL", a_bar(99.0, 100.0, 98.0, 99.0), 100.0),
        ("SELL", a_bar(101.0, 102.0, 100.5, 101.0), 101.0),
    ],
)
def test_a_market_if_touched_order_gets_its_trigger_or_a_better_open(side, bar, price):
    matcher = a_matcher(an_order(1, side, 100, "MIT"))
    assert fills(matcher.on_bar(0, bar, 60.0)) == [Filled(1, 100, price)]


def test_a_market_if_touched_order_that_is_not_touched_waits():
    matcher = a_matcher(an_order(1, "BUY", 100, "MIT"))
    assert matcher.on_bar(0, a_bar(101.0, 102.0, 100.01, 101.0), 60.0) == []


def test_a_limit_if_touched_order_is_a_limit_from_the_next_bar_on():
    matcher = a_matcher(an_order(1, "SELL", 100, "LIT", stop_price=101.0, limit_price=100.5))
    assert fills(matcher.on_bar(0, a_bar(100.0, 101.0, 99.0, 100.9), 60.0)) == []
    assert fills(matcher.on_bar(0, a_bar(100.8, 100.9, 100.0, 100.1), 120.0)) == [Filled(1, 100, 100.8)]


def test_closing_orders_trade_at_the_last_bars_close_and_limits_only_beyond_their_price():
    matcher = a_matcher(
        an_order(1, "SELL", 100, "MOC"),
        an_order(2, "SELL", 100, "LOC", limit_price=100.0),
        an_order(3, "SELL", 100, "LOC", limit_price=99.9),
    )
    assert matcher.on_bar(0, a_bar(100.0, 101.0, 99.0, 100.0), 60.0) == []
    outcomes = matcher.on_bar(0, a_bar(100.0, 101.0, 99.0, 100.0), 120.0, session="last")
    assert fills(outcomes) == [Filled(1, 100, 100.0), Filled(3, 100, 100.0)]
    assert Cancelled(2, "not filled in the auction at the close") in outcomes


def test_opening_orders_trade_at_the_first_bars_open_and_nowhere_else():
    matcher = a_matcher(an_order(1, "BUY", 100, "MKT", tif="OPG"), slippage_bps=10)
    outcomes = matcher.on_bar(0, a_bar(100.0, 101.0, 99.0, 100.0), 60.0, session="first")
    (fill,) = fills(outcomes)
    assert (fill.key, fill.quantity, fill.price) == (1, 100, pytest.approx(100.1))
    late = a_matcher(an_order(1, "BUY", 100, "MKT", tif="OPG"))
    assert late.on_bar(0, a_bar(100.0, 101.0, 99.0, 100.0), 60.0) == []


def test_an_immediate_order_has_the_first_newer_open_and_then_ends():
    matcher = a_matcher(an_order(1, "BUY", 100, tif="IOC"), participation=1.0)
    outcomes = matcher.on_bar(0, a_bar(99.0, 101.0, 98.0, 100.0, volume=60), 60.0)
    assert outcomes == [Filled(1, 60, 99.0), Cancelled(1, "not filled at once")]


def test_a_fill_or_kill_order_is_not_filled_in_part():
    matcher = a_matcher(an_order(1, "BUY", 100, tif="FOK"), participation=1.0)
    assert matcher.on_bar(0, a_bar(99.0, 101.0, 98.0, 100.0, volume=60), 60.0) == [Cancelled(1, "not filled at once")]


def test_an_order_before_its_good_after_time_sees_no_bar():
    matcher = a_matcher(an_order(1, "BUY", 100, "MKT", good_after=100.0))
    matcher.on_time(60.0)
    assert matcher.on_bar(0, a_bar(99.0, 101.0, 98.0, 100.0), 60.0) == []
    matcher.on_time(120.0)
    assert fills(matcher.on_bar(0, a_bar(99.0, 101.0, 98.0, 100.0), 180.0)) == [Filled(1, 100, 99.0)]
