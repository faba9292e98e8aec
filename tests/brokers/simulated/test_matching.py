"""What fills our orders when the market comes as quotes and trades."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.simulated.matching import Cancelled, Filled, Matcher, StatusChanged
from tests.brokers.simulated.builders import a_matcher, an_order, fills

NAN = math.nan


def a_bracket(quantity=100, entry="LMT", **changes):
    """Entry at 100, stop at 95, target at 110, keys 1, 2, 3; only the last leg transmits."""
    return (
        an_order(1, "BUY", quantity, entry, transmit=False),
        an_order(2, "SELL", quantity, "STP", stop_price=95.0, parent_key=1, transmit=False, **changes),
        an_order(3, "SELL", quantity, "LMT", limit_price=110.0, parent_key=1, **changes),
    )


# ---- quotes


@pytest.mark.parametrize(("side", "price"), [("BUY", 10.02), ("SELL", 10.00)])
def test_a_market_order_is_filled_at_the_other_side_of_the_quote(side, price):
    matcher = a_matcher(an_order(1, side, 100, "MKT"))
    assert matcher.on_quote(0, 10.00, 10.02) == [Filled(1, 100, price)]
    assert matcher.order(1).status == "Filled"
    assert matcher.order(1).average_price == price


def test_an_order_that_arrives_in_an_open_market_meets_the_standing_quote_at_once():
    matcher = a_matcher()
    matcher.on_quote(0, 10.00, 10.02)
    outcomes = matcher.submit(an_order(1, "BUY", 100, "MKT"), market_open=True)
    assert outcomes == [StatusChanged(1, "Submitted", ""), Filled(1, 100, 10.02)]


@pytest.mark.parametrize(
    ("side", "limit", "bid", "ask", "expected"),
    [
        ("BUY", 10.02, 10.00, 10.02, [Filled(1, 100, 10.02)]),
        ("BUY", 10.05, 10.00, 10.02, [Filled(1, 100, 10.02)]),
        ("BUY", 10.01, 10.00, 10.02, []),
        ("SELL", 10.00, 10.00, 10.02, [Filled(1, 100, 10.00)]),
        ("SELL", 9.90, 10.00, 10.02, [Filled(1, 100, 10.00)]),
        ("SELL", 10.01, 10.00, 10.02, []),
    ],
)
def test_a_limit_is_filled_at_the_quote_when_the_quote_reaches_it(side, limit, bid, ask, expected):
    matcher = a_matcher(an_order(1, side, limit_price=limit))
    assert matcher.on_quote(0, bid, ask) == expected


def test_the_shown_size_of_a_quote_is_shared_by_all_our_orders_until_the_next_quote():
    matcher = a_matcher(an_order(1, "BUY", 100, "MKT"), an_order(2, "BUY", 100, "MKT"))
    assert matcher.on_quote(0, 10.0, 10.02, bid_size=150, ask_size=150) == [Filled(1, 100, 10.02), Filled(2, 50, 10.02)]
    assert fills(matcher.submit(an_order(3, "BUY", 100, "MKT"), market_open=True)) == []
    assert matcher.on_quote(0, 10.0, 10.03, bid_size=50, ask_size=50) == [Filled(2, 50, 10.03)]
    assert matcher.order(2).average_price == pytest.approx(10.025)


def test_at_a_quote_market_orders_come_first_then_the_better_price_then_the_older_order():
    matcher = a_matcher(
        an_order(1, "SELL", 100, limit_price=99.0),
        an_order(2, "SELL", 100, limit_price=99.0),
        an_order(3, "SELL", 100, limit_price=98.0),
        an_order(4, "SELL", 100, "MKT"),
    )
    outcomes = matcher.on_quote(0, 99.5, 99.52, bid_size=250)
    assert outcomes == [Filled(4, 100, 99.5), Filled(3, 100, 99.5), Filled(1, 50, 99.5)]


def test_the_size_taken_from_the_bid_does_not_lessen_the_ask():
    matcher = a_matcher(an_order(1, "SELL", 100, "MKT"), an_order(2, "BUY", 100, "MKT"))
    assert matcher.on_quote(0, 10.0, 10.02, bid_size=100, ask_size=100) == [Filled(1, 100, 10.0), Filled(2, 100, 10.02)]


@pytest.mark.parametrize("bad", [NAN, 0.0, -1.0, math.inf])
def test_a_quote_side_that_is_no_price_never_fills(bad):
    matcher = a_matcher(an_order(1, "BUY", 100, "MKT"), an_order(2, "SELL", 100, "MKT"))
    assert matcher.on_quote(0, bad, bad) == []


def test_a_crossed_quote_is_no_quote():
    matcher = a_matcher(an_order(1, "BUY", 100, "MKT"))
    assert matcher.on_quote(0, 10.05, 10.02) == []


def test_another_instruments_quote_fills_nothing():
    matcher = a_matcher(an_order(1, "BUY", 100, "MKT"))
    assert matcher.on_quote(1, 10.0, 10.02) == []
    assert matcher.on_trade(1, 10.0, 100) == []


# ---- trades


@pytest.mark.parametrize("price", [100.0, 99.5])
def test_a_resting_limit_is_filled_at_its_own_price_by_a_trade_at_or_through_it(price):
    matcher = a_matcher(an_order(1, "BUY", 100))
    assert matcher.on_trade(0, price, 500) == [Filled(1, 100, 100.0)]


def test_a_trade_short_of_the_limit_fills_nothing():
    matcher = a_matcher(an_order(1, "SELL", 100, limit_price=100.0))
    assert matcher.on_trade(0, 99.99, 500) == []


@pytest.mark.parametrize(
    ("side", "trade", "bid", "ask", "price"),
    [
        ("SELL", 99.0, 98.9, 98.95, 98.9),  # the bid is worse than the trade
        ("SELL", 99.0, 99.2, 99.3, 99.0),  # never better than the trade
        ("BUY", 101.0, 101.0, 101.1, 101.1),
        ("BUY", 101.0, 100.8, 100.9, 101.0),
        ("SELL", 99.0, NAN, NAN, 99.0),
    ],
)
def test_a_stop_is_filled_at_the_worse_of_trade_and_quote(side, trade, bid, ask, price):
    matcher = a_matcher(an_order(1, side, 100, "STP"))
    matcher.on_quote(0, bid, ask)
    assert matcher.on_trade(0, trade, 500) == [StatusChanged(1, "Submitted", ""), Filled(1, 100, price)]


def test_a_quote_beyond_the_stop_does_not_trigger_it():
    matcher = a_matcher(an_order(1, "SELL", 100, "STP"))
    assert matcher.on_quote(0, 90.0, 90.02) == []
    assert not matcher.order(1).triggered


def test_what_is_left_of_a_triggered_stop_is_a_market_order():
    matcher = a_matcher(an_order(1, "SELL", 100, "STP"))
    assert fills(matcher.on_trade(0, 99.0, 30)) == [Filled(1, 30, 99.0)]
    assert matcher.on_quote(0, 97.0, 97.1) == [Filled(1, 70, 97.0)]


def test_a_stop_limit_becomes_a_limit_that_works_from_the_next_event_on():
    matcher = a_matcher(an_order(1, "SELL", 100, "STP LMT", limit_price=99.5))
    assert matcher.on_trade(0, 99.8, 500) == [StatusChanged(1, "Submitted", "")]
    assert matcher.on_trade(0, 99.4, 500) == []
    assert matcher.on_trade(0, 99.6, 500) == [Filled(1, 100, 99.5)]


def test_we_get_the_participation_share_of_a_trade_in_whole_shares():
    matcher = a_matcher(an_order(1, "BUY", 100), participation=0.1)
    assert matcher.on_trade(0, 100.0, 255) == [Filled(1, 25, 100.0)]
    assert matcher.order(1).status == "Submitted"
    assert matcher.on_trade(0, 100.0, 9) == []


def test_without_a_participation_limit_the_size_of_the_trade_does_not_matter():
    matcher = a_matcher(an_order(1, "BUY", 100), participation=None)
    assert matcher.on_trade(0, 100.0, 1) == [Filled(1, 100, 100.0)]


@pytest.mark.parametrize("participation", [0.0, -1.0, NAN])
def test_a_participation_that_is_not_positive_is_refused(participation):
    with pytest.raises(ValueError, match="participation"):
        Matcher(participation=participation)


@pytest.mark.parametrize(("price", "size"), [(NAN, 100), (0.0, 100), (-1.0, 100), (99.0, 0), (99.0, NAN)])
def test_a_trade_that_is_none_changes_nothing(price, size):
    matcher = a_matcher(an_order(1, "BUY", 100), an_order(2, "SELL", 100, "STP"))
    assert matcher.on_trade(0, price, size) == []


def test_the_better_price_comes_first_then_the_older_order():
    matcher = a_matcher(
        an_order(1, "BUY", 100, limit_price=100.0),
        an_order(2, "BUY", 100, limit_price=100.0),
        an_order(3, "BUY", 100, limit_price=100.5),
    )
    assert matcher.on_trade(0, 100.0, 150) == [Filled(3, 100, 100.5), Filled(1, 50, 100.0)]


def test_a_triggered_stop_comes_before_limits():
    matcher = a_matcher(an_order(1, "BUY", 100, limit_price=101.0), an_order(2, "SELL", 100, "STP"))
    assert fills(matcher.on_trade(0, 99.0, 100)) == [Filled(2, 100, 99.0)]


# ---- hours


def test_a_market_order_is_held_while_the_market_is_closed_and_released_by_the_first_regular_event():
    matcher = a_matcher(an_order(1, "BUY", 100, "MKT"), market_open=False)
    assert matcher.order(1).status == "PreSubmitted"
    assert matcher.on_quote(0, 10.0, 10.02, regular=False) == []
    assert matcher.on_quote(0, 10.0, 10.02) == [StatusChanged(1, "Submitted", ""), Filled(1, 100, 10.02)]


def test_outside_regular_hours_only_orders_that_ask_for_it_are_filled():
    matcher = a_matcher(an_order(1, "BUY", 100), an_order(2, "BUY", 100, outside_rth=True), market_open=False)
    assert matcher.order(2).status == "Submitted"
    assert matcher.on_trade(0, 99.0, 500, regular=False) == [Filled(2, 100, 100.0)]


def test_a_stop_is_not_triggered_outside_regular_hours():
    matcher = a_matcher(an_order(1, "SELL", 100, "STP"))
    assert matcher.on_trade(0, 50.0, 500, regular=False) == []


def test_at_the_close_day_orders_go_and_lasting_ones_stay_and_no_quote_stands():
    matcher = a_matcher(an_order(1), an_order(2, tif="GTC"), an_order(3, tif="GTD"))
    matcher.on_quote(0, 101.0, 101.02)
    assert matcher.on_close() == [Cancelled(1, "end of session")]
    assert [order.key for order in matcher.working()] == [2, 3]
    assert fills(matcher.submit(an_order(4, "BUY", 100, "MKT"), market_open=True)) == []


# ---- modify and cancel


def test_a_modified_limit_meets_the_standing_quote():
    matcher = a_matcher(an_order(1))
    matcher.on_quote(0, 100.5, 100.52)
    assert matcher.modify(1, limit_price=101.0) == [
        StatusChanged(1, "Submitted", ""),
        Filled(1, 100, 100.52),
    ]


def test_a_new_price_or_a_larger_quantity_loses_the_place_in_the_line_a_smaller_quantity_keeps_it():
    matcher = a_matcher(an_order(1), an_order(2), an_order(3))
    matcher.modify(1, quantity=90)
    assert [order.key for order in matcher.working()] == [1, 2, 3]
    matcher.modify(1, quantity=120)
    matcher.modify(2, limit_price=99.0)
    assert [order.key for order in matcher.working()] == [3, 1, 2]


def test_a_stop_can_be_moved():
    matcher = a_matcher(an_order(1, "SELL", 100, "STP"))
    matcher.modify(1, stop_price=98.0)
    assert matcher.on_trade(0, 99.0, 500) == []
    assert fills(matcher.on_trade(0, 98.0, 500)) == [Filled(1, 100, 98.0)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"quantity": 40}, "quantity 40 is not above the filled 40"),
        ({"quantity": NAN}, "quantity nan"),
        ({"limit_price": 0.0}, "limit_price 0.0 is not a positive number"),
        ({"limit_price": 99.0, "stop_price": -1.0}, "stop_price -1.0 is not a positive number"),
    ],
)
def test_a_refused_modify_leaves_the_order_as_it_was(change, reason):
    matcher = a_matcher(an_order(1))
    matcher.on_trade(0, 100.0, 40)
    assert reason in matcher.modify_refusal(1, **change)
    assert matcher.modify(1, **change) == []
    assert matcher.order(1) == an_order(1, filled=40, average_price=100.0, status="Submitted")


def test_a_filled_order_can_be_neither_modified_nor_cancelled():
    matcher = a_matcher(an_order(1))
    matcher.on_trade(0, 100.0, 100)
    assert matcher.modify_refusal(1) == "order 1 is Filled"
    assert matcher.modify(1, limit_price=50.0) == []
    assert matcher.cancel(1) == []
    assert matcher.order(1).limit_price == 100.0


def test_an_unknown_order_is_a_key_error():
    matcher = Matcher()
    with pytest.raises(KeyError):
        matcher.cancel(9)
    with pytest.raises(KeyError):
        matcher.modify(9, quantity=1)
    with pytest.raises(KeyError):
        matcher.submit(an_order(2, parent_key=9), market_open=True)


@pytest.mark.parametrize(
    "wrong",
    [
        an_order(1),
        an_order(2, quantity=0),
        an_order(2, quantity=NAN),
        an_order(2, limit_price=None),
        an_order(2, order_type="STP", stop_price=-5.0),
        an_order(2, order_type="STP", trigger_method=5),
    ],
)
def test_an_order_that_cannot_be_is_refused_and_leaves_no_trace(wrong):
    matcher = a_matcher(an_order(1))
    with pytest.raises(ValueError, match=f"order {wrong.key}"):
        matcher.submit(wrong, market_open=True)
    assert [order.key for order in matcher.working()] == [1]


# ---- properties

_events = st.lists(
    st.tuples(st.sampled_from([90.0, 94.0, 95.0, 98.0, 100.0, 105.0, 110.0, 112.0]), st.integers(1, 150)),
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(_events, st.sampled_from([1, 2, 3]), st.integers(0, 30))
def test_children_together_never_fill_more_than_the_parent_and_nobody_more_than_asked(events, kind, cancel_after):
    matcher = a_matcher(*a_bracket(oca_type=kind))
    for number, (price, size) in enumerate(events):
        if number == cancel_after:
            matcher.cancel(1)
        matcher.on_trade(0, price, size)
        entry, stop, target = (matcher.order(key) for key in (1, 2, 3))
        assert stop.filled + target.filled <= entry.filled <= entry.quantity
        assert all(order.filled <= order.quantity for order in (stop, target))


@settings(max_examples=150, deadline=None)
@given(_events, st.lists(st.sampled_from([94.0, 98.0, 100.0, 105.0]), min_size=2, max_size=4))
def test_a_reducing_group_never_fills_more_than_one_of_its_orders_asked(events, limits):
    orders = [an_order(key, limit_price=limit, oca_group="g", oca_type=2) for key, limit in enumerate(limits, 1)]
    matcher = a_matcher(*orders)
    for price, size in events:
        matcher.on_trade(0, price, size)
    assert sum(order.filled for order in orders) <= 100
