import math
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.simulated.bar_fills import BarMatcher
from brokers.simulated.sim_order import SimOrder
from brokers.simulated.touch_levels import TouchLevels
from tests.backtest.builders import a_row, flat

PRICES = st.integers(95, 105).map(float)


@st.composite
def orders(draw, key):
    order_type: Literal["MKT", "LMT", "STP"] = draw(st.sampled_from(["MKT", "LMT", "STP"]))
    price = draw(PRICES)
    return SimOrder(
        key=key,
        instrument=draw(st.integers(0, 2)),
        side=draw(st.sampled_from(["BUY", "SELL"])),
        quantity=10,
        order_type=order_type,
        limit_price=price if order_type == "LMT" else None,
        stop_price=price if order_type == "STP" else None,
    )


@st.composite
def bars(draw):
    opened, closed, up, down = draw(st.tuples(PRICES, PRICES, st.integers(0, 3), st.integers(0, 3)))
    return opened, max(opened, closed) + up, min(opened, closed) - down, closed


def a_resting(side, order_type, price=None):
    return SimOrder(
        key=1,
        instrument=0,
        side=side,
        quantity=10,
        order_type=order_type,
        limit_price=price if order_type == "LMT" else None,
        stop_price=price if order_type == "STP" else None,
    )


@pytest.mark.parametrize(
    ("order", "reached", "missed"),
    [
        (a_resting("SELL", "STP", 99.0), 99.0, 99.5),
        (a_resting("BUY", "LMT", 99.0), 98.5, 99.5),
        (a_resting("BUY", "STP", 101.0), 101.0, 100.5),
        (a_resting("SELL", "LMT", 101.0), 101.5, 100.5),
        (a_resting("BUY", "MKT"), 100.0, math.nan),
    ],
)
def test_an_instrument_is_touched_when_the_bar_reaches_what_waits(order, reached, missed):
    levels = TouchLevels(1)
    levels.refresh({0}, [order])
    assert levels.touched(a_row(flat(reached))) == [0]
    assert levels.touched(a_row(flat(missed))) == []


def test_an_instrument_whose_orders_are_gone_is_not_touched():
    levels = TouchLevels(1)
    levels.refresh({0}, [a_resting("BUY", "MKT")])
    levels.refresh({0}, [])
    assert levels.touched(a_row(flat(100.0))) == []


@given(st.tuples(*(orders(key) for key in range(1, 7))), st.tuples(bars(), bars(), bars()))
def test_what_is_not_touched_would_not_have_been_filled(placed, row):
    levels, matcher = TouchLevels(3), BarMatcher()
    levels.refresh({0, 1, 2}, placed)
    for order in placed:
        matcher.submit(order)
    touched = levels.touched(a_row(*row))
    matcher.on_row(a_row(*row), 1.0)
    filled = {order.instrument for order in placed if order.filled > 0}
    assert filled <= set(touched)
