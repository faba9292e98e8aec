"""The written bar rules for trailing stops, if-touched orders, auctions and times in force, by hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.simulated.bar_fills import BarMatcher
from brokers.simulated.matching import Cancelled, Filled, StatusChanged, Trailed
from brokers.simulated.touch_levels import TouchLevels
from shared.market import Bar
from tests.backtest.builders import a_row
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


def test_an_immediate_stop_limit_that_triggers_inside_a_bar_has_the_next_open():
    order = an_order(1, "SELL", 100, "STP LMT", stop_price=99.5, limit_price=99.0, tif="IOC")
    matcher = a_matcher(order)
    assert fills(matcher.on_bar(0, a_bar(100.0, 100.0, 98.0, 98.5), 60.0)) == []
    assert fills(matcher.on_bar(0, a_bar(99.2, 99.2, 98.0, 98.5), 120.0)) == [Filled(1, 100, 99.2)]


def test_an_immediate_limit_if_touched_that_triggers_at_an_open_has_the_next_one():
    matcher = a_matcher(an_order(1, "SELL", 100, "LIT", stop_price=100.0, limit_price=99.0, tif="IOC"))
    assert matcher.on_bar(0, a_bar(100.0, 100.0, 99.5, 99.6), 60.0) == [StatusChanged(1, "Submitted", "")]
    assert fills(matcher.on_bar(0, a_bar(99.2, 99.2, 98.0, 98.5), 120.0)) == [Filled(1, 100, 99.2)]


def test_a_trailing_stop_that_the_bar_does_not_pull_stays_silent():
    matcher = a_matcher(an_order(1, "SELL", 100, "TRAIL", stop_price=99.0))
    assert matcher.on_bar(0, a_bar(99.5, 99.9, 99.2, 99.4), 60.0) == []


def test_a_good_after_order_sees_only_bars_that_begin_at_its_instant_or_later():
    matcher = a_matcher(an_order(1, "BUY", 100, "MKT", good_after=100.0))
    bar = a_bar(99.0, 101.0, 98.0, 100.0)
    assert matcher.on_bar(0, bar, 60.0) == []
    assert matcher.on_bar(0, bar, 120.0) == []  # began at 60, before the instant
    assert matcher.on_bar(0, bar, 180.0) == [StatusChanged(1, "Submitted", ""), Filled(1, 100, 99.0)]


def test_a_gtd_order_sees_no_bar_that_closes_after_its_instant():
    matcher = a_matcher(*(an_order(key, "BUY", 100, tif="GTD", good_till=120.0) for key in (1, 2)))
    assert fills(matcher.on_bar(0, a_bar(100.1, 100.2, 99.0, 100.0, volume=100), 120.0)) == [Filled(1, 100, 100.0)]
    assert matcher.on_bar(0, a_bar(99.0, 99.0, 98.0, 98.0), 180.0) == [Cancelled(2, "good till date has passed")]


def test_a_gtd_order_that_ends_inside_a_bar_is_not_filled_by_it():
    matcher = a_matcher(an_order(1, "BUY", 100, tif="GTD", good_till=90.0))
    assert matcher.on_bar(0, a_bar(99.0, 99.0, 98.0, 98.0), 120.0) == [Cancelled(1, "good till date has passed")]


def test_a_row_can_be_the_last_of_its_session():
    matcher = a_matcher(an_order(1, "SELL", 100, "MOC"))
    row = a_row((100.0, 101.0, 99.0, 100.5))
    assert matcher.on_row(row, 60.0) == []
    assert matcher.on_row(row, 120.0, session="last") == [Filled(1, 100, 100.5)]


# ---- which bars can touch anything

KINDS = ["MKT", "LMT", "STP", "STP LMT", "TRAIL", "TRAIL LIMIT", "MIT", "LIT", "MOC", "LOC"]
PRICES = st.integers(95, 105).map(float)
BARS = st.lists(PRICES, min_size=4, max_size=4).map(lambda four: (four[0], max(four), min(four), four[3]))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["BUY", "SELL"]), st.sampled_from(KINDS), PRICES, PRICES), max_size=6),
    BARS,
    st.sampled_from(["", "first", "last"]),
)
def test_a_bar_that_touches_no_level_does_nothing_to_any_type(wanted, bar, session):
    matcher, levels = BarMatcher(), TouchLevels(1)
    for key, (side, kind, limit, stop) in enumerate(wanted, 1):
        given_stop = None if kind in {"TRAIL", "TRAIL LIMIT"} else stop
        matcher.submit(an_order(key, side, 100, kind, limit_price=limit, stop_price=given_stop), at=0.0)
    levels.refresh({0}, matcher.working())
    row = a_row(bar)
    touched = levels.touched(row)
    assert touched == [0] or matcher.on_row(row, 60.0, session=session) == []
