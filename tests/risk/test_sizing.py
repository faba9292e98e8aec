"""Shares from convictions, worked by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.allocation import capital_behind
from risk.sizing import atr_sized, fixed_fraction

NOTHING = (None, math.nan, math.inf, 0.0, -1.0)
FIXED = {"equity": 100_000.0, "allocation": 0.5, "fraction": 0.1, "conviction": 1.0, "price": 100.0}
BY_ATR = {
    "equity": 100_000.0,
    "allocation": 0.5,
    "risk_fraction": 0.01,
    "atr": 2.0,
    "atr_multiple": 2.0,
    "conviction": 1.0,
    "price": 100.0,
}


def test_the_capital_behind_half_a_conviction_is_half_the_share():
    assert capital_behind(100_000.0, 0.5, -0.5) == 25_000.0


def test_no_conviction_is_more_than_full():
    assert capital_behind(100_000.0, 0.5, 3.0) == 50_000.0


@pytest.mark.parametrize("equity", NOTHING)
def test_no_equity_is_no_capital(equity):
    assert capital_behind(equity, 0.5, 1.0) == 0.0


@pytest.mark.parametrize("conviction", [math.nan, math.inf, -math.inf, 0.0])
def test_no_conviction_is_no_capital(conviction):
    assert capital_behind(100_000.0, 0.5, conviction) == 0.0


def test_two_wrong_signs_do_not_make_a_right_one():
    assert capital_behind(-100_000.0, -0.5, 1.0) == 0.0


def test_a_tenth_of_fifty_thousand_buys_fifty_shares_at_a_hundred():
    assert fixed_fraction(**FIXED) == 50


def test_part_shares_are_dropped_toward_zero_on_both_sides():
    # 5,000 / 101 = 49.504...
    assert fixed_fraction(**(FIXED | {"price": 101.0})) == 49
    assert fixed_fraction(**(FIXED | {"price": 101.0, "conviction": -1.0})) == -49


def test_a_fit_that_is_exact_in_decimals_is_not_lost_to_binary_dust():
    # 0.29 of 50,000 at 2.90 a share is 5,000 shares; 50_000 * 0.29 / 2.9 is 4999.999999999999 in binary.
    dusty = {"equity": 50_000.0, "allocation": 1.0, "fraction": 0.29, "conviction": 1.0, "price": 2.9}
    assert fixed_fraction(**dusty) == 5_000


@pytest.mark.parametrize("price", NOTHING)
def test_no_price_is_no_size(price):
    assert fixed_fraction(**(FIXED | {"price": price})) == 0
    assert atr_sized(**(BY_ATR | {"price": price})) == 0


@pytest.mark.parametrize("fraction", NOTHING[1:])
def test_no_fraction_is_no_size(fraction):
    assert fixed_fraction(**(FIXED | {"fraction": fraction})) == 0
    assert atr_sized(**(BY_ATR | {"risk_fraction": fraction})) == 0


def test_a_turtle_unit():
    # 1 % of 50,000 is 500; two ATRs of 2.00 lose 4.00 a share: 125 shares.
    assert atr_sized(**BY_ATR) == 125
    assert atr_sized(**(BY_ATR | {"conviction": -0.5})) == -62


def test_a_quiet_market_does_not_lead_to_credit():
    # 500 / 0.02 would be 25,000 shares; 50,000 at 100 pays for 500.
    assert atr_sized(**(BY_ATR | {"atr": 0.01})) == 500


@pytest.mark.parametrize("atr", NOTHING)
def test_no_range_is_no_size(atr):
    assert atr_sized(**(BY_ATR | {"atr": atr})) == 0


def test_a_price_close_to_nothing_is_no_size():
    assert fixed_fraction(**(FIXED | {"price": 5e-324})) == 0


@given(
    st.floats(1, 1e9),
    st.floats(0.01, 1),
    st.floats(0.001, 1),
    st.floats(-1, 1),
    st.floats(0.01, 1e5),
    st.floats(0.01, 1e3),
)
def test_no_size_ever_costs_more_than_the_capital_behind_it(equity, allocation, fraction, conviction, price, atr):
    capital = capital_behind(equity, allocation, conviction)
    fixed = fixed_fraction(equity=equity, allocation=allocation, fraction=fraction, conviction=conviction, price=price)
    by_atr = atr_sized(
        equity=equity,
        allocation=allocation,
        risk_fraction=fraction,
        atr=atr,
        atr_multiple=1.0,
        conviction=conviction,
        price=price,
    )
    assert max(abs(fixed), abs(by_atr)) * price <= capital + 1e-8 * price
    assert fixed * conviction >= 0
    assert by_atr * conviction >= 0
