import math

import pytest

from brokers.simulated.market_rules import MARKET_RULES, US_STOCK, US_STOCK_SUB_DOLLAR, increment_at, is_on_tick


def test_rule_26_is_a_flat_cent():
    assert MARKET_RULES[26].bands == ((0.0, 0.01),)


@pytest.mark.parametrize(("price", "increment"), [(0.0, 0.0001), (0.9999, 0.0001), (1.0, 0.01), (250.0, 0.01)])
def test_below_a_dollar_the_increment_is_finer(price, increment):
    assert increment_at(US_STOCK_SUB_DOLLAR, price) == increment


@pytest.mark.parametrize(
    ("price", "on_tick"), [(10.01, True), (10.015, False), (0.5001, False), (-1.0, False), (math.nan, False)]
)
def test_a_price_is_on_the_tick_or_not(price, on_tick):
    assert is_on_tick(US_STOCK, price) is on_tick


def test_a_tenth_of_a_cent_is_fine_below_a_dollar():
    assert is_on_tick(US_STOCK_SUB_DOLLAR, 0.5001)
    assert not is_on_tick(US_STOCK_SUB_DOLLAR, 1.5001)
