"""Stops and targets, worked by hand: on tick, on the right side, or no entry."""

import math
from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from risk.exits import stop_and_target
from shared.market import Instrument
from shared.orders import Side

BUY, SELL = Side
CENTS = Instrument(symbol="SPY")
NICKELS = Instrument(symbol="ES", tick=0.25)


class Rule(Struct, frozen=True):
    method: Literal["percent", "atr"]
    stop: float
    target: float


def percent(side: Side, price: float, stop: float, target: float, instrument: Instrument = CENTS):
    policy = Rule("percent", stop, target)
    return stop_and_target(side=side, price=price, policy=policy, atr=None, instrument=instrument)


def by_atr(side: Side, price: float, atr: float | None, instrument: Instrument = CENTS):
    return stop_and_target(side=side, price=price, policy=Rule("atr", 2.0, 3.0), atr=atr, instrument=instrument)


def test_percent_exits_of_a_long_and_a_short():
    assert percent(BUY, 200.0, 1.0, 2.0) == (198.0, 204.0)
    assert percent(SELL, 200.0, 1.0, 2.0) == (202.0, 196.0)


def test_atr_exits_of_a_long_and_a_short():
    assert by_atr(BUY, 100.0, 1.5) == (97.0, 104.5)
    assert by_atr(SELL, 100.0, 1.5) == (103.0, 95.5)


def test_a_target_of_zero_is_no_target():
    assert percent(BUY, 200.0, 1.0, 0.0) == (198.0, None)


def test_prices_are_rounded_to_the_nearest_tick():
    # 1 % of 33.33 is 0.3333: 32.9967 and 33.6633
    assert percent(BUY, 33.33, 1.0, 1.0) == (33.0, 33.66)
    assert percent(BUY, 4_001.0, 0.1, 0.1, NICKELS) == (3_997.0, 4_005.0)


def test_a_stop_is_at_least_one_tick_from_the_entry():
    # 0.01 % of 5.00 is a twentieth of a cent
    assert percent(BUY, 5.0, 0.01, 0.01) == (4.99, 5.01)
    assert percent(SELL, 5.0, 0.01, 0.01) == (5.01, 4.99)


def test_an_entry_between_two_ticks_gets_its_stop_beyond_the_next_one():
    # one tick below 5.006 is 4.996: the nearest tick, 5.00, is only 0.6 ticks away
    assert percent(BUY, 5.006, 0.01, 0.01) == (4.99, 5.02)
    assert percent(SELL, 5.004, 0.01, 0.01) == (5.02, 4.99)


def test_no_room_for_a_stop_above_zero_is_no_entry():
    assert percent(BUY, 0.01, 1.0, 2.0) is None
    assert by_atr(BUY, 3.0, 1.5) is None


def test_a_short_whose_target_is_below_zero_has_none():
    assert by_atr(SELL, 4.0, 1.5) == (7.0, None)


@pytest.mark.parametrize("price", [0.0, -1.0, math.nan, math.inf])
def test_no_price_is_no_entry(price):
    assert percent(BUY, price, 1.0, 2.0) is None


@pytest.mark.parametrize("atr", [None, 0.0, -1.0, math.nan, math.inf])
def test_no_range_is_no_entry(atr):
    assert by_atr(BUY, 100.0, atr) is None


@pytest.mark.parametrize("stop", [0.0, -1.0, math.nan])
def test_an_entry_without_a_stop_does_not_exist(stop):
    assert percent(BUY, 100.0, stop, 2.0) is None


@given(
    st.sampled_from(Side),
    st.floats(0.01, 100_000),
    st.floats(0.001, 50),
    st.floats(0.001, 200),
    st.sampled_from([CENTS, NICKELS, Instrument(symbol="X", tick=0.0001)]),
)
def test_stop_and_target_are_on_tick_and_on_their_sides(side, price, stop_pct, target_pct, instrument):
    found = percent(side, price, stop_pct, target_pct, instrument)
    if found is None:
        assert side is BUY
        assert price * (1 - stop_pct / 100) < 1.5 * instrument.tick or price < 2.5 * instrument.tick
        return
    stop, target = found
    tick = Decimal(str(instrument.tick))
    one = instrument.tick * (1 - 1e-6)
    assert stop > 0
    assert Decimal(str(stop)) % tick == 0
    assert side.sign * (price - stop) >= one
    if target is not None:
        assert target > 0
        assert Decimal(str(target)) % tick == 0
        assert side.sign * (target - price) >= one
